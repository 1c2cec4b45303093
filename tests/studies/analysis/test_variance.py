"""Variance shares: planted, against a slow statement, and their intervals."""

import numpy as np
import pandas as pd
import pytest
from planted import grid, long, noise

from distaff.errors import BadInput
from distaff.studies.analysis.variance import scores_by_setting, variance_shares

PLANTED = np.array([0.37, 0.22, 0.41])  # method, strength, seed


def planted(seed: int, seeds: int = 50, datasets: int = 1) -> pd.DataFrame:
    """A table whose method and strength effects have exactly the planted variance."""
    rng = np.random.default_rng(seed)
    runs = grid(seeds=seeds, datasets=datasets)
    method = rng.normal(size=(datasets, 6, 1, 1))
    strength = rng.normal(size=(datasets, 6, 6, 1))
    method -= method.mean(axis=1, keepdims=True)
    strength -= strength.mean(axis=2, keepdims=True)
    parts = [
        np.sqrt(PLANTED[0]) * method / np.sqrt((method**2).mean(axis=1, keepdims=True)),
        np.sqrt(PLANTED[1]) * strength / np.sqrt((strength**2).mean(axis=(1, 2), keepdims=True)),
        np.sqrt(PLANTED[2]) * rng.normal(size=(datasets, 6, 6, seeds)),
    ]
    return long(runs, {"mig": sum(np.broadcast_to(p, (datasets, 6, 6, seeds)) for p in parts).ravel()})


def test_planted_shares_come_back_on_average() -> None:
    found = variance_shares(planted(2, datasets=100), resamples=2).groupby("source")["unbiased"].mean()
    np.testing.assert_allclose(found[["method", "strength", "seed"]], PLANTED, atol=0.005)


def test_planted_shares_come_back_within_the_sampling_error_of_1800_runs() -> None:
    found = variance_shares(planted(0, datasets=100), resamples=2).set_index(["dataset", "source"])
    for kind in ("share", "unbiased"):
        shares = found[kind].unstack()[["method", "strength", "seed"]]
        np.testing.assert_allclose(shares.sum(axis=1), 1)
        errors = shares - PLANTED
        assert 0.007 < np.sqrt((errors**2).mean(axis=None)) < 0.014
        assert (errors.abs() < 0.03).mean(axis=None) > 0.95


def test_agrees_with_the_sums_written_out() -> None:
    table = noise(0, methods=3, strengths=2, seeds=4, datasets=1, metrics=("mig",))
    table.loc[[1, 7, 8], "value"] = np.nan  # unequal groups
    rows = table.dropna()
    overall = rows["value"].mean()
    total = method = setting = 0.0
    for r in rows.itertuples():
        total += (r.value - overall) ** 2
        same = rows[rows.method == r.method]
        method += (same.value.mean() - overall) ** 2
        setting += (same[same.strength == r.strength].value.mean() - overall) ** 2
    found = variance_shares(table, resamples=2).set_index("source")["share"]
    assert found["method"] == pytest.approx(method / total)
    assert found["method and strength"] == pytest.approx(setting / total)
    assert found["strength"] == pytest.approx((setting - method) / total)
    assert found["seed"] == pytest.approx(1 - setting / total)


def test_of_noise_and_few_seeds_eta_is_biased_and_omega_is_not() -> None:
    runs = grid(seeds=4, datasets=200)
    table = long(runs, {"mig": np.random.default_rng(0).normal(size=len(runs))})
    found = variance_shares(table, resamples=2).groupby("source")[["share", "unbiased"]].mean()
    assert found.loc["method and strength", "share"] == pytest.approx(35 / 143, abs=0.02)
    assert found["unbiased"].loc[["method", "strength"]].to_numpy() == pytest.approx(0, abs=0.02)


@pytest.mark.parametrize("seeds", [5, 50])
def test_the_interval_covers_about_as_often_as_it_says(seeds: int) -> None:
    found = variance_shares(planted(1, seeds=seeds, datasets=200), resamples=200)
    truth = dict(zip(["method", "strength", "seed"], PLANTED, strict=True))
    for source, share in truth.items():
        part = found[found["source"] == source]
        covered = ((part["low"] <= share) & (share <= part["high"])).mean()
        assert 0.88 <= covered <= 0.99, (source, covered)


def test_constant_scores_one_seed_and_missing_metrics() -> None:
    flat = noise(0, methods=2, strengths=2, seeds=3, metrics=("mig",)).assign(value=0.1)
    assert variance_shares(flat, resamples=3)[["share", "low", "unbiased"]].isna().all(axis=None)
    with pytest.raises(BadInput, match="no method and strength has two seeds"):
        variance_shares(noise(0, seeds=1))
    with pytest.raises(BadInput, match=r"has no irs of the mean representation; it has: mig"):
        variance_shares(flat, ["irs"])
    with pytest.raises(BadInput, match="no scores of the sampled representation; it has: mean"):
        variance_shares(flat, representation="sampled")
    with pytest.raises(BadInput, match="no disentanglement score; it has: kl"):
        variance_shares(flat.assign(metric="kl"))
    with pytest.raises(BadInput, match="two values of one score: dataset data0, method beta_vae"):
        variance_shares(pd.concat([flat, flat]))
    with pytest.raises(BadInput, match="no column value; it has: dataset"):
        variance_shares(flat.drop(columns="value"))


def test_scores_by_setting() -> None:
    table = noise(0, methods=2, strengths=3, seeds=5, metrics=("mig",))
    found = scores_by_setting(table)
    assert len(found) == 6
    one = found[(found.method == "beta_vae") & (found.strength == 4)].iloc[0]
    rows = table[(table.method == "beta_vae") & (table.strength == 4)].value
    assert (one["runs"], one["mean"], one["sd"]) == pytest.approx((5, rows.mean(), rows.std()))
    assert one["q25"] == pytest.approx(np.percentile(rows, 25))
