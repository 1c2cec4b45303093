"""On a grid the best return is known: gamma to the power of the distance less one."""

import numpy as np
import pytest

import distaff
from distaff.errors import BadInput
from distaff.worlds.grid import GridWorld
from distaff.worlds.planning import best_return, greedy_return, random_return


def world() -> GridWorld:
    return GridWorld(distaff.load_dataset("one_square"))


def test_the_best_return_is_that_of_the_distance() -> None:
    distances = [x + y for x in range(11) for y in range(11) if x + y]
    assert best_return(world(), "everywhere") == pytest.approx(np.mean([0.95 ** (d - 1) for d in distances]))
    home = [0 if x else 2 for x in range(11) for _ in range(11)]  # first x goes down, then y
    assert greedy_return(world(), np.array(home), "everywhere") == best_return(world(), "everywhere")
    away = np.ones(121, dtype=np.int64)
    assert greedy_return(world(), away, "everywhere") == 0
    assert 0 < random_return(world(), "everywhere") < 0.1


def test_every_move_is_that_of_the_square() -> None:
    to, probability, reward, ends = world().table
    assert to.shape == (121, 4, 1)
    assert (probability == 1).all()
    for x in range(11):
        for y in range(11):
            near = [(max(x - 1, 0), y), (min(x + 1, 10), y), (x, max(y - 1, 0)), (x, min(y + 1, 10))]
            assert [divmod(int(each), 11) for each in to[11 * x + y, :, 0]] == near
            home = [place == (0, 0) for place in near]
            assert ends[11 * x + y].tolist() == home
            assert reward[11 * x + y].tolist() == home


def test_what_is_no_grid_or_too_large_a_one_is_refused() -> None:
    with pytest.raises(BadInput, match="digits has no grid of factors to move about in"):
        GridWorld(distaff.load_dataset("digits"))
    large = GridWorld(distaff.load_dataset("dsprites"))
    with pytest.raises(BadInput, match="the world grid of dsprites has 737,280 states; at most 100,000"):
        _ = large.table
