"""Environments pass gymnasium's checker and play by the table of their world."""

import numpy as np
import pytest

import distaff
from distaff import registry
from distaff.errors import BadInput
from distaff.worlds.world import World

checker = pytest.importorskip("gymnasium.utils.env_checker")
from distaff.worlds.environment import Environment  # noqa: E402

DATA = {"grid": "one_square", "collect": "collect"}


def made(name: str) -> World:
    return registry.get("worlds", name)(distaff.load_dataset(DATA[name]))


@pytest.mark.parametrize("name", registry.names("worlds"))
def test_it_is_an_environment(name: str) -> None:
    world = made(name)
    checker.check_env(Environment(world), skip_render_check=True)
    codes = np.random.default_rng(0).standard_normal((len(world.states), 3)).astype(np.float32)
    for domain in world.domains:
        checker.check_env(Environment(world, domain, codes), skip_render_check=True)
    first, _ = Environment(world).reset(seed=5)
    assert first.shape == world.data.image_shape


@pytest.mark.parametrize("name", registry.names("worlds"))
def test_episodes_follow_the_table(name: str) -> None:
    world, seen = made(name), set()
    environment, rng = Environment(world), np.random.default_rng(0)
    for episode in range(60):
        image, info = environment.reset(seed=episode)
        here, taken, over = info["state"], 0, False
        assert here in set(world.domains[world.learned_in])
        while not over:
            index = world.states[here : here + 1]
            np.testing.assert_array_equal(image, world.data.images(index)[0])
            action = rng.integers(world.actions)
            image, reward, ended, cut, info = environment.step(action)
            to, probability, worth, ends = (column[here, action] for column in world.table)
            assert info["state"] in to[probability > 0]
            assert (reward, ended) == (worth, ends)
            taken += 1
            assert cut == (taken == world.horizon)
            here, over = info["state"], ended or cut
            seen.add(reward)
    assert seen == {"grid": {0.0, 1.0}, "collect": {0.0, 1.0, -1.0}}[name]


def test_pixels_may_be_real_numbers() -> None:
    data = distaff.load_dataset("one_square", perturb={"by": "noise", "eps": 0.1})
    environment = Environment(registry.get("worlds", "grid")(data))
    checker.check_env(environment, skip_render_check=True)
    assert environment.observation_space.dtype == np.float32


def test_a_seed_gives_an_episode() -> None:
    def episode(seed: int) -> list[int]:
        environment = Environment(made("collect"), "target")
        states = [environment.reset(seed=seed)[1]["state"]]
        return states + [environment.step(number % 5)[4]["state"] for number in range(12)]

    assert episode(1) == episode(1) != episode(2)


def test_every_outcome_of_a_collection_is_as_likely() -> None:
    world = made("collect")
    environment = Environment(world)
    start = int(np.flatnonzero(world.table.reward[:, 1] == 1)[0])
    environment.reset(seed=0)
    counts: dict[int, int] = {}
    for _ in range(3500):
        environment._state = start
        to = environment.step(1)[4]["state"]
        counts[to] = counts.get(to, 0) + 1
    assert len(counts) == 7
    assert sum((count - 500) ** 2 / 500 for count in counts.values()) < 27.9  # chi-square, 6 df, p = 1e-4


def test_a_domain_that_is_not_there() -> None:
    with pytest.raises(BadInput, match="unknown domain of the world collect 'tagret'; did you mean 'target'"):
        Environment(made("collect"), "tagret")
