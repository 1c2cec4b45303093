"""Batches of actions: which images they pair, what stays as it is, and what they refuse."""

from collections import Counter

import numpy as np
import pytest

import distaff
from distaff.batches.actions import Actions
from distaff.errors import BadInput
from distaff.factors import FactorSpace

SPACE = FactorSpace(("shape", "x", "y"), (2, 3, 4))
NUMBERS = SPACE.rows(np.arange(24)).astype(np.uint8)
DATA = distaff.datasets.ArrayImages(
    np.broadcast_to(NUMBERS[:, :, None, None], (24, 3, 16, 16)), factors=NUMBERS, names=SPACE.names
)


def drawn(kind: Actions, size: int = 4000, data=DATA, seed: int = 0):
    """Rows before and after, and the actions, as a batch's images tell them."""
    batch = kind.sample(data, size, np.random.default_rng(seed))
    rows = batch.images[:, :, 0, 0].astype(np.int64)
    return rows[: size // 2], rows[size // 2 :], batch.actions


@pytest.mark.parametrize("wrapped", [False, True])
def test_an_action_moves_its_factor_and_nothing_else(wrapped: bool) -> None:
    before, after, actions = drawn(Actions(("y", "x"), wrapped=wrapped))
    assert set(actions) == {0, 1, 2, 3}
    for row, there, action in zip(before, after, actions, strict=True):
        column, step = ((2, -1), (2, 1), (1, -1), (1, 1))[action]
        expected = row.copy()
        expected[column] += step
        if wrapped:
            expected[column] %= SPACE.sizes[column]
        elif not 0 <= expected[column] < SPACE.sizes[column]:
            expected = row
        np.testing.assert_array_equal(there, expected)


def test_without_names_every_factor_moves() -> None:
    before, after, actions = drawn(Actions())
    np.testing.assert_array_equal(after, SPACE.move(before, actions))
    assert set(actions) == set(range(6))


def test_images_and_actions_are_uniform_and_independent() -> None:
    before, _, actions = drawn(Actions(("x", "y")), size=96_000)
    counts = Counter(zip(SPACE.index(before).tolist(), actions.tolist(), strict=True))
    assert len(counts) == 24 * 4
    assert min(counts.values()) > 380  # of 500 expected, deviation 22
    assert max(counts.values()) < 620


def test_hidden_factors_move_too() -> None:
    hidden = distaff.datasets.Hidden(DATA, ["x"])
    before, after, actions = drawn(Actions(("x",)), data=hidden)
    blocked = before[:, 1] == np.where(actions == 1, 2, 0)
    assert 0 < blocked.mean() < 1
    np.testing.assert_array_equal((before != after).any(axis=1), ~blocked)


def test_bad_input() -> None:
    with pytest.raises(BadInput, match="unknown factor 'z'"):
        drawn(Actions(("x", "z")))
    bare = distaff.datasets.ArrayImages(np.random.default_rng(0).random((20, 16, 16)))
    with pytest.raises(BadInput, match="has no grid of factors, so there is nothing for actions to move"):
        drawn(Actions(), data=bare)
