"""A CSV file with the labels of a folder's images."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from distaff.datasets.file_names import Matched, are_pictures, differing, matched, nearest
from distaff.datasets.labels import Labels, of_table
from distaff.errors import BadInput, unknown
from distaff.tables.readers.text import read_text
from distaff.tables.table import Table

WAYS = ("error", "drop")  # with labels that have no value
#: what columns of names are called
CALLED = (
    *("file", "filename", "file_name", "image", "image_id", "img", "path", "name", "photo", "picture", "id"),
    *("frame", "index", "number"),
)
NONE = (-1, 0, 0, 0)
DROP = "leave such images out with --data missing=drop"


def read_label_file(
    path: Path, files: Sequence[str], missing: str = "error", words: Sequence[str] = ()
) -> tuple[Labels, list[int]]:
    """The labels from a CSV with a header and a file name in each line, and which of the files they are of.

    Names may be written otherwise than the folder's (see `matched`), and lines that name none of the files
    are let pass; both is noted. With `missing` "drop" files without a line, or without a value for some
    label, are left out. Labels named in `words` are words, whatever they look like.
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
    line, notes = _lines(listed, files, path, missing)
    table = table.take(np.array(list(line.values()), dtype=np.int64))
    places = [place for place, file in enumerate(files) if file in line]
    kept = np.ones(len(table), dtype=bool)
    if missing == "drop":
        kept = ~table.missing(words)
        if not kept.any():
            named = zip(table.names, table.columns(words), strict=True)
            lacking = [f"'{name}' has no value at all" for name, each in named if each.missing.all()]
            which = lacking[0] if lacking else "no image has a value for each label"
            raise BadInput(f"{path}: {which}, so that no image is left; take that column out")
        if not kept.all():
            notes.append(f"{int((~kept).sum())} of {len(kept)} images left out, for they lack a label")
    labels = of_table(table.take(kept), words)
    told = [*table.notes, *notes, *labels.notes]
    return labels._replace(notes=told), [places[row] for row in np.flatnonzero(kept)]


def _listed(table: Table, files: Sequence[str], path: Path) -> tuple[list[str], Table]:
    """The names of files, from the column or the labels of rows that hold them, and the other columns."""
    columns = [[str(cell).strip() for cell in column] for column in table.cells]
    columns.append([str(label) for label in table.labels or ()])
    says = [name.casefold() in CALLED for name in [*table.names, ""]]
    hits = [
        (len(set(files).intersection(cells)), 0, 0, int(said))
        for cells, said in zip(columns, says, strict=True)
    ]
    if not any(count for count, *_ in hits):  # names are written otherwise
        names = [*table.names, ""]
        hits = [_hits(name, column, files) for name, column in zip(names, columns, strict=True)]
        if any(map(are_pictures, columns)):
            hits = [
                each if are_pictures(column) else NONE for each, column in zip(hits, columns, strict=True)
            ]
    place = hits.index(max(hits))  # the first, where none holds a name
    by_label = place == len(table.cells)
    rest = [name for j, name in enumerate(table.names) if j != place]
    if not rest:
        raise BadInput(f"{path} needs a header with the file name first and at least one label after it")
    if hits[place][1] > 1 and not by_label:
        table = replace(table, notes=(*table.notes, f"files are named by its column '{table.names[place]}'"))
    keep = "--data words={name}"
    notes = tuple(note for note in table.notes if not by_label or "unnamed first column" not in note)
    drop = "--data missing=drop"
    return columns[place], replace(table.pick(rest), labels=None, drop=drop, keep=keep, notes=notes)


def _hits(name: str, column: Sequence[str], files: Sequence[str]) -> tuple[int, int, int, int]:
    """How many files a column names, how little otherwise than they are written, and if it says that it does.

    Numbers that stand for files without their ending count least: any label that counts would do so. Among
    themselves that counts first how many they name, the second number, which is 0 for others.
    """
    found = matched(column, files) if len(set(column)) == len(column) else Matched({}, 0)
    says = name.casefold() in CALLED
    counts = all(cell.isdigit() for cell in column)
    if counts and not says:
        return min(len(found.place), 1), len(found.place), -found.way, 0
    return len(found.place), 0, -found.way, says


def _lines(
    listed: Sequence[str], files: Sequence[str], path: Path, missing: str
) -> tuple[Mapping[str, int], list[str]]:
    """The place in the list of each file that it names, and notes; an error where one is not or twice."""
    known = set(files)
    if twice := [name for name, count in Counter(listed).items() if count > 1 and name in known]:
        raise BadInput(f"{path} labels '{twice[0]}' twice")
    line, notes = matched(listed, files).place, []
    named = {listed[place] for place in line.values()}
    without = [file for file in files if file not in line]
    extra = [name for name in listed if name not in named]
    if without and (missing != "drop" or not line):
        raise BadInput(_mismatch(path, without, extra, len(files)) + (f"; {DROP}" if line else ""))
    if without:
        notes.append(
            f"{_of(len(without), len(files))} have no line in {path.name} and are left out, {_such(without)}"
        )
    if extra:
        said = "line names" if len(extra) == 1 else "lines name"
        notes.append(f"{len(extra)} {said} no image of the folder, {_such(extra)}")
    other = [(listed[place], file) for file, place in line.items() if listed[place] != file]
    if other:
        name, file = other[0]
        notes.append(f"{path.name} writes '{name}' for '{file}', which differs {differing(name, file)}")
    return line, notes


def _mismatch(path: Path, without: Sequence[str], extra: Sequence[str], n: int) -> str:
    """That a file has no line, and the line that is probably meant."""
    told = f"'{without[0]}'"
    if extra:
        told += f", and labels '{extra[0]}', which is not in the folder"
    for name in extra:
        if near := nearest(name, without):
            told = f"'{near[0]}'; it has one for '{name}', which differs {near[1]}"
            break
    return f"{path} has no line for {told} ({_of(len(without), n)} have none)"


def _of(count: int, n: int) -> str:
    return f"{count} of {n} images"


def _such(names: Sequence[str]) -> str:
    """Of some names the first."""
    return f"such as '{names[0]}'" if len(names) > 1 else f"'{names[0]}'"
