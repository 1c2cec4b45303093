"""A table: named columns of cells that describe the same rows, and where they came from."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from distaff.errors import BadInput, unknown
from distaff.tables.columns import Column, read_column, shown

ROWS_NAMED = 3  # in a message
MOST_ASIDE = 20  # columns beside those picked that are looked at, whether they name rows
#: words in names of columns that name rows, which are looked at first
NAMES_ROWS = re.compile(
    r"id|key|name|index|path|file|image|sample|cell|barcode|subject|trial|episode|time", re.I
)
#: what messages say of a column that has no use
LEAVE_OUT = "leave the column out (of a file with --code-columns, --factor-columns)"


def aside_first(names: Iterable[str]) -> list[str]:
    """The columns beside those picked that are looked at: those first that sound as if they named rows."""
    return sorted(names, key=lambda name: NAMES_ROWS.search(name) is None)[:MOST_ASIDE]


@dataclass(frozen=True)
class Table:
    """Columns of cells (n,) with names, from an array, a frame or a file.

    `aside` are columns of a file that were not picked: None where all were taken, for none was named.
    `what` is how messages call it, `source` the file that it is from. `labels` are the rows' own labels,
    where it has some, `from_one` if they were numbers from 1 in the file, as R counts; `lines` the lines of a
    text file that the rows stand in; `orders` by column the words of categories in their order, () of those
    without one; `how` says by which rules such a file was read, `comma` that its decimals have a comma,
    `notes` what should be known. `whole` is the array (n, d) of which the columns are views, where they are.
    `drop` and `keep` tell messages how rows without a value are left out, and how a column is said to hold
    words.
    """

    what: str
    names: list[str]
    cells: list[NDArray[Any]]
    named: bool = True
    source: str = ""
    labels: list[Any] | None = None
    from_one: bool = False
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
        return self.of([self.place(name) for name in wanted])

    def with_aside(self, wanted: Sequence[str] | None) -> Table:
        """The columns of these names, in this order, the others set aside; all where none are named."""
        if wanted is None:
            return self
        aside = {name: each for name, each in zip(self.names, self.cells, strict=True) if name not in wanted}
        return replace(self.pick(wanted), aside=aside)

    def of(self, places: Sequence[int]) -> Table:
        """The columns of these numbers, in this order."""
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
            drop = f"; most rows have none, so {LEAVE_OUT}"
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
