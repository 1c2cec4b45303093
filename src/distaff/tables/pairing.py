"""Which rows of two tables belong together: those of one label, of one value of a column, or of one place."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from distaff.errors import BadInput
from distaff.tables.columns import DECIMAL, shown
from distaff.tables.keys import (
    FEW,
    WHOLE,
    Key,
    Keys,
    alike,
    alike_keys,
    counts_rows,
    every_column,
    is_decimal,
    keys_of_both,
    labels_of,
    may_be_paired,
    may_count,
    own_labels,
)
from distaff.tables.table import Table

MOSTLY = 0.9  # of the values of a column that names rows are different, even if some stand twice
#: what may be done where two tables name other rows
BOTH = "keep those of both by missing='drop' (--missing drop)"


def with_keys(first: Table, second: Table) -> tuple[Table, Table]:
    """Two tables, rows labelled by columns that hold the same values, or by one with the other's labels.

    Such a column has other values in each row, whole numbers or words; or it is several that both have, which
    together differ. It is no column of codes or factors then, unless it was picked; and it is noted. Columns
    of one name come first, whatever its case, then those of two. What merely counts the rows may be ranks,
    and counts for files alone, under one name or as their labels. BadInput where columns of one name agree in
    most rows and not in all; where words of them agree in few, rows go by position, and it is noted.
    """
    if not may_be_paired(first, second):
        return first, second
    labelled = first.labels is not None and second.labels is not None
    one_counts, other_counts = counts_rows(first), counts_rows(second)
    if labelled and not (one_counts or other_counts) and set(own_labels(first)) == set(own_labels(second)):
        return first, second
    ours, theirs = keys_of_both(first, second)
    found = _matching(ours, theirs, labelled)
    as_labelled = labelled and not (one_counts and other_counts) and set(ours[()]) == set(theirs[()])
    if as_labelled and found not in alike_keys(ours, theirs):
        return first, second  # as of a frame and some of its rows, shuffled
    if found is not None:
        key, other = found
        # what only together names the rows may be factors too
        return _labelled(first, key, ours[key]), _labelled(second, other, theirs[other], keep=len(other) > 1)
    if (real := _same_decimals(first, second)) is not None:
        name, mine, its = real
        return _labelled(first, (name,), mine, keep=True), _labelled(second, (name,), its, keep=True)
    return first, _not_paired(first, second, ours, theirs)


def of_as_many_rows(first: Table, second: Table) -> tuple[Table, Table]:
    """Two tables; a header 0, 1, ... of one is its first row where the other has one row more; it is noted.

    So begin both the files of data frames without names and those of labels that begin with 0. Above decimals
    it is a header.
    """
    if len(first) + 1 == len(second):
        return _with_header_as_row(first, second), second
    if len(second) + 1 == len(first):
        return first, _with_header_as_row(second, first)
    return first, second


def _with_header_as_row(table: Table, like: Table) -> Table:
    """The table of a text with its header as a row, if that numbers the columns of whole numbers.

    So it is where each word of it stands again in its own column, as of files of labels.
    """
    counted = table.named and table.names == [str(j) for j in range(len(table.names))]
    again = table.named and all(
        name in set(map(str, column)) for name, column in zip(table.names, table.cells, strict=True)
    )
    if table.lines is None or table.labels is not None or table.aside is not None or not (counted or again):
        return table
    whole = all(WHOLE.fullmatch(str(cell).strip()) for column in table.cells for cell in column[:FEW])
    if counted and not whole:
        return table
    cells = [
        np.array([name, *cells], dtype=object) for name, cells in zip(table.names, table.cells, strict=True)
    ]
    lines = np.array([table.lines[0] - 1, *table.lines])
    note = f"{table.what}: its first line, {','.join(table.names)}, is a row, for {like.what} has one more"
    names = [str(j) for j in range(len(cells))]
    notes = (*table.notes, note)
    return replace(table, names=names, cells=cells, lines=lines, named=False, how="", notes=notes)


def in_order_of(table: Table, like: Table) -> Table:
    """A table with its rows put in the order of another's, where both have labels; it is then noted.

    Where one has none, rows go by position, and it is noted if the other's numbers are out of order. So they
    do where one has the numbers of its rows and the other none of these.
    """
    if table.labels is None or like.labels is None:
        return _by_position(table, like)
    if like.keyed and not table.keyed and counts_rows(table) and len(table) == len(like):
        note = f"rows of {table.what} go by position: they have no names"
        return replace(table, notes=(*table.notes, note))
    if table.labels == like.labels:
        return _noted(table, like) if counts_rows(table) and table.from_one != like.from_one else table
    own, other = own_labels(table), own_labels(like)
    if table.from_one != like.from_one and set(map(str, table.labels)) == set(map(str, like.labels)):
        own, other = list(map(str, table.labels)), list(map(str, like.labels))  # counted from 1 and from 0
    counting = next((each for each in (table, like) if counts_rows(each)), None)
    if counting is not None and len(own) == len(other) and not set(own) & set(other):
        note = f"rows go by position: those of {counting.what} are only counted, and have no names"
        return replace(table, notes=(*table.notes, note))
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


def _noted(table: Table, like: Table) -> Table:
    """A table as it is, with a note that its rows are numbered from another number than the other's."""
    one, other = (table, like) if table.from_one else (like, table)
    note = f"rows go by position: those of {one.what} are numbered from 1 and those of {other.what} from 0"
    return replace(table, notes=(*table.notes, note))


def _labelled(table: Table, key: Key, labels: list[str], keep: bool = False) -> Table:
    """The table with its rows labelled by columns, which are taken out unless picked or to be kept."""
    if not key:
        return replace(table, labels=labels, from_one=False)  # they are as they were written
    own = [j for j, each in enumerate(table.names) if each not in key]
    said = "column" if len(key) == 1 else "columns"
    note = f"{table.what}: its rows are labelled by the {said} {', '.join(map(repr, key))}"
    kept = table if keep or table.aside is not None or not own else table.of(own)
    return replace(kept, labels=labels, keyed=True, notes=(*table.notes, note))


def _matching(ours: Keys, theirs: Keys, labelled: bool) -> tuple[Key, Key] | None:
    """The columns, or labels (), of two tables that hold the same; `labelled` where both have labels."""
    mine, its = _sets(ours), _sets(theirs)
    named = [key for key in mine if key]
    by_values = {values: key for key, values in its.items()}
    alike = [(key, other) for key, other in alike_keys(ours, theirs) if key]
    with_labels: list[tuple[Key, Key]] = [*((key, ()) for key in named), *(((), key) for key in its if key)]
    of_two = [(key, by_values[mine[key]]) for key in named if mine[key] in by_values]
    for pairs, counters in ((alike, not labelled), (with_labels, not labelled), (of_two, False)):
        for key, other in pairs:
            values = mine.get(key)
            if values and values == its.get(other) and (counters or not may_count(values, len(values))):
                return key, other
    return None


def _sets(keys: Keys) -> Mapping[Key, frozenset[str]]:
    return {key: frozenset(labels) for key, labels in keys.items()}


def _same_decimals(first: Table, second: Table) -> tuple[str, list[str], list[str]] | None:
    """A column of both that holds the same decimals in another order, as times, each once."""
    mine, its = every_column(first), every_column(second)
    for name in [name for name in mine if name in its and not name.isdigit()]:
        if _same_cells(mine[name], its[name]):
            one, other = labels_of(mine[name]), labels_of(its[name])
            different = len(set(one)) == len(one) and one != other
            if different and set(one) == set(other) and any(map(is_decimal, one)):
                return name, one, other
    return None


def _same_cells(one: NDArray[Any], other: NDArray[Any]) -> bool:
    """Whether two columns hold the same in whatever order, found quickly: two runs' codes may have many."""
    if len(one) != len(other) or one.dtype.kind != other.dtype.kind:
        return False
    if one.dtype == object:
        return set(map(str, one[:FEW])) <= set(map(str, other)) and set(map(str, one)) == set(map(str, other))
    return bool(np.array_equal(np.sort(one), np.sort(other)))


def _not_paired(first: Table, second: Table, ours: Keys, theirs: Keys) -> Table:
    """The second, with a note where a column of both names rows by words, and others in each.

    BadInput where they name mostly the same rows, or where words of both, which repeat, say that rows do not
    go by position; whole numbers that repeat may be codes.
    """
    notes, cells, others = [], every_column(first), every_column(second)
    for name, there in alike(cells, others):
        repeat = (name,) not in ours and (there,) not in theirs
        if repeat and (name.isdigit() or any(map(is_decimal, labels_of(cells[name][:FEW])))):
            continue
        one = ours.get((name,)) or labels_of(cells[name])
        other = theirs.get((there,)) or labels_of(others[there])
        mine, its = set(one), set(other)
        if (repeat and one == other) or _may_count_rows(first, second, name, there, one, other):
            continue
        moved, whole = repeat and Counter(one) == Counter(other), all(map(WHOLE.fullmatch, mine))
        if moved and not whole:
            raise BadInput(
                f"{first.what} and {second.what} have a column '{name}' of the same values in another order, "
                "so rows do not go by position; and values repeat, so it cannot pair them. Add a column that "
                "names each row, or take that out of one"
            )
        mostly = min(len(mine) / len(one), len(its) / len(other)) >= MOSTLY  # else a factor in one of them
        if not mostly:
            if moved and _aside(first, name) and _aside(second, there):
                notes.append(f"rows go by position, though '{name}' of both holds the same in another order")
            continue
        if len(mine & its) >= min(len(mine), len(its)) / 2:
            raise _differ(first, second, f"a column '{name}' that names rows", one, other)
        if (name,) in ours and (there,) in theirs and not DECIMAL.fullmatch(one[0]):
            notes.append(
                f"rows go by position: '{name}' names other rows in {first.what} ({shown(one[0])}, ...) than "
                f"in {second.what} ({shown(other[0])}, ...)"
            )
    for key, its_key in [(key, its_key) for key, its_key in alike_keys(ours, theirs) if len(key) > 1]:
        if len({*ours[key]} & {*theirs[its_key]}) >= min(len(ours[key]), len(theirs[its_key])) / 2:
            said = f"columns {', '.join(map(repr, key))} that name rows"
            raise _differ(first, second, said, ours[key], theirs[its_key])
    return replace(second, notes=(*second.notes, *notes)) if notes else second


def _aside(table: Table, name: str) -> bool:
    """Whether a column was not picked, so that it is no code and no factor."""
    return name not in table.names


def _may_count_rows(
    first: Table, second: Table, name: str, there: str, one: list[str], other: list[str]
) -> bool:
    """Whether a column of both may be ranks, or counts the rows of each in order: it names none then."""
    if not may_count({*one, *other}, max(len(one), len(other))):
        return False
    unpicked = _aside(first, name) and _aside(second, there)
    return not unpicked or (_ascend(one) and _ascend(other))


def _differ(first: Table, second: Table, what: str, one: list[str], other: list[str]) -> BadInput:
    """The error where two tables name mostly the same rows."""
    return BadInput(
        f"{first.what} and {second.what} both have {what}: {_common(one, other)}; give the same rows, "
        f"{BOTH}, or to go by position take that out of one"
    )


def _common(one: list[str], other: list[str]) -> str:
    """How many of the labels of two tables are the same, as messages say it."""
    mine, its = set(one), set(other)
    repeated = len(one) + len(other) - len(mine) - len(its)
    twice = f", {repeated} of them repeated" if repeated else ""
    return f"of {len(one)} and {len(other)} labels {len(mine & its)} are the same{twice}"


def _ascend(labels: list[str]) -> bool:
    numbers = [int(label.partition(".")[0]) for label in labels]
    return all(one < other for one, other in pairwise(numbers))


def _by_position(table: Table, like: Table) -> Table:
    """A table as it is, with a note where one of the two is numbered out of order."""
    one, other = (like, table) if table.labels is None else (table, like)
    labels = list(map(str, one.labels or ()))
    if not labels or counts_rows(one):
        return table
    if all(map(WHOLE.fullmatch, labels)):
        if _ascend(labels):  # the numbers of rows that were picked
            return table
        said = "numbered out of order"
    else:
        said = f"called {shown(labels[0])} and so on"
    note = f"rows go by position: those of {one.what} are {said}, but {other.what} has no labels"
    return replace(table, notes=(*table.notes, note))
