"""Batches: which images a training step sees, from a seeded generator, one call for the whole batch."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from distaff.batch import Batch
from distaff.datasets.base import DataSet
from distaff.datasets.pairs import pair_rows, transition_rows
from distaff.errors import BadInput
from distaff.factors import FactorSpace

Sampler = Callable[..., Batch]


def images(data: DataSet, size: int, rng: np.random.Generator) -> Batch:
    """`size` images drawn independently, with replacement, as in the 2019 study."""
    return Batch(data.images(data.draw(size, rng)), len(data))


def two(data: DataSet, size: int, rng: np.random.Generator) -> Batch:
    """Two independent batches of `size` images each, one after the other."""
    return images(data, 2 * size, rng)


def pairs(
    data: DataSet, size: int, rng: np.random.Generator, k: int | None = None, known: bool = False
) -> Batch:
    """`size` images as pairs that share all but `k` factors; see `pair_rows`.

    Where the data set brings pairs of its own, they are taken, unless what they share must be `known`.
    """
    if data.pairs is not None and not known:
        return _own_pairs(data, data.pairs, size, rng)
    space = _space(data, known)
    first, second, changed = pair_rows(space, size // 2, rng, k, space.rows(data.draw(size // 2, rng)))
    return _both(data, space, first, second)._replace(changed=changed)


def transitions(data: DataSet, size: int, rng: np.random.Generator, rate: float = 1.0) -> Batch:
    """`size` images as pairs of consecutive frames: the data set's own, or see `transition_rows`."""
    if data.pairs is not None:
        return _own_pairs(data, data.pairs, size, rng)
    space = _space(data)
    first = space.rows(data.draw(size // 2, rng))
    return _both(data, space, *transition_rows(space, size // 2, rng, rate, first))


def one_group_varies(
    data: DataSet,
    size: int,
    rng: np.random.Generator,
    groups: Sequence[Sequence[str]] | None = None,
    last_ratio: float = 1.0,
) -> Batch:
    """`size` images that differ in one group of factors only; all else is that of one image.

    The groups are drawn equally often, but the last one `last_ratio` times as often as any other. Without
    `groups` every factor is one of its own.
    """
    space = _space(data, known=True)
    groups = groups or [[name] for name in space.names]
    places = [[space.position(name) for name in group] for group in groups]
    if sorted(place for group in places for place in group) != list(range(len(space.names))):
        raise BadInput(f"groups must name each factor of {data.name} once: {', '.join(space.names)}")
    weights = np.r_[np.ones(len(groups) - 1), last_ratio]
    varying = int(rng.choice(len(groups), p=weights / weights.sum()))
    rows = np.repeat(space.rows(data.draw(1, rng)), size, axis=0)
    for place in places[varying]:
        rows[:, place] = rng.integers(space.sizes[place], size=size)
    return Batch(data.images(space.index(rows)), len(data), varying=(varying, len(groups)))


def _space(data: DataSet, known: bool = False) -> FactorSpace:
    """The grid to make pairs from; where no one is told of the factors, they may be hidden ones."""
    if data.factors is not None:
        return data.factors
    if known and data.pairs is not None:
        raise BadInput(f"{data.name}: its own pairs do not say what they share, which the method must know")
    if data.grid is None:
        raise BadInput(f"{data.name} has no grid of factors to make such batches from, and no array of pairs")
    if known:
        raise BadInput(f"{data.name} hides factors, and the method must know what pairs share; see hide=[]")
    return data.grid


def _own_pairs(data: DataSet, pairs: NDArray[np.int64], size: int, rng: np.random.Generator) -> Batch:
    if not len(pairs):
        raise BadInput(f"{data.name}: none of its own pairs is left")
    drawn = pairs[rng.integers(len(pairs), size=size // 2)]
    return Batch(data.images(drawn.T.ravel()), len(data))


def _both(data: DataSet, space: FactorSpace, first: NDArray[np.int64], second: NDArray[np.int64]) -> Batch:
    """The images of two tables of rows, drawn in one batch."""
    return Batch(data.images(space.index(np.concatenate([first, second]))), len(data))


#: the kinds of batches that a method can ask for
SAMPLERS: dict[str, Sampler] = {
    "images": images,
    "two": two,
    "pairs": pairs,
    "transitions": transitions,
    "one_group_varies": one_group_varies,
}
