"""A world as a gymnasium environment. Needs the extra `act`."""

from typing import Any

import gymnasium
import numpy as np
from numpy.typing import NDArray

from distaff.errors import unknown
from distaff.worlds.world import World

Observed = NDArray[Any]


class Environment(gymnasium.Env[Observed, np.int64]):
    """Episodes in a domain of a world, by default that which agents learn in.

    What is observed is the frame (C, H, W), or the row of `observations` (s, ...) of the state: codes (s, d)
    in float32, or all frames, which are then not drawn each time.
    """

    def __init__(self, world: World, domain: str = "", observations: Observed | None = None) -> None:
        self.world, self.observations = world, observations
        domain = domain or world.learned_in
        if domain not in world.domains:
            raise unknown(f"domain of the world {world.name}", domain, world.domains)
        self._starts = world.domains[domain]
        self._summed = world.table.probability.cumsum(axis=2)
        self._state, self._taken = 0, 0
        self.action_space = gymnasium.spaces.Discrete(world.actions)
        self.observation_space = self._space()

    def _space(self) -> gymnasium.spaces.Box:
        """Between the ends of pixels, or of each column of codes."""
        like, observed = self._observed(), self.observations
        if observed is not None and observed.dtype != np.uint8:
            return gymnasium.spaces.Box(observed.min(axis=0), observed.max(axis=0), dtype=np.float32)
        low, high = self.world.data.pixel_range
        return gymnasium.spaces.Box(low, high, like.shape, like.dtype.type)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observed, dict[str, Any]]:
        """Begin in any state of the domain. `info` names the state's place among all."""
        super().reset(seed=seed)
        self._state, self._taken = int(self._starts[self.np_random.integers(len(self._starts))]), 0
        return self._observed(), {"state": self._state}

    def step(self, action: Any) -> tuple[Observed, float, bool, bool, dict[str, Any]]:
        """What is observed then, the reward, whether the episode ended, or was cut, and `info`."""
        table, here = self.world.table, (self._state, int(action))
        place = int(np.searchsorted(self._summed[here], self.np_random.random(), side="right"))
        self._state = int(table.to[here][min(place, table.to.shape[2] - 1)])
        self._taken += 1
        ended, cut = bool(table.ends[here]), self._taken >= self.world.horizon
        return self._observed(), float(table.reward[here]), ended, cut, {"state": self._state}

    def _observed(self) -> Observed:
        if self.observations is not None:
            return np.array(self.observations[self._state])
        index = self.world.states[self._state : self._state + 1]
        return np.asarray(self.world.data.images(index)[0])
