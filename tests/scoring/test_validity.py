"""Validity warnings: each where it is for, and none where codes, factors and rows are in order."""

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import beta

import distaff
from distaff.scoring.case import Case
from distaff.scoring.health import equal_mass, lost_factors
from distaff.scoring.inputs import Inputs
from distaff.scoring.validity import WARNINGS, known_together

Pair = tuple[np.ndarray, np.ndarray]
CHEAP = ["mig", "modularity", "mcc", "linear_r2", "jemmig"]


def world(n: int = 3000, seed: int = 0) -> Pair:
    rng = np.random.default_rng(seed)
    factors = np.stack([rng.integers(size, size=n) for size in (4, 5, 8)], axis=1)
    return factors + 0.1 * rng.standard_normal(factors.shape), factors


def correlated(strength: float) -> Pair:
    """Perfect codes of two factors, the second of which repeats the first in a share of the rows."""
    rng = np.random.default_rng(1)
    factors = rng.integers(6, size=(2000, 2))
    factors[:, 1] = np.where(rng.random(2000) < strength, factors[:, 0], factors[:, 1])
    return factors + 0.1 * rng.standard_normal(factors.shape), factors


def sum_of_two() -> Pair:
    rng = np.random.default_rng(2)
    factors = rng.integers(6, size=(2000, 2))
    factors = np.c_[factors, factors.sum(axis=1)]
    return factors + 0.1 * rng.standard_normal(factors.shape), factors


def angle(copied: bool) -> Pair:
    """An angle as sine and cosine, or as one code and its noisy copy; and another factor."""
    rng = np.random.default_rng(3)
    factors = np.stack([rng.integers(12, size=3000), rng.integers(5, size=3000)], axis=1)
    turn = factors[:, 0] * 2 * np.pi / 12
    two = np.stack([factors[:, 0], factors[:, 0]] if copied else [3 * np.sin(turn), 3 * np.cos(turn)], axis=1)
    return np.c_[two, factors[:, 1]] + 0.1 * rng.standard_normal((3000, 3)), factors


def mixed() -> Pair:
    """Codes that turn two factors into each other know of both together too, and are no split."""
    codes, factors = world()
    turned = codes[:, :2] @ np.array([[0.8, 0.6], [-0.6, 0.8]])
    return np.c_[turned, codes[:, 2]], factors


def far_row(how_far: float) -> Pair:
    codes, factors = world(6000)
    codes[17, 1] = how_far
    return codes, factors


def noise(n: int, d: int) -> Pair:
    rng = np.random.default_rng(4)
    return rng.standard_normal((n, d)), rng.integers(4, size=(n, 3))


def bent(strength: float) -> Pair:
    codes, factors = world()
    return np.exp(strength * codes / codes.std(axis=0)), factors


def repeated(times: int) -> Pair:
    codes, factors = world(1000)
    return np.repeat(codes, times, axis=0), np.repeat(factors, times, axis=0)


#: code -> where it fires, what it says there, and where it must not
CASES: dict[str, tuple[Pair, str, Pair]] = {
    "W01": (correlated(0.5), "factors 0 and 1 correlate by 0.5.*moves mig, modularity, mcc", correlated(0.1)),
    "W02": (sum_of_two(), r"factor 2 is redundant: the others explain 100% of it", correlated(0.5)),
    "W03": ((world()[0][:, :2], world()[1]), "2 codes vary and there are 3 factors.*at most 0.67", world()),
    "W04": (noise(200, 40), "40 codes for 200 rows", noise(200, 10)),
    "W05": (
        angle(copied=False),
        "factor 0 is split over codes 0, 1, which understates mig",
        angle(copied=True),
    ),
    "W06": (bent(1.5), "codes are bent: mcc .* by ranks, .* by lines; low by that: linear_r2", bent(0.2)),
    "W07": (repeated(2), "50% of 2000 rows repeat others", world()),
    "W08": (noise(3000, 4), r"shares of nothing: modularity 0\.", world()),
    "W09": (far_row(500.0), "code 1 lies 7. deviations out in row 17", far_row(9.0)),
    "W10": (noise(120, 20), r"linear R2 is 0\.[34]. on 60 rows learned from and 0\.", world()),
}


def warned(pair: Pair, **settings: Any) -> dict[str, str]:
    card = distaff.score(*pair, values_only=True, **{"metrics": CHEAP} | settings)
    assert all(f"{code}: {message}" in str(card) for code, message in card.health)
    return {code: message for code, message in card.health if code.startswith("W")}


@pytest.mark.parametrize("code", WARNINGS)
def test_each_warning_fires_where_it_is_for_and_not_elsewhere(code: str) -> None:
    there, message, elsewhere = CASES[code]
    assert re.search(message, warned(there).get(code, "")), warned(there)
    assert code not in warned(elsewhere)


@pytest.mark.parametrize("make", [world, lambda: world(200), lambda: world(60), mixed])
def test_codes_in_order_have_no_warning(make: Callable[[], Pair]) -> None:
    assert warned(make()) == {}


def test_copies_mixtures_and_words_are_not_taken_for_what_they_are_not() -> None:
    assert "W05" not in warned(mixed())
    codes, factors = correlated(0.5)
    words = np.array([f"word {value}" for value in "acbfed"])[factors]
    assert "W01" not in warned((codes, words))


def test_the_numbers_of_bent_codes_are_mcc_by_both_correlations() -> None:
    codes, factors = bent(1.5)
    ranks, lines = (distaff.metrics.mcc(codes, factors, correlation=c) for c in ("spearman", "pearson"))
    assert f"mcc {ranks:.2f} by ranks, {lines:.2f} by lines" in warned((codes, factors))["W06"]


def weak(n: int, seed: int) -> Pair:
    """Twenty codes that hear five factors, each a little, beside noise; and the factors in ten classes."""
    rng = np.random.default_rng(seed)
    weights, factors = rng.standard_normal((5, 20)), rng.standard_normal((n, 5))
    codes = 0.2 * factors @ weights + rng.standard_normal((n, 20))
    return codes, equal_mass(factors, 10)


@pytest.mark.parametrize(("n", "seed"), [(150, 0), (600, 1), (3000, 2)])
def test_weak_codes_that_know_together_are_not_nothing(n: int, seed: int) -> None:
    codes, factors = weak(n, seed)
    names = [str(j) for j in range(5)]
    assert lost_factors(codes, factors, names) == names  # each alone knows of none
    assert "W08" not in warned((codes, factors))
    assert "W08" in warned((np.random.default_rng(seed).permutation(codes), factors))


def test_what_is_known_together_of_words_is_that_of_their_values() -> None:
    """Of words in an order that is not theirs, a line through their numbers tells little."""
    rng = np.random.default_rng(0)
    factor = rng.integers(6, size=(3000, 1))
    codes = 0.25 * (factor == np.arange(6)) @ rng.standard_normal((6, 60)) + rng.standard_normal((3000, 60))
    case = Case(Inputs(codes, {"factors": factor}, unordered=(0,)), ["word"], {})
    assert known_together(case)
    assert not known_together(replace(case, inputs=replace(case.inputs, codes=codes[::-1])))
    few = Inputs(codes[:19], {"factors": factor[:19]})
    assert not known_together(replace(case, inputs=few))


@pytest.mark.parametrize("rows", [5000, 1000, 500, 100, 50, 25])
def test_the_mcc_of_noise_that_is_quoted_is_that_of_the_formula(rows: int) -> None:
    """The mean over noise of the largest of 50 correlations, and that of draws."""
    square = beta(0.5, rows / 2 - 1)
    expected = quad(lambda r: 1 - square.cdf(r * r) ** 50, 0, 1)[0]
    digits = f"{expected:.2f}" if expected > 0.1 else f"{expected:.3f}"
    assert f" {digits.removeprefix('0')}" in WARNINGS["W04"].__doc__.partition("Published")[0]
    rng = np.random.default_rng(rows)
    draws = [
        distaff.metrics.mcc(codes, factors, correlation="pearson", continuous=True)
        for codes, factors in (
            (rng.standard_normal((rows, 50)), rng.standard_normal((rows, 5))) for _ in range(30)
        )
    ]
    assert np.mean(draws) == pytest.approx(expected, rel=0.05)
    if rows == 100:
        assert (
            f"noise of 50\n    codes and 100 rows scores {digits.removeprefix('0')}."
            in distaff.metrics.mcc.__doc__
        )


def test_only_where_a_score_is_there_that_misleads() -> None:
    assert "W01" not in warned(correlated(0.5), metrics=["beta_vae_score"])
    assert warned(correlated(0.5), metrics=["mcc"])["W01"].endswith("moves mcc")


def test_real_factors_are_judged_as_far_as_that_goes() -> None:
    rng = np.random.default_rng(0)
    factors = rng.standard_normal((800, 3))
    factors[:, 1] += 0.8 * factors[:, 0]
    found = warned((factors, factors), metrics=["mig", "mcc"], continuous=True)
    assert found.keys() == {"W01"}


@pytest.mark.parametrize("code", WARNINGS)
def test_codes_are_stable_words_and_have_their_section(code: str) -> None:
    assert re.fullmatch(r"W\d\d", code)
    first, _, rest = (WARNINGS[code].__doc__ or "").partition("\n")
    assert ":" in first
    assert len(rest.split()) > 20
    assert set(CASES) == set(WARNINGS), "a warning without a test"
