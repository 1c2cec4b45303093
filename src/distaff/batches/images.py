"""Images drawn independently."""

from dataclasses import dataclass

import numpy as np

from distaff.batches.batch import Batch
from distaff.batches.kind import Kind
from distaff.datasets.base import DataSet


@dataclass(frozen=True)
class Images(Kind):
    """Images drawn independently, with replacement, as in the 2019 study."""

    def sample(self, data: DataSet, size: int, rng: np.random.Generator) -> Batch:
        """`size` images."""
        return Batch(data.images(data.draw(size, rng)), len(data))
