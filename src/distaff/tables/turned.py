"""Tables in files whose rows and columns are exchanged, as those of genes by cells are kept."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from distaff.tables.columns import read_column
from distaff.tables.keys import Keys, alike_keys, counts_rows, keys_of, keys_of_both, labels_of
from distaff.tables.table import Table


def turned_to_fit(first: Table, second: Table) -> tuple[Table, Table]:
    """Two tables of files, one of them or both turned where they describe the same rows only so; it is noted.

    One is turned if its columns are called as the other's rows, half of them at least; or, where that has no
    names, if it has as many columns as the other has rows, and fewer rows. Both are if they have the same
    columns, more than rows. Tables whose rows share names are left as they are, and so is one of which
    columns were picked.
    """
    if type(first) is not Table or type(second) is not Table:  # of what is sparse
        return first, second
    if not (first.source and second.source) or _share_rows(first, second):
        return first, second
    ours, theirs = _labelled(first), _labelled(second)
    both_wide = all(len(table.names) > len(table) and table.labels for table in (ours, theirs))
    if both_wide and ours.names[0] and set(ours.names) == set(theirs.names):
        return _turned(ours, theirs), _turned(theirs, ours)
    if _fits(ours, second):
        return _turned(ours, second), second
    if _fits(theirs, first):
        return first, _turned(theirs, first)
    return first, second


def _share_rows(first: Table, second: Table) -> bool:
    """Whether columns of one name, or labels that do not merely count, name the same rows, or half."""
    ours, theirs = keys_of_both(first, second)
    if counts_rows(first) and counts_rows(second):
        ours.pop((), None)
    return any(_in_common(ours[key], theirs[other]) for key, other in alike_keys(ours, theirs))


def _in_common(one: Iterable[str], other: Iterable[str]) -> bool:
    """Whether two sets of names share half of the smaller one."""
    mine, its = set(one), set(other)
    return 2 * len(mine & its) >= min(len(mine), len(its)) > 0


def _fits(table: Table, like: Table) -> bool:
    """Whether the columns of a table, of which none were picked, are the rows of the other."""
    if table.aside is not None or len(table) == 0 or len(like) == 0:
        return False
    fitting = len(table.names) == len(like) > len(table)
    if not table.named:
        return fitting
    keys = _names_of_rows(like)
    if fitting or not "".join(table.names).isdigit():  # a sample of many rows holds a few numbers by chance
        return fitting if not keys else any(_in_common(table.names, labels) for labels in keys.values())
    return False


def _names_of_rows(table: Table) -> Keys:
    """What names the rows of a table: its labels, unless they count, and columns of words."""
    keys = keys_of(table)
    if counts_rows(table):
        keys.pop((), None)
    return {key: labels for key, labels in keys.items() if not "".join(labels).isdigit() or key == ()}


def _labelled(table: Table) -> Table:
    """A table with its rows labelled by its first column, where that holds words, all different."""
    if type(table) is not Table or table.labels is not None or not table.named or len(table.names) < 3:
        return table
    words = read_column(table.cells[0], comma=table.comma)
    labels = labels_of(words.cells)
    if table.aside is not None or not words.odd.all() or len(set(labels)) < len(labels):
        return table
    return replace(table.of(range(1, len(table.names))), labels=labels)


def _turned(table: Table, like: Table) -> Table:
    """A table with its rows as columns, called by their labels, and the names of its columns as labels."""
    block, rows = table.block, range(len(table))
    cells = [np.array([column[row] for column in table.cells], dtype=object) for row in rows]
    note = f"{table.what}: its columns are taken for the rows, as they fit those of {like.what}"
    return replace(
        table,
        names=list(map(str, rows if table.labels is None else table.labels)),
        cells=cells if block is None else list(block),
        labels=list(table.names) if table.named else None,
        from_one=False,
        lines=None,
        orders={},
        whole=None if block is None else block.T,
        notes=(*table.notes, note),
    )
