"""What could label the rows of a table: its own labels, a column, or the columns it shares with another."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from distaff.tables.columns import DECIMAL, DECIMAL_COMMA, MIDNIGHT, are_whole
from distaff.tables.table import Table

FEW = 50  # rows that mostly tell whether a column could label the rows
SLASH = re.compile(r"[\\/]")
WHOLE = re.compile(r"[+-]?\d{1,300}(?:\.0*)?", re.ASCII)  # also 007 and 101.0

#: the columns that label rows, none for the rows' own labels
Key: TypeAlias = tuple[str, ...]
#: labels of rows (n,) by what gives them
Keys: TypeAlias = dict[Key, list[str]]


def keys_of(table: Table) -> Keys:
    """Columns that could label the rows: words or whole numbers, all different; and their own labels."""
    found: Keys = {} if table.labels is None else {(): own_labels(table)}
    for name, cells in every_column(table).items():
        if (labels := _all_different(cells)) is not None:
            found[name,] = labels
    return found


def keys_of_both(first: Table, second: Table) -> tuple[Keys, Keys]:
    """What could label the rows of each of two tables.

    Beside single columns all that both have, of words and whole numbers, if together they differ in each row
    of both, as subject and trial. Columns that are called by numbers are none of these, nor are all of a
    table.
    """
    found = _without_folders(keys_of(first)), _without_folders(keys_of(second))
    mine, its = every_column(first), every_column(second)
    shared = [pair for pair in alike(mine, its) if not pair[0].isdigit() and not _decimals(mine, its, pair)]
    if len(shared) > 1 and all(len(shared) < len(each) for each in (mine, its)):
        for keys, columns, names in zip(found, (mine, its), zip(*shared, strict=True), strict=True):
            parts = [labels_of(columns[name]) for name in names]
            together = ["\x1f".join(row) for row in zip(*parts, strict=True)]
            if len(set(together)) == len(together):
                keys[names] = together
    return found


def _decimals(mine: dict[str, NDArray[Any]], its: dict[str, NDArray[Any]], names: tuple[str, str]) -> bool:
    """Whether the first cells of a column of one of two tables hold numbers that are not whole."""
    return any(
        is_decimal(label)
        for columns, name in zip((mine, its), names, strict=True)
        for label in labels_of(columns[name][:FEW])
    )


def _without_folders(keys: Keys) -> Keys:
    """Names of files without the folders in front, if they differ so: two tables may be of two places."""
    shorter = {}
    for key, labels in keys.items():
        names = [SLASH.split(label)[-1] for label in labels]
        shorter[key] = names if len(set(names)) == len(names) else labels
    return shorter


def may_be_paired(first: Table, second: Table) -> bool:
    """Whether two tables have rows and names, and are not the same one."""
    same = first.source == second.source if first.source else first.what == second.what
    return first.named and second.named and not same and bool(len(first) and len(second))


def alike(mine: Iterable[str], its: Iterable[str]) -> list[tuple[str, str]]:
    """Names of two tables that are the same, whatever their case."""
    there = {name.casefold(): name for name in its}
    return [(name, there[name.casefold()]) for name in mine if name.casefold() in there]


def alike_keys(ours: Keys, theirs: Keys) -> list[tuple[Key, Key]]:
    """Keys of two tables that are called the same, whatever their case."""
    its = {tuple(map(str.casefold, key)): key for key in theirs}
    folded = {key: tuple(map(str.casefold, key)) for key in ours}
    return [(key, its[name]) for key, name in folded.items() if name in its]


def every_column(table: Table) -> dict[str, NDArray[Any]]:
    """The cells (n,) of all columns by their names, those that were not picked too."""
    return {**dict(zip(table.names, table.cells, strict=True)), **(table.aside or {})}


def own_labels(table: Table) -> list[str]:
    """The rows' own labels as texts, as they were written; whole numbers alike, however that was."""
    labels = np.empty(len(table.labels or ()), dtype=object)
    labels[:] = table.labels
    return [str(int(label) + 1) for label in labels] if table.from_one else labels_of(labels)


def counts_rows(table: Table) -> bool:
    """Whether the rows' labels are their numbers, as those of a frame that was given no index."""
    labels = table.labels
    return labels is not None and all(str(label) == str(row) for row, label in enumerate(labels))


def labels_of(cells: NDArray[Any]) -> list[str]:
    """Cells as labels of rows; dates alike, and whole numbers, whether they are kept as floats or as 007."""
    if isinstance(cells, np.ma.MaskedArray):  # as cells of Parquet without a value
        cells = np.ma.filled(cells.astype(object), None)
    if cells.dtype.kind == "f" and are_whole(cells):
        return [str(int(cell)) for cell in cells]
    texts = [str(cell).strip() for cell in cells]
    if texts and all(map(MIDNIGHT.fullmatch, texts)):
        return [MIDNIGHT.sub(r"\1", text) for text in texts]
    if "".join(texts).isdigit() and not any(text[:1] in ("0", "") for text in texts):
        return texts  # the usual case, and quick
    if all(map(WHOLE.fullmatch, texts)):
        numbers = [str(int(text.partition(".")[0])) for text in texts]
        if len(set(numbers)) == len(set(texts)):
            return numbers
    return texts


def is_decimal(text: str) -> bool:
    """Whether a label is a number that is not whole."""
    return ("." in text or "," in text) and bool(DECIMAL.fullmatch(text) or DECIMAL_COMMA.fullmatch(text))


def may_count(values: Iterable[str], n: int) -> bool:
    """Whether labels are whole numbers from 0 to n, as those that count n rows or rank them."""
    return {*map(str, range(n + 1))}.issuperset(values)


def _all_different(cells: NDArray[Any]) -> list[str] | None:
    """Cells as labels, where they are words or whole numbers and each is another."""
    if cells.dtype.kind not in "OiuUSf" or (
        cells.dtype.kind == "f" and not (are_whole(cells[:FEW]) and are_whole(cells))
    ):
        return None
    for some in (cells[:FEW], cells):
        labels = labels_of(some)
        if len(set(labels)) < len(labels) or any(is_decimal(label) for label in labels):
            return None
    return labels
