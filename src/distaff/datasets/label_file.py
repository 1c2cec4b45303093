"""A CSV file with the labels of a folder's images."""

import difflib
import itertools
import unicodedata
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray

from distaff.datasets.labels import Labels, of_table
from distaff.datasets.pictures import SUFFIXES
from distaff.errors import BadInput, unknown
from distaff.tables.table import Table
from distaff.tables.text import read_text

WAYS = ("error", "drop")  # with labels that have no value

#: of files that people list but that are not read as pictures
OTHER_SUFFIXES = (".heic", ".heif", ".avif", ".jp2", ".ppm", ".pgm", ".npy")
LETTERS = "in its letters"
MOST_COMPARED = 2000  # names, letter by letter


def read_label_file(
    path: Path, files: Sequence[str], missing: str = "error", words: Sequence[str] = ()
) -> tuple[Labels, list[int]]:
    """The labels from a CSV with a header and a file name in each line, and which of the files they are of.

    With `missing` "drop" files without a value for some label are left out. Labels named in `words` are
    words, whatever they look like.
    """
    if missing not in WAYS:
        raise unknown("way with missing values", str(missing), WAYS)
    table = read_text(path, headed=True)
    if set(table.names) & set(files):  # a header would not name an image
        table = read_text(path, headed=False)
        table = replace(table, names=[f"label_{name}" for name in table.names], named=True)
    listed, table = _listed(table, files, path)
    for name in words:
        table.place(name)
    table = table.take(_order(listed, files, path))
    kept, notes = np.ones(len(table), dtype=bool), []
    if missing == "drop":
        kept = ~table.missing(words)
        if not kept.any():
            named = zip(table.names, table.columns(words), strict=True)
            lacking = [f"'{name}' has no value at all" for name, each in named if each.missing.all()]
            which = lacking[0] if lacking else "no image has a value for each label"
            raise BadInput(f"{path}: {which}, so that no image is left; take that column out")
        if not kept.all():
            notes = [f"{int((~kept).sum())} of {len(kept)} images left out, for they lack a label"]
    labels = of_table(table.take(kept), words)
    return labels._replace(notes=[*table.notes, *notes, *labels.notes]), np.flatnonzero(kept).tolist()


def _listed(table: Table, files: Sequence[str], path: Path) -> tuple[list[str], Table]:
    """The names of files, from the column or the labels of rows that hold them, and the other columns."""
    known = set(files)
    columns = [[str(cell).strip() for cell in column] for column in table.cells]
    hits = [len(known & set(column)) for column in columns]
    by_label = len(known & set(table.labels or ())) > max(hits)
    place = int(np.argmax(hits))  # the first, where none holds a name
    rest = [name for j, name in enumerate(table.names) if by_label or j != place]
    if not rest:
        raise BadInput(f"{path} needs a header with the file name first and at least one label after it")
    names = list(table.labels or ()) if by_label else columns[place]
    keep = "--data words={name}"
    notes = tuple(note for note in table.notes if not by_label or "unnamed first column" not in note)
    return names, replace(table.pick(rest), labels=None, drop="--data missing=drop", keep=keep, notes=notes)


def _order(listed: Sequence[str], files: Sequence[str], path: Path) -> NDArray[np.int64]:
    """The number of the line of each file, or an error where lines and files do not match one to one."""
    line = {file: number for number, file in enumerate(listed)}
    if len(line) < len(listed):
        twice = next(file for number, file in enumerate(listed) if line[file] != number)
        raise BadInput(f"{path} labels '{twice}' twice")
    known = set(files)
    without = [file for file in files if file not in line]
    extra = [name for name in listed if name not in known]
    if without and extra:
        raise BadInput(_mismatch(path, without, extra, len(files)))
    if without:
        count = _of(len(without), len(files), "images have none")
        raise BadInput(f"{path} has no line for '{without[0]}'{count}")
    if extra:
        near = nearest(extra[0], files)
        meant = near is not None and near[1] != LETTERS  # else there are too many like it
        hint = f"; the nearest is '{near[0]}', which has a line of its own" if near and meant else ""
        raise BadInput(f"{path} labels '{extra[0]}', which is not in the folder{hint}")
    return np.array([line[file] for file in files], dtype=np.int64)


def _mismatch(path: Path, without: Sequence[str], extra: Sequence[str], n: int) -> str:
    """That a file has no line, and the line that is probably meant."""
    told = f"'{without[0]}', and labels '{extra[0]}', which is not in the folder"
    for name in extra:
        if near := nearest(name, without):
            told = f"'{near[0]}'; it has one for '{name}', which differs {near[1]}"
            break
    count = _of(len(without), n, "images have no line")
    return f"{path} has no line for {told}. Write the names as the folder has them{count}"


def _of(count: int, n: int, what: str) -> str:
    return f" ({count} of {n} {what})" if n > 1 else ""


def nearest(name: str, names: Sequence[str]) -> tuple[str, str] | None:
    """The one of `names` that is probably meant by `name`, and in what they differ."""
    for ending, folders in itertools.product((True, False), repeat=2):
        found = {_alike(other, ending, folders): other for other in reversed(names)}
        other = found.get(_alike(name, ending, folders))
        if other is not None:
            differences = _differences(name, other)
            return other, "in " + " and ".join(differences) if differences else LETTERS
    close = difflib.get_close_matches(name, names[:MOST_COMPARED], n=1)
    return (close[0], LETTERS) if close else None


def _slashed(name: str) -> str:
    return name.replace("\\", "/")


def _composed(name: str) -> str:
    return unicodedata.normalize("NFC", name)


def _alike(name: str, ending: bool, folders: bool) -> str:
    """A name whatever its case and slashes, with or without its ending and the folders in front."""
    name = _composed(_composed(_slashed(name)).casefold()).removeprefix("./")
    name = name if folders else name.rpartition("/")[2]
    return name if ending else _without_ending(name)


def _without_ending(name: str) -> str:
    ending = PurePosixPath(name).suffix
    return name.removesuffix(ending) if ending.casefold() in (*SUFFIXES, *OTHER_SUFFIXES) else name


def _differences(name: str, other: str) -> list[str]:
    """In what two names differ, but for the letters of the file's name itself."""
    first, second = _slashed(name), _slashed(other)
    found = ["its slashes"] * ((first != name) != (second != other))
    if _composed(first).casefold() == _composed(second).casefold():
        return found + _form(first, second)
    (front, _, first), (other_front, _, second) = first.rpartition("/"), second.rpartition("/")
    found += ["the folders in front"] * (front.casefold() != other_front.casefold())
    bare, other_bare = _without_ending(first), _without_ending(second)
    if first.removeprefix(bare).casefold() != second.removeprefix(other_bare).casefold():
        return [*found, "its ending", *_form(bare, other_bare)]
    return found + _form(first, second)


def _form(first: str, second: str) -> list[str]:
    """Whether two names differ in how their characters are composed, and in case."""
    composed, other = _composed(first), _composed(second)
    unlike = first != second and (composed != first) != (other != second)
    return ["its Unicode form"] * unlike + ["upper and lower case"] * (composed != other)
