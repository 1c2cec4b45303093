"""How factors act on codes: constructed codes whose answer is known."""

import numpy as np
import pandas as pd
import pytest

import distaff
from distaff.errors import BadInput, NotApplicable
from distaff.metrics import action_independence, action_linearity
from distaff.metrics.moves import movement, owners, states, steps

SIZES = (12, 5, 4)
GRID = np.stack(np.unravel_index(np.arange(240), SIZES), axis=1)
SCALED = (GRID - GRID.mean(axis=0)) / GRID.std(axis=0)
ANGLE = 2 * np.pi * GRID[:, 0] / 12
CIRCLE = np.stack([np.cos(ANGLE), np.sin(ANGLE), *SCALED[:, 1:].T], axis=1)


def rotated(degrees: float) -> np.ndarray:
    """The scaled factors, the first two turned into each other."""
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    a, b, rest = SCALED.T
    return np.stack([c * a - s * b, s * a + c * b, rest], axis=1)


def test_codes_that_are_factors_are_ideal() -> None:
    assert action_independence(SCALED, GRID) == pytest.approx(1)
    assert action_linearity(SCALED, GRID) == pytest.approx(1)


def test_a_circle_for_a_factor_that_turns_is_ideal() -> None:
    assert action_independence(CIRCLE, GRID) == pytest.approx(1)
    assert action_linearity(CIRCLE, GRID, cyclic=[0]) == pytest.approx(1)
    assert action_linearity(CIRCLE, GRID) == pytest.approx(1)


def test_a_line_for_a_factor_that_turns_is_not_linear() -> None:
    # of 12 values on a line the steps are 1 and one of -11: their best line leaves all but 3 / 13 of
    # their squares, and the two other factors score 1
    found = action_linearity(SCALED, GRID, cyclic=[0])
    assert found == pytest.approx((3 / 13 + 2) / 3, abs=0.05)


@pytest.mark.parametrize("degrees", [5, 20, 30, 40])
def test_rotated_codes_score_by_their_angle(degrees: float) -> None:
    c, s = np.cos(np.radians(degrees)) ** 2, np.sin(np.radians(degrees)) ** 2
    expected = (2 * c / (c + s + s) + 1) / 3  # of what a factor moves its own codes, others', and they its
    assert action_independence(rotated(degrees), GRID) == pytest.approx(expected)
    assert action_linearity(rotated(degrees), GRID) == pytest.approx(1)


def test_a_factor_without_codes_scores_nothing() -> None:
    for function in (action_independence, action_linearity):
        assert function(SCALED[:, 1:], GRID) == pytest.approx(2 / 3)


def test_moves_that_depend_on_other_factors_are_no_action() -> None:
    """Codes that number the values of the first factor anew for every value of the others."""
    rng = np.random.default_rng(0)
    orders = np.stack([rng.permutation(12) for _ in range(20)])
    scrambled = orders[GRID[:, 1] * 4 + GRID[:, 2], GRID[:, 0]][:, None]
    codes = np.concatenate([scrambled, SCALED[:, 1:]], axis=1)
    assert action_linearity(codes, GRID) < 2 / 3 + 0.1
    # a new value of another factor, its own among them, draws the first code anew; for its own factor all
    # values are there
    moved = movement(states(codes, GRID))[:, 0]
    np.testing.assert_allclose(moved / moved[0], [1, 1 - 1 / 5, 1 - 1 / 4], rtol=0.1)
    expected = 1 / (1 + 1 - 1 / 5 + 1 - 1 / 4) / 3  # it belongs to the first factor, and no code to others
    assert action_independence(scrambled, GRID) == pytest.approx(expected, abs=0.01)


def test_a_leak_counts_for_both_factors() -> None:
    """Also where the leaking factor has far larger codes."""
    codes = SCALED * [10, 1, 1]
    codes[:, 1] += 0.9 * SCALED[:, 0]
    assert action_independence(codes, GRID) == pytest.approx((100 / 100.81 + 1 / 1.81 + 1) / 3)


def test_rows_are_found_by_their_factors() -> None:
    rng = np.random.default_rng(0)
    codes = rng.standard_normal((240, 4)) + SCALED @ rng.standard_normal((3, 4))
    again = rng.permutation(np.repeat(np.arange(240), 3))
    for function in (action_independence, action_linearity):
        assert function(codes[again], GRID[again]) == pytest.approx(function(codes, GRID))
    copies = codes + rng.standard_normal(codes.shape), codes
    both = np.concatenate([2 * copies[1] - copies[0], copies[0]])
    assert action_independence(both, np.tile(GRID, (2, 1))) == pytest.approx(action_independence(codes, GRID))


def test_movement_owners_and_steps() -> None:
    factors = np.array([[0, 0], [1, 0], [2, 0], [0, 1], [2, 1]])
    found = states(np.array([[0.0, 0], [1, 0], [2, 0], [0, 4], [2, 4]]), factors)
    scale = np.abs(found.codes).max()
    np.testing.assert_allclose(
        movement(found) * (2.4 / scale) ** 2, [[(1 + 1 + 4 + 4) / 4 * 2 / 3, 0], [0, 16 / 2]], atol=1e-12
    )
    np.testing.assert_array_equal(owners(movement(found)), [0, 1])
    np.testing.assert_array_equal(owners(np.array([[0.0, 1], [0, 3]])), [2, 1])

    def pairs(j: int, cyclic: bool) -> set[tuple[tuple[int, ...], tuple[int, ...]]]:
        before, after = (found.factors[rows].tolist() for rows in steps(found, j, cyclic))
        return {(tuple(a), tuple(b)) for a, b in zip(before, after, strict=True)}

    ahead = {((0, 0), (1, 0)), ((1, 0), (2, 0))}
    assert pairs(0, False) == ahead
    assert pairs(0, True) == ahead | {((2, 0), (0, 0)), ((2, 1), (0, 1))}
    assert pairs(1, False) == {((0, 0), (0, 1)), ((2, 0), (2, 1))}


def test_too_few_pairs_are_one_line() -> None:
    diagonal = np.stack([np.arange(6)] * 2, axis=1)
    for function in (action_independence, action_linearity):
        with pytest.raises(NotApplicable, match="differ in factor column 0 alone, and there are none"):
            function(diagonal, diagonal)
    few = np.stack(np.unravel_index(np.arange(6), (2, 3)), axis=1)
    with pytest.raises(NotApplicable, match="factor column 0 has 3 pairs of rows one step of it apart for 1"):
        action_linearity(few, few)
    with pytest.raises(BadInput, match="cyclic=3 is out of range; there are 3 factors"):
        action_linearity(SCALED, GRID, cyclic=[3])


def test_words_have_actions_but_no_steps() -> None:
    words = np.array(["ash", "beech", "oak", "pine", "yew"])[GRID[:, 1]]
    factors = pd.DataFrame({"turn": GRID[:, 0], "tree": words, "size": GRID[:, 2]})
    card = distaff.score(
        SCALED, factors, metrics=["action_independence", "action_linearity"], values_only=True
    )
    assert card["action_independence"].value == pytest.approx(1)
    assert "words have no order" in card["action_linearity"].reason
