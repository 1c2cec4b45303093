"""The linear Gaussian chain against what is known of it."""

import numpy as np
import pytest
import torch
from scipy import stats

from distaff.experiments.deep_latent_gaussian import SPREAD, Chain, _gradients_apart, _look


def chain() -> tuple[Chain, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    model = Chain(generator)
    return model, model.data(500, generator)


def solve(model: Chain) -> None:
    """Set the recognition model to the true posterior p(h_1|x) p(h_2|h_1), worked out by Gauss's rule."""
    of_x, of_h1 = SPREAD["x"] ** 2, SPREAD["h1"] ** 2
    prior = model.w2 @ model.w2.T + of_h1 * torch.eye(3, dtype=torch.float64)
    with torch.no_grad():
        for weights, inverse, noise, mean, logvar in (
            (model.w1, torch.linalg.inv(prior), of_x, model.a1, model.v1),
            (model.w2, torch.eye(2, dtype=torch.float64), of_h1, model.a2, model.v2),
        ):
            precision = inverse + weights.T @ weights / noise
            off = precision - torch.diag(torch.diag(precision))
            assert off.abs().max() < 1e-12, "a diagonal recognition model can equal the posterior"
            mean.copy_(torch.linalg.solve(precision, weights.T) / noise)
            logvar.copy_(-torch.log(torch.diag(precision)))


def test_the_exact_likelihood_is_that_of_the_points() -> None:
    model, x = chain()
    inner = model.w2 @ model.w2.T + SPREAD["h1"] ** 2 * torch.eye(3, dtype=torch.float64)
    covariance = (model.w1 @ inner @ model.w1.T).numpy() + SPREAD["x"] ** 2 * np.eye(6)
    expected = stats.multivariate_normal(np.zeros(6), covariance).logpdf(x.numpy())
    np.testing.assert_allclose(model.exact(x).numpy(), expected)
    big = model.data(200_000, torch.Generator().manual_seed(1)).numpy()
    np.testing.assert_allclose(np.cov(big.T), covariance, atol=0.05)


def test_with_the_true_posterior_every_sample_weighs_the_likelihood() -> None:
    model, x = chain()
    solve(model)
    with torch.no_grad():
        for seed in range(3):
            weight = model.log_weight(x, torch.Generator().manual_seed(seed))
            np.testing.assert_allclose(weight.numpy(), model.exact(x).numpy(), atol=1e-9)
    assert _look(model, x, torch.Generator())["error"] < 1e-9


def test_a_worse_posterior_loses_its_divergence() -> None:
    model, x = chain()
    solve(model)
    with torch.no_grad():
        model.v2 += 1.0  # KL(q || p) of a variance e times too large is (e - 2) / 2 a latent
        looks = [_look(model, x, torch.Generator().manual_seed(seed)) for seed in range(40)]
    gap = np.mean([look["exact"] - look["elbo"] for look in looks])
    assert gap == pytest.approx(2 * (np.e - 2) / 2, abs=0.05)


def test_the_two_gradients_agree_and_a_wrong_one_would_not() -> None:
    model, x = chain()
    generator = torch.Generator().manual_seed(3)
    assert _gradients_apart(model, x[:1], 20_000, generator) < 4
