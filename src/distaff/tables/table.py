"""A table: named columns of cells that describe the same rows, and where they came from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from distaff.errors import BadInput, unknown
from distaff.tables.columns import DECIMAL, DECIMAL_COMMA, Column, read_column, shown

ROWS_NAMED = 3  # in a message
FEW = 50  # rows that mostly tell whether a column could label the rows
MOSTLY = 0.9  # of the values of a column that names rows are different, even if some stand twice


@dataclass(frozen=True)
class Table:
    """Columns of cells (n,) with names, from an array, a frame or a file.

    `aside` are columns of a file that were not picked: None where all were taken, for none was named.
    `what` is how messages call it. `labels` are the rows' own labels, where it has some; `lines` the lines of
    a text file that the rows stand in; `orders` by column the words of ordered categories; `how` says by
    which rules such a file was read, `comma` that its decimals have a comma, `notes` what should be known.
    `whole` is the array (n, d) of which the columns are views, where they are. `drop` and `keep` tell
    messages how rows without a value are left out, and how a column is said to hold words.
    """

    what: str
    names: list[str]
    cells: list[NDArray[Any]]
    named: bool = True
    labels: list[Any] | None = None
    keyed: bool = False
    lines: NDArray[np.int64] | None = None
    orders: dict[int, tuple[str, ...]] = field(default_factory=dict)
    aside: dict[str, NDArray[Any]] | None = None
    comma: bool = False
    how: str = ""
    notes: tuple[str, ...] = ()
    whole: NDArray[Any] | None = None
    drop: str = "missing='drop' (--missing drop)"
    keep: str = "words=['{name}'] (--words {name})"

    def __len__(self) -> int:
        return len(self.cells[0]) if self.cells else 0

    @cached_property
    def block(self) -> NDArray[Any] | None:
        """The columns side by side (n, d), where all are numbers of one type."""
        kinds = {column.dtype for column in self.cells}
        masked = any(isinstance(column, np.ma.MaskedArray) for column in self.cells)
        if len(kinds) != 1 or masked or self.cells[0].dtype.kind not in "biuf":
            return None
        return np.stack(self.cells, axis=1) if self.whole is None else self.whole

    def pick(self, wanted: Sequence[str] | None) -> Table:
        """The columns of these names, in this order; all where none are named."""
        if wanted is None:
            return self
        return self._of([self.place(name) for name in wanted])

    def _of(self, places: Sequence[int]) -> Table:
        names, cells = [self.names[j] for j in places], [self.cells[j] for j in places]
        orders = {new: self.orders[old] for new, old in enumerate(places) if old in self.orders}
        return replace(self, names=names, cells=cells, orders=orders, whole=None)

    def place(self, name: str) -> int:
        """The number of a column, by its name."""
        if name not in self.names:
            raise unknown(f"column of {self.what}", name, self.names)
        return self.names.index(name)

    def take(self, rows: NDArray[Any]) -> Table:
        """The same of some rows."""
        return replace(
            self,
            cells=[column[rows] for column in self.cells],
            aside=None if self.aside is None else {name: each[rows] for name, each in self.aside.items()},
            labels=None if self.labels is None else [self.labels[row] for row in np.arange(len(self))[rows]],
            lines=None if self.lines is None else self.lines[rows],
            whole=None,
        )

    def joined(self, below: Table) -> Table:
        """Its rows, and below them those of another table with as many columns."""
        if len(self.cells) != len(below.cells):
            raise BadInput("codes to learn from are an array and those of test are not; give both alike")
        cells = [
            np.concatenate([a, b] if a.dtype.kind == b.dtype.kind else [a.astype(object), b.astype(object)])
            for a, b in zip(self.cells, below.cells, strict=True)
        ]
        return replace(self, cells=cells, labels=None, lines=None, whole=None)

    def columns(self, words: Sequence[str] = ()) -> list[Column]:
        """What the cells of every column mean; those named in `words` are words, whatever they look like."""
        found = []
        for j, (name, cells) in enumerate(zip(self.names, self.cells, strict=True)):
            try:
                order = self.orders.get(j)
                found.append(read_column(cells, as_words=name in words, comma=self.comma, order=order))
            except BadInput as error:
                raise BadInput(f"{self.column(j)}: {error}") from None
        return found

    def missing(self, words: Sequence[str]) -> NDArray[np.bool_]:
        """Which rows (n,) have no value in some column."""
        if self.block is not None:
            return np.isnan(self.block).any(axis=1)
        return np.any([column.missing for column in self.columns(words)], axis=0)

    @cached_property
    def is_counted(self) -> bool:
        """Whether the rows' labels are their numbers, as those of a frame that was given no index."""
        labels = self.labels
        return labels is not None and all(str(label) == str(row) for row, label in enumerate(labels))

    def keys(self) -> dict[str | None, frozenset[str]]:
        """Columns that could label the rows: words or whole numbers, all different; under None their labels.

        Rows that have labels other than their numbers need no column.
        """
        found: dict[str | None, frozenset[str]] = {}
        if self.labels is None or self.is_counted:
            found = {
                name: frozenset(as_labels(each)) for name, each in self.every.items() if _all_differ(each)
            }
        return found | ({} if self.labels is None else {None: frozenset(map(str, self.labels))})

    @property
    def every(self) -> dict[str, NDArray[Any]]:
        """The cells (n,) of all columns by their names, those that were not picked too."""
        return {**dict(zip(self.names, self.cells, strict=True)), **(self.aside or {})}

    def labelled_by(self, name: str | None) -> Table:
        """The table with its rows labelled by a column, which is taken out unless it was picked."""
        if name is None:
            return replace(self, labels=list(map(str, self.labels or ())))
        labels, own = as_labels(self.every[name]), [each != name for each in self.names]
        note = f"{self.what}: its rows are labelled by the column '{name}'"
        table = self if self.aside is not None or not any(own) else self._of(np.flatnonzero(own).tolist())
        return replace(table, labels=labels, keyed=True, notes=(*self.notes, note))

    def column(self, j: int) -> str:
        """A column as messages name it."""
        return f"{self.what}, column '{self.names[j]}'" if self.named else f"{self.what}, column {j}"

    def row(self, row: int) -> str:
        """A row as messages name it: by the line of a text file, or counted from 0."""
        return f"line {self.lines[row]}" if self.lines is not None else f"row {row}"

    def read_as(self) -> str:
        """By which rules a text was read, as the end of a message."""
        return f" (read with {self.how})" if self.how else ""

    def missing_error(self, j: int, missing: NDArray[np.bool_]) -> BadInput:
        """The error for a column in which some rows have no value."""
        rows = np.flatnonzero(missing)
        named = ", ".join(self.row(row) for row in rows[:ROWS_NAMED])
        more = f" and {len(rows) - ROWS_NAMED} more" if len(rows) > ROWS_NAMED else ""
        given = self.cells[j][rows[0]]
        given = given.strip() if isinstance(given, str) else ""
        drop = f"; leave these rows out with {self.drop}" if self.drop else ""
        if 2 * len(rows) > len(missing):
            drop = "; most rows have none, so leave the column out (--code-columns, --factor-columns)"
        keep = f"; if '{given}' is a word here, say {self.as_words(j)}" if given and self.keep else ""
        cell = f" ('{given}')" if given else ""
        if isinstance(self.cells[j], np.ma.MaskedArray):
            cell = ", for it has masked entries"
        name = f"'{self.names[j]}'" if self.named else f"column {j}"
        return BadInput(f"{self.what}, {named}{more}: no value for {name}{cell}{drop}{keep}{self.read_as()}")

    def as_words(self, j: int) -> str:
        """How a column is said to hold words."""
        return self.keep.format(name=self.names[j])

    def odd_error(self, j: int, column: Column, why: str) -> BadInput:
        """The error for the first cell of a column that is no number."""
        row = int(column.odd.argmax())
        given = f"'{shown(column.cells[row])}' is not a number"
        return BadInput(f"{self.column(j)}, {self.row(row)}: {given}{why}{self.read_as()}")


def as_labels(cells: NDArray[Any]) -> list[str]:
    """Cells as labels of rows; whole numbers alike, whether they are kept as floats or not."""
    if cells.dtype.kind == "f" and _are_whole(cells):
        return [str(int(cell)) for cell in cells]
    return [str(cell).strip() for cell in cells]


def _are_whole(cells: NDArray[Any]) -> bool:
    return all(bool((np.isfinite(some) & (some == np.floor(some))).all()) for some in (cells[:FEW], cells))


def _all_differ(cells: NDArray[Any]) -> bool:
    """Whether cells are words or whole numbers, all different."""
    if cells.dtype.kind not in "OiuUSf" or (cells.dtype.kind == "f" and not _are_whole(cells)):
        return False
    for some in (cells[:FEW], cells):
        labels = as_labels(some)
        if len(set(labels)) < len(labels) or any(_is_decimal(label) for label in labels):
            return False
    return True


def _is_decimal(text: str) -> bool:
    return ("." in text or "," in text) and bool(DECIMAL.fullmatch(text) or DECIMAL_COMMA.fullmatch(text))


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
    if labelled and not (first.is_counted or second.is_counted):
        return first, second
    ours, theirs = first.keys(), second.keys()
    if labelled and not (first.is_counted and second.is_counted) and ours[None] == theirs[None]:
        return first, second  # as of a frame and some of its rows, shuffled
    if (found := _matching(ours, theirs, labelled)) is not None:
        return first.labelled_by(found[0]), second.labelled_by(found[1])
    return first, _not_paired(first, second, {*ours}, {*theirs})


def _matching(
    ours: Mapping[str | None, frozenset[str]], theirs: Mapping[str | None, frozenset[str]], labelled: bool
) -> tuple[str | None, str | None] | None:
    """The columns, or labels (None), of two tables that hold the same; `labelled` where both have labels."""
    named = [name for name in ours if name is not None]
    by_values = {values: name for name, values in theirs.items()}
    alike = [(name, name) for name in named if name in theirs]
    with_labels = [*((name, None) for name in named), *((None, name) for name in theirs if name is not None)]
    of_two = [(name, by_values[ours[name]]) for name in named if ours[name] in by_values]
    for pairs, may_count in ((alike, not labelled), (with_labels, not labelled), (of_two, False)):
        for name, other in pairs:
            values = ours.get(name)
            if values and values == theirs.get(other) and (may_count or not _may_count(values, len(values))):
                return name, other
    return None


def _may_count(values: Iterable[str], n: int) -> bool:
    """Whether labels are whole numbers from 0 to n, as those that count n rows or rank them."""
    return {*map(str, range(n + 1))}.issuperset(values)


def _not_paired(first: Table, second: Table, ours: set[str | None], theirs: set[str | None]) -> Table:
    """The second, with a note where a column of both names rows by words, and others in each."""
    notes = []
    for name in [name for name in first.every if name in ours | theirs and name in second.every]:
        one, other = as_labels(first.every[name]), as_labels(second.every[name])
        mine, its = set(one), set(other)
        mostly = min(len(mine) / len(one), len(its) / len(other)) >= MOSTLY  # else a factor in one of them
        if not mostly or _may_count(mine | its, max(len(one), len(other))):
            continue
        common = len(mine & its)
        if common >= min(len(mine), len(its)) / 2:
            repeated = len(one) + len(other) - len(mine) - len(its)
            twice = f", and {repeated} of them stand twice" if repeated else ""
            raise BadInput(
                f"{first.what} and {second.what} both have a column '{name}' that names rows: of {len(one)} "
                f"and {len(other)} values {common} are the same{twice}; give the same rows, or to go by "
                "position take the column out of one"
            )
        if name in ours & theirs and not DECIMAL.fullmatch(one[0]):
            notes.append(
                f"rows go by position: '{name}' names other rows in {first.what} ({shown(one[0])}, ...) than "
                f"in {second.what} ({shown(other[0])}, ...)"
            )
    return replace(second, notes=(*second.notes, *notes)) if notes else second


def in_order_of(table: Table, like: Table) -> Table:
    """A table with its rows put in the order of another's, where both have labels; it is then noted.

    Where one has none, rows go by position, and it is noted if the other's numbers are out of order.
    """
    if table.labels is None or like.labels is None:
        return _by_position(table, like)
    if like.keyed and not table.keyed and table.is_counted and len(table) == len(like):
        note = f"rows of {table.what} go by position: they have no names"
        return replace(table, notes=(*table.notes, note))
    if table.labels == like.labels:
        return table
    own, other = list(map(str, table.labels)), list(map(str, like.labels))  # those of a column are texts
    ours, theirs = set(own), set(other)
    if ours != theirs or not len(ours) == len(own) == len(other):
        repeated = len(own) - len(ours)
        twice = f", {repeated} of them repeated" if repeated else ""
        raise BadInput(
            f"the rows of {like.what} and {table.what} are labelled differently: of {len(theirs)} and "
            f"{len(ours)} labels {len(ours & theirs)} are the same{twice}; give the same rows, or to go by "
            "position leave out the labels of one (.to_numpy() of a frame, the unnamed column of a file)"
        )
    place = {label: row for row, label in enumerate(own)}
    moved = table.take(np.array([place[label] for label in other]))
    note = f"rows of {table.what} put in the order of {like.what}, by their labels"
    return replace(moved, notes=(*moved.notes, note))


def _by_position(table: Table, like: Table) -> Table:
    labels = [str(label) for label in table.labels or like.labels or []]
    counted = [str(row) for row in range(len(labels))]
    if labels == counted or set(labels) != set(counted):
        return table
    one, other = (table, like) if table.labels else (like, table)
    note = (
        f"rows go by position: those of {one.what} are numbered out of order, but {other.what} has no labels"
    )
    return replace(table, notes=(*table.notes, note))
