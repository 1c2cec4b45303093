"""Consistency of runs, against the numbers of ituna and against loops."""

from itertools import permutations
from typing import Any

import numpy as np
import pytest
from metrics.recipes import three_runs
from scipy.stats import spearmanr
from sklearn.linear_model import LinearRegression
from sklearn.metrics import r2_score

import distaff
from distaff.errors import BadInput, NotApplicable
from distaff.metrics import consistency
from distaff.metrics.consistency import INDETERMINACIES
from distaff.metrics.kernel_r2 import signed_r2
from distaff.metrics.needs import NEEDS
from distaff.testing import SITUATIONS, SPACE


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("identity", (-3.072043, -1.013945, -3.907360)),
        ("permutation", (-0.687274, 0.958732, -1.517958)),
        ("linear", (0.726904, 0.960714, 0.625359)),
        ("affine", (0.907430, 0.960841, 0.896650)),
    ],
)
def test_the_numbers_of_ituna(name: str, values: tuple[float, ...]) -> None:
    """Without standardising, on the rows learned from: all three runs, the first two, the first and third."""
    runs, fit = three_runs(), INDETERMINACIES[name]
    for which, value in zip(((0, 1, 2), (0, 1), (0, 2)), values, strict=True):
        pairs = permutations([runs[i] for i in which], 2)
        found = [signed_r2(b, fit(a, b, "pearson")(a)) for a, b in pairs]
        assert np.mean(found) == pytest.approx(value, abs=5e-7)


def slow(first: np.ndarray, second: np.ndarray, name: str, seed: int) -> float:
    """Standardised, learned on two thirds and judged on the rest, by scikit-learn and all orders."""
    first, second = ((run - run.mean(axis=0)) / run.std(axis=0) for run in (first, second))
    order = np.random.default_rng(seed).permutation(len(first))
    score, learn = order[: len(first) // 3], order[len(first) // 3 :]
    if name in ("linear", "affine"):
        model = LinearRegression(fit_intercept=name == "affine").fit(first[learn], second[learn])
        return float(r2_score(second[score], model.predict(first[score])))
    if name == "identity":
        return float(r2_score(second[score], first[score]))
    d = first.shape[1]
    table = np.array([[spearmanr(a, b)[0] for b in second[learn].T] for a in first[learn].T])
    best = max(permutations(range(d)), key=lambda p: sum(abs(table[i, p[i]]) for i in range(d)))
    predicted = np.empty_like(second)
    for i, j in enumerate(best):
        predicted[:, j] = np.sign(table[i, j]) * first[:, i]
    return float(r2_score(second[score], predicted[score]))


@pytest.mark.parametrize("name", INDETERMINACIES)
def test_every_class_by_loops(name: str) -> None:
    runs = three_runs()
    found = consistency(runs[0], runs[1:], indeterminacy=name, correlation="spearman", seed=5)
    assert found == pytest.approx(np.mean([slow(a, b, name, 5) for a, b in permutations(runs, 2)]), abs=1e-9)


def test_codes_away_from_zero_are_paired_rightly() -> None:
    """Recipe G', on which ituna's pairing gives -.955558."""
    codes = np.random.default_rng(0).standard_normal((400, 4))
    found = consistency(codes + 3, [3 - codes[:, [1, 0, 3, 2]]], indeterminacy="permutation")
    assert found == pytest.approx(1)


@pytest.mark.parametrize(
    ("name", "truth"), [("permutation", (1, 0.649, 0, 1, -1.02, 1)), ("affine", (1, 1, 0, 1, 0, 1))]
)
def test_truth_of_each_class(name: str, truth: tuple[float, ...]) -> None:
    factors = SPACE.sample(10_000, 0)
    ideal = (factors - factors.mean(axis=0)) / factors.std(axis=0)
    for (situation, make), expected in zip(SITUATIONS.items(), truth, strict=True):
        codes = make(ideal, np.random.default_rng(3))
        mates = NEEDS["mates"].example(codes, factors, 0)
        assert consistency(codes, mates, indeterminacy=name) == pytest.approx(expected, abs=0.02), situation


def test_runs_of_unequal_width_and_dead_codes() -> None:
    codes = three_runs()[0]
    wide = np.concatenate([codes[:, ::-1], np.ones((400, 1))], axis=1)
    assert consistency(codes, [wide], indeterminacy="permutation") == pytest.approx(1)
    assert consistency(codes, [wide]) == pytest.approx(1)
    one_more = np.concatenate([codes, np.random.default_rng(1).standard_normal((400, 1))], axis=1)
    value = consistency(codes, [one_more], indeterminacy="permutation")
    assert value == pytest.approx((1 + 4 / 5) / 2, abs=0.01)  # of the fifth the mean is all that is said
    with pytest.raises(NotApplicable, match="runs with 4 and 5 codes cannot be the same without a map"):
        consistency(codes, [one_more], indeterminacy="identity")


def test_wrong_settings() -> None:
    codes = three_runs()[0]
    for given, message in (
        ({"indeterminacy": "afine"}, "unknown indeterminacy 'afine'; did you mean 'affine'"),
        ({"indeterminacy": "permutation", "correlation": "kendall"}, "unknown correlation 'kendall'"),
    ):
        settings: dict[str, Any] = given
        with pytest.raises(BadInput, match=message):
            consistency(codes, [codes], **settings)
    with pytest.raises(BadInput, match="codes of at least one other run"):
        consistency(codes, [])
    card = distaff.score(codes, mates=[three_runs()[1]], metrics="consistency")
    assert 0.9 < card["consistency"].low < card["consistency"].value < card["consistency"].high <= 1
    assert abs(card["consistency"].chance) < 0.1
