"""How codes move when one factor changes and the others stay: the action of a group on codes."""

from typing import NamedTuple

import numpy as np

from distaff.errors import NotApplicable
from distaff.metrics.arrays import Codes, Floats, Ints, varying

ROOM = 8  # numbers in a table for each row: where there are more combinations, these are sorted


class States(NamedTuple):
    """The different rows of factors (m, k), the mean codes (m, d) of each, and how rows share values.

    `others` (m, k) numbers, for each factor, the rows that agree in all factors but that one: the orbits of
    its group. Codes are those that vary, centred, and divided by one number for all, so that no square of
    them underflows.
    """

    codes: Floats
    factors: Ints
    others: Ints


def states(codes: Codes, factors: Ints) -> States:
    """The states that rows of codes (n, d) and factors (n, k) show."""
    number = _alike(factors)
    counts = np.bincount(number)
    cells = np.empty((len(counts), factors.shape[1]), dtype=np.int64)
    cells[number] = factors
    live = codes[:, varying(codes)].astype(np.float64)
    live -= live.mean(axis=0)
    live /= max(float(np.abs(live).max(initial=0)), np.finfo(np.float64).tiny)
    sums = _sums(live, number, len(cells))
    columns = range(cells.shape[1])
    others = np.stack([_alike(np.delete(cells, j, axis=1)) for j in columns], axis=1)
    return States(sums / counts[:, None], cells, others)


def movement(found: States) -> Floats:
    """The mean squared difference (k, d) of each code when one factor takes another value drawn uniformly.

    From the states that differ in that factor alone, which are all its other values; its own is no move.
    Raises NotApplicable where a factor never changes alone.
    """
    rows = []
    for j, orbit in enumerate(found.others.T):
        sizes = np.bincount(orbit)
        pairs = int((sizes * (sizes - 1)).sum()) // 2
        if not pairs:
            raise NotApplicable(f"it needs rows that differ in factor column {j} alone, and there are none")
        within = found.codes - (_sums(found.codes, orbit, len(sizes)) / sizes[:, None])[orbit]
        # the squared differences of all pairs of an orbit add up to its size times those from its mean
        unlike = (sizes[orbit, None] * within**2).sum(axis=0) / pairs
        rows.append(unlike * (1 - 1 / len(np.unique(found.factors[:, j]))))
    return np.stack(rows)


def owners(moved: Floats) -> Ints:
    """The factor that moves each code most (d,), of movements (k, d); k for codes that nothing moves."""
    return np.where(moved.max(axis=0) > 0, moved.argmax(axis=0), len(moved))


def steps(found: States, j: int, cyclic: bool) -> tuple[Ints, Ints]:
    """The states whose factor j has a next value, and those where it has it; first follows last if cyclic."""
    values, count = found.factors[:, j], int(found.factors[:, j].max()) + 1
    place = found.others[:, j] * count + values
    order = np.argsort(place)
    last = values == count - 1
    after = place + np.where(last, 1 - count, 1)
    at = np.searchsorted(place[order], after).clip(max=len(place) - 1)
    there = (place[order[at]] == after) & (cyclic | ~last)
    return np.flatnonzero(there), order[at][there]


def _alike(columns: Ints) -> Ints:
    """Numbers 0..m-1 (n,) of rows (n, k), the same for rows that are alike, in the order of their values."""
    number, size = np.zeros(len(columns), dtype=np.int64), 1
    for column in columns.T:
        values = int(column.max()) + 1
        number, size = number * values + column, size * values
        if size > ROOM * len(columns):
            number = np.unique(number, return_inverse=True)[1].reshape(-1)
            size = int(number.max()) + 1
    there = np.zeros(size, dtype=np.int64)
    there[number] = 1
    return (there.cumsum() - 1)[number]


def _sums(codes: Floats, groups: Ints, count: int) -> Floats:
    """The sums (count, d) of codes (n, d) by group; every group has a row."""
    order = np.argsort(groups, kind="stable")
    starts = np.searchsorted(groups[order], np.arange(count))
    return np.add.reduceat(codes[order], starts, axis=0) if codes.shape[1] else np.zeros((count, 0))
