"""Images of your own as a folder of files, their labels in a CSV file or told by folders of classes."""

import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from distaff.datasets.classes import class_labels, uneven
from distaff.datasets.images import ArrayImages
from distaff.datasets.label_file import read_label_file
from distaff.datasets.labels import Labels
from distaff.datasets.pictures import DEEP, GREY, SUFFIXES, Picture, check_colour, eight_bits, read_picture
from distaff.datasets.squares import HOW, check_resolution, said
from distaff.errors import BadInput
from distaff.files import natural
from distaff.tables.readers.text import is_text

MOST_FILES = 1_000_000
MOST_KINDS = 8  # of files that are not read, named in the note


def read_folder(
    folder: Path,
    pixel_range: Sequence[float] | None = None,
    resolution: int | None = None,
    background: Any = "white",
    missing: str = "error",
    words: str | Sequence[str] = (),
) -> ArrayImages:
    """The data set in a folder of pictures: PNG, JPEG, WebP, TIFF, GIF or BMP, the first frame, upright.

    A single .csv in the folder may hold labels: a header, then a line per image, its file name first. Without
    one, folders within the folder become a label. With a `resolution`, every image is cropped to its middle
    square and resized to it; without, they must have one size. Grey of more than 8 bits, as microscopes and
    depth cameras write it, is scaled to 8, all images alike. Transparent images lie on `background`. With
    `missing` "drop" images without a value for some label are left out; labels named in `words` are words.
    """
    resolution = check_resolution(resolution)
    found = sorted(_walk(folder), key=lambda path: natural(*path.parts))
    whole = {path for path in found if (folder / path).is_file()}
    files = [path for path in found if path.suffix.lower() in SUFFIXES and path in whole]
    tables = [path for path in found if _is_label_file(path) and path in whole]
    read = {*files, *tables}
    rest = _unread([path for path in found if path not in read])
    if not files:
        holds = f"; {rest}" if rest else ""
        raise BadInput(f"{folder} holds no .png, .jpg, .webp, .tif, .gif or .bmp file{holds}")
    if len(tables) > 1:
        held = ", ".join(path.name for path in tables[:MOST_KINDS])
        raise BadInput(
            f"{folder} holds {len(tables)} .csv files or the like; leave the one with the labels: {held}"
        )
    names = [path.as_posix() for path in files]
    if tables:
        told = words.split(",") if isinstance(words, str) else list(words)
        labels: Labels | None
        labels, kept = read_label_file(folder / tables[0], names, missing, told)
        files = [files[place] for place in kept]
        if class_labels(files) is not None:
            rest = "; ".join(filter(None, [rest, f"folders are no label beside {tables[0].name}"]))
    else:
        labels = class_labels(files)
        rest = "; ".join(filter(None, [rest, "" if labels else uneven(files)]))
    images, notes = _decode(folder, files, resolution, background, pixel_range is not None)
    name = folder.resolve().name
    data = ArrayImages(images, labels, pixel_range=pixel_range, name=name, source=f"folder {name}")
    data.note = "; ".join(filter(None, [*notes, data.note, rest]))
    return data


def _is_label_file(path: Path) -> bool:
    """Whether a file at the top of the folder is a table of labels: .csv, .tsv, or named labels."""
    plain = path.name.lower().removesuffix(".gz")
    named = plain.endswith((".csv", ".tsv")) or (
        plain.startswith("labels.") and not plain.endswith(".zip") and is_text(path)
    )
    return named and len(path.parts) == 1


def _walk(folder: Path) -> list[Path]:
    """All files that are not hidden, as paths within the folder.

    Links to folders are followed after all that lies in the folder itself, but not to a folder around it, and
    no folder is visited twice.
    """
    found, seen, count, waiting = [], set(), 0, [str(folder)]
    around = {os.path.realpath(each) for each in (folder.resolve(), *folder.resolve().parents)}
    while waiting:
        for here, folders, files in os.walk(waiting.pop(0)):
            place = os.stat(here)
            if (place.st_dev, place.st_ino) in seen:
                folders.clear()
                continue
            seen.add((place.st_dev, place.st_ino))
            count += len(files) + len(folders)
            if count > MOST_FILES:
                raise BadInput(
                    f"{folder} holds over {MOST_FILES:,} files; give the folder of the images alone"
                )
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            links = [link for name in folders if os.path.islink(link := os.path.join(here, name))]
            waiting += [link for link in links if os.path.realpath(link) not in around]
            within = Path(os.path.relpath(here, folder))
            found += [within / name for name in files if not name.startswith(".")]
    return found


def _unread(paths: Sequence[Path]) -> str:
    """How many files of which kinds are left out."""
    kinds = Counter(path.suffix.lower() or "without an ending" for path in paths)
    ordered = sorted(kinds.items(), key=lambda item: (-item[1], item[0]))
    rest = sum(count for _, count in ordered[MOST_KINDS:])
    told = [f"{count} {kind}" for kind, count in ordered[:MOST_KINDS]] + [f"{rest} others"] * bool(rest)
    return f"not read: {', '.join(told)}" if told else ""


def _decode(
    folder: Path, files: Sequence[Path], resolution: int | None, background: Any, has_range: bool
) -> tuple[NDArray[Any], list[str]]:
    """The images (n, H, W) or (n, H, W, 3) of the files, and what should be known about them.

    Grey of more than 8 bits is as it is in the files where its user says what is black and white.
    """
    colour = check_colour(background)
    pixels, facts, grey = [], [], True
    for path in files:
        picture = read_picture(folder / path, path.as_posix(), colour, resolution, deep=True)
        if picture.mode == "F" and not np.isfinite(picture.pixels).all():
            raise BadInput(f"{path}: some pixels are infinite or no numbers; give finite ones")
        pixels.append(picture.pixels)
        facts.append(picture._replace(pixels=picture.pixels[:0]))
        _check_alike(files[0], facts[0], path, facts[-1], any_size=resolution is not None)
        one_channel = picture.mode in GREY and not picture.transparent
        grey = grey and one_channel and bool((picture.pixels == picture.pixels[:, :, :1]).all())
    notes = said([fact.size for fact in facts], resolution) if resolution else []
    if any(fact.transparent for fact in facts):
        named = background if isinstance(background, str) else f"[{','.join(map(str, background))}]"
        notes.append(f"transparent pixels are laid on {named}")
    if more := sum(fact.more for fact in facts):
        notes.append(f"only the first frame is read of {more} {'files' if more > 1 else 'file'} with several")
    if cut := sum(fact.cut for fact in facts):
        notes.append(f"of 16 bits a channel the upper 8 are read in {cut} {'files' if cut > 1 else 'file'}")
    if facts[0].mode in DEEP:
        deep = np.stack(pixels)
        if has_range:
            return deep, notes
        of_bits = all(fact.mode != "F" for fact in facts) or bool((deep == np.rint(deep)).all())
        images, done = eight_bits(deep, of_bits)
        return images, [*notes, done]
    return np.stack([each[:, :, 0] if grey else each for each in pixels]), notes


def _check_alike(first: Path, fact: Picture, path: Path, other: Picture, any_size: bool) -> None:
    """An error where two pictures cannot be of one data set."""
    if (fact.mode in DEEP) != (other.mode in DEEP):
        raise BadInput(
            f"{first} has pixels of kind {fact.mode} and {path} of kind {other.mode}: grey of more than "
            "8 bits beside others; save all of them alike"
        )
    if (fact.mode == "F") != (other.mode == "F"):
        raise BadInput(
            f"{first} has pixels of kind {fact.mode} and {path} of kind {other.mode}; save all alike"
        )
    if not any_size and fact.size != other.size:
        sizes = ", ".join(f"{p} is {f.size[1]}x{f.size[0]}" for p, f in ((first, fact), (path, other)))
        raise BadInput(f"images of mixed sizes: {sizes}; {HOW}, or make them one size")
