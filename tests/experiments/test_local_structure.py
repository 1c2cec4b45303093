import numpy as np
import pytest

from distaff.experiments.local_structure import (
    FREQUENCY,
    NARROW,
    POINTS,
    RIPPLE,
    WIDE,
    fit,
    least_match,
    observed,
    turned,
)


def test_global_and_local_axes_differ() -> None:
    rng = np.random.default_rng(0)
    uv = rng.standard_normal((200_000, 2)) * [WIDE, NARROW]
    x = observed(uv, RIPPLE)
    values, vectors = np.linalg.eigh(np.cov(x.T))
    first, second = np.abs(vectors[:, values.argsort()[::-1][:2]]).T
    assert first[0] > 0.98  # u is the first principal direction
    assert second[1] > 0.98
    # a small step along s moves x further than one along t
    step = 1e-4 / 2**0.5
    along_s = observed(uv + np.array([step, step]), RIPPLE) - x
    along_t = observed(uv + np.array([step, -step]), RIPPLE) - x
    assert np.linalg.norm(along_t, axis=1).mean() == pytest.approx(1e-4)
    slope = RIPPLE * FREQUENCY
    assert np.linalg.norm(along_s, axis=1).mean() == pytest.approx(1e-4 * (1 + slope**2) ** 0.5, rel=1e-3)


def test_the_best_turn_of_normal_points_is_what_is_said_of_it() -> None:
    """J'J / noise + 1 of a turned code must be diagonal; what is lost is ln of its diagonal over its det."""
    scales, axes = np.diag([WIDE, NARROW]), turned(np.eye(2)).T  # (s, t) = axes (u, v)
    metric = scales @ axes.T @ np.diag([1 + (RIPPLE * FREQUENCY) ** 2, 1]) @ axes @ scales
    turn = np.linalg.eigh(metric)[1]
    z = np.random.default_rng(0).standard_normal((200_000, 2))
    uv = z @ turn.T @ scales
    matched = np.abs(np.corrcoef(z.T, turned(uv).T)[:2, 2:])
    assert sorted(matched.max(axis=0)) == pytest.approx([0.942, 0.998], abs=1e-3)
    precision = metric / 3e-3 + np.eye(2)
    lost = (np.log(np.diag(precision)).sum() - np.linalg.slogdet(precision)[1]) / 2
    assert lost == pytest.approx(0.316, abs=0.001)


def test_a_linear_vae_at_its_best_is_pca() -> None:
    for seed in (0, 1):
        found = fit(seed, RIPPLE, True, 0)
        x = observed(found.points, RIPPLE)
        uv = np.random.default_rng(seed).standard_normal((POINTS, 2)) * [WIDE, NARROW]
        vectors = np.linalg.eigh(np.cov(observed(uv, RIPPLE).T))[1][:, :1:-1]
        assert least_match(found.codes, x @ vectors) > 0.99999
        assert found.whole > 0.97
        assert found.local < 0.8


def test_codes_are_matched_in_either_order() -> None:
    uv = np.random.default_rng(0).standard_normal((1000, 2))
    assert least_match(-uv[:, ::-1], uv) == pytest.approx(1)
    assert least_match(turned(uv), uv) < 0.8
