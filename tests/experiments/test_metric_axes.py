"""Codes whose scores are known: what rotations and signs leave, and what every metric makes of them."""

import numpy as np
import pytest

from distaff.experiments.metric_axes import (
    ANGLES,
    COLUMNS,
    SPACE,
    MetricAxes,
    logvar,
    metrics,
    of_seed,
    rotation,
    settings_of,
    signed,
    turned_by_pairs,
)
from distaff.metrics.arrays import standardised
from distaff.metrics.beta_vae_score import beta_vae_score
from distaff.metrics.mig import mig

VOTES = (300, 150)
FACTORS = np.asarray(SPACE.rows(np.arange(len(SPACE))))


def test_a_signed_code_tells_its_factor_and_varies_as_much_where_it_is_fixed() -> None:
    codes = signed(FACTORS, np.random.default_rng(100))
    for j, size in enumerate(SPACE.sizes):
        values = [set(np.abs(codes[FACTORS[:, j] == v, j].round(6))) for v in range(size)]
        assert all(1 <= len(each) <= 2 for each in values), "|code| is one number, but for the mean taken off"
        fixed = np.mean([codes[FACTORS[:, j] == v, j].var() for v in range(size)])
        assert fixed == pytest.approx(1, abs=0.02)
        others = [k for k in range(len(SPACE.sizes)) if k != j]
        correlations = np.corrcoef(codes[:, j], FACTORS[:, others].T)[0, 1:]
        assert np.abs(correlations).max() < 0.1


def test_a_turn_is_a_rotation() -> None:
    turn = rotation(np.pi / 6)
    assert turn @ turn.T == pytest.approx(np.eye(2))
    assert turn @ [1, 0] == pytest.approx([np.sqrt(3) / 2, 0.5])
    assert logvar(np.zeros((2, 3)), 0.1) == pytest.approx(np.full((2, 3), np.log(0.01)))


def test_the_metrics_of_true_factors_are_perfect_and_of_noise_are_not() -> None:
    ideal, noise = standardised(FACTORS), np.random.default_rng(100).standard_normal(FACTORS.shape)
    for metric in metrics(VOTES, 100).values():
        assert metric(ideal, FACTORS, 0.1) > 0.95
        assert metric(noise, FACTORS, 0.1) < 0.5


def test_the_settings_of_a_metric_are_its_own() -> None:
    codes = standardised(FACTORS) + 0.6 * np.random.default_rng(100).standard_normal(FACTORS.shape)
    scores = [beta_vae_score(codes, FACTORS, votes=VOTES, batch=n, seed=100) for n in (4, 64, 200)]
    assert settings_of("higgins", codes, FACTORS, VOTES, 100) == scores
    bins = [mig(codes, FACTORS, bins=n) for n in (5, 20, 80)]
    assert settings_of("binned", codes, FACTORS, VOTES, 100) == bins


def test_every_claim_has_a_number_and_mig_falls_with_every_further_degree() -> None:
    keys = {f"{what}_{name}" for what in COLUMNS for name in ("higgins", "factor", "mig")}
    assert keys | {"by_30_factor", "by_30_mig"} == {claim.key for claim in MetricAxes().claims}
    assert keys <= of_seed(100, VOTES).keys()
    line = turned_by_pairs(VOTES, 100)["mig"]
    assert len(line) == len(ANGLES)
    assert all(np.diff(line) < 0)
    assert line[-1] == pytest.approx(0, abs=1e-9)
