"""Linear and kernel R2 against the numbers of published code and scikit-learn's regressions."""

from typing import Any

import numpy as np
import pytest
from metrics.recipes import linear_mixture
from sklearn.kernel_ridge import KernelRidge
from sklearn.linear_model import LinearRegression
from sklearn.metrics import r2_score
from sklearn.model_selection import GridSearchCV

import distaff
from distaff.errors import BadInput
from distaff.metrics import kernel_r2, linear_r2
from distaff.metrics.kernel_r2 import ALPHAS, GAMMAS

REAL: dict[str, Any] = {"continuous": True}


def halves(codes: np.ndarray, factors: np.ndarray) -> dict[str, Any]:
    """The first half to learn from, the second to score on."""
    return {
        "codes": codes[:250],
        "factors": factors[:250],
        "test": (codes[250:], factors[250:]),
        "continuous": True,
    }


def test_the_numbers_of_published_code() -> None:
    codes, factors = linear_mixture()
    inside = linear_r2(codes, factors, test=(codes, factors), **REAL)
    assert inside == pytest.approx((0.905053, 0.947438), abs=5e-7)
    assert linear_r2(**halves(codes, factors)).factors_from_codes == pytest.approx(0.909226, abs=5e-7)
    assert kernel_r2(**halves(codes, factors)) == pytest.approx(0.904045, abs=5e-7)
    bent = np.tanh(codes) + 0.3 * np.sin(2 * codes[:, ::-1])
    assert kernel_r2(**halves(bent, factors)) == pytest.approx(0.705401, abs=5e-7)
    assert linear_r2(**halves(bent, factors)).factors_from_codes == pytest.approx(0.710046, abs=5e-7)


def test_shifted_and_loud_codes_score_the_same() -> None:
    codes, factors = linear_mixture()
    expected = linear_r2(codes, factors, **REAL)
    for changed in (codes + 3, codes * [1e26, 1, 1, 1, 1e-20]):
        assert linear_r2(changed, factors, **REAL) == pytest.approx(expected, abs=1e-6)


def slow_linear(known: np.ndarray, target: np.ndarray, unseen: np.ndarray, truth: np.ndarray) -> float:
    found = []
    for j in range(target.shape[1]):
        model = LinearRegression().fit(known, target[:, j])
        found.append(max(0.0, r2_score(truth[:, j], model.predict(unseen))))
    return float(np.mean(found))


@pytest.mark.parametrize("seed", range(3))
def test_linear_r2_by_scikit_learn(seed: int) -> None:
    rng = np.random.default_rng(seed)
    factors = rng.integers(5, size=(300, 3))
    codes = np.concatenate([factors[:, :2] + rng.random((300, 2)), rng.random((300, 2))], axis=1)
    learn, held = (codes[:200], factors[:200]), (codes[200:], factors[200:])
    found = linear_r2(*learn, test=held)
    assert found.factors_from_codes == pytest.approx(slow_linear(*learn, *held))
    assert found.codes_from_factors == pytest.approx(slow_linear(learn[1], learn[0], held[1], held[0]))


def test_kernel_r2_by_scikit_learn() -> None:
    rng = np.random.default_rng(0)
    codes = rng.standard_normal((180, 3))
    factors = np.stack([np.sin(2 * codes[:, 0]), codes[:, 1] * codes[:, 2]], axis=1)
    learn, held = slice(120), slice(120, 180)

    def scaled(array: np.ndarray) -> np.ndarray:
        return (array - array[learn].mean(axis=0)) / array[learn].std(axis=0)

    z, v = scaled(codes), scaled(factors)
    search = GridSearchCV(KernelRidge(kernel="rbf"), {"alpha": ALPHAS, "gamma": GAMMAS}, cv=3)
    expected = r2_score(v[held], search.fit(z[learn], v[learn]).predict(z[held]))
    found = kernel_r2(codes[learn], factors[learn], test=(codes[held], factors[held]), **REAL)
    assert found == pytest.approx(expected, abs=1e-9)
    assert found > linear_r2(codes, factors, **REAL).factors_from_codes + 0.3


def test_constant_columns_are_left_out_and_words_have_no_number() -> None:
    codes, factors = linear_mixture()
    more = np.concatenate([codes, np.ones((500, 2))], axis=1)
    assert linear_r2(more, factors, **REAL) == pytest.approx(linear_r2(codes, factors, **REAL))
    assert linear_r2(np.ones((500, 2)), factors, **REAL) == (0, 0)
    words = np.array(["red", "green", "blue"])[np.arange(500) % 3]
    card = distaff.score(codes, words, metrics="linear_r2", values_only=True)
    assert "words have no order" in card["linear_r2"].reason
    with pytest.raises(BadInput, match="most_rows=5 is not allowed"):
        kernel_r2(codes, factors, most_rows=5, **REAL)
    with pytest.raises(BadInput, match="needs 6 rows to learn from, got 4"):
        kernel_r2(codes[:6], factors[:6], **REAL)


def test_the_rows_learned_from_beside_a_test_are_of_all() -> None:
    """In the order of a grid the first rows have few of the values of its first factor."""
    grid = np.indices((12, 40)).reshape(2, -1).T.astype(float)
    codes = grid + 0.05 * np.random.default_rng(0).standard_normal(grid.shape)
    found = kernel_r2(codes, grid, most_rows=120, test=(codes, grid), **REAL)
    assert found > 0.99
    assert kernel_r2(codes[:120], grid[:120], test=(codes, grid), **REAL) < 0.7
