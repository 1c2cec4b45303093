"""The constructions are what they are called, and what is due and claimed of them is what is said."""

import numpy as np
import pytest

from distaff.experiments.stresses import (
    FIVE,
    STRESSES,
    TEN,
    Made,
    Stress,
    far_row,
    mixed,
    noise,
    repeated,
    weak,
)
from distaff.experiments.when_scores_mislead import (
    SCORES,
    Seen,
    WhenScoresMislead,
    claimed_of,
    mcc_rise,
    mean_scores,
    numbers,
    shares_told,
)
from distaff.metrics import dci, linear_r2, mcc
from distaff.scoring.health import CHECKS
from distaff.scoring.validity import WARNINGS

ROWS = 20_000


def made(name: str, n: int = ROWS, twin: bool = False) -> tuple[np.ndarray, np.ndarray]:
    return STRESSES[name][twin].pair(np.random.default_rng(100), n)


def seen(value: float, *told: str) -> Seen:
    return Seen(dict.fromkeys(SCORES.values(), value), frozenset(told))


def test_factors_correlate_as_they_are_said_to() -> None:
    for name, rho in (("two factors correlate by .9", 0.9), ("mixed codes, factors correlate by .5", 0.5)):
        _, factors = made(name)
        found = np.corrcoef(factors.T)
        assert found[~np.eye(len(found), dtype=bool)] == pytest.approx(rho, abs=0.02)
        assert made(name, twin=True)[1].std(axis=0) == pytest.approx(1, abs=0.02)
        assert np.abs(np.corrcoef(made(name, twin=True)[1].T) - np.eye(len(found))).max() < 0.03


def test_a_mixing_has_its_condition_number_and_is_its_twins() -> None:
    turned = [mixed(np.random.default_rng(100), 50, rho) for rho in (0.0, 0.9)]
    weights = [np.linalg.lstsq(factors, codes, rcond=None)[0] for codes, factors in turned]
    assert weights[0] == pytest.approx(weights[1])
    values = np.linalg.svd(weights[0], compute_uv=False)
    assert values[0] / values[-1] == pytest.approx(10)


def test_sines_and_bends_correlate_with_normal_factors_as_known() -> None:
    codes, factors = made("sine and cosine of each factor")
    assert mcc(codes, factors, correlation="pearson", continuous=True) == pytest.approx(
        np.exp(-0.5) / np.sqrt((1 - np.exp(-2)) / 2), abs=0.01
    )
    assert (np.square(codes[:, :5]) + np.square(codes[:, 5:])).ravel() == pytest.approx(1)
    bent, factors = made("bent codes")
    assert mcc(bent, factors, continuous=True) == pytest.approx(1)
    assert mcc(bent, factors, correlation="pearson", continuous=True) == pytest.approx(0.51, abs=0.06)


def test_codes_that_are_kept_and_copied_are_the_factors() -> None:
    codes, factors = made("codes of 5 of 10 factors")
    assert factors.shape == (ROWS, 10)
    assert np.array_equal(codes, factors[:, :5])
    assert linear_r2(codes, factors, continuous=True).factors_from_codes == pytest.approx(0.5, abs=0.01)
    codes, factors = made("one factor copies another", 1000)
    assert np.array_equal(factors[:, 0], factors[:, 1])
    shared = dci(codes, factors, learner="boosting", continuous=True).disentanglement
    assert shared == pytest.approx(1 - 0.4 * np.log(2) / np.log(5), abs=0.01)


def test_rows_that_repeat_lie_far_out_or_know_little() -> None:
    rng = np.random.default_rng(100)
    assert len(np.unique(repeated(rng, 1000)[0], axis=0)) == 250
    codes, factors = far_row(rng, 3000)
    assert (codes != factors).any(axis=1).sum() == 1
    assert np.abs((codes - codes.mean(axis=0)) / codes.std(axis=0)).max() > 50
    codes, factors = weak(rng, ROWS)
    assert linear_r2(codes, factors, continuous=True).factors_from_codes == pytest.approx(0.4, abs=0.15)
    assert np.abs(np.corrcoef(np.c_[noise(rng, ROWS)].T) - np.eye(10)).max() < 0.03


def test_scores_are_those_of_the_metrics() -> None:
    codes, factors = TEN.pair(np.random.default_rng(100), 200)
    codes = codes[:, :3] + 0.3 * np.random.default_rng(101).standard_normal((200, 3))
    found = numbers(codes, factors[:, :3], 7).scores
    given = {"continuous": True}
    assert found["pearson"] == mcc(codes, factors[:, :3], correlation="pearson", **given)
    assert found["spearman"] == mcc(codes, factors[:, :3], **given)
    crossfit = mcc(codes, factors[:, :3], correlation="pearson", fit="crossfit", seed=7, **given)
    assert found["crossfit"] == crossfit
    for learner in ("random_forest", "boosting"):
        expected = dci(codes, factors[:, :3], learner=learner, seed=7, **given).disentanglement
        assert found[f"{learner}.disentanglement"] == expected
    fitted = (
        np.c_[np.ones(200), codes]
        @ np.linalg.lstsq(np.c_[np.ones(200), codes], factors[:, :3], rcond=None)[0]
    )
    error, spread = (
        np.square(factors[:, :3] - of).sum(axis=0) for of in (fitted, factors[:, :3].mean(axis=0))
    )
    assert found["r2_in"] == pytest.approx((1 - error / spread).mean())
    assert list(found) == list(SCORES.values())


def test_each_stress_has_the_finding_that_is_made_for_it() -> None:
    told = {stress.warning for stress in STRESSES.values()}
    assert told - {""} <= WARNINGS.keys() | CHECKS.keys()
    assert WARNINGS.keys() <= told, "a warning without a stress"
    for name in ("sine and cosine of each factor", "codes of 5 of 10 factors"):
        stress = STRESSES[name]
        for each, there in ((stress.made, True), (stress.twin, False)):
            found = numbers(*each.pair(np.random.default_rng(100), 400), 100)
            assert (stress.warning in found.told) == there


def test_what_is_due_is_a_share_of_the_twins_score() -> None:
    seeds = [{name: (seen(a), seen(b)) for name in STRESSES} for a, b in ((0.2, 0.8), (0.4, 1.0))]
    under, due = mean_scores(seeds)
    assert under == pytest.approx(np.full((len(STRESSES), len(SCORES)), 0.3))
    for name, row in zip(STRESSES, due, strict=True):
        share = {"W03": 0.1 if "1 of" in name else 0.5, "W04": 0, "W07": 0, "W08": 0, "H02": 0}
        assert row == pytest.approx(0.9 * share.get(STRESSES[name].warning, 1)), name


def test_findings_are_counted_over_seeds() -> None:
    names = list(STRESSES)
    seeds = [
        {name: (seen(0, *told), seen(0, "W08")) for name in names} for told in (("W01", "H02"), ("W01",))
    ]
    codes, shares = shares_told(seeds)
    assert codes == ["H02", "W01", "W08"]
    assert shares.shape == (len(names), 2, 3)
    assert shares[0].tolist() == [[0.5, 1.0, 0.0], [0.0, 0.0, 1.0]]


def test_every_claim_has_a_number() -> None:
    right = {name: (seen(0.5, stress.warning), seen(0.75)) for name, stress in STRESSES.items()}
    found = claimed_of(100, 0.1, right)
    assert found.keys() == {claim.key for claim in WhenScoresMislead().claims}
    assert (found["fires"], found["silent"]) == (1, 0)
    assert found["correlated_infom"] == 0.25
    wrong = {name: (seen(0.5), seen(0.75, stress.warning)) for name, stress in STRESSES.items()}
    found = claimed_of(100, 0.1, wrong)
    assert (found["fires"], found["silent"]) == (0, 1)


def test_the_mean_mcc_of_mixings_rises_where_codes_are_mixed_more() -> None:
    blurred = Made(200, lambda rng, n: (rng.standard_normal((n, 5)), rng.standard_normal((n, 5))))
    assert mcc_rise(100, 1.0, Stress(FIVE, FIVE)) == 0
    assert mcc_rise(100, 1.0, Stress(FIVE, blurred)) == pytest.approx(0.9, abs=0.03)
