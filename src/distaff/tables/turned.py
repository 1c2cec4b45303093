"""Tables in files whose rows and columns are exchanged, as those of genes by cells are kept."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from distaff.tables.columns import read_column
from distaff.tables.keys import counts_rows
from distaff.tables.table import Table


def turned_to_fit(first: Table, second: Table) -> tuple[Table, Table]:
    """Two tables of files, one of them or both turned where they describe the same rows only so; it is noted.

    One is turned if it has more columns than rows, and as many columns as the other has rows. Both are if
    they have the same columns, more than rows, and rows of other names. Where columns were picked none is.
    """
    if not (first.source and second.source) or first.aside is not None or second.aside is not None:
        return first, second
    ours, theirs = _labelled(first), _labelled(second)
    if _is_wide(ours) and _is_wide(theirs):
        rows = set(map(str, ours.labels or ())) & set(map(str, theirs.labels or ()))
        if ours.labels and theirs.labels and not rows and set(ours.names) == set(theirs.names):
            return _turned(ours, theirs), _turned(theirs, ours)
    if len(first) == len(second):
        return first, second
    if _is_wide(ours) and len(ours.names) == len(second):
        return _turned(ours, second), second
    if _is_wide(theirs) and len(theirs.names) == len(first):
        return first, _turned(theirs, first)
    return first, second


def _is_wide(table: Table) -> bool:
    """Whether a table has more columns than rows, which do not count from 0."""
    return len(table.names) > len(table) > 0 and not (table.named and table.labels and counts_rows(table))


def _labelled(table: Table) -> Table:
    """A table with its rows labelled by its first column, where that alone holds words, all different."""
    if type(table) is not Table or table.labels is not None or not table.named or len(table.names) < 3:
        return table
    words = read_column(table.cells[0], comma=table.comma)
    labels = [str(cell) for cell in words.cells]
    if not words.odd.all() or len(set(labels)) < len(labels):
        return table
    return replace(table.of(range(1, len(table.names))), labels=labels)


def _turned(table: Table, like: Table) -> Table:
    """A table with its rows as columns, called by their labels, and the names of its columns as labels."""
    block, rows = table.block, range(len(table))
    cells = [np.array([column[row] for column in table.cells], dtype=object) for row in rows]
    names = list(map(str, rows if table.labels is None else table.labels))
    note = f"{table.what}: its columns are taken for the rows, as they fit those of {like.what}"
    return replace(
        table,
        names=names,
        cells=cells if block is None else list(block),
        named=table.labels is not None,
        labels=list(table.names) if table.named else None,
        from_one=False,
        lines=None,
        orders={},
        whole=None if block is None else block.T,
        notes=(*table.notes, note),
    )
