"""A world in which a dot collects what is good and leaves what is bad."""

import numpy as np
from numpy.typing import NDArray

from distaff.datasets import DataSet, load_dataset
from distaff.datasets.collect import CELLS, OBJECT_CELLS, Collect, can_be, in_domain, places
from distaff.errors import BadInput
from distaff.worlds.world import Indices, Outcomes, World

STAY = 4
WORTH = (1.0, -1.0)  # of the cross and of the ring


class CollectWorld(World):
    """A dot moves by a cell or stays; a cross is worth 1, a ring -1, and what is collected appears elsewhere.

    Actions 0 to 3 take the dot left, right, up and down, 4 lets it stay; at a wall it stays too. An object
    that it comes to moves to any other of the nine object cells that is free, each equally likely. Colours
    stay as they are within an episode, and mean nothing. 12 steps an episode; its domains are `source` and
    `target`, whose conjunctions of colours differ (see the data set `collect`).
    """

    name = "collect"
    actions = 5
    horizon = 12

    def __init__(self, data: DataSet) -> None:
        if data.name != Collect.name:
            raise BadInput(f"the world collect is that of runs on the data set collect, not on {data.name}")
        self.data = load_dataset(Collect.name, resolution=data.image_shape[1])
        assert self.data.factors is not None
        self.space = self.data.factors
        rows = self.space.rows(np.arange(len(self.space)))
        self.states = np.flatnonzero(can_be(rows))
        theirs = rows[self.states]
        self.domains = {name: np.flatnonzero(in_domain(theirs, name)) for name in ("source", "target")}

    @property
    def action_names(self) -> list[str]:
        """Where the dot goes."""
        return ["left", "right", "up", "down", "stay"]

    def outcomes(self, index: Indices, action: int) -> Outcomes:
        """Nine places for whatever object is collected; all are the same where none is."""
        rows = self.space.rows(index)
        moved = rows if action == STAY else self.space.move(rows, action)
        count = len(OBJECT_CELLS)
        cells = np.indices((count, count)).reshape(2, -1).T
        to = np.repeat(moved[:, None], len(cells), axis=1)  # (n, 9, 8)
        probability = np.eye(1, len(cells)).repeat(len(rows), axis=0)
        dot, *things = places(moved)
        reward = np.zeros(len(rows))
        for place, worth in enumerate(WORTH):
            hit = dot == things[place]
            reward += worth * hit
            to[hit, :, 2 + 2 * place : 4 + 2 * place] = cells
            free = _free(dot[hit], things[1 - place][hit])
            probability[hit] = free / free.sum(axis=1, keepdims=True)
            to[hit] = np.where(free[:, :, None], to[hit], _first(to[hit], free))
        reached = self.space.index(to.reshape(-1, to.shape[2])).reshape(to.shape[:2])
        return Outcomes(reached, probability, reward, np.zeros(len(rows), dtype=bool))


def _free(*taken: Indices) -> NDArray[np.bool_]:
    """Which of the object cells (n, 9) are none of those taken (n,)."""
    along = np.array(OBJECT_CELLS)
    cells = (CELLS * along[:, None] + along).ravel()
    return np.logical_and.reduce([cells != each[:, None] for each in taken])


def _first(to: Indices, free: NDArray[np.bool_]) -> Indices:
    """Of rows (n, 9, 8) the first that is free, which stands in for those that cannot be."""
    return np.take_along_axis(to, free.argmax(axis=1)[:, None, None], axis=1)
