"""Which rows of two tables belong together: those of one label, of one value of a column, or of one place."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from distaff.errors import BadInput
from distaff.tables.columns import DECIMAL, DECIMAL_COMMA, are_whole, shown
from distaff.tables.table import Table

FEW = 50  # rows that mostly tell whether a column could label the rows
MOSTLY = 0.9  # of the values of a column that names rows are different, even if some stand twice
#: what may be done where two tables name other rows
BOTH = "keep those of both by missing='drop' (--missing drop)"

#: labels of rows (n,) by the column that gives them; under None the rows' own
Keys: TypeAlias = dict[str | None, list[str]]


def with_keys(first: Table, second: Table) -> tuple[Table, Table]:
    """Two tables, rows labelled by columns that hold the same values, or by one with the other's labels.

    Such a column has other values in each row, whole numbers or words. It is no column of codes or factors
    then, unless it was picked; and it is noted. Columns of one name come first, then those of two. What
    merely counts the rows may be ranks, and counts for files alone, under one name or as their labels.
    BadInput where columns of one name agree in most rows and not in all; where words of them agree in few,
    rows go by position, and it is noted.
    """
    if not (first.named and second.named) or first.what == second.what or not (len(first) and len(second)):
        return first, second
    labelled = first.labels is not None and second.labels is not None
    if labelled and not (counts_rows(first) or counts_rows(second)):
        return first, second
    ours, theirs = _keys(first), _keys(second)
    both_counted = counts_rows(first) and counts_rows(second)
    if labelled and not both_counted and set(ours[None]) == set(theirs[None]):
        return first, second  # as of a frame and some of its rows, shuffled
    if (found := _matching(ours, theirs, labelled)) is not None:
        name, other = found
        return _labelled(first, name, ours[name]), _labelled(second, other, theirs[other])
    return first, _not_paired(first, second, ours, theirs)


def rows_of_both(first: Table, second: Table) -> tuple[Table, Table]:
    """Two tables without the rows that one of them alone names, and a note of how many those are.

    By a column of one name, or by their own labels, that name each row once and of the shorter table half the
    rows at least in both; else the tables as they are.
    """
    if not (first.named and second.named) or first.what == second.what:
        return first, second
    ours, theirs = _keys(first), _keys(second)
    for name in [name for name in ours if name in theirs]:
        mine, its = ours[name], theirs[name]
        both = set(mine) & set(its)
        once = len(set(mine)) == len(mine) and len(set(its)) == len(its)
        counted = name is None and counts_rows(first) and counts_rows(second)
        ranks = len(mine) == len(its) and _may_count({*mine, *its}, len(mine))
        if once and 2 * len(both) >= min(len(mine), len(its)) and not (counted or ranks):
            return _left_of(first, mine, second, its, both)
    return first, second


def _left_of(
    first: Table, mine: list[str], second: Table, its: list[str], both: set[str]
) -> tuple[Table, Table]:
    gone = len(mine) - len(both), len(its) - len(both)
    if not any(gone):
        return first, second
    note = (
        f"{gone[0]} of {len(mine)} rows of {first.what} and {gone[1]} of {len(its)} of {second.what} left "
        "out, which the other does not have"
    )
    first, second = (
        table.take(np.array([label in both for label in labels]))
        for table, labels in ((first, mine), (second, its))
    )
    return first, replace(second, notes=(*second.notes, note))


def in_order_of(table: Table, like: Table) -> Table:
    """A table with its rows put in the order of another's, where both have labels; it is then noted.

    Where one has none, rows go by position, and it is noted if the other's numbers are out of order.
    """
    if table.labels is None or like.labels is None:
        return _by_position(table, like)
    if like.keyed and not table.keyed and counts_rows(table) and len(table) == len(like):
        note = f"rows of {table.what} go by position: they have no names"
        return replace(table, notes=(*table.notes, note))
    if table.labels == like.labels:
        return table
    own, other = list(map(str, table.labels)), list(map(str, like.labels))  # those of a column are texts
    if set(own) != set(other) or not len(set(own)) == len(own) == len(other):
        raise BadInput(
            f"the rows of {like.what} and {table.what} are labelled differently: {_common(other, own)}; give "
            f"the same rows, {BOTH}, or to go by position leave out the labels of one (.to_numpy() of a "
            "frame, the unnamed column of a file)"
        )
    place = {label: row for row, label in enumerate(own)}
    moved = table.take(np.array([place[label] for label in other]))
    note = f"rows of {table.what} put in the order of {like.what}, by their labels"
    return replace(moved, notes=(*moved.notes, note))


def counts_rows(table: Table) -> bool:
    """Whether the rows' labels are their numbers, as those of a frame that was given no index."""
    labels = table.labels
    return labels is not None and all(str(label) == str(row) for row, label in enumerate(labels))


def _keys(table: Table) -> Keys:
    """Columns that could label the rows: words or whole numbers, all different; and their own labels.

    Rows that have labels other than their numbers need no column.
    """
    found: Keys = {} if table.labels is None else {None: list(map(str, table.labels))}
    if table.labels is None or counts_rows(table):
        for name, cells in _every(table).items():
            if (labels := _all_different(cells)) is not None:
                found[name] = labels
    return found


def _every(table: Table) -> dict[str, NDArray[Any]]:
    """The cells (n,) of all columns by their names, those that were not picked too."""
    return {**dict(zip(table.names, table.cells, strict=True)), **(table.aside or {})}


def _labelled(table: Table, name: str | None, labels: list[str]) -> Table:
    """The table with its rows labelled by a column, which is taken out unless it was picked."""
    if name is None:
        return replace(table, labels=labels)
    own = [j for j, each in enumerate(table.names) if each != name]
    note = f"{table.what}: its rows are labelled by the column '{name}'"
    kept = table if table.aside is not None or not own else table.of(own)
    return replace(kept, labels=labels, keyed=True, notes=(*table.notes, note))


def _matching(ours: Keys, theirs: Keys, labelled: bool) -> tuple[str | None, str | None] | None:
    """The columns, or labels (None), of two tables that hold the same; `labelled` where both have labels."""
    mine, its = _sets(ours), _sets(theirs)
    named = [name for name in mine if name is not None]
    by_values = {values: name for name, values in its.items()}
    alike = [(name, name) for name in named if name in its]
    with_labels = [*((name, None) for name in named), *((None, name) for name in its if name is not None)]
    of_two = [(name, by_values[mine[name]]) for name in named if mine[name] in by_values]
    for pairs, may_count in ((alike, not labelled), (with_labels, not labelled), (of_two, False)):
        for name, other in pairs:
            values = mine.get(name)
            if values and values == its.get(other) and (may_count or not _may_count(values, len(values))):
                return name, other
    return None


def _sets(keys: Keys) -> Mapping[str | None, frozenset[str]]:
    return {name: frozenset(labels) for name, labels in keys.items()}


def _not_paired(first: Table, second: Table, ours: Keys, theirs: Keys) -> Table:
    """The second, with a note where a column of both names rows by words, and others in each."""
    notes, cells, others = [], _every(first), _every(second)
    for name in [name for name in cells if (name in ours or name in theirs) and name in others]:
        one = ours.get(name) or _labels(cells[name])
        other = theirs.get(name) or _labels(others[name])
        mine, its = set(one), set(other)
        mostly = min(len(mine) / len(one), len(its) / len(other)) >= MOSTLY  # else a factor in one of them
        if not mostly or _may_count(mine | its, max(len(one), len(other))):
            continue
        if len(mine & its) >= min(len(mine), len(its)) / 2:
            raise BadInput(
                f"{first.what} and {second.what} both have a column '{name}' that names rows: "
                f"{_common(one, other)}; give the same rows, {BOTH}, or to go by position take the column "
                "out of one"
            )
        if name in ours and name in theirs and not DECIMAL.fullmatch(one[0]):
            notes.append(
                f"rows go by position: '{name}' names other rows in {first.what} ({shown(one[0])}, ...) than "
                f"in {second.what} ({shown(other[0])}, ...)"
            )
    return replace(second, notes=(*second.notes, *notes)) if notes else second


def _common(one: list[str], other: list[str]) -> str:
    """How many of the labels of two tables are the same, as messages say it."""
    mine, its = set(one), set(other)
    repeated = len(one) + len(other) - len(mine) - len(its)
    twice = f", {repeated} of them repeated" if repeated else ""
    return f"of {len(one)} and {len(other)} labels {len(mine & its)} are the same{twice}"


def _by_position(table: Table, like: Table) -> Table:
    """A table as it is, with a note where one of the two is numbered out of order."""
    one, other = (like, table) if table.labels is None else (table, like)
    labels = list(map(str, one.labels or ()))
    if not labels or counts_rows(one) or set(labels) != {*map(str, range(len(labels)))}:
        return table
    note = (
        f"rows go by position: those of {one.what} are numbered out of order, but {other.what} has no labels"
    )
    return replace(table, notes=(*table.notes, note))


def _all_different(cells: NDArray[Any]) -> list[str] | None:
    """Cells as labels, where they are words or whole numbers and each is another."""
    if cells.dtype.kind not in "OiuUSf" or (
        cells.dtype.kind == "f" and not (are_whole(cells[:FEW]) and are_whole(cells))
    ):
        return None
    for some in (cells[:FEW], cells):
        labels = _labels(some)
        if len(set(labels)) < len(labels) or any(_is_decimal(label) for label in labels):
            return None
    return labels


def _labels(cells: NDArray[Any]) -> list[str]:
    """Cells as labels of rows; whole numbers alike, whether they are kept as floats or not."""
    if cells.dtype.kind == "f" and are_whole(cells):
        return [str(int(cell)) for cell in cells]
    return [str(cell).strip() for cell in cells]


def _is_decimal(text: str) -> bool:
    return ("." in text or "," in text) and bool(DECIMAL.fullmatch(text) or DECIMAL_COMMA.fullmatch(text))


def _may_count(values: Iterable[str], n: int) -> bool:
    """Whether labels are whole numbers from 0 to n, as those that count n rows or rank them."""
    return {*map(str, range(n + 1))}.issuperset(values)
