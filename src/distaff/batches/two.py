"""Two independent batches."""

from dataclasses import dataclass

import numpy as np
import torch

from distaff.batches.batch import Batch, Facts
from distaff.batches.kind import Draw, Kind
from distaff.datasets.base import DataSet


@dataclass(frozen=True)
class Two(Kind):
    """Two independent batches of images, one after the other."""

    def sample(self, data: DataSet, size: int, rng: np.random.Generator) -> Batch:
        """2 * `size` images."""
        return Batch(data.images(data.draw(2 * size, rng)), len(data))

    def example(self, images: Draw, facts: Facts, size: int, rng: torch.Generator) -> Batch:
        """2 * `size` images."""
        return Batch(images(2 * size), facts.images)
