"""Batches: which images a training step sees, from a seeded generator, one call for the whole batch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from distaff.datasets.base import DataSet

Sampler = Callable[[DataSet, int, np.random.Generator], NDArray[Any]]


def images(data: DataSet, size: int, rng: np.random.Generator) -> NDArray[Any]:
    """`size` images drawn independently and uniformly, with replacement, as in the 2019 study."""
    return data.images(rng.integers(len(data), size=size))


#: the kinds of batches that a method can ask for
SAMPLERS: dict[str, Sampler] = {"images": images}
