"""What a kind of batch is, and what kinds share."""

from abc import ABC, abstractmethod
from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from distaff.batches.batch import Batch, Facts
from distaff.datasets.base import DataSet
from distaff.errors import BadInput
from distaff.factors import FactorSpace

#: so many made-up images
Draw = Callable[[int], Tensor]


class Kind(ABC):
    """How the batches of a method are drawn; a frozen dataclass of its options, registered by name."""

    @abstractmethod
    def sample(self, data: DataSet, size: int, rng: np.random.Generator) -> Batch:
        """A batch of `size` images of the data, as arrays. BadInput where the data cannot give such."""

    def words(self, data: DataSet) -> tuple[int, ...]:
        """The numbers of words of what its symbols name, see `Facts`; () where there are no symbols."""
        return ()

    def example(self, images: Draw, facts: Facts, size: int, rng: torch.Generator) -> Batch:
        """A made-up batch for tests, of `images(count)` and whatever else comes with this kind."""
        return Batch(images(size), facts.images)


def grid_of(data: DataSet, known: bool = False) -> FactorSpace:
    """The grid to draw rows from; where no one is told of the factors, they may be hidden ones."""
    if data.factors is not None:
        return data.factors
    if known and data.pairs is not None:
        raise BadInput(f"{data.name}: its own pairs do not say what they share, which the method must know")
    if data.grid is None:
        raise BadInput(
            f"{data.name} has no grid of factors to make such batches from, and no array of pairs; labels "
            "are a grid if every combination is there once, numbered from 0, the last changing fastest"
        )
    if known:
        raise BadInput(f"{data.name} hides factors, and the method must know what pairs share; see hide=[]")
    return data.grid


def own_pairs(data: DataSet, pairs: NDArray[np.int64], size: int, rng: np.random.Generator) -> Batch:
    """`size` images of pairs (m, 2) that the data set brings."""
    if not len(pairs):
        raise BadInput(f"{data.name}: none of its own pairs is left")
    drawn = pairs[rng.integers(len(pairs), size=size // 2)]
    return Batch(data.images(drawn.T.ravel()), len(data))
