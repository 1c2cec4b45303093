"""Areas under curves in explicitness, against scikit-learn's, one value after the other."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from distaff.metrics import explicitness


@pytest.mark.parametrize("digits", [1, 12])
def test_areas_are_scikit_learns(digits: int) -> None:
    """Also where rounding makes ties, and where a value is not among the rows that are scored."""
    rng = np.random.default_rng(0)
    factors = rng.integers(6, size=(900, 2))
    codes = np.round(factors @ rng.standard_normal((2, 3)) + rng.standard_normal((900, 3)), digits)
    learn, rest = np.arange(600), np.arange(600, 900)
    rest = rest[factors[rest, 0] != 3]
    mean, scale = codes[learn].mean(axis=0), codes[learn].std(axis=0)
    expected = []
    for j in range(2):
        model = LogisticRegression(solver="newton-cg", max_iter=1000)
        model.fit((codes[learn] - mean) / scale, factors[learn, j])
        chances = model.predict_proba((codes[rest] - mean) / scale)
        shown = [value for value in range(6) if value in factors[rest, j]]
        expected.append(np.mean([roc_auc_score(factors[rest, j] == v, chances[:, v]) for v in shown]))
    found = explicitness(codes[learn], factors[learn], test=(codes[rest], factors[rest]))
    assert found == pytest.approx(np.mean(expected), abs=1e-12)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_its_regression_is_near_the_optimum(seed: int) -> None:
    """Which another solver finds that is asked to look far more closely."""
    rng = np.random.default_rng(seed)
    factors = rng.integers(30, size=(1500, 1))
    codes = factors @ rng.standard_normal((1, 4)) + 3 * rng.standard_normal((1500, 4))
    learn, rest = slice(0, 1000), slice(1000, None)
    mean, scale = codes[learn].mean(axis=0), codes[learn].std(axis=0)
    model = LogisticRegression(tol=1e-8, max_iter=10_000).fit(
        (codes[learn] - mean) / scale, factors[learn, 0]
    )
    chances = model.predict_proba((codes[rest] - mean) / scale)
    expected = np.mean([roc_auc_score(factors[rest, 0] == v, chances[:, v]) for v in range(30)])
    found = explicitness(codes[learn], factors[learn], test=(codes[rest], factors[rest]))
    assert found == pytest.approx(expected, abs=1e-4)
