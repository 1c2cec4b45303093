"""The frames of collect pixel by pixel, and its rules against the same ones in plain Python."""

import itertools

import numpy as np
import pytest

import distaff
from distaff.datasets.collect import FACTORS, OBJECTS, WALLS, Collect, frames
from distaff.errors import BadInput
from distaff.worlds.collect import CollectWorld
from distaff.worlds.planning import best_return, greedy_return, random_return

SPACE = FACTORS
MOVES = [(-1, 0), (1, 0), (0, -1), (0, 1), (0, 0)]  # x to the right, y down
OBJECT_CELLS = list(itertools.product((0, 2, 4), repeat=2))


@pytest.fixture(scope="module")
def world() -> CollectWorld:
    return CollectWorld(distaff.load_dataset("collect"))


def frame(row: np.ndarray) -> np.ndarray:
    """An image (3, 64, 64), pixel by pixel."""
    x, y, cross_x, cross_y, ring_x, ring_y, wall, thing = row
    image = np.zeros((3, 64, 64))
    for down, across in itertools.product(range(64), repeat=2):
        image[:, down, across] = WALLS[wall] * (1 if min(down, across) < 4 else 0.5)
        for shape, left, top in (
            ("cross", 2 * cross_x, 2 * cross_y),
            ("ring", 2 * ring_x, 2 * ring_y),
            ("dot", x, y),
        ):
            right, below = (abs(place - 4 - 12 * cell - 5.5) for place, cell in ((across, left), (down, top)))
            if max(right, below) > 6:
                continue
            if shape == "cross" and min(right, below) < 2:
                image[:, down, across] = OBJECTS[thing]
            if shape == "ring" and max(right, below) > 2:
                image[:, down, across] = OBJECTS[thing]
            if shape == "dot" and right**2 + below**2 < 25:
                image[:, down, across] = 255
    return image


def test_every_frame_is_what_its_row_says() -> None:
    full, small = (distaff.load_dataset("collect", resolution=resolution) for resolution in (64, 16))
    for index in np.random.default_rng(0).integers(len(full), size=6):
        expected = frame(full.factors.rows([index])[0])
        np.testing.assert_array_equal(full.images([index])[0], np.floor(expected + 0.5))
        blocks = expected.reshape(3, 16, 4, 16, 4).mean(axis=(2, 4))
        np.testing.assert_allclose(small.images([index])[0], blocks, atol=64)  # where things meet
        apart = np.abs(small.images([index])[0] - blocks).max(axis=0)
        assert (apart <= 0.51).mean() > 0.9


def test_no_two_frames_are_alike() -> None:
    data = distaff.load_dataset("collect")
    images = data.images(np.arange(len(data))).reshape(len(data), -1)
    assert len(np.unique(images, axis=0)) == len(data)


def test_the_target_is_the_conjunctions_that_nothing_else_has() -> None:
    colours = {}
    for domain in ("seen", "source", "target"):
        data = distaff.load_dataset("collect", domain=domain)
        labels = data.labels(np.arange(len(data)))
        assert data.factors is None
        colours[domain] = {tuple(row) for row in labels[:, 6:].tolist()}
        for row in labels[:: len(labels) // 500]:
            dot, cross, ring = tuple(row[:2]), tuple(2 * row[2:4]), tuple(2 * row[4:6])
            assert len({dot, cross, ring}) == 3
        np.testing.assert_array_equal(data.images([7]), Collect().images(SPACE.index(labels[[7]])))
        assert len(data) == 1656 * len(colours[domain])  # 9 * 8 pairs of objects, 23 cells left for the dot
    assert colours["target"] == {(0, 0), (0, 1), (1, 0), (1, 1)}
    assert colours["seen"] == set(itertools.product(range(4), repeat=2)) - colours["target"]
    assert colours["source"] < colours["seen"]
    for which in range(2):  # each colour of the target was seen, and most were acted among
        assert {pair[which] for pair in colours["source"]} == set(range(4))


def after(state: tuple, action: int) -> list[tuple[float, tuple, float]]:
    """Probability, state and reward of all that may come of an action, by the rules in words."""
    (x, y), cross, ring, colours = state
    right, down = MOVES[action]
    dot = (min(max(x + right, 0), 4), min(max(y + down, 0), 4))
    if dot not in (cross, ring):
        return [(1.0, (dot, cross, ring, colours), 0.0)]
    other = ring if dot == cross else cross
    free = [cell for cell in OBJECT_CELLS if cell not in (dot, other)]
    if dot == cross:
        return [(1 / len(free), (dot, cell, ring, colours), 1.0) for cell in free]
    return [(1 / len(free), (dot, cross, cell, colours), -1.0) for cell in free]


def in_words(row: np.ndarray) -> tuple:
    x, y, cross_x, cross_y, ring_x, ring_y, wall, thing = (int(each) for each in row)
    return (x, y), (2 * cross_x, 2 * cross_y), (2 * ring_x, 2 * ring_y), (wall, thing)


def test_every_action_does_what_the_rules_say(world: CollectWorld) -> None:
    rows = world.space.rows(world.states)
    collected = 0
    for place in range(0, len(rows), 37):
        for action in range(5):
            to, probability, reward, ends = (column[place, action] for column in world.table)
            assert not ends
            found: dict[tuple, float] = {}
            for each, share in zip(to, probability, strict=True):
                if share:
                    state = in_words(rows[each])
                    found[state] = found.get(state, 0) + share
            expected = after(in_words(rows[place]), action)
            assert found == {state: pytest.approx(share) for share, state, _ in expected}
            assert {reward} == {each for _, _, each in expected}
            collected += bool(reward)
    assert collected > 50


def test_the_best_return_is_that_of_plain_value_iteration(world: CollectWorld) -> None:
    colours = (0, 3)
    states = [
        ((x, y), cross, ring, colours)
        for x, y in itertools.product(range(5), repeat=2)
        for cross, ring in itertools.permutations(OBJECT_CELLS, 2)
        if (x, y) not in (cross, ring)
    ]
    rules = {(state, action): after(state, action) for state in states for action in range(5)}
    value = dict.fromkeys(states, 0.0)
    for _ in range(12):
        value = {
            state: max(
                sum(share * (reward + 0.95 * value[to]) for share, to, reward in rules[state, action])
                for action in range(5)
            )
            for state in states
        }
    best = float(np.mean(list(value.values())))
    assert best > 2
    assert best_return(world, "source") == pytest.approx(best, abs=1e-12)
    assert best_return(world, "target") == pytest.approx(best, abs=1e-12)
    assert random_return(world, "source") == pytest.approx(
        0, abs=1e-12
    )  # what is good is met as often as bad


def test_the_return_of_actions_is_that_of_playing(world: CollectWorld) -> None:
    """To the cross by the shortest way, whatever lies on it, by simulation of the plain rules."""
    rows = world.space.rows(world.states)
    right, down = (2 * rows[:, 2:4] - rows[:, :2]).T
    chosen = np.where(right < 0, 0, np.where(right > 0, 1, np.where(down < 0, 2, 3)))
    action_of = dict(zip(map(in_words, rows), chosen.tolist(), strict=True))
    rng, returns = np.random.default_rng(0), []
    for start in rng.choice(world.domains["target"], 4000):
        state, total = in_words(rows[start]), 0.0
        for step in range(12):
            to = after(state, action_of[state])
            _, state, reward = to[rng.integers(len(to))]
            total += 0.95**step * reward
        returns.append(total)
    error = np.std(returns) / len(returns) ** 0.5
    assert abs(greedy_return(world, chosen, "target") - np.mean(returns)) < 4 * error
    assert error < 0.03


def test_a_random_policy_sees_every_frame_about_equally_often(world: CollectWorld) -> None:
    """Of one pair of colours, how often each frame is seen in an episode that begins in any of them."""
    rows = world.space.rows(world.states)
    those = (rows[:, 6:] == (2, 2)).all(axis=1)
    now, total = those / those.sum(), np.zeros(len(rows))
    to, probability, *_ = world.table
    for _ in range(world.horizon):
        total += now / world.horizon
        after = np.zeros(len(rows))
        np.add.at(after, to, now[:, None, None] * probability / world.actions)
        now = after
    assert total.sum() == pytest.approx(1)
    assert total[~those].max() == 0
    uniform = those / those.sum()
    assert np.abs(total - uniform).sum() / 2 < 0.1  # in total variation


def test_a_world_of_other_data_is_refused() -> None:
    with pytest.raises(BadInput, match="the world collect is that of runs on the data set collect, not on"):
        CollectWorld(distaff.load_dataset("one_square"))
    with pytest.raises(BadInput, match="domain='tagret' is not allowed"):
        distaff.load_dataset("collect", domain="tagret")
    assert len(frames("seen")) == 12 * 1656
