"""Pairs of consecutive frames."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from distaff.batches.batch import Batch
from distaff.batches.kind import Kind, grid_of, own_pairs
from distaff.datasets.base import DataSet
from distaff.errors import BadInput
from distaff.factors import FactorSpace


@dataclass(frozen=True)
class Transitions(Kind):
    """Pairs of consecutive frames: the data set's own, or see `transition_rows`."""

    rate: float = 1.0

    def sample(self, data: DataSet, size: int, rng: np.random.Generator) -> Batch:
        """`size` images: the first frames, then those that follow."""
        if data.pairs is not None:
            if self.rate != 1:
                raise BadInput(f"{data.name}: its own pairs move as they do, not at a given rate")
            return own_pairs(data, data.pairs, size, rng)
        grid = grid_of(data)
        first = grid.rows(data.draw(size // 2, rng))
        both = transition_rows(grid, size // 2, rng, self.rate, first)
        return Batch(data.images(grid.index(np.concatenate(both))), len(data))


def transition_rows(
    space: FactorSpace,
    size: int,
    rng: np.random.Generator,
    rate: float = 1.0,
    first: NDArray[np.int64] | None = None,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows (size, factors) of consecutive frames: each factor of n values moves, by a Laplace distribution.

    Its scale is ln(n) / `rate` values, cut off at the ends of the grid. Where nothing has moved, a factor
    chosen at random does; a factor of one value stays. (Klindt et al. 2021, arXiv:2007.10930, their LAP data
    sets, as their code has them; there, factors without an order such as shape never move.)
    """
    if not 0 < rate < np.inf:
        raise BadInput(f"rate={rate} is not allowed; it must be above 0")
    first = space.sample(size, rng) if first is None else first
    movable = [j for j, n in enumerate(space.sizes) if n > 1]
    if not movable:
        raise BadInput("no frame follows another: each factor has a single value")
    other = rng.choice(movable, size=size)  # the factor that moves where nothing else has
    moved, forced = first.copy(), first.copy()
    for j in movable:
        n = space.sizes[j]
        apart = np.abs(np.arange(n)[:, None] - np.arange(n))
        moved[:, j] = _choose(np.exp(-apart * rate / np.log(n))[first[:, j]], rng)
        far = np.where(apart > 0, np.exp(-np.maximum(apart - 1, 0) * rate / np.log(n)), 0)
        forced[:, j] = _choose(far[first[:, j]], rng)
    still = (moved == first).all(axis=1)
    moved[still, other[still]] = forced[still, other[still]]
    return first, moved


def _choose(weights: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.int64]:
    """A column for each row of weights (m, n), with probabilities in proportion to them."""
    steps = weights.cumsum(axis=1)
    chosen = rng.random((len(weights), 1)) * steps[:, -1:] >= steps
    return np.asarray(chosen.sum(axis=1), dtype=np.int64)
