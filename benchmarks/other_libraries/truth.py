"""Arrays as the ground truth that libraries sample from; an observation is a row of codes."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.other_libraries.arrays import GRID_SIZES


class Rows:
    """Ground truth for disentanglement_lib that hands out given rows in order; observations are the codes."""

    def __init__(self, codes: np.ndarray, factors: np.ndarray) -> None:
        self.codes, self.factors, self.next = codes, factors, 0

    def sample(self, count: int, _: Any) -> tuple[np.ndarray, np.ndarray]:
        """The next rows."""
        rows = np.arange(self.next, self.next + count)
        self.next += count
        return self.factors[rows], self.codes[rows]

    def sample_observations(self, count: int, random_state: Any) -> np.ndarray:
        """The codes of the next rows."""
        return self.sample(count, random_state)[1]


class Grid:
    """Ground truth for disentanglement_lib over the complete grid; observations are the codes."""

    num_factors = len(GRID_SIZES)

    def __init__(self, codes: np.ndarray) -> None:
        self.codes = codes

    def sample_factors(self, count: int, random_state: Any) -> np.ndarray:
        """Uniform values, one factor after the other."""
        return np.stack([random_state.randint(size, size=count) for size in GRID_SIZES], axis=1)

    def sample_observations_from_factors(self, factors: np.ndarray, _: Any) -> np.ndarray:
        """The codes of these combinations."""
        return self.codes[np.ravel_multi_index(tuple(factors.T), GRID_SIZES)]

    def sample_observations(self, count: int, random_state: Any) -> np.ndarray:
        """The codes of random combinations."""
        return self.sample_observations_from_factors(self.sample_factors(count, random_state), random_state)


def same(observations: np.ndarray) -> np.ndarray:
    """The representation of an observation that is a code already."""
    return observations
