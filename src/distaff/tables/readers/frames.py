"""Tables of the columns and the index of a frame of pandas, however a file keeps them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from distaff.errors import BadInput
from distaff.tables.memory import columns_of
from distaff.tables.table import Table


class Column(NamedTuple):
    """A column with its cells (n,); `order` is that of a category's words, () where they have none."""

    name: str
    cells: NDArray[Any] | None  # None where they are not read, as of periods and times of a zone
    order: tuple[str, ...] | None = None


def table_of_frame(
    what: str, columns: Sequence[Column], labels: Sequence[Any] | None, named: bool = True
) -> Table:
    """The table of a frame, rows labelled by its index, unless that only counts them.

    Columns that are not read are left out, and noted, as is an index of which there are no `labels`. BadInput
    where nothing is left.
    """
    read = [(column, column.cells) for column in columns if column.cells is not None]
    if not read:
        raise BadInput(f"{what} holds a frame of which no column is read; save it by to_csv or to_parquet")
    if labels is not None and any(len(cells) != len(labels) for _, cells in read):
        raise BadInput(f"{what} holds a frame whose index has other rows than its columns")
    parts = [(column, part) for column, cells in read for part in columns_of(column.name, cells, what)]
    gone = [column.name for column in columns if column.cells is None]
    notes = [f"columns that cannot be read are left out: {', '.join(gone)}"] if gone else []
    notes += ["its index cannot be read; rows go by position"] if labels is None else []
    return Table(
        what,
        [name for _, (name, _) in parts],
        [cells for _, (_, cells) in parts],
        named=named,
        labels=None if labels is None else list(labels),
        orders={place: column.order for place, (column, _) in enumerate(parts) if column.order is not None},
        notes=tuple(f"{what}: {note}" for note in notes),
    )


def pick_frame(
    path: Path,
    names: Mapping[str, Sequence[str]],
    load: Callable[[str], Table],
    wanted: Sequence[str] | None,
    beside: Sequence[str] = (),
) -> Table:
    """The frame of a file that is `wanted`, by its own name or by columns that it alone has, or the only one.

    `names` are those of every frame's columns, `beside` arrays of the file that are in no frame.
    """
    ways = "--code-columns or --factor-columns"
    if wanted is None and beside:
        held = ", ".join([*names, *beside])
        raise BadInput(f"{path} holds frames and arrays; pick some with {ways}: {held}")
    if wanted is not None and len(wanted) == 1 and wanted[0] in names:
        return load(wanted[0])
    asked = set() if wanted is None or len(names) == 1 else set(wanted)
    having = [name for name, columns in names.items() if asked <= set(columns)]
    if len(having) != 1:
        held = "; ".join(f"{name} ({', '.join(columns[:8])})" for name, columns in names.items())
        raise BadInput(f"{path} holds {len(names)} frames; pick one, or columns of one, with {ways}: {held}")
    table = load(having[0]).with_aside(wanted)
    note = f"{path.name}: only its frame '{having[0]}' is read, of {len(names)}"
    return replace(table, notes=(*table.notes, note)) if len(names) > 1 else table


def words_at(words: Sequence[Any], places: NDArray[Any]) -> NDArray[Any] | None:
    """The word at each of these places as objects, None at -1; None where they are not places of words."""
    if places.dtype.kind not in "iu":
        return None
    if places.size and not -1 <= int(places.min()) <= int(places.max()) < len(words):
        return None
    every = np.empty(len(words) + 1, dtype=object)
    every[:] = [*words, None]
    return every[places.astype(np.int64).ravel()]
