"""Images, what was done there, and the images that it led to."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from distaff.batches.batch import Batch, Facts
from distaff.batches.kind import Draw, Kind
from distaff.datasets.base import DataSet
from distaff.errors import BadInput


@dataclass(frozen=True)
class Actions(Kind):
    """Images and those that an action leads to, which takes one factor up or down by one.

    Actions are uniform: 2j takes the j-th of the `movable` factors down and 2j + 1 takes it up (see
    `FactorSpace.move`, also for `wrapped`). Without `movable` every factor moves. The factors that do not
    move are drawn anew for every pair and shared by its two images.
    """

    movable: Sequence[str] | None = None
    wrapped: bool = False

    def sample(self, data: DataSet, size: int, rng: np.random.Generator) -> Batch:
        """`size` images: those before the actions, then those after, and the actions (size / 2,)."""
        grid = data.factors or data.grid
        if grid is None:
            raise BadInput(f"{data.name} has no grid of factors, so there is nothing for actions to move")
        places = np.array([grid.position(name) for name in self.movable or grid.names])
        rows = grid.rows(data.draw(size // 2, rng))
        actions = rng.integers(2 * len(places), size=size // 2)
        moved = grid.move(rows, 2 * places[actions // 2] + actions % 2, wrapped=self.wrapped)
        images = data.images(grid.index(np.concatenate([rows, moved])))
        return Batch(images, len(data), actions=actions)

    def example(self, images: Draw, facts: Facts, size: int, rng: torch.Generator) -> Batch:
        """Any images, and any actions."""
        drawn, count = images(size), 2 * len(self.movable or facts.factors)
        actions = torch.randint(count, (size // 2,), generator=rng)
        return Batch(drawn, facts.images, actions=actions)
