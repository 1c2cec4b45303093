"""The beta-VAE score's classifier, both ways, against the gradient, which is 0 at the minimum."""

import warnings

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from distaff.metrics.beta_vae_score import _classifier, beta_vae_score
from distaff.metrics.threads import quiet


def gradient(model, codes: np.ndarray, known: np.ndarray) -> float:
    """The largest slope of sum of cross-entropies + half the squared slopes (C = 1), over the rows."""
    shown = (known[:, None] == model.classes_).astype(float)
    if len(model.classes_) == 2:
        slopes, shown = model.coef_, shown[:, 1:]
        chances = model.predict_proba(codes)[:, 1:]
    else:
        slopes, chances = model.coef_, model.predict_proba(codes)
    off = chances - shown
    return float(max(np.abs(off.T @ codes + slopes).max(), np.abs(off.sum(axis=0)).max()) / len(codes))


@pytest.mark.parametrize(("values", "codes"), [(2, 3), (5, 10), (40, 10)])
def test_it_ends_at_the_minimum(values: int, codes: int) -> None:
    """The last has more numbers than Newton's steps are taken for."""
    rng = np.random.default_rng(0)
    known = rng.integers(values, size=2000)
    seen = rng.standard_normal((2000, codes)) + 0.5 * np.eye(values, codes)[known]
    model = _classifier(seen, known)
    assert model.solver == ("lbfgs" if values == 40 else "newton-cholesky")
    assert gradient(model, seen, known) < 1e-4


def test_codes_of_different_sizes_need_no_hundreds_of_rounds() -> None:
    rng = np.random.default_rng(0)
    known = rng.integers(5, size=2000)
    seen = np.abs(np.eye(5, 6)[known] + rng.standard_normal((2000, 6))) * [1, 10, 0.1, 3, 1e-3, 1]
    newton = _classifier(seen, known)
    other = LogisticRegression(max_iter=1000).fit(seen, known)
    assert newton.n_iter_[0] <= 20 < 100 < other.n_iter_[0]
    assert gradient(newton, seen, known) < 0.1 * gradient(other, seen, known)
    assert np.mean(newton.predict(seen) == other.predict(seen)) > 0.99


@pytest.mark.parametrize("size", [0.0, 1e-9, 1e9])
def test_a_singular_matrix_is_no_end_and_no_warning(size: float) -> None:
    """What L-BFGS makes of it is then the answer, little as that is of codes of 1e9."""
    rng = np.random.default_rng(0)
    known = rng.integers(3, size=300)
    seen = np.concatenate([np.eye(3)[known], size * rng.standard_normal((300, 2))], axis=1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = _classifier(seen, known).score(seen, known)
        with quiet():
            assert found >= LogisticRegression(max_iter=1000).fit(seen, known).score(seen, known)


def test_perfect_codes_stay_so_as_they_grow() -> None:
    rng = np.random.default_rng(0)
    factors = np.c_[rng.integers(0, 3, 500), rng.integers(0, 4, 500)]
    for scale in (1.0, 1e20, 1e28):
        assert beta_vae_score(scale * factors, factors, votes=(500, 300)) == 1
