"""Pairs of images that share factors, made from the grid of a data set."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from distaff.errors import BadInput
from distaff.factors import FactorSpace


def pair_rows(
    space: FactorSpace,
    size: int,
    rng: np.random.Generator,
    k: int | None = None,
    first: NDArray[np.int64] | None = None,
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]:
    """Rows (size, factors) of first and second images, and which factors may differ (size, factors).

    The two share all but `k` factors, whose values are drawn anew and uniformly (so they may agree by
    chance). With `k` None it is drawn uniformly from 1 to factors - 1 for every pair (Locatello et al. 2020,
    section 5). `first` (size, factors) may be given; else it is drawn uniformly.
    """
    factors = len(space.sizes)
    if factors < 2:
        raise BadInput(f"pairs need at least 2 factors, got {factors}")
    if k is not None and not 1 <= k <= factors:
        raise BadInput(f"k={k} is not allowed; pairs may differ in 1 to {factors} factors")
    count = rng.integers(1, factors, size=size) if k is None else np.full(size, k)
    place = rng.random((size, factors)).argsort(axis=1).argsort(axis=1)
    changed = place < count[:, None]
    first = space.sample(size, rng) if first is None else first
    second = np.where(changed, space.sample(size, rng), first)
    return first, second, changed


def transition_rows(
    space: FactorSpace,
    size: int,
    rng: np.random.Generator,
    rate: float = 1.0,
    first: NDArray[np.int64] | None = None,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows (size, factors) of consecutive frames: each factor of n values moves, by a Laplace distribution.

    Its scale is ln(n) / `rate` values, cut off at the ends of the grid. Where nothing has moved, a factor
    chosen at random does. (Klindt et al. 2021, their LAP data sets, as their code has them; there, factors
    without an order such as shape never move.)
    """
    if not 0 < rate < np.inf:
        raise BadInput(f"rate={rate} is not allowed; it must be above 0")
    first = space.sample(size, rng) if first is None else first
    other = rng.integers(len(space.sizes), size=size)  # the factor that moves where nothing else has
    moved, forced = np.empty_like(first), np.empty_like(first)
    for j, n in enumerate(space.sizes):
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
    return (rng.random((len(weights), 1)) * steps[:, -1:] >= steps).sum(axis=1)
