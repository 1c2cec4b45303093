"""Images of your own as a folder of PNG and JPEG files, perhaps with a CSV file of labels."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from distaff.datasets.images import ArrayImages, check_side
from distaff.errors import BadInput
from distaff.files import UNREADABLE, check_file, read_csv, side_by_side

SUFFIXES = (".png", ".jpg", ".jpeg")
FORMATS = ("PNG", "JPEG")  # whatever the name says; a PostScript file would be run as a program
MOST_FILES = 1_000_000


def read_folder(folder: Path, pixel_range: Sequence[float] | None = None) -> ArrayImages:
    """The data set in a folder of PNG or JPEG files of one size.

    A single .csv in the folder may hold labels: a header, then a line per image, its file name first.
    """
    paths = [path.relative_to(folder) for path in itertools.islice(folder.rglob("*"), MOST_FILES + 1)]
    if len(paths) > MOST_FILES:
        raise BadInput(f"{folder} holds over {MOST_FILES:,} files; give the folder of the images alone")
    paths.sort()
    shown = [p for p in paths if not any(part.startswith(".") for part in p.parts) and (folder / p).is_file()]
    files = [path for path in shown if path.suffix.lower() in SUFFIXES]
    if not files:
        raise BadInput(f"{folder} holds no .png, .jpg or .jpeg file")
    images, notes = _decode(folder, files)
    tables = [folder / path for path in shown if path.suffix.lower() == ".csv" and len(path.parts) == 1]
    if len(tables) > 1:
        raise BadInput(f"{folder} holds {len(tables)} .csv files; leave the one with the labels")
    names, labels = None, None
    if tables:
        names, labels = _read_labels(tables[0], [path.as_posix() for path in files])
    name = folder.resolve().name
    data = ArrayImages(
        images, labels, names=names, pixel_range=pixel_range, name=name, source=f"folder {name}"
    )
    data.note = "; ".join(filter(None, [*notes, data.note]))
    return data


def _decode(folder: Path, files: list[Path]) -> tuple[NDArray[np.uint8], list[str]]:
    """The images (n, H, W) or (n, H, W, 3) of the files, and what should be known about them."""
    from PIL import Image

    decoded, modes, path = [], set(), files[0]
    try:
        for path in files:
            check_file(folder / path)
            with Image.open(folder / path, formats=FORMATS) as image:
                check_side(image.height, image.width, path.as_posix())
                pixels, mode = _flat(image, path)
            decoded.append(pixels)
            modes.add(mode)
            if pixels.shape[:2] != decoded[0].shape[:2]:
                sizes = ", ".join(
                    f"{p} is {d.shape[1]}x{d.shape[0]}" for p, d in ((files[0], decoded[0]), (path, pixels))
                )
                raise BadInput(f"images of mixed sizes: {sizes}; make them one size")
    except (*UNREADABLE, Image.DecompressionBombError) as error:
        if isinstance(error, BadInput):
            raise
        raise BadInput(f"{folder / path} cannot be read as an image: {error}") from None
    grey = all((pixels == pixels[:, :, :1]).all() for pixels in decoded) and modes <= {"1", "L", "LA"}
    notes = ["transparent pixels are laid on white"] if "transparent" in modes else []
    return np.stack([pixels[:, :, 0] if grey else pixels for pixels in decoded]), notes


def _flat(image: Any, path: Path) -> tuple[NDArray[np.uint8], str]:
    """An image as RGB pixels (H, W, 3), and its mode, or "transparent" where white shows through."""
    from PIL import Image

    if image.mode not in ("1", "L", "LA", "P", "PA", "RGB", "RGBA", "CMYK", "YCbCr"):
        raise BadInput(
            f"{path} has pixels of kind {image.mode}; save it as grey or RGB with 8 bits a channel"
        )
    if image.mode in ("LA", "PA", "RGBA") or "transparency" in image.info:
        layered = image.convert("RGBA")
        if layered.getchannel("A").getextrema()[0] < 255:
            white = Image.new("RGBA", image.size, "white")
            return np.asarray(Image.alpha_composite(white, layered).convert("RGB")), "transparent"
        image = layered
    return np.asarray(image.convert("RGB")), image.mode


def _read_labels(path: Path, files: list[str]) -> tuple[list[str], NDArray[Any]]:
    """The names and labels of the files, from a CSV with a header and a file name in front of each line."""
    header, (listed, *columns) = read_csv(path, headed=True)
    if len(header) < 2:
        raise BadInput(f"{path} needs a header with the file name first and at least one label after it")
    line = {file: number for number, file in enumerate(listed)}
    if len(line) < len(listed):
        twice = next(file for number, file in enumerate(listed) if line[file] != number)
        raise BadInput(f"{path} labels '{twice}' twice")
    for file in files:
        if file not in line:
            raise BadInput(f"{path} has no line for '{file}'")
    if len(line) > len(files):
        raise BadInput(f"{path} labels '{sorted(set(line) - set(files))[0]}', which is not in the folder")
    order = [line[file] for file in files]
    return header[1:], side_by_side([column[order] for column in columns], header[1:], path, words=True)
