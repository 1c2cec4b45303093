"""Blocks of codes: what they may be, and their scores against published code and plain statements."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from metrics.recipes import three_slots
from sklearn.ensemble import RandomForestClassifier

import distaff
from distaff.errors import BadInput, NotApplicable
from distaff.metrics import (
    block_information,
    block_informativeness,
    block_leakage,
    block_matrix,
    block_mcc,
    content_style,
    dci,
    importance_matrix,
    kernel_r2,
    probes,
    sis,
)
from distaff.metrics.held_out import Rows
from distaff.metrics.kept import Kept
from distaff.metrics.mig import mig
from distaff.metrics.sis import slot_matrix

RNG = np.random.default_rng(0)
FACTORS = RNG.integers(4, size=(600, 2))
#: a noise block, then two codes of the first factor and one of the second
CODES = np.c_[
    RNG.standard_normal((600, 2)),
    FACTORS[:, 0] // 2 + 0.1 * RNG.standard_normal(600),
    FACTORS[:, 0] % 2 + 0.1 * RNG.standard_normal(600),
    FACTORS[:, 1] + 0.3 * RNG.standard_normal(600),
]
BLOCKS = [[0, 1], [2, 3], [4]]
SLOTS, GROUPS = [list(range(4 * i, 4 * i + 4)) for i in range(3)], [[0, 1], [2, 3], [4, 5]]


def test_sis_is_that_of_the_published_code() -> None:
    codes, factors = three_slots()
    held = {"test": (codes[400:], factors[400:]), "continuous": True, "groups": GROUPS}
    assert sis(codes[:400], factors[:400], SLOTS, **held) == pytest.approx(0.652013, abs=5e-7)
    learn, score = Rows(codes[:400], factors[:400]), Rows(codes[400:], factors[400:])
    found = slot_matrix(learn, score, tuple(map(tuple, SLOTS)), tuple(map(tuple, GROUPS)))
    assert found[[0, 1, 2], [1, 0, 2]].mean() == pytest.approx(0.970138, abs=5e-7)
    found[[0, 1, 2], [1, 0, 2]] = 0
    assert found.max(axis=1).mean() == pytest.approx(0.318125, abs=5e-7)


def test_a_slot_without_a_block_counts_nothing() -> None:
    codes, factors = three_slots()
    held = {"test": (codes[400:], factors[400:]), "continuous": True, "groups": GROUPS}
    two = [SLOTS[0], SLOTS[1]]
    learn, score = Rows(codes[:400], factors[:400]), Rows(codes[400:], factors[400:])
    found = slot_matrix(learn, score, tuple(map(tuple, two)), tuple(map(tuple, GROUPS)))
    expected = (found[0, 1] - found[0, 0] + found[1, 0] - found[1, 1]) / 3
    assert sis(codes[:400], factors[:400], two, **held) == pytest.approx(expected)
    for groups, message in (
        ([[0, 1], [1, 2]], "groups overlap: column 1 is in group 0 and group 1"),
        ([[6]], "unknown column of factors '6'"),
        ([[]], "group 0 is empty"),
        ([], "at least 1 group is needed, got 0"),
        (3, "groups must be lists of columns"),
    ):
        with pytest.raises(BadInput, match=message):
            sis(codes, factors, SLOTS, groups=groups, continuous=True)


def test_groups_by_name_are_those_by_number() -> None:
    codes, factors = three_slots()
    named = pd.DataFrame(factors, columns=list("abcdef"))
    for function in (sis, block_mcc):
        expected = function(codes, factors, SLOTS, groups=GROUPS, continuous=True)
        for groups in (["ab", "cd", "ef"], {"one": "ab", "two": "cd", "three": "ef"}):
            listed = (
                {n: list(each) for n, each in groups.items()}
                if isinstance(groups, dict)
                else [*map(list, groups)]
            )
            assert function(codes, named, SLOTS, groups=listed, continuous=True) == expected


def test_each_pair_of_block_and_factor() -> None:
    learn, held = slice(400), slice(400, 600)
    found = block_matrix(CODES[learn], FACTORS[learn], BLOCKS, test=(CODES[held], FACTORS[held]), seed=3)
    for b, j in np.ndindex(3, 2):
        forest = RandomForestClassifier(20, min_samples_leaf=5, max_features=None, random_state=3)
        right = forest.fit(CODES[learn][:, BLOCKS[b]], FACTORS[learn, j]).score(
            CODES[held][:, BLOCKS[b]], FACTORS[held, j]
        )
        chance = max(np.mean(FACTORS[held, j] == value) for value in range(4))
        assert found[b, j] == pytest.approx(max(0, (right - chance) / (1 - chance)))
    given: dict[str, Any] = {"test": (CODES[held], FACTORS[held]), "seed": 3}
    best, gap = block_informativeness(CODES[learn], FACTORS[learn], BLOCKS, **given)
    leaks = block_leakage(CODES[learn], FACTORS[learn], BLOCKS, **given)
    assert best == pytest.approx((found[1, 0] + found[2, 1]) / 2)
    assert best > 0.8
    assert leaks == pytest.approx(np.mean([sorted(column)[-2] for column in found.T]))
    assert gap == pytest.approx(best - leaks)


def test_two_scores_of_one_matrix_learn_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    fits: list[int] = []
    forest = probes._forest
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))  # chance and ceiling are computed here
    monkeypatch.setattr(probes, "_forest", lambda *given: fits.append(1) or forest(*given))
    monkeypatch.setattr(probes, "_known", Kept(probes.KEPT))
    codes, factors, pairs = CODES[:120], FACTORS[:120], 3 * 2
    names = ["block_informativeness", "block_leakage"]
    card = distaff.score(codes, factors, blocks=BLOCKS, metrics=names)
    assert len(fits) == (1 + 5 + 1) * pairs + 2 * 2, "the codes, five halves, noise; and the factors as codes"
    first = block_matrix(codes, factors, BLOCKS)
    first[:] = 0  # is the caller's
    assert block_informativeness(codes, factors, BLOCKS).best == card["block_informativeness.best"].value
    assert len(fits) == 7 * pairs + 4
    changed = codes.copy()
    changed[0, 0] += 1
    for n, given in enumerate([(changed, factors, BLOCKS), (codes, factors, BLOCKS[::-1])]):
        block_matrix(*given)
        assert len(fits) == (8 + n) * pairs + 4
    monkeypatch.setattr(probes, "_known", Kept(2))
    for n, seed in enumerate((0, 1, 2, 2, 1, 0), 1):  # the last was let go
        block_matrix(codes, factors, BLOCKS, seed=seed)
        assert len(fits) == (9 + min(n, 3) + (n == 6)) * pairs + 4


def test_a_factor_that_is_single_among_the_rows_held_out_is_left_out() -> None:
    learn, held = slice(400), slice(400, 600)
    rare = np.c_[FACTORS, np.arange(600) == 0].astype(int)
    given: dict[str, Any] = {"test": (CODES[held], rare[held]), "seed": 3}
    assert np.isnan(block_matrix(CODES[learn], rare[learn], BLOCKS, **given)[:, 2]).all()
    without: dict[str, Any] = {"test": (CODES[held], FACTORS[held]), "seed": 3}
    for score in (block_informativeness, block_leakage):
        assert score(CODES[learn], rare[learn], BLOCKS, **given) == score(
            CODES[learn], FACTORS[learn], BLOCKS, **without
        )
    with pytest.raises(NotApplicable, match="two values among the rows held out"):
        block_leakage(CODES[learn], rare[learn, 2], BLOCKS, test=(CODES[held], rare[held, 2]))


def test_the_information_of_a_block_is_bounded_by_the_true_one() -> None:
    """A bit that the product of two codes tells, through a flip in ten: ln 2 - H(.1) nats, and 0 alone."""
    rng = np.random.default_rng(0)
    signs = rng.choice([-1.0, 1.0], size=(9000, 3))
    bit = (signs[:, 0] * signs[:, 1] > 0).astype(int)
    seen = np.where(rng.random(9000) < 0.1, 1 - bit, bit)
    codes = signs + 0.1 * rng.standard_normal((9000, 3))
    factors = np.c_[seen, signs[:, 2] > 0].astype(int)
    found = block_information(codes, factors, [[0, 1], [2]])
    true = (math.log(2) + 0.1 * math.log(0.1) + 0.9 * math.log(0.9)) / math.log(2)
    assert (true + 1) / 2 - 0.04 < found.most < (true + 1) / 2 + 0.01
    assert found.mig == pytest.approx(found.most, abs=0.01)
    assert found.mig_sup == pytest.approx(found.most, abs=0.01)
    assert found.modularity > 0.99
    assert mig(codes, factors) < 0.55  # no single code knows of the first factor


def test_information_where_a_single_code_is_a_block_is_that_of_histograms() -> None:
    rng = np.random.default_rng(0)
    factors = rng.integers(5, size=(9000, 2))
    codes = factors @ [[1, 0.2], [0, 1]] + 0.3 * rng.standard_normal((9000, 2))
    found = block_information(codes, factors, [[0], [1]])
    assert found.mig == pytest.approx(mig(codes, factors, bins=60), abs=0.04)


def slow_disentanglement(matrix: np.ndarray) -> float:
    scores = []
    for row in matrix:
        p = row / row.sum()
        scores.append(1 + sum(x * math.log(x, len(row)) for x in p if x > 0))
    return float(np.average(scores, weights=matrix.sum(axis=1)))


def test_dci_sums_importances() -> None:
    columns = importance_matrix(CODES, FACTORS)
    matrix = np.stack([columns[[0, 1]].sum(axis=0), columns[[2, 3]].sum(axis=0), columns[4]])
    found = dci(CODES, FACTORS, blocks=BLOCKS)
    assert found.disentanglement == pytest.approx(slow_disentanglement(matrix), abs=1e-6)
    assert found.completeness == pytest.approx(slow_disentanglement(matrix.T), abs=1e-6)
    assert found.informativeness == dci(CODES, FACTORS).informativeness
    assert found.completeness > dci(CODES, FACTORS).completeness + 0.1  # two codes of one factor in one block


def test_importance_of_permuting_a_block_is_none_for_noise_however_wide() -> None:
    rng = np.random.default_rng(1)
    factors = rng.integers(4, size=(600, 2))
    codes = np.c_[rng.standard_normal((600, 30)), factors + 0.5 * rng.standard_normal((600, 2))]
    blocks = [range(30), [30], [31]]
    summed, permuted = (dci(codes, factors, blocks=blocks, importance=how) for how in ("summed", "permuted"))
    assert permuted.completeness > summed.completeness + 0.1
    with pytest.raises(BadInput, match="unknown importance 'permute'; did you mean 'permuted'"):
        dci(codes, factors, blocks=blocks, importance="permute")


def test_style_has_the_floor_that_content_tells() -> None:
    rng = np.random.default_rng(0)
    content = rng.standard_normal((600, 2))
    style = 0.8 * content[:, :1] + 0.6 * rng.standard_normal((600, 1))
    factors = np.c_[content, style]
    given: dict[str, Any] = {"content": [0, 1], "continuous": True, "most_rows": 300}
    found = content_style(content, factors, **given)
    assert found.content > 0.98
    assert found.style == found.floor == pytest.approx(0.64, abs=0.06)
    whole = content_style(factors, factors, **given)
    assert whole.style > 0.98
    assert whole.floor == kernel_r2(content, style, continuous=True, most_rows=300)
    for wrong in ([], [0, 1, 2], [3]):
        with pytest.raises(BadInput, match="it must be some of the factors 0 to 2, not all"):
            content_style(content, factors, content=wrong, continuous=True)


def test_blocks_by_number_name_and_dict() -> None:
    few, factors = CODES[:90], FACTORS[:90]
    expected = block_informativeness(few, factors, BLOCKS)
    frame = pd.DataFrame(few, columns=list("abcde"))
    for codes, blocks in (
        (few, {"noise": [0, 1], "pair": (2, 3), "last": 4}),
        (few, [range(2), np.array([2, 3]), "4"]),
        (frame, [["a", "b"], ["c", "d"], "e"]),
        (frame, [[0, 1], ["c", 3], ["e"]]),
    ):
        assert block_informativeness(codes, factors, blocks) == expected


@pytest.mark.parametrize(
    ("blocks", "message"),
    [
        ([[0, 1], [1, 2]], "blocks overlap: column b is in block 0 and block 1"),
        ({"one": [0], "two": ["a"]}, "blocks overlap: column a is in block one and block two"),
        ([["a"], ["f"]], "unknown column of codes 'f'. Allowed: a, b, c, d, e"),
        ([[0], [5]], "unknown column of codes '5'"),
        ([[0], [-1]], "unknown column of codes '-1'"),
        ([[0], []], "block 1 is empty"),
        ([[0, 1]], "at least 2 blocks are needed, got 1"),
        ("ab", r"blocks must be lists of columns, such as \[\[0, 1\], \[2\]\], got 'ab'"),
        (3, "blocks must be lists of columns"),
    ],
)
def test_what_blocks_may_not_be_is_one_line(blocks: Any, message: str) -> None:
    frame = pd.DataFrame(CODES, columns=list("abcde"))
    with pytest.raises(BadInput, match=message):
        distaff.score(frame, FACTORS, blocks=blocks)
    with pytest.raises(BadInput, match=message):
        block_leakage(frame, FACTORS, blocks)
