"""MCC of blocks, against angles between subspaces, least squares and every pairing."""

import itertools

import numpy as np
import pytest
from metrics.recipes import three_slots
from scipy.linalg import subspace_angles

import distaff
from distaff.errors import BadInput
from distaff.metrics import block_mcc, mcc

SLOTS, GROUPS = [list(range(4 * i, 4 * i + 4)) for i in range(3)], [[0, 1], [2, 3], [4, 5]]


def test_on_the_same_rows_it_is_that_of_the_angles_between_blocks_and_groups() -> None:
    codes, factors = (array - array.mean(axis=0) for array in three_slots())
    cosines = [[np.cos(subspace_angles(codes[:, b], factors[:, g])).sum() / 2 for b in SLOTS] for g in GROUPS]
    best = max(
        np.mean([cosines[g][b] for g, b in enumerate(order)]) for order in itertools.permutations(range(3))
    )
    found = block_mcc(codes, factors, SLOTS, groups=GROUPS, test=(codes, factors), continuous=True)
    assert found == pytest.approx(best)


def test_of_single_factors_it_is_how_least_squares_of_a_block_correlate_on_other_rows() -> None:
    codes, factors = three_slots()
    learn, held = slice(300), slice(300, 500)

    def signed(j: int, block: list[int]) -> tuple[float, float]:
        known = np.c_[np.ones(300), codes[learn][:, block]]
        weights = np.linalg.lstsq(known, factors[learn, j], rcond=None)[0]
        said = np.c_[np.ones(200), codes[held][:, block]] @ weights
        seen = np.corrcoef(known @ weights, factors[learn, j])[0, 1]
        return seen, np.corrcoef(said, factors[held, j])[0, 1]

    table = [[signed(j, block) for block in SLOTS] for j in range(2)]
    order = max(
        itertools.permutations(range(3), 2), key=lambda o: sum(table[j][b][0] for j, b in enumerate(o))
    )
    expected = np.mean([table[j][b][1] for j, b in enumerate(order)])
    given = {"test": (codes[held], factors[held, :2]), "continuous": True}
    assert block_mcc(codes[learn], factors[learn, :2], SLOTS, **given) == pytest.approx(expected)


def test_of_single_codes_and_factors_it_is_mcc() -> None:
    rng = np.random.default_rng(0)
    factors = rng.standard_normal((200, 3))
    codes = factors @ rng.standard_normal((3, 4)) + rng.standard_normal((200, 4))
    alone = block_mcc(codes, factors, [[0], [1], [2], [3]], test=(codes, factors), continuous=True)
    assert alone == pytest.approx(mcc(codes, factors, correlation="pearson", continuous=True))


def test_a_group_without_a_block_and_a_block_that_is_too_narrow_count_nothing() -> None:
    factors = np.random.default_rng(0).standard_normal((300, 4))
    codes = np.c_[factors[:, [0, 1]] @ [[1.0, 2.0], [3.0, -1.0]], factors[:, 2]]
    given = {"test": (codes, factors), "continuous": True}
    both = [[0, 1], [2]]
    assert block_mcc(codes, factors, both, groups=[[0, 1], [2], [3]], **given) == pytest.approx(2 / 3)
    assert block_mcc(codes, factors, both, groups=[[0, 1], [2, 3]], **given) == pytest.approx(0.75, abs=0.01)


def test_noise_has_the_mean_0_where_in_sample_it_has_not() -> None:
    held, seen = [], []
    for seed in range(20):
        rng = np.random.default_rng(seed)
        codes, factors = rng.standard_normal((150, 40)), rng.standard_normal((150, 4))
        blocks = [range(10 * b, 10 * b + 10) for b in range(4)]
        held.append(block_mcc(codes, factors, blocks, continuous=True, seed=seed))
        seen.append(block_mcc(codes, factors, blocks, continuous=True, test=(codes, factors)))
    assert abs(np.mean(held)) < 3 * np.std(held) / np.sqrt(20) + 1e-9
    assert np.mean(seen) > 0.25


def test_bad_groups_are_one_line() -> None:
    codes, factors = three_slots()
    for groups, message in (
        ([[0, 1], [1, 2]], r"^groups overlap: column 1 is in group 0 and group 1$"),
        ([[6]], r"^unknown column of factors '6'\. Allowed: 0, 1, 2, 3, 4, 5\.$"),
        ([[]], r"^group 0 is empty$"),
    ):
        with pytest.raises(BadInput, match=message):
            block_mcc(codes, factors, SLOTS, groups=groups, continuous=True)


def test_it_is_on_the_card_of_blocks() -> None:
    codes, factors = three_slots()
    card = distaff.score(codes, factors, blocks=SLOTS, metrics="block_mcc", continuous=True, values_only=True)
    assert card["block_mcc"].value == block_mcc(codes, factors, SLOTS, continuous=True)
