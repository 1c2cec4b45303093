from typing import Any

import numpy as np
import pytest
from scipy import stats
from scipy.optimize import minimize

from distaff.experiments.impossibility import PRIORS, best_elbo, derivatives, entangled, mixing


@pytest.mark.parametrize("dimensions", range(2, 11))
def test_mixing_is_orthogonal_and_has_no_zero(dimensions: int) -> None:
    matrix = mixing(dimensions)
    np.testing.assert_allclose(matrix @ matrix.T, np.eye(dimensions), atol=1e-12)
    assert np.abs(matrix).min() > 0.1


def test_of_a_gaussian_it_is_the_rotation_itself() -> None:
    z = np.random.default_rng(0).standard_normal((100, 2))
    np.testing.assert_allclose(entangled(z, stats.norm, mixing(2)), z @ mixing(2).T, atol=1e-9)


@pytest.mark.parametrize("prior", PRIORS.values(), ids=PRIORS)
def test_derivatives_are_those_of_the_chain_rule(prior: Any) -> None:
    z = prior.rvs(size=(50, 3), random_state=np.random.default_rng(1))
    f, w = entangled(z, prior, mixing(3)), stats.norm.ppf(prior.cdf(z))
    inner = prior.pdf(z) / stats.norm.pdf(w)  # of h(g(z_j))
    outer = stats.norm.pdf(w @ mixing(3).T) / prior.pdf(f)  # of its inverse
    expected = outer[:, :, None] * mixing(3) * inner[:, None, :]
    np.testing.assert_allclose(derivatives(z, prior, mixing(3)), expected, rtol=1e-3)


def test_the_full_elbo_is_the_log_likelihood() -> None:
    rng = np.random.default_rng(0)
    weights, noise = rng.standard_normal((4, 2)), 0.3
    covariance = weights @ weights.T + noise * np.eye(4)
    found = best_elbo(weights, noise, covariance, full=True)
    assert found == pytest.approx(-stats.multivariate_normal(cov=covariance).entropy())


def test_no_diagonal_posterior_does_better() -> None:
    rng = np.random.default_rng(2)
    weights, noise = rng.standard_normal((3, 2)), 0.3
    covariance = weights @ weights.T + noise * np.eye(3)

    def negative(parameters: Any) -> float:
        means, variances = parameters[:6].reshape(2, 3), np.exp(parameters[6:])
        left = np.eye(3) - weights @ means
        error = np.trace(left @ covariance @ left.T) + (weights**2 @ variances).sum()
        kl = 0.5 * (variances - np.log(variances) - 1).sum() + 0.5 * np.trace(means @ covariance @ means.T)
        return float(0.5 * (3 * np.log(2 * np.pi * noise) + error / noise) + kl)

    best = -minimize(negative, np.zeros(8), method="BFGS").fun
    assert best_elbo(weights, noise, covariance, full=False) == pytest.approx(best, abs=1e-6)
