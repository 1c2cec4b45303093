"""Rank correlations: planted, against SciPy, and their intervals."""

import numpy as np
import pytest
from planted import grid, long, noise
from scipy.stats import spearmanr

from distaff.errors import BadInput
from distaff.studies.analysis.rank_correlation import (
    _correlations,
    across_datasets,
    between_metrics,
    spearman,
    with_unsupervised,
)

SPEARMAN = 0.6
PEARSON = 2 * np.sin(np.pi * SPEARMAN / 6)  # of normal numbers with that Spearman correlation


def related(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
    first, other = rng.normal(size=(2, n))
    return first, np.exp(PEARSON * first + np.sqrt(1 - PEARSON**2) * other)


def test_agrees_with_scipy_with_ties_and_holes() -> None:
    rng = np.random.default_rng(0)
    left, right = rng.normal(size=(40, 3)).round(1), rng.normal(size=(40, 4)).round()
    left[rng.random(left.shape) < 0.1] = np.nan
    right[rng.random(right.shape) < 0.1] = np.nan
    found = spearman(left, right, 2, rng)
    for i, j in np.ndindex(3, 4):
        expected = spearmanr(left[:, i], right[:, j], nan_policy="omit")[0]
        assert found[0, i, j] == pytest.approx(expected)
        assert found[3, i, j] == (np.isfinite(left[:, i]) & np.isfinite(right[:, j])).sum()


def test_a_resample_is_ranked_anew() -> None:
    rng = np.random.default_rng(0)
    left, right = rng.normal(size=(30, 2)).round(1), rng.normal(size=(30, 2))
    rows = rng.integers(30, size=30)
    counts = np.bincount(rows, minlength=30)[None].astype(float)
    found = _correlations(left, right, counts)[0]
    for i, j in np.ndindex(2, 2):
        assert found[i, j] == pytest.approx(spearmanr(left[rows, i], right[rows, j])[0])


def test_planted_correlations_come_back_and_lower_is_turned_round() -> None:
    first, second = related(np.random.default_rng(0), 1800)
    unrelated = np.random.default_rng(1).normal(size=1800)
    scores = {"mig": first, "sap": unrelated, "modularity": -second, "kl": -second}
    table = long(grid(), scores)
    table.loc[table["metric"] == "kl", "representation"] = "model"
    found = between_metrics(table, resamples=100).set_index(["first", "second"])["correlation"]
    assert found["mig", "modularity"] == pytest.approx(-SPEARMAN, abs=0.03)
    assert found["mig", "mig"] == pytest.approx(1)
    assert abs(found["mig", "sap"]) < 0.05
    by_kl = with_unsupervised(table, resamples=100).set_index(["first", "second"])
    assert by_kl["correlation"]["kl", "mig"] == pytest.approx(SPEARMAN, abs=0.03)


def test_runs_of_data_sets_are_matched() -> None:
    runs = grid(datasets=2)
    first, second = related(np.random.default_rng(0), 1800)
    table = long(runs, {"mig": np.concatenate([first, second])}).sample(frac=1, random_state=0)
    found = across_datasets(table, resamples=50)
    other = found[(found["first"] == "data0") & (found["second"] == "data1")].iloc[0]
    assert other["correlation"] == pytest.approx(SPEARMAN, abs=0.03)
    assert other["runs"] == 1800
    with pytest.raises(BadInput, match="needs two of them; the table has: data0"):
        across_datasets(noise(0, seeds=2))


def test_the_interval_covers_about_as_often_as_it_says() -> None:
    rng = np.random.default_rng(0)
    found = []
    for _ in range(200):
        first, second = related(rng, 100)
        found.append(spearman(first[:, None], second[:, None], 200, rng).ravel())
    covered = np.mean([low <= SPEARMAN <= high for _, low, high, _ in found])
    assert 0.9 <= covered <= 0.99


def test_constant_scores_and_few_runs_have_none() -> None:
    rng = np.random.default_rng(0)
    assert np.isnan(spearman(np.ones((9, 1)), rng.normal(size=(9, 1)), 5, rng)[:3]).all()
    assert np.isnan(spearman(rng.normal(size=(2, 1)), rng.normal(size=(2, 1)), 5, rng)[:3]).all()
    with pytest.raises(BadInput, match="no unsupervised score; it has: beta_vae_score"):
        with_unsupervised(noise(0, seeds=2))


def test_few_runs_have_no_interval() -> None:
    """Of three runs in the same order most resamples are in the same order too."""
    rng = np.random.default_rng(0)
    values = np.arange(6.0)[:, None]
    assert np.isfinite(spearman(values, values, 200, rng)[:3]).all()
    found = spearman(values[:5], values[:5], 200, rng)[:, 0, 0]
    assert found[0] == 1
    assert np.isnan(found[1:3]).all()
