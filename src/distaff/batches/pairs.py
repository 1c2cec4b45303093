"""Pairs of images that share all but some factors."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from distaff.batches.batch import Batch, Facts
from distaff.batches.kind import Draw, Kind, grid_of, own_pairs
from distaff.datasets.base import DataSet
from distaff.errors import BadInput
from distaff.factors import FactorSpace


@dataclass(frozen=True)
class Pairs(Kind):
    """Pairs that share all but `k` factors; see `pair_rows`. With `split`, see `split_rows`.

    Where the data set brings pairs of its own, they are taken, unless what they share must be `known`.
    """

    k: int | None = None
    known: bool = False
    split: int | None = None

    def sample(self, data: DataSet, size: int, rng: np.random.Generator) -> Batch:
        """`size` images: the first ones, then their partners."""
        if data.pairs is not None and not self.known:
            if self.k is not None:
                raise BadInput(
                    f"{data.name}: its own pairs differ as they do, not in a given number of factors"
                )
            return own_pairs(data, data.pairs, size, rng)
        grid = grid_of(data, self.known)
        first = grid.rows(data.draw(size // 2, rng))
        if self.split is None:
            first, second, changed = pair_rows(grid, size // 2, rng, self.k, first)
        else:
            second, changed = split_rows(grid, rng, self.split, first)
        return Batch(data.images(grid.index(np.concatenate([first, second]))), len(data), changed)

    def example(self, images: Draw, facts: Facts, size: int, rng: torch.Generator) -> Batch:
        """Pairs of which any factor may have changed."""
        drawn = images(size)
        changed = torch.rand((size // 2, len(facts.factors)), generator=rng) < 0.5
        return Batch(drawn, facts.images, changed)


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
    arXiv:2002.02886, section 5). `first` (size, factors) may be given; else it is drawn uniformly.
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


def split_rows(
    space: FactorSpace, rng: np.random.Generator, split: int, first: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Rows (size, factors) of partners of `first`, and which factors do differ (size, factors).

    Every other pair or so shares the first `split` factors, and the others are drawn anew, uniformly; the
    rest of the pairs share the others, and the first ones are drawn anew. What is drawn may agree by chance.
    """
    factors = len(space.sizes)
    if not 1 <= split < factors:
        raise BadInput(
            f"split={split} is not allowed; of {factors} factors 1 to {factors - 1} may be split off"
        )
    anew = (np.arange(factors) < split) == (rng.random((len(first), 1)) < 0.5)
    second = np.where(anew, space.sample(len(first), rng), first)
    return second, second != first
