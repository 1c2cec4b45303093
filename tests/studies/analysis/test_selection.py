"""Model selection: against a loop, turned metrics, ties, and rules that cannot be followed."""

import numpy as np
import pandas as pd
import pytest
from planted import long, noise
from scipy.stats import rankdata

from distaff.errors import BadInput
from distaff.studies.analysis.selection import selection


def with_models(table: pd.DataFrame, scores: dict[str, np.ndarray]) -> pd.DataFrame:
    runs = table[table.metric == "mig"].drop(columns=["representation", "metric", "value"])
    return pd.concat([table, long(runs, scores, "model")], ignore_index=True)


def test_agrees_with_choosing_one_at_a_time() -> None:
    table = noise(0, methods=2, strengths=3, seeds=4, datasets=3, metrics=("mig",))
    mig = table.value.to_numpy()
    rng = np.random.default_rng(1)
    judges = {"udr": rng.random(len(mig)).round(1), "reconstruction": rng.random(len(mig))}
    found = selection(with_models(table, judges), resamples=20).set_index(["dataset", "rule"])
    runs = table.assign(**judges, setting=table.method + table.strength.astype(str))
    runs["stands"] = (runs.groupby("dataset").value.transform(rankdata) - 0.5) / 24
    for dataset, here in runs.groupby("dataset"):
        others = runs[runs.dataset != dataset].groupby(["setting", "dataset"]).stands.mean()
        best = others.groupby("setting").mean().idxmax()
        expected = {
            "oracle": here.value.max(),
            "random": here.value.mean(),
            "udr": here[here.udr == here.udr.max()].value.mean(),
            "reconstruction": here.loc[here.reconstruction.idxmin()].value,
            "transfer": here[here.setting == best].value.mean(),
        }
        assert set(found.loc[dataset].index) == set(expected)
        for rule, value in expected.items():
            row = found.loc[(dataset, rule)]
            assert row["value"] == pytest.approx(value)
            way = (value - expected["random"]) / (expected["oracle"] - expected["random"])
            assert row["fraction"] == pytest.approx(way)
            assert row["fraction_low"] <= row["fraction_high"]
        assert found.loc[(dataset, "oracle"), "high"] <= expected["oracle"]


def test_lower_is_turned_round_and_shown_as_it_is() -> None:
    table = noise(0, methods=2, strengths=2, seeds=3, metrics=("mig",))
    up = selection(table, ["mig"], resamples=9)
    down = table.assign(metric="gaussian_total_correlation", value=-table.value)
    found = selection(down, ["gaussian_total_correlation"], resamples=9)
    np.testing.assert_allclose(found["value"], -up["value"])
    np.testing.assert_allclose(found["fraction"], up["fraction"])


def test_constant_one_seed_and_missing() -> None:
    table = noise(0, methods=2, strengths=2, seeds=1, metrics=("mig",))
    one = selection(table, resamples=9)
    assert list(one["rule"]) == ["oracle", "random"]
    assert one[["low", "high", "fraction_low"]].isna().all(axis=None)
    assert selection(table.assign(value=1.0), resamples=9)["fraction"].isna().all()
    with pytest.raises(BadInput, match="has no sap of the mean representation; it has: mig"):
        selection(table, ["sap"])
