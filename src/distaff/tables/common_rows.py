"""Leave out the rows that one of two tables alone names, where rows without a value may go."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from distaff.tables.keys import Key, alike_keys, counts_rows, keys_of_both, may_be_paired, may_count
from distaff.tables.table import Table


def rows_of_both(first: Table, second: Table) -> tuple[Table, Table]:
    """Two tables without the rows that one of them alone names, and a note of how many those are.

    By columns of one name, by their own labels, or by those of one and a column of the other, that name each
    row once and of the shorter table half the rows at least in both; else the tables as they are.
    """
    if not may_be_paired(first, second):
        return first, second
    ours, theirs = keys_of_both(first, second)
    labels: list[tuple[Key, Key]] = [] if counts_rows(first) else [((), key) for key in theirs if () in ours]
    labels += [] if counts_rows(second) else [(key, ()) for key in ours if () in theirs]
    for key, other in [*alike_keys(ours, theirs), *labels]:
        mine, its = ours[key], theirs[other]
        both = set(mine) & set(its)
        once = len(set(mine)) == len(mine) and len(set(its)) == len(its)
        counted = key == () and counts_rows(first) and counts_rows(second)
        ranks = len(mine) == len(its) and may_count({*mine, *its}, len(mine))
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
