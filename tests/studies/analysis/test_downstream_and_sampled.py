"""Downstream accuracy and efficiency; mean against sampled codes."""

import numpy as np
import pandas as pd
import pytest
from planted import grid, long, noise
from scipy.stats import spearmanr

from distaff.errors import BadInput
from distaff.studies.analysis.downstream import (
    accuracy_by_labels,
    efficiency,
    efficiency_and_scores,
    most_labels,
    scores_and_downstream,
)
from distaff.studies.analysis.sampled_and_mean import mean_and_sampled, trend_with_strength
from distaff.studies.metric_roles import disentanglement, higher_is_better, unsupervised

RUNS = grid(methods=2, strengths=3, seeds=5, datasets=2)


def test_efficiency_and_accuracy() -> None:
    rng = np.random.default_rng(0)
    few, many, mig = rng.random((3, len(RUNS))) + 0.1
    table = long(
        RUNS, {"downstream.lr1000": many, "downstream.lr100": few, "downstream.gbt100": few, "mig": mig}
    )
    assert most_labels(table) == {"lr": 1000}
    found = efficiency(table)
    assert set(found["labels"]) == {1000}
    order = ["dataset", "method", "strength", "seed"]
    expected = RUNS.assign(e=few / many, s=mig).sort_values(order)
    np.testing.assert_allclose(found.sort_values(order)["efficiency"], expected["e"])
    points = efficiency_and_scores(table).sort_values(order)
    np.testing.assert_allclose(points["mig"], expected["s"])
    accuracy = accuracy_by_labels(table)
    row = accuracy[
        (accuracy.labels == 1000) & (accuracy.method == "beta_vae") & (accuracy.dataset == "data1")
    ]
    here = (RUNS.method == "beta_vae") & (RUNS.dataset == "data1")
    assert row["mean"].item() == pytest.approx(many[here].mean())
    ranks = scores_and_downstream(table, resamples=9).set_index(["dataset", "first", "second"])["correlation"]
    here = RUNS.dataset == "data0"
    assert ranks["data0", "mig", "efficiency.lr"] == pytest.approx(
        spearmanr(mig[here], (few / many)[here])[0]
    )
    assert ranks["data0", "mig", "lr100"] == pytest.approx(spearmanr(mig[here], few[here])[0])


def test_logistic_regression_comes_before_boosting() -> None:
    accuracies = ("downstream.gbt100", "downstream.gbt10000", "downstream.lr100", "downstream.lr1000")
    assert list(most_labels(noise(0, seeds=2, metrics=accuracies)).items()) == [("lr", 1000), ("gbt", 10000)]


def test_what_downstream_lacks_is_named() -> None:
    table = noise(0, seeds=2, metrics=("mig", "downstream.lr100"))
    with pytest.raises(BadInput, match=r"at 100 labels and at more; the table has: downstream\.lr100"):
        efficiency(table)
    with pytest.raises(BadInput, match="no downstream accuracy; it has: mig"):
        accuracy_by_labels(table[table.metric == "mig"])


def test_trends_with_strength() -> None:
    metric = "gaussian_total_correlation"
    strength = RUNS["strength"].to_numpy()
    table = pd.concat([long(RUNS, {metric: strength}), long(RUNS, {metric: -strength}, "sampled")])
    found = trend_with_strength(table, resamples=9).set_index(["dataset", "method", "representation"])
    assert found.loc[("data0", "beta_vae", "mean"), "correlation"] == pytest.approx(1)
    assert found.loc[("data1", "beta_vae", "sampled"), "correlation"] == pytest.approx(-1)
    means = mean_and_sampled(table).set_index(["representation", "dataset", "method", "strength"])["mean"]
    assert means["sampled", "data0", "beta_vae", 4.0] == -4
    with pytest.raises(BadInput, match="no scores of the sampled representation; it has: mean"):
        mean_and_sampled(table[table.representation == "mean"])


def test_roles() -> None:
    assert [higher_is_better(m) for m in ("dci.disentanglement", "downstream.lr10", "elbo")] == [True] * 3
    assert [higher_is_better(m) for m in ("kl", "reconstruction", "code_mutual_information")] == [False] * 3
    with pytest.raises(BadInput, match="did you mean 'mig'"):
        higher_is_better("migg")
    names = ["kl", "irs", "sap", "downstream.lr10", "mig", "udr", "<x>"]
    assert disentanglement(names) == ["mig", "sap"]
    assert disentanglement(["irs", "udr"]) == ["irs"]
    assert unsupervised(names) == ["kl", "udr"]


def test_what_sees_all_dependence_stands_beside_the_gaussian_total_correlation() -> None:
    runs = grid(2, 3, 4)
    strength = runs["strength"].to_numpy()
    gaussian = {"gaussian_total_correlation": np.ones(len(runs))}
    table = pd.concat([long(runs, gaussian), long(runs, gaussian, "sampled")])
    assert set(trend_with_strength(table)["representation"]) == {"mean", "sampled"}
    table = pd.concat([table, long(runs, {"total_correlation": -strength}, "model")])
    trend = trend_with_strength(table).set_index(["representation", "method"])["correlation"]
    assert trend["sampled, all dependence"].tolist() == pytest.approx([-1, -1])
    found = mean_and_sampled(table)
    true = found[found["representation"] == "sampled, all dependence"]
    assert true["mean"].tolist() == (-true["strength"]).tolist()
    assert len(found) == 3 * len(true)
