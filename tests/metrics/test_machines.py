"""Machines of a single code: at the minimum of what they minimise, which is written out row by row here."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from distaff.metrics.machines import COST, machines


def losses_and_slopes(
    code: np.ndarray, classes: np.ndarray, planes: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """What is minimised (K,), and its gradient (K, 2), over a slope and an offset for each machine."""
    counts = np.bincount(classes)
    balanced = COST * len(code) / (len(counts) * counts)
    losses, slopes = [], []
    for k, (w, b) in enumerate(planes):
        own = classes == (1 if len(counts) == 2 else k)
        side = np.where(own, 1.0, -1.0)
        rest = balanced[0] if len(counts) == 2 else COST
        weight = np.where(own, balanced[1 if len(counts) == 2 else k], rest)
        short = np.maximum(0.0, 1 - side * (w * code + b))
        losses.append((w**2 + b**2) / 2 + (weight * short**2).sum())
        pull = -2 * weight * short * side
        slopes.append([w + (pull * code).sum(), b + pull.sum()])
    return np.array(losses), np.array(slopes)


@given(
    seed=st.integers(0, 10**6),
    rows=st.integers(4, 60),
    count=st.integers(2, 5),
    scale=st.sampled_from([1e-6, 0.1, 1.0, 30.0, 1e6]),
    centre=st.sampled_from([0.0, 1.0, -50.0]),
    digits=st.sampled_from([0, 1, 12]),
)
@settings(max_examples=200, deadline=None)
def test_they_are_at_the_minimum(
    seed: int, rows: int, count: int, scale: float, centre: float, digits: int
) -> None:
    rng = np.random.default_rng(seed)
    classes = np.concatenate([np.arange(count), rng.integers(count, size=rows)])
    code = scale * (np.round(classes * rng.normal() + rng.normal(size=len(classes)), digits) + centre)
    slopes, offsets = machines(code, classes)
    planes = np.stack([slopes, offsets], axis=1)
    least, gradient = losses_and_slopes(code, classes, planes)
    per_unit = gradient / np.array([max(1.0, np.abs(code).max()), 1.0])  # of a slope by codes of size 1
    assert np.abs(per_unit).max() < 1e-6 * len(code)
    size = np.array([1 / max(1.0, np.abs(code).max()), 1.0])
    for _ in range(5):
        moved, _ = losses_and_slopes(code, classes, planes + 1e-3 * size * rng.normal(size=planes.shape))
        assert (moved >= least * (1 - 1e-9)).all()


@pytest.mark.parametrize("count", [2, 3, 40])
def test_they_are_liblinears(count: int) -> None:
    """Whose loss is never lower, and whose planes are the same where it is asked to look closely."""
    from sklearn.svm import LinearSVC

    rng = np.random.default_rng(count)
    classes = np.concatenate([np.arange(count), rng.integers(count, size=3000)])
    code = classes + rng.normal(size=len(classes))
    slopes, offsets = machines(code, classes)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = LinearSVC(C=COST, class_weight="balanced", dual=False, tol=1e-12, max_iter=10**6)
        model.fit(code[:, None], classes)
    assert slopes == pytest.approx(model.coef_[:, 0], abs=1e-6)
    assert offsets == pytest.approx(model.intercept_, abs=1e-6)
    theirs = np.stack([model.coef_[:, 0], model.intercept_], axis=1)
    ours, _ = losses_and_slopes(code, classes, np.stack([slopes, offsets], axis=1))
    assert (ours <= losses_and_slopes(code, classes, theirs)[0] * (1 + 1e-12)).all()


@pytest.mark.parametrize("scale", [1e-217, 1e-210, 1e-200, 0.0, 1e7, 1e10, 1e30, 1e140])
@pytest.mark.parametrize("centre", [0.0, 1.0, -30.0])
def test_codes_of_any_size(scale: float, centre: float) -> None:
    """Finite planes; the larger a code the less its slope costs, and the lower is the minimum."""
    for seed in range(20):
        rng = np.random.default_rng(seed)
        classes = np.concatenate([np.arange(3), rng.integers(3, size=int(rng.integers(2, 60)))])
        code = classes + centre + rng.normal(size=len(classes)) * rng.choice([0.01, 1.0])
        slopes, offsets = machines(scale * code, classes)
        assert np.isfinite(slopes).all()
        assert np.isfinite(offsets).all()
        if scale >= 1e7:
            of_large = losses_without_slopes(code, classes, scale * slopes, offsets)
            slopes, offsets = machines(1e4 * code, classes)
            of_small = losses_without_slopes(code, classes, 1e4 * slopes, offsets)
            assert (of_large <= of_small + slopes**2 / 2 + 1e-7 * len(code)).all()


def losses_without_slopes(
    code: np.ndarray, classes: np.ndarray, slopes: np.ndarray, offsets: np.ndarray
) -> np.ndarray:
    losses, _ = losses_and_slopes(code, classes, np.stack([slopes, offsets], axis=1))
    return np.asarray(losses - slopes**2 / 2)


def test_a_machine_that_no_row_pulls_at() -> None:
    slopes, offsets = machines(1e10 * np.array([0.0, 1, 2, 1, 2]), np.array([0, 1, 2, 1, 2]))
    assert np.isfinite([*slopes, *offsets]).all()
