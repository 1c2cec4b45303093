"""A table: named columns of cells that describe the same rows, and where they came from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from distaff.errors import BadInput, unknown
from distaff.tables.columns import DECIMAL, Column, read_column, shown

ROWS_NAMED = 3  # in a message
FEW = 50  # rows that mostly tell whether a column could label the rows


@dataclass(frozen=True)
class Table:
    """Columns of cells (n,) with names, from an array, a frame or a file.

    `aside` are columns of a file that were not picked: None where all were taken, for none was named.
    `what` is how messages call it. `labels` are the rows' own labels, where it has some; `lines` the lines of
    a text file that the rows stand in; `how` says by which rules such a file was read, `comma` that its
    decimals have a comma, `notes` what should be known. Where all columns are numbers of one type, `block`
    holds them side by side (n, d). `drop` and `keep` tell messages how rows without a value are left out, and
    how a column is said to hold words.
    """

    what: str
    names: list[str]
    cells: list[NDArray[Any]]
    named: bool = True
    block: NDArray[Any] | None = None
    labels: list[Any] | None = None
    lines: NDArray[np.int64] | None = None
    orders: dict[int, tuple[str, ...]] | None = None
    aside: dict[str, NDArray[Any]] | None = None
    comma: bool = False
    how: str = ""
    notes: tuple[str, ...] = ()
    drop: str = "missing='drop' (--missing drop)"
    keep: str = "words=['{name}'] (--words {name})"

    def __len__(self) -> int:
        return len(self.cells[0]) if self.cells else 0

    def pick(self, wanted: Sequence[str] | None) -> Table:
        """The columns of these names, in this order; all where none are named."""
        if wanted is None:
            return self
        places = [self.place(name) for name in wanted]
        orders = {new: order for new, old in enumerate(places) if (order := (self.orders or {}).get(old))}
        return replace(
            self,
            names=[self.names[j] for j in places],
            cells=[self.cells[j] for j in places],
            block=None if self.block is None else self.block[:, places],
            orders=orders,
        )

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
            block=None if self.block is None else self.block[rows],
            aside=None if self.aside is None else {name: each[rows] for name, each in self.aside.items()},
            labels=None if self.labels is None else [self.labels[row] for row in np.arange(len(self))[rows]],
            lines=None if self.lines is None else self.lines[rows],
        )

    def columns(self, words: Sequence[str] = ()) -> list[Column]:
        """What the cells of every column mean; those named in `words` are words, whatever they look like."""
        found = []
        for j, (name, cells) in enumerate(zip(self.names, self.cells, strict=True)):
            try:
                order = (self.orders or {}).get(j)
                found.append(read_column(cells, as_words=name in words, comma=self.comma, order=order))
            except BadInput as error:
                raise BadInput(f"{self.column(j)}: {error}") from None
        return found

    def label_columns(self) -> dict[str, list[str]]:
        """The columns that could label the rows: of texts or whole numbers that are all different."""
        found = {}
        for name, cells in [*zip(self.names, self.cells, strict=True), *(self.aside or {}).items()]:
            if cells.dtype.kind in "OiuUS" and _all_differ(cells[:FEW]) and _all_differ(cells):
                found[name] = [str(cell).strip() for cell in cells]
        return found

    def labelled_by(self, name: str, labels: list[str]) -> Table:
        """The table with its rows labelled by a column, which is taken out unless it was picked."""
        kept = [each for each in self.names if each != name or self.aside is not None]
        note = f"{self.what}: its rows are labelled by the column '{name}'"
        return replace(self.pick(kept or self.names), labels=labels, notes=(*self.notes, note))

    def column(self, j: int) -> str:
        """A column as messages name it."""
        return f"{self.what}, column '{self.names[j]}'" if self.named else f"{self.what}, column {j}"

    def cell(self, j: int, row: int) -> str:
        """A column and a row as messages name them: by the line of a text file, or the row counted from 0."""
        return f"{self.column(j)}, {self.row(row)}"

    def row(self, row: int) -> str:
        """A row as messages name it."""
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
        return BadInput(
            f"{self.cell(j, row)}: '{shown(column.cells[row])}' is not a number{why}{self.read_as()}"
        )


def _all_differ(cells: NDArray[Any]) -> bool:
    """Whether cells are all different, and none is a number with decimals."""
    labels = [str(cell).strip() for cell in cells]
    decimal = any("." in label and DECIMAL.fullmatch(label) for label in labels)
    return len(set(labels)) == len(labels) and not decimal


def with_keys(first: Table, second: Table) -> tuple[Table, Table]:
    """Two tables of files, rows labelled by a column that both have or that holds the other's labels.

    Such a column has other values in each row, whole numbers or words, and the same ones in both tables. It
    is no column of codes or factors then, unless it was picked; and it is noted.
    """
    if not (first.named and second.named) or first.what == second.what:
        return first, second
    if first.labels is None and second.labels is None:
        ours, theirs = first.label_columns(), second.label_columns()
        for name, labels in ours.items():
            if name in theirs and set(labels) == set(theirs[name]):
                return first.labelled_by(name, labels), second.labelled_by(name, theirs[name])
        return first, second
    if first.labels is not None and second.labels is not None:
        return first, second
    one, other = (first, second) if first.labels is None else (second, first)
    known = [str(label) for label in other.labels or ()]
    wanted = set(known)
    for name, labels in one.label_columns().items():
        if set(labels) == wanted:
            one, other = one.labelled_by(name, labels), replace(other, labels=known)
            break
    return (one, other) if first.labels is None else (other, one)


def in_order_of(table: Table, like: Table) -> Table:
    """A table with its rows put in the order of another's, where both have labels; it is then noted.

    Where one has none, rows go by position, and it is noted if the other's numbers are out of order.
    """
    if table.labels is None or like.labels is None:
        return _by_position(table, like)
    if table.labels == like.labels:
        return table
    ours, theirs = set(table.labels), set(like.labels)
    if ours != theirs or not len(ours) == len(table.labels) == len(like.labels):
        repeated = len(table.labels) - len(ours)
        twice = f", {repeated} of them repeated" if repeated else ""
        raise BadInput(
            f"the rows of {like.what} and {table.what} are labelled differently: of {len(theirs)} and "
            f"{len(ours)} labels {len(ours & theirs)} are the same{twice}; give the same rows, or to go by "
            "position leave out the labels of one (.to_numpy() of a frame, the unnamed column of a file)"
        )
    place = {label: row for row, label in enumerate(table.labels)}
    moved = table.take(np.array([place[label] for label in like.labels]))
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


def below(first: Table, second: Table) -> Table:
    """The rows of one table, and below them those of another with as many columns."""
    blocks = None
    if first.block is not None and second.block is not None:
        blocks = np.concatenate([first.block, second.block])
    cells = [
        np.concatenate([a, b] if a.dtype.kind == b.dtype.kind else [a.astype(object), b.astype(object)])
        for a, b in zip(first.cells, second.cells, strict=True)
    ]
    return replace(first, cells=cells, block=blocks, labels=None, lines=None)
