"""A study in a few numbers, of tables whose answer is known; the jackknife; and the papers' numbers."""

import numpy as np
import pandas as pd
import pytest
from planted import SIX, grid, long, noise
from scipy import stats

from distaff.errors import BadInput
from distaff.experiments.verdict import over_seeds
from distaff.studies.analysis.jackknife import around, jackknife
from distaff.studies.analysis.published import beside, published
from distaff.studies.analysis.summary import summary


def of_a_rank(sign: float = 1.0) -> pd.DataFrame:
    """Every score is the run's place among settings; UDR too, reconstructions turned; two data sets."""
    runs = grid(methods=3, strengths=3, seeds=3, datasets=2)
    place = runs["method"].rank(method="dense") + runs["strength"] / 10
    scores = {metric: place.to_numpy() for metric in SIX}
    scores |= {"downstream.lr100": place.to_numpy(), "downstream.lr1000": 2 * np.sqrt(place.to_numpy())}
    model = {"udr": place.to_numpy(), "reconstruction": -place.to_numpy(), "total_correlation": 0 * place + 2}
    codes = {"gaussian_total_correlation": sign * runs["strength"].to_numpy()}
    return pd.concat(
        [long(runs, scores | codes), long(runs, codes, "sampled"), long(runs, model, "model")],
        ignore_index=True,
    )


def test_of_one_order_everything_agrees() -> None:
    found = summary(of_a_rank())
    for key in ("pairs", "pairs_median", "scores_pair", "gaps_pair", "udr", "udr_metrics", "accuracy"):
        assert found[key, "data0"] == found[key, "data1"] == pytest.approx(1), key
    assert found["scores", "data0"] == found["gaps", "data0"] == pytest.approx(0)
    assert found["across", ""] == found["across_least", ""] == pytest.approx(1)
    assert found["setting", ""] == pytest.approx(1)
    assert 0.9 < found["method", ""] < 1
    assert found["best", ""] == 1
    assert found["udr_choice", "data0"] == pytest.approx(1)
    one = of_a_rank().query("dataset == 'data0' and metric == 'udr'")
    of_strength = stats.spearmanr(one["value"], one["strength"]).statistic  # the total correlation is that
    assert found["losses", "data0"] == pytest.approx((1 + of_strength) / 2), "a constant score has none"
    assert found["same_metric_same_data", ""] == pytest.approx(found["random_metric_random_data", ""])
    assert found["same_metric_same_data", ""] > 0.9
    assert found["transfer", ""] == pytest.approx(0)
    assert found["efficiency", "data0"] == found["efficiency_factor_vae", "data0"] == pytest.approx(1)
    ratios = np.sqrt([method + strength / 10 for method in (1, 2, 3) for strength in (1, 2, 4)]) / 2
    assert found["efficiency_value", "data0"] == pytest.approx(np.median(ratios))


def test_total_correlations() -> None:
    found = summary(of_a_rank(-1))
    assert found["sampled", "data0"] == found["mean", "data0"] == pytest.approx(-1)
    assert summary(of_a_rank())["sampled", "data0"] == pytest.approx(1)
    assert (found["tc_sampled", "data0"], found["tc_mean", "data0"]) == (-2, -2)
    assert found["tc_true", "data0"] == 2


def test_of_noise_nothing_does() -> None:
    found = summary(noise(0, seeds=20, datasets=2))
    assert abs(found["pairs_median", "data0"]) < 0.05
    assert abs(found["across", ""]) < 0.1
    assert found["method", ""] < 0.02
    assert found["random_metric_random_data", ""] == pytest.approx(0.5, abs=0.02)
    assert ("udr", "data0") not in found, "the table has none"


def test_the_jackknife_of_a_mean_is_the_t_interval() -> None:
    values = np.array([3.0, 4.5, 1.0, 7.0])
    table = pd.DataFrame({"seed": range(4), "value": values})
    found = jackknife(table, lambda part: {"mean": part["value"].mean()})["mean"]
    assert found == pytest.approx(over_seeds(values)[:3])
    two = jackknife(table[table["seed"] < 2], lambda part: {"mean": part["value"].mean()})["mean"]
    assert two == pytest.approx((3.75, np.nan, np.nan), nan_ok=True)
    gone = jackknife(table, lambda part: {"many": 1.0} if len(part) == 4 else {})["many"]
    assert gone == pytest.approx((1.0, np.nan, np.nan), nan_ok=True)
    assert around(2.0, np.array([2.0, 2.0, 2.0])) == (2.0, 2.0, 2.0)


def test_every_published_number_has_one_of_ours() -> None:
    ours = {key for key, _ in summary(of_a_rank())}
    assert {one.key for one in published()} <= ours
    assert len({one.key for one in published()}) == len(published())
    for one in published():
        assert (one.value is None) == bool(one.said), one.key
    cells = {one.key: one.value for one in published() if one.value is not None}
    assert cells == {
        "random_metric_random_data": 0.549,
        "same_metric_random_data": 0.593,
        "random_metric_same_data": 0.626,
        "same_metric_same_data": 0.807,
    }


def test_ours_stand_beside_them() -> None:
    rows = beside(of_a_rank())
    row = rows[(rows["where"] == "Locatello et al. 2019, figure 2") & (rows["data"] == "data1")].iloc[0]
    assert (row["ours"], row["low"], row["high"]) == pytest.approx((1, 1, 1))
    wins = rows[rows["published"] == 0.807].iloc[0]
    assert wins["data"] == "all"
    with pytest.raises(BadInput, match="no scores that a published number is of"):
        beside(noise(0, seeds=1, metrics=("kl",)))
