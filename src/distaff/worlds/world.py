"""What a world is: states that are frames of a data set, actions that lead from one to another, rewards."""

import functools
from abc import ABC, abstractmethod
from typing import ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from distaff.datasets import DataSet
from distaff.errors import BadInput

Indices = NDArray[np.int64]
Reals = NDArray[np.float64]
MOST_STATES = 100_000


class Outcomes(NamedTuple):
    """Where an action leads from n states, each to one of m, and what it is worth.

    `to` (n, m) are indices of frames of the data set, `probability` (n, m) sums to 1 over m; `reward` (n,),
    and whether the episode `ends` there (n,), are the same for all m.
    """

    to: Indices
    probability: Reals
    reward: Reals
    ends: NDArray[np.bool_]


class Table(NamedTuple):
    """All outcomes: of s states and a actions `to` (s, a, m) places among the states, and as in Outcomes."""

    to: Indices
    probability: Reals
    reward: Reals
    ends: NDArray[np.bool_]


class World(ABC):
    """States (s,), which are frames of `data` by their index, and what each of its `actions` does in them.

    Episodes take at most `horizon` steps and begin in any state of a domain, given by their places (n,) among
    the states, equally often. Agents learn in the first domain. Returns are discounted by `gamma` a step.
    """

    name: ClassVar[str] = ""
    gamma: ClassVar[float] = 0.95
    data: DataSet
    states: Indices
    domains: dict[str, Indices]
    actions: int
    horizon: int

    @abstractmethod
    def __init__(self, data: DataSet) -> None:
        """The world of the frames that a run was trained on some of. Raises BadInput where there is none."""

    @abstractmethod
    def outcomes(self, index: Indices, action: int) -> Outcomes:
        """What an action does in the states at `index` (n,) of the data set."""

    @property
    def action_names(self) -> list[str]:
        """What the actions are called, in their order."""
        return [f"action {number}" for number in range(self.actions)]

    @property
    def learned_in(self) -> str:
        """The domain that agents learn in."""
        return next(iter(self.domains))

    @functools.cached_property
    def table(self) -> Table:
        """The outcomes of every action in every state."""
        if len(self.states) > MOST_STATES:
            raise BadInput(
                f"the world {self.name} of {self.data.name} has {len(self.states):,} states; at most "
                f"{MOST_STATES:,} are allowed, so take a part of its grid"
            )
        place = np.full(len(self.data), -1)
        place[self.states] = np.arange(len(self.states))
        each = [self.outcomes(self.states, action) for action in range(self.actions)]
        to, probability, reward, ends = (np.stack(column, axis=1) for column in zip(*each, strict=True))
        return Table(place[to], probability, reward, ends)
