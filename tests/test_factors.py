"""FactorSpace against plain loops, and its errors."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from distaff.errors import BadInput
from distaff.factors import FactorSpace

SPACE = FactorSpace(("shape", "scale", "x"), (3, 2, 4))


def test_index_and_rows_are_row_major() -> None:
    every = np.array(list(itertools.product(range(3), range(2), range(4))))
    np.testing.assert_array_equal(SPACE.rows(np.arange(24)), every)
    np.testing.assert_array_equal(SPACE.index(every), np.arange(24))
    np.testing.assert_array_equal(np.concatenate(list(SPACE.batches(5))), every)
    assert len(SPACE) == 24


@given(st.lists(st.integers(1, 7), min_size=1, max_size=5), st.integers(0, 2**32))
@settings(max_examples=50, deadline=None)
def test_round_trip(sizes: list[int], seed: int) -> None:
    space = FactorSpace(tuple(f"f{j}" for j in range(len(sizes))), tuple(sizes))
    rows = space.sample(20, seed)
    np.testing.assert_array_equal(space.rows(space.index(rows)), rows)


@pytest.mark.parametrize("row", [[3, 0, 0], [0, 2, 0], [0, 0, 4], [-1, 0, 0], [0, 0, -1]])
def test_out_of_range_is_an_error_and_never_an_alias(row: list[int]) -> None:
    with pytest.raises(BadInput, match="out of range"):
        SPACE.index([row])


@pytest.mark.parametrize("index", [[24], [-1], [0, 30]])
def test_index_out_of_range(index: list[int]) -> None:
    with pytest.raises(BadInput, match=r"allowed 0\.\.23"):
        SPACE.rows(index)


def test_wrong_rows_and_names() -> None:
    with pytest.raises(BadInput, match=r"shape \(n, 3\)"):
        SPACE.index([[0, 0]])
    with pytest.raises(BadInput, match="integers"):
        SPACE.index([[0.5, 0, 0]])
    with pytest.raises(BadInput, match="did you mean 'scale'"):
        SPACE.position("scal")
    with pytest.raises(BadInput, match="names must differ"):
        FactorSpace(("a", "a"), (2, 2))


def test_samples_repeat_with_the_seed_and_leave_the_global_generator_alone() -> None:
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    np.testing.assert_array_equal(SPACE.sample(50, 3), SPACE.sample(50, 3))
    assert (SPACE.sample(50, 3) != SPACE.sample(50, 4)).any()
    np.testing.assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002


def test_sample_covers_the_grid_evenly() -> None:
    counts = np.bincount(SPACE.index(SPACE.sample(24_000, 0)), minlength=24)
    assert counts.min() > 850
    assert counts.max() < 1150


def test_one_factor_fixed() -> None:
    rows = SPACE.sample_fixed(200, "scale", 0, value=1)
    assert (rows[:, 1] == 1).all()
    assert len(np.unique(rows[:, 2])) == 4
    assert len(np.unique(SPACE.sample_fixed(200, "x", 0)[:, 2])) == 1
    with pytest.raises(BadInput, match="out of range"):
        SPACE.sample_fixed(5, "scale", 0, value=2)


def test_pairs_share_one_factor_and_are_else_independent() -> None:
    first, second = SPACE.sample_pairs(20_000, "x", 0)
    np.testing.assert_array_equal(first[:, 2], second[:, 2])
    assert np.mean(first[:, 0] == second[:, 0]) == pytest.approx(1 / 3, abs=0.02)


def test_fractions_are_errors_too() -> None:
    for wrong in (1.5, True, "1", [1, 2]):
        with pytest.raises(BadInput, match="whole number"):
            SPACE.sample_fixed(3, "scale", 0, value=wrong)  # type: ignore[arg-type]
    with pytest.raises(BadInput, match="whole number"):
        SPACE.position(1.5)  # type: ignore[arg-type]
    with pytest.raises(BadInput, match="whole number"):
        FactorSpace(("a",), (2.7,))  # type: ignore[arg-type]
    with pytest.raises(BadInput, match="whole number"):
        list(SPACE.batches(-5))


def test_joint() -> None:
    joint = np.array([[1.0, 0, 0, 0], [0, 3.0, 0, 0], [0, 0, 0, 0]])
    rows = SPACE.sample_joint(20_000, ["shape", "x"], joint, 0)
    assert set(map(tuple, rows[:, [0, 2]])) == {(0, 0), (1, 1)}
    assert np.mean(rows[:, 0]) == pytest.approx(0.75, abs=0.02)
    assert np.mean(rows[:, 1]) == pytest.approx(0.5, abs=0.02)


@pytest.mark.parametrize(
    "joint", [np.ones((2, 4)), -np.ones((3, 4)), np.zeros((3, 4)), np.full((3, 4), np.nan)]
)
def test_wrong_joint(joint: np.ndarray) -> None:
    with pytest.raises(BadInput, match="joint"):
        SPACE.sample_joint(5, ["shape", "x"], joint, 0)


def test_a_table_that_is_a_grid_is_recognised() -> None:
    assert FactorSpace.of_table(SPACE.names, SPACE.rows(np.arange(24))) == SPACE
    assert FactorSpace.of_table(SPACE.names, SPACE.rows(np.arange(24)[::-1])) is None
    assert FactorSpace.of_table(SPACE.names, SPACE.rows(np.arange(23))) is None


@pytest.mark.parametrize("wrapped", [False, True])
def test_a_move_is_one_step_of_one_factor(wrapped: bool) -> None:
    every = SPACE.rows(np.arange(24))
    before = every.copy()
    for action in range(6):
        moved = SPACE.move(every, action, wrapped=wrapped)
        for row, after in zip(every.tolist(), moved.tolist(), strict=True):
            expected = row
            factor, step = action // 2, +1 if action in (1, 3, 5) else -1
            there = row[factor] + step
            if 0 <= there < SPACE.sizes[factor]:
                expected[factor] = there
            elif wrapped:
                expected[factor] = {-1: SPACE.sizes[factor] - 1}.get(there, 0)
            assert after == expected
    np.testing.assert_array_equal(every, before)


def test_every_row_takes_its_own_action() -> None:
    rows = SPACE.sample(50, 0)
    actions = np.random.default_rng(1).integers(6, size=50)
    moved = SPACE.move(rows, actions)
    for row, action, after in zip(rows, actions, moved, strict=True):
        np.testing.assert_array_equal(SPACE.move([row], action), [after])
    assert SPACE.move(rows[:0], 5).shape == (0, 3)


def test_wrapped_moves_are_undone_by_their_opposites() -> None:
    rows = SPACE.sample(50, 2)
    for action in range(6):
        there = SPACE.move(rows, action, wrapped=True)
        assert (there != rows).sum(axis=1).tolist() == [1] * 50
        np.testing.assert_array_equal(SPACE.move(there, action ^ 1, wrapped=True), rows)


def test_wrong_actions() -> None:
    with pytest.raises(BadInput, match=r"action out of range: allowed 0\.\.5, got 6\.\.6"):
        SPACE.move([[0, 0, 0]], 6)
    with pytest.raises(BadInput, match=r"allowed 0\.\.5, got -1\.\.2"):
        SPACE.move([[0, 0, 0], [1, 1, 1]], [-1, 2])
    with pytest.raises(BadInput, match="actions must be integers"):
        SPACE.move([[0, 0, 0]], 1.0)
    with pytest.raises(BadInput, match=r"one for each of 2 rows, got \(3,\)"):
        SPACE.move([[0, 0, 0], [1, 1, 1]], [0, 1, 2])
    with pytest.raises(BadInput, match="'scale' out of range"):
        SPACE.move([[0, 2, 0]], 0)
