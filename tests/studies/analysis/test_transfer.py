"""The transfer table: planted answers, and a loop over every draw."""

import itertools

import numpy as np
import pandas as pd
import pytest
from planted import SIX, grid, long, noise

from distaff.errors import BadInput
from distaff.studies.analysis.transfer import Transfer, transfer


def by_loops(table: pd.DataFrame) -> list[float]:
    """The four shares by going through every source, target, seed and random model."""
    value = {
        (r.metric, r.dataset, (r.method, r.strength), r.seed): r.value
        for r in table.itertuples()
        if np.isfinite(r.value)
    }
    metrics, datasets = sorted(set(table.metric)), sorted(set(table.dataset))
    settings = sorted(set(zip(table.method, table.strength, strict=True)))
    seeds = sorted(set(table.seed))
    pairs = list(itertools.product(metrics, datasets))
    means: dict[tuple[bool, bool], list[float]] = {}
    for (m, d), (m2, d2) in itertools.product(pairs, pairs):
        won = compared = 0.0
        for s in seeds:
            there = {c: value[m, d, c, s] for c in settings if (m, d, c, s) in value}
            best = [c for c in there if there[c] == max(there.values())]
            for c, t in itertools.product(best, seeds):
                if t != s and (m2, d2, c, t) in value:
                    mine = value[m2, d2, c, t]
                    models = [v for (a, b, _, _), v in value.items() if (a, b) == (m2, d2)]
                    won += np.mean([(mine > v) + (mine == v) / 2 for v in models]) / len(best)
                    compared += 1 / len(best)
        if compared:
            means.setdefault((m == m2, d == d2), []).append(won / compared)
    kinds = [(False, False), (True, False), (False, True), (True, True)]
    return [float(np.mean(means[kind])) for kind in kinds]


def values(found: Transfer) -> list[float]:
    return [share.value for share in found if share is not None]


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("holes", [False, True])
def test_agrees_with_a_loop_over_every_draw(ties: bool, holes: bool) -> None:
    table = noise(0, methods=2, strengths=2, seeds=3, datasets=2, metrics=SIX[:2])
    rng = np.random.default_rng(1)
    if ties:
        table["value"] = table["value"].round()
    if holes:
        table.loc[rng.choice(len(table), 8, replace=False), "value"] = np.nan
    np.testing.assert_allclose(values(transfer(table, resamples=2)), by_loops(table), atol=1e-12)


def test_noise_carries_nothing_over() -> None:
    found = transfer(noise(0, datasets=7), resamples=20)
    assert values(found) == pytest.approx([0.5] * 4, abs=0.015)
    for share in found:
        assert share is not None
        assert share.low <= share.value <= share.high


def test_an_effect_of_strength_that_everything_shares_carries_over() -> None:
    runs = grid(seeds=5, datasets=2)
    effect = np.random.default_rng(0).permutation(36)[runs.groupby(["method", "strength"]).ngroup()]
    found = transfer(long(runs, dict.fromkeys(SIX[:2], effect)), resamples=20)
    assert min(values(found)) >= 0.95
    assert values(found) == pytest.approx([1 - 0.5 / 36] * 4)


def test_an_effect_that_data_sets_and_metrics_have_of_their_own() -> None:
    runs = grid(seeds=5, datasets=4)
    rng = np.random.default_rng(0)
    cell = runs.groupby(["dataset", "method", "strength"]).ngroup().to_numpy()
    found = transfer(long(runs, {m: rng.normal(size=4 * 36)[cell] for m in SIX}), resamples=20)
    assert found.same_metric_same_data is not None
    assert found.same_metric_same_data.value >= 0.95
    assert values(found)[:3] == pytest.approx([0.5] * 3, abs=0.15)  # of 24 random orders of 36 settings


def test_lower_is_turned_round() -> None:
    table = noise(0, methods=3, strengths=2, seeds=4, datasets=2, metrics=SIX[:2])
    turned = table.assign(value=-table["value"])
    turned["metric"] = turned["metric"].map({SIX[0]: "gaussian_total_correlation", SIX[1]: "reconstruction"})
    names = ["gaussian_total_correlation", "reconstruction"]
    assert transfer(turned, names, resamples=9) == transfer(table, resamples=9)


def test_a_constant_score_tells_nothing() -> None:
    table = noise(0, methods=2, strengths=2, seeds=3, datasets=2).assign(value=1.0)
    assert values(transfer(table, resamples=9)) == [0.5] * 4


def test_one_data_set_one_metric_one_seed() -> None:
    one = transfer(noise(0, seeds=3), resamples=9)
    assert one.random_metric_random_data is None
    assert one.same_metric_random_data is None
    assert one.random_metric_same_data is not None
    alone = transfer(noise(0, seeds=3), ["mig"], resamples=9)
    assert [share is None for share in alone] == [True, True, True, False]
    with pytest.raises(BadInput, match="needs two of them; the table has seed 0 only"):
        transfer(noise(0, seeds=1))
    with pytest.raises(BadInput, match="has no irs of the mean representation; it has: beta_vae_score, "):
        transfer(noise(0, seeds=2), ["irs"])


def test_the_interval_covers_about_as_often_as_it_says() -> None:
    rng = np.random.default_rng(0)
    runs = grid(methods=2, strengths=3, seeds=20, datasets=1)
    effect = np.array([0.0, 0.2, 0.4, 0.6, 0.8, 1.0])[runs.groupby(["method", "strength"]).ngroup()]
    found = [
        transfer(long(runs, {"mig": effect + rng.normal(size=len(runs))}), resamples=200)[3]
        for _ in range(200)
    ]
    truth = np.mean([share.value for share in found if share])
    covered = np.mean([share.low <= truth <= share.high for share in found if share])
    assert 0.88 <= covered <= 0.99
