"""Rows that share a factor's value, found among the rows themselves: no simulator, no second encoding."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

FLOATS_AT_ONCE = 1_000_000  # bounds the memory of the batches that are drawn together
FLOATS_IN_CACHE = 2**16  # of the batches that are computed together


def gather(codes: NDArray[Any], rows: NDArray[np.int64]) -> Iterator[NDArray[Any]]:
    """The codes of batches of rows (count, batch), some batches at a time: (some, batch, d).

    Few enough to stay in the cache, which halves the time where codes are many. They may be changed.
    """
    batch, d = rows.shape[1], codes.shape[1]
    some = max(1, FLOATS_IN_CACHE // (batch * d))
    room = np.empty((some, batch, d), dtype=codes.dtype)
    for start in range(0, len(rows), some):
        part = rows[start : start + some]
        yield np.take(codes, part, axis=0, out=room[: len(part)], mode="clip")


class RowGroups:
    """For every factor, the rows of each of its values, ready to be drawn from."""

    def __init__(self, factors: NDArray[np.int64]) -> None:
        self.factors = factors
        self._order = np.argsort(factors, axis=0, kind="stable")
        self._counts = [np.bincount(column) for column in factors.T]
        self._starts = [np.cumsum(counts) - counts for counts in self._counts]

    def chosen(self, count: int, floats: int, rng: np.random.Generator) -> Iterator[tuple[int, int]]:
        """`count` factors drawn uniformly, for batches of so many floats: which, and how many together."""
        k, at_once = self.factors.shape[1], max(1, FLOATS_AT_ONCE // floats)
        for factor, share in enumerate(rng.multinomial(count, np.full(k, 1 / k))):
            for start in range(0, share, at_once):
                yield factor, min(at_once, share - start)

    def partners(self, rows: NDArray[np.int64], factor: int, rng: np.random.Generator) -> NDArray[np.int64]:
        """For each of `rows` (any shape), a row drawn uniformly from those with its value of `factor`."""
        value = self.factors[rows, factor]
        offset = (rng.random(value.shape) * self._counts[factor][value]).astype(np.int64)
        return np.asarray(self._order[self._starts[factor][value] + offset, factor])
