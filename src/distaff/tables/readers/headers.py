"""The names of a table's columns: whether a first row is a header, and which column labels the rows."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from distaff.tables.columns import read_column, shown
from distaff.tables.readers.above import SAMPLE
from distaff.tables.table import Table

SAID = 8  # names in a note
MANY = 8  # columns, from which their names can be told from other words and numbers
UNNAMED = re.compile(r"(Unnamed: 0)?")  # as pandas calls the column of an index


def named(table: Table, header: Sequence[str] | None, wanted: Sequence[str] | None) -> Table:
    """A table of a file under its header, with the columns `wanted`.

    A first column without a name labels the rows, an empty last one goes, others without a name or with
    another's get one; all is said in the notes. Without a header columns are numbered from 0.
    """
    cells, labels, from_one, told = list(table.cells), None, False, []
    if header is None:
        names = [str(j) for j in range(len(cells))]
    else:
        names = list(header) + [""] * (len(cells) - len(header))
        for end in (-1, 0):  # each line ends with a separator; a sheet begins in a later column
            while len(names) > 1 and names[end] == "" and all(_is_empty(cell) for cell in cells[end]):
                names.pop(end)
                cells.pop(end)
        if len(names) > 1 and UNNAMED.fullmatch(names[0]) and names[0] not in (wanted or ()):
            labels, from_one = _labels(cells[0])
            told.append("its unnamed first column labels the rows and is no column of the table")
            names, cells = names[1:], cells[1:]
        unnamed = [j for j, name in enumerate(names) if name == ""]
        names = [name or f"Unnamed: {j}" for j, name in enumerate(names)]
        if unnamed:
            told.append(f"columns without a name are now {', '.join(names[j] for j in unnamed)}")
        names, again = _unique(names)
        if again:
            told.append(f"columns of the same name are now {', '.join(again)}")
    made = replace(
        table,
        names=names,
        cells=cells,
        named=header is not None,
        labels=labels,
        from_one=from_one,
        notes=(*table.notes, *(f"{table.what}: {each}" for each in told)),
    )
    return made.with_aside(wanted)


def _is_empty(cell: Any) -> bool:
    return cell is None or cell == "" or bool(cell != cell)


def _labels(column: NDArray[Any]) -> tuple[list[str], bool]:
    """The rows' labels, and whether they count from 1, as R does; they count from 0 then, as pandas does."""
    labels = [str(cell).strip() for cell in column]
    if set(labels) == {str(row + 1) for row in range(len(labels))}:
        return [str(int(label) - 1) for label in labels], True
    return labels, False


def _unique(names: list[str]) -> tuple[list[str], list[str]]:
    """Names without repetition, as pandas makes them, and the new ones."""
    found: dict[str, None] = {}
    numbers = Counter[str]()
    for name in names:
        new = name
        while new in found:
            numbers[name] += 1
            new = f"{name}.{numbers[name]}"
        found[new] = None
    changed = [shown(new) for new, name in zip(found, names, strict=True) if new != name]
    return list(found), changed[:SAID] + ["..."] * (len(changed) > SAID)


def is_header(head: list[str], body: list[list[str]], comma: bool = False) -> bool:
    """Whether the first line names the columns."""
    kinds = _kinds(head, comma)
    counted = [str(j) for j in range(len(head))]
    if head == counted or (len(head) > 1 and head[1:] == counted[:-1] and kinds[0] != "number"):
        return True  # as pandas numbers columns, perhaps beside a column of labels
    if "number" not in kinds and "word" in kinds:
        return not (_is_wide(head, body) and 2 * len(set(head)) <= len(head))  # classes of many images
    if (head == [str(j + 1) for j in range(len(head))] and _are_real(body)) or _are_ids(head, kinds, body):
        return True  # as R and MATLAB number columns
    numbers = [cell for kind, cell in zip(kinds, head, strict=True) if kind == "number"]
    if "word" in kinds and (numbers == counted[: len(numbers)] or _is_above_words(head, kinds, body)):
        return True
    if not all(cell.isdigit() for cell in numbers):
        return False  # a word beside -1.5 is a slip in a row
    full = [row for row in body if len(row) == len(head)]
    under = [_kinds(list(column), comma) for column in zip(*full, strict=True)]
    return any(
        kind == "word" and column and set(column) <= {"number", "missing"} and "number" in column
        for kind, column in zip(kinds, under, strict=False)
    )


def _is_wide(head: list[str], body: list[list[str]]) -> bool:
    """Whether there are many columns, and more than rows, which may be those of another table."""
    return len(head) >= MANY and len(body) + 1 < min(len(head), SAMPLE)


def _are_ids(head: list[str], kinds: list[str], body: list[list[str]]) -> bool:
    """Whether many columns are called by whole numbers, all different, perhaps beside a column of labels."""
    labelled = kinds[0] != "number"
    names = head[labelled:]
    whole = len(set(names)) == len(names) >= MANY and all(map(str.isdigit, names))
    return whole and _are_real([row[labelled:] for row in body])


def _are_real(body: list[list[str]]) -> bool:
    """Whether most cells of every column are decimals that are not whole."""
    columns = list(zip(*body, strict=False))
    return bool(columns) and all(2 * sum("." in cell for cell in each) > len(each) for each in columns)


def _is_above_words(head: list[str], kinds: list[str], body: list[list[str]]) -> bool:
    """Whether a word of the first row never comes again in a column whose other words do."""
    for place, cell in enumerate(head):
        below = [row[place] for row in body if place < len(row)]
        repeats = len(below) >= 8 and len(set(below)) <= len(below) / 2
        if kinds[place] == "word" and repeats and cell not in below:
            return True
    return False


def _kinds(cells: list[str], comma: bool) -> list[str]:
    column = read_column(np.array(cells, dtype=object), comma=comma)
    infinite = np.array([cell.lower().lstrip("+-") in ("inf", "infinity") for cell in cells], dtype=bool)
    kinds = np.where(column.number | infinite, "number", "word")
    return np.where(column.missing, "missing", kinds).tolist()
