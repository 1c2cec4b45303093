"""Batches: which images a training step sees, from a seeded generator, one call for the whole batch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from distaff.datasets.base import DataSet
from distaff.datasets.pairs import pair_rows, transition_rows
from distaff.errors import BadInput
from distaff.factors import FactorSpace

Sampler = Callable[[DataSet, int, np.random.Generator], NDArray[Any]]


def images(data: DataSet, size: int, rng: np.random.Generator) -> NDArray[Any]:
    """`size` images (size, C, H, W) drawn independently, with replacement, as in the 2019 study."""
    return data.images(data.draw(size, rng))


def pairs(data: DataSet, size: int, rng: np.random.Generator) -> NDArray[Any]:
    """`size` pairs (2, size, C, H, W) of images that share all but some factors; see `pair_rows`."""
    space = _space(data)
    first, second, _ = pair_rows(space, size, rng, first=space.rows(data.draw(size, rng)))
    return _both(data, first, second)


def transitions(data: DataSet, size: int, rng: np.random.Generator) -> NDArray[Any]:
    """`size` pairs (2, size, C, H, W) of consecutive frames; see `transition_rows`."""
    space = _space(data)
    return _both(data, *transition_rows(space, size, rng, first=space.rows(data.draw(size, rng))))


def _space(data: DataSet) -> FactorSpace:
    if data.factors is None:
        raise BadInput(f"{data.name} has no grid of factors to make pairs from")
    return data.factors


def _both(data: DataSet, first: NDArray[np.int64], second: NDArray[np.int64]) -> NDArray[Any]:
    """The images of two tables of rows, drawn in one batch."""
    index = _space(data).index(np.concatenate([first, second]))
    return data.images(index).reshape(2, len(first), *data.image_shape)


#: the kinds of batches that a method can ask for
SAMPLERS: dict[str, Sampler] = {"images": images, "pairs": pairs, "transitions": transitions}
