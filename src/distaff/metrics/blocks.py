"""Blocks of codes: several columns that stand for one thing, as slots, tokens, content and style."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from distaff.errors import BadInput, unknown
from distaff.metrics.arrays import Codes, Factors, Floats
from distaff.tables import Table

#: columns of codes by their numbers, block by block
Blocks = tuple[tuple[int, ...], ...]


def check_blocks(blocks: Any, table: Table, what: str = "block", of: str = "codes", least: int = 2) -> Blocks:
    """Blocks, lists of columns by number or name or a dict of such lists, as numbers of a table's columns.

    BadInput where a column is not there or stands twice, a block is empty, or there are fewer than `least`.
    """
    if isinstance(blocks, str | bytes) or not isinstance(blocks, Mapping | Sequence):
        raise BadInput(f"{what}s must be lists of columns, such as [[0, 1], [2]], got {blocks!r}")
    named = blocks if isinstance(blocks, Mapping) else dict(enumerate(blocks))
    if len(named) < least:
        raise BadInput(f"at least {least} {what}{'s are' if least > 1 else ' is'} needed, got {len(named)}")
    found, home = [], dict[int, Any]()
    for name, columns in named.items():
        block = [_place(table, each, of) for each in _listed(columns)]
        if not block:
            raise BadInput(f"{what} {name} is empty")
        for j in block:
            if j in home:
                raise BadInput(
                    f"{what}s overlap: column {table.names[j]} is in {what} {home[j]} and {what} {name}"
                )
            home[j] = name
        found.append(tuple(block))
    return tuple(found)


def _listed(columns: Any) -> Sequence[Any]:
    """The columns of a block, which may be a single one."""
    alone = isinstance(columns, str) or not hasattr(columns, "__len__")
    return [columns] if alone else list(columns)


def _place(table: Table, column: Any, of: str) -> int:
    """The number of a column, given by its name, or where no name is so by its number."""
    if str(column) in table.names:
        return table.names.index(str(column))
    is_number = isinstance(column, int | np.integer) and not isinstance(column, bool)
    if (is_number or str(column).isdecimal()) and int(column) < len(table.names) and int(column) >= 0:
        return int(column)
    raise unknown(f"column of {of}", str(column), table.names)


def each_alone(columns: int) -> Blocks:
    """Every column as a block of its own."""
    return tuple((j,) for j in range(columns))


def check_groups(groups: Any, factors: Table) -> Blocks:
    """Groups of factors, as `check_blocks` has blocks of codes; one is enough."""
    return check_blocks(groups, factors, "group", "factors", least=1)


def summed(importance: Floats, blocks: Blocks | None) -> Floats:
    """The importance of blocks for factors (blocks, k), sums of their columns' (d, k)."""
    if blocks is None:
        return importance
    return np.stack([importance[list(block)].sum(axis=0) for block in blocks])


def example_blocks(codes: Codes, factors: Factors, seed: int) -> list[list[int]]:
    """For checks: each code alone."""
    return [list(block) for block in each_alone(codes.shape[1])]
