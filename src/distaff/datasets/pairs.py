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
    """Rows (size, factors) of consecutive frames: each factor moves by a Laplace-distributed number of steps.

    The step is rounded to whole values and has scale 1/`rate`; a frame that would leave the grid stays at its
    border (Klindt et al. 2021, section 4, for their uniform data sets in our discrete form).
    """
    if not rate > 0:
        raise BadInput(f"rate={rate} is not allowed; it must be above 0")
    first = space.sample(size, rng) if first is None else first
    step = np.rint(rng.laplace(scale=1 / rate, size=first.shape)).astype(np.int64)
    return first, np.clip(first + step, 0, np.array(space.sizes) - 1)
