"""Images that differ in one group of factors only."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from distaff.batches.batch import Batch, Facts
from distaff.batches.kind import Draw, Kind, grid_of
from distaff.datasets.base import DataSet
from distaff.errors import BadInput


@dataclass(frozen=True)
class OneGroupVaries(Kind):
    """Images that differ in one group of factors only; all else is that of one image.

    The groups are drawn equally often, but the last one `last_ratio` times as often as any other. Without
    `groups` every factor is one of its own.
    """

    groups: Sequence[Sequence[str]] | None = None
    last_ratio: float = 1.0

    def sample(self, data: DataSet, size: int, rng: np.random.Generator) -> Batch:
        """`size` images, and which group varies."""
        grid = grid_of(data, known=True)
        groups = self.groups or [[name] for name in grid.names]
        places = [[grid.position(name) for name in group] for group in groups]
        if sorted(place for group in places for place in group) != list(range(len(grid.names))):
            raise BadInput(f"groups must name each factor of {data.name} once: {', '.join(grid.names)}")
        if not 0 <= self.last_ratio < np.inf:
            raise BadInput(f"last_ratio={self.last_ratio} is not allowed; it must be a number of at least 0")
        weights = np.r_[np.ones(len(groups) - 1), self.last_ratio]
        varying = int(rng.choice(len(groups), p=weights / weights.sum()))
        rows = np.repeat(grid.rows(data.draw(1, rng)), size, axis=0)
        for place in places[varying]:
            rows[:, place] = rng.integers(grid.sizes[place], size=size)
        return Batch(data.images(grid.index(rows)), len(data), varying=(varying, len(groups)))

    def example(self, images: Draw, facts: Facts, size: int, rng: torch.Generator) -> Batch:
        """Any of as many groups as there are factors."""
        drawn, groups = images(size), len(facts.factors)
        return Batch(drawn, facts.images, varying=(int(torch.randint(groups, (), generator=rng)), groups))
