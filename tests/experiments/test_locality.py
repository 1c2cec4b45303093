import numpy as np
import pytest

from distaff.experiments.locality import grid_neighbours, neighbours_kept

GRID = np.stack(np.meshgrid(np.arange(9), np.arange(7), indexing="ij"), axis=-1).reshape(-1, 2)


def test_neighbours_are_one_step_apart_and_each_pair_is_there_once() -> None:
    pairs = grid_neighbours(GRID)
    assert (np.abs(GRID[pairs[:, 0]] - GRID[pairs[:, 1]]).sum(axis=1) == 1).all()
    assert len(pairs) == len({frozenset(pair) for pair in pairs.tolist()}) == 8 * 7 + 9 * 6


def test_a_turned_and_stretched_grid_keeps_its_neighbours_and_a_shuffled_one_does_not() -> None:
    turned = GRID @ np.array([[1.0, 0.3], [-0.4, 1.1]])
    assert neighbours_kept(turned.astype(np.float32), GRID) == pytest.approx(1)
    shuffled = np.random.default_rng(0).permutation(turned).astype(np.float32)
    assert neighbours_kept(shuffled, GRID) < 0.3
