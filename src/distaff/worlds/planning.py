"""What a policy of a world gets, exactly, and what the best one would get, from its table."""

import numpy as np

from distaff.worlds.world import Indices, Reals, World


def policy_return(world: World, policy: Reals, domain: str) -> float:
    """The expected return of a policy (s, a), the probability of every action in every state.

    The sum over an episode of gamma^t times the reward, t from 0, in the mean over where it begins.
    """
    value = np.zeros(len(world.states))
    for _ in range(world.horizon):
        value = (policy * _worth(world, value)).sum(axis=1)
    return float(value[world.domains[domain]].mean())


def greedy_return(world: World, chosen: Indices, domain: str) -> float:
    """The expected return of taking the action `chosen` (s,) in every state."""
    return policy_return(world, np.eye(world.actions)[chosen], domain)


def random_return(world: World, domain: str) -> float:
    """The expected return of taking any action, each equally often."""
    return policy_return(world, np.full((len(world.states), world.actions), 1 / world.actions), domain)


def best_return(world: World, domain: str) -> float:
    """The expected return of the best policy, which knows how many steps are left: value iteration."""
    value = np.zeros(len(world.states))
    for _ in range(world.horizon):
        value = _worth(world, value).max(axis=1)
    return float(value[world.domains[domain]].mean())


def _worth(world: World, value: Reals) -> Reals:
    """What each action (s, a) is worth where states are worth `value` (s,) after it."""
    to, probability, reward, ends = world.table
    after = (probability * value[to]).sum(axis=2)
    found: Reals = reward + world.gamma * np.where(ends, 0.0, after)
    return found
