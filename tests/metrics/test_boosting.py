"""Boosting on bins against scikit-learn's gradient boosting, of which it is a faster form."""

import numpy as np
import pytest
from sklearn.ensemble import GradientBoostingClassifier, GradientBoostingRegressor

from distaff.metrics import dci, importance_matrix
from distaff.metrics.boosting import BINS, RATE, STAGES, Boosting
from distaff.metrics.learners import importances


def some(seed: int, n: int = 600) -> tuple[np.ndarray, np.ndarray]:
    """Codes of fewer values than bins, so that binning loses nothing, and a factor of five values."""
    rng = np.random.default_rng(seed)
    factor = rng.integers(5, size=n)
    noisy = factor[:, None] * [1.0, 0.4, 0.0, 0.0] + rng.standard_normal((n, 4))
    ranks = noisy.argsort(axis=0).argsort(axis=0)
    return ranks * (BINS // 2 - 2) // n, factor


@pytest.mark.parametrize("seed", range(3))
def test_it_is_scikit_learns_boosting(seed: int) -> None:
    """Of splits that are equally good scikit-learn takes one by its seed: ours is as one of some seeds."""
    codes, factor = some(seed)
    ours, unseen = Boosting().fit(codes, factor), some(seed + 10)[0]
    settings = {"n_estimators": STAGES, "learning_rate": RATE}
    theirs = [GradientBoostingClassifier(**settings, random_state=s).fit(codes, factor) for s in range(3)]
    apart = [np.abs(importances(ours) - each.feature_importances_).max() for each in theirs]
    assert min(apart) < 3e-3
    nearest = theirs[int(np.argmin(apart))]
    assert np.mean(ours.predict(unseen) == nearest.predict(unseen)) > 0.97


@pytest.mark.parametrize("seed", range(3))
def test_of_real_numbers_as_well(seed: int) -> None:
    codes, factor = some(seed)
    target = factor + 0.3 * np.random.default_rng(seed).standard_normal(len(factor))
    ours = Boosting(regress=True).fit(codes, target)
    settings = {"n_estimators": STAGES, "learning_rate": RATE}
    theirs = [GradientBoostingRegressor(**settings, random_state=s).fit(codes, target) for s in range(3)]
    apart = [np.abs(importances(ours) - each.feature_importances_).max() for each in theirs]
    assert min(apart) < 3e-3
    nearest = theirs[int(np.argmin(apart))]
    assert np.mean(np.abs(ours.predict(codes) - nearest.predict(codes))) < 0.02


def test_two_classes_are_told_apart() -> None:
    codes, factor = some(1)
    ours = Boosting().fit(codes, factor > 2)
    assert np.mean(ours.predict(codes) == (factor > 2)) > 0.85
    assert importances(ours)[0] > 0.5


def test_constant_and_bent_codes() -> None:
    codes, factor = some(2)
    more = np.concatenate([codes, np.ones((len(codes), 1))], axis=1)
    first, second = Boosting().fit(more, factor), Boosting().fit(np.exp(more / 4), factor)
    assert first.feature_importances_[-1] == 0
    assert first.feature_importances_ == pytest.approx(second.feature_importances_)
    assert not importances(Boosting().fit(np.ones((50, 2)), np.arange(50) % 3)).any()


def test_dci_by_it() -> None:
    rng = np.random.default_rng(0)
    factors = np.stack([rng.integers(size, size=2500) for size in (3, 5)], axis=1)
    codes = np.concatenate([factors + 0.3 * rng.standard_normal((2500, 2)), rng.random((2500, 2))], axis=1)
    fast, slow = (dci(codes, factors, learner=name) for name in ("boosting", "gradient_boosting"))
    assert fast[:3] == pytest.approx(slow[:3], abs=0.03)
    assert fast.learner == "boosting"
    real = dci(codes, factors.astype(float), learner="boosting", continuous=True)
    assert real.informativeness > 0.9


def test_a_factor_that_nothing_predicts_has_no_say_above_chance() -> None:
    rng = np.random.default_rng(0)
    factors = np.stack([rng.integers(size, size=900) for size in (3, 5, 4)], axis=1)
    codes = np.concatenate(
        [factors[:, :2] + 0.1 * rng.standard_normal((900, 2)), rng.random((900, 2))], axis=1
    )
    plain, weighed = (dci(codes, factors, learner="boosting", above_chance=each) for each in (False, True))
    known = dci(codes, factors[:, :2], learner="boosting")
    assert plain.disentanglement < known.disentanglement - 0.15
    assert weighed.disentanglement == pytest.approx(known.disentanglement, abs=0.03)
    assert weighed.completeness == pytest.approx(known.completeness, abs=0.03)
    assert weighed.informativeness == plain.informativeness


def test_the_weights_above_chance_by_hand() -> None:
    """The second factor is predicted no better than by its commonest value, and so weighs nothing."""
    codes = np.repeat([[0.0, 0], [0, 1], [1, 0], [1, 1]], 30, axis=0)
    factors = np.stack([codes[:, 0], np.arange(120) % 3 == 0], axis=1).astype(int)
    importance = importance_matrix(codes, factors, learner="boosting", test=(codes, factors))
    assert importance[:, 0] == pytest.approx([1, 0])
    found = dci(codes, factors, learner="boosting", above_chance=True, test=(codes, factors))
    assert found.informativeness == pytest.approx((1 + 2 / 3) / 2)  # the second by its commonest value alone
    assert found.disentanglement == pytest.approx(1, abs=1e-6)


def test_copies_of_a_code_share_its_importance() -> None:
    codes, factor = some(0)
    found = importances(Boosting(seed=1).fit(np.concatenate([codes, codes], axis=1), factor))
    alone = importances(Boosting(seed=1).fit(codes, factor))
    width = codes.shape[1]
    best = int(alone.argmax())
    assert found[:width] + found[width:] == pytest.approx(alone, abs=0.05)
    assert 0.3 < found[best] / alone[best] < 0.7
