"""The grid of any data set as a world to move about in."""

import numpy as np

from distaff.datasets import DataSet
from distaff.errors import BadInput
from distaff.worlds.world import Indices, Outcomes, World


class GridWorld(World):
    """Every factor of a grid goes up or down by one; an episode ends, with reward 1, where all are 0.

    Action 2j takes factor j down and 2j + 1 takes it up, and at its ends it stays (`FactorSpace.move`). The
    best return from a state that is d moves away is gamma^(d - 1). An episode has as many steps as the
    farthest state needs.
    """

    name = "grid"

    def __init__(self, data: DataSet) -> None:
        if data.factors is None:
            raise BadInput(f"{data.name} has no grid of factors to move about in")
        self.data, self.space = data, data.factors
        self.states = np.arange(len(data))
        self.domains = {"everywhere": self.states[1:]}
        self.actions = 2 * len(self.space.sizes)
        self.horizon = sum(self.space.sizes) - len(self.space.sizes)

    @property
    def action_names(self) -> list[str]:
        """Every factor and its direction."""
        return [f"{name} {way}" for name in self.space.names for way in ("down", "up")]

    def outcomes(self, index: Indices, action: int) -> Outcomes:
        """One place each, for certain."""
        to = self.space.index(self.space.move(self.space.rows(index), action))
        home = to == 0
        return Outcomes(to[:, None], np.ones((len(to), 1)), home.astype(np.float64), home)
