"""Intervals over seeds, and what they say of bounds."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr

from distaff.experiments.verdict import (
    FAILS,
    HOLDS,
    NOT_JUDGED,
    UNDECIDED,
    Measured,
    exactly,
    least,
    over_seeds,
    rank_correlation,
    size,
    verdict,
)


@pytest.mark.parametrize(
    ("values", "quantile"),  # of Student's t, from a printed table
    [([1.0, 3.0], 12.706), ([1.0, 2.0, 4.0], 4.303), ([0.0, 1.0, 1.0, 5.0, 2.0], 2.776)],
)
def test_the_interval_is_students(values: list[float], quantile: float) -> None:
    found = over_seeds(values)
    half = quantile * np.std(values, ddof=1) / np.sqrt(len(values))
    assert found.value == pytest.approx(np.mean(values))
    assert found.low == pytest.approx(np.mean(values) - half, rel=1e-3)
    assert found.high == pytest.approx(np.mean(values) + half, rel=1e-3)
    assert found.seeds == len(values)


def test_it_covers_the_truth_as_often_as_it_says() -> None:
    rng = np.random.default_rng(0)
    found = [over_seeds(rng.normal(2.0, 3.0, size=4)) for _ in range(2000)]
    assert np.mean([each.low <= 2.0 <= each.high for each in found]) == pytest.approx(0.95, abs=0.015)


def test_one_seed_has_no_interval_and_is_not_judged() -> None:
    assert over_seeds(0.7) == Measured(0.7, None, None, 1)
    assert verdict(over_seeds([0.7]), 0.5, None) == NOT_JUDGED
    assert verdict(Measured(0.7, 0.6, 0.8, 1), 0.5, None) == NOT_JUDGED  # whatever interval it brings


def test_equal_values_have_no_width() -> None:
    assert over_seeds([0.1, 0.1, 0.1]) == Measured(0.1, 0.1, 0.1, 3)
    assert verdict(over_seeds([0.1, 0.1, 0.1]), None, 0.1) == HOLDS


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [
        (0.3, None, HOLDS),
        (0.4, None, HOLDS),
        (0.5, None, UNDECIDED),
        (0.61, None, FAILS),
        (None, 0.6, HOLDS),
        (None, 0.59, UNDECIDED),
        (None, 0.39, FAILS),
        (0.4, 0.6, HOLDS),
        (0.45, 0.6, UNDECIDED),
        (0.45, 0.55, UNDECIDED),
        (0.7, 0.8, FAILS),
        (0.1, 0.2, FAILS),
    ],
)
def test_the_whole_interval_is_judged(low: float | None, high: float | None, said: str) -> None:
    assert verdict(Measured(0.5, 0.4, 0.6, 3), low, high) == said


@pytest.mark.parametrize("odd", [np.nan, np.inf])
def test_what_is_no_number_is_undecided(odd: float) -> None:
    for found in (over_seeds([0.5, odd]), exactly([odd]), over_seeds([])):
        assert verdict(found, 0.0, None) == UNDECIDED
        assert verdict(found, None, 1.0) == UNDECIDED


def test_exact_numbers_are_judged_by_their_range() -> None:
    assert exactly(0.0) == Measured(0.0, 0.0, 0.0, 0)
    assert verdict(exactly(1e-9), None, 1e-9) == HOLDS
    assert verdict(exactly(2e-9), None, 1e-9) == FAILS
    assert verdict(exactly([0.0, 2e-9]), None, 1e-9) == UNDECIDED


def test_the_rank_correlation_has_an_interval_over_runs() -> None:
    rng = np.random.default_rng(1)
    x = rng.normal(size=60)
    y = x + rng.normal(size=60)
    found = rank_correlation(x, y, seeds=5)
    assert found.value == pytest.approx(spearmanr(x, y).statistic)
    assert found.low < found.value < found.high < 1
    assert 0.2 < found.high - found.low < 0.6  # Fisher's is .39 wide
    assert found.seeds == 5


@pytest.mark.parametrize(
    ("ends", "expected"), [((-0.2, 0.5), (0.0, 0.5)), ((-0.5, -0.1), (0.1, 0.5)), ((0.1, 0.5), (0.1, 0.5))]
)
def test_an_absolute_value_has_the_interval_of_its_sign(ends, expected) -> None:
    found = size(Measured(float(np.mean(ends)), *ends, 3))
    assert (found.low, found.high) == expected
    assert found.value == pytest.approx(abs(np.mean(ends)))


def test_the_least_is_one_case_for_all_seeds() -> None:
    by_seed = pd.DataFrame({"a": [0.0, 4.0], "b": [1.0, 1.0], "c": [3.0, 0.0]})
    assert least(by_seed).tolist() == [1.0, 1.0]
