"""The linear Gaussian chain against what is known of it."""

import dataclasses

import numpy as np
import pytest
import torch
from scipy import stats
from torch import nn

from distaff.batches.batch import Batch
from distaff.experiments.deep_latent_gaussian import (
    SPREAD,
    LinearDeepVAE,
    _look,
    chain,
    chain_method,
    exact,
    gradients_apart,
    layer,
    log_weight,
    points,
)

METHOD = chain_method(100)


def made() -> tuple[nn.ModuleDict, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    modules = chain(METHOD, generator).modules
    return modules, points(modules, 500, generator)


def matrices(modules: nn.ModuleDict) -> tuple[torch.Tensor, torch.Tensor]:
    """What makes x of h_1 (6, 3), and h_1 of h_2 (3, 2)."""
    found = layer(modules, "decoder").weight, layer(modules, "generate_1").weight[:3]
    return found[0].detach(), found[1].detach()


def solve(modules: nn.ModuleDict) -> None:
    """Set the recognition model to the true posterior p(h_1|x) p(h_2|h_1), worked out by Gauss's rule."""
    of_x, of_h1 = SPREAD["x"] ** 2, SPREAD["h1"] ** 2
    w1, w2 = matrices(modules)
    prior = w2 @ w2.T + of_h1 * torch.eye(3, dtype=torch.float64)
    with torch.no_grad():
        for weights, inverse, noise, network in (
            (w1, torch.linalg.inv(prior), of_x, "encoder"),
            (w2, torch.eye(2, dtype=torch.float64), of_h1, "recognise_1"),
        ):
            precision = inverse + weights.T @ weights / noise
            off = precision - torch.diag(torch.diag(precision))
            assert off.abs().max() < 1e-12, "a diagonal recognition model can equal the posterior"
            found, size = layer(modules, network), len(precision)
            found.weight.zero_()
            found.bias.zero_()
            found.weight[:size] = torch.linalg.solve(precision, weights.T) / noise
            found.bias[size:] = -torch.log(torch.diag(precision))


def test_the_exact_likelihood_is_that_of_the_points() -> None:
    modules, x = made()
    w1, w2 = matrices(modules)
    inner = w2 @ w2.T + SPREAD["h1"] ** 2 * torch.eye(3, dtype=torch.float64)
    covariance = (w1 @ inner @ w1.T).numpy() + SPREAD["x"] ** 2 * np.eye(6)
    expected = stats.multivariate_normal(np.zeros(6), covariance).logpdf(x.flatten(1).numpy())
    np.testing.assert_allclose(exact(modules, x).numpy(), expected)
    big = points(modules, 200_000, torch.Generator().manual_seed(1)).flatten(1).numpy()
    np.testing.assert_allclose(np.cov(big.T), covariance, atol=0.05)


def test_with_the_true_posterior_every_sample_weighs_the_likelihood() -> None:
    modules, x = made()
    solve(modules)
    for seed in range(3):
        weight = log_weight(METHOD, modules, x, torch.Generator().manual_seed(seed))
        np.testing.assert_allclose(weight.numpy(), exact(modules, x).numpy(), atol=1e-9)
    assert _look(METHOD, modules, x, torch.Generator())["error"] < 1e-9


def test_a_worse_posterior_loses_its_divergence() -> None:
    modules, x = made()
    solve(modules)
    with torch.no_grad():
        layer(modules, "recognise_1").bias[2:] += 1.0  # KL(q || p) is (e - 2) / 2 a latent
    looks = [_look(METHOD, modules, x, torch.Generator().manual_seed(seed)) for seed in range(40)]
    gap = np.mean([look["exact"] - look["elbo"] for look in looks])
    assert gap == pytest.approx(2 * (np.e - 2) / 2, abs=0.05)


def test_training_leaves_the_chain_as_it_is() -> None:
    modules, x = made()
    state = chain(METHOD, torch.Generator().manual_seed(0))
    before = [each.clone() for each in matrices(state.modules)]
    METHOD.at(0).step(state, Batch(x, len(x)), torch.Generator().manual_seed(1))
    for was, now in zip(before, matrices(state.modules), strict=True):
        assert torch.equal(was, now)
    moved = layer(state.modules, "encoder").weight - layer(modules, "encoder").weight
    assert moved.abs().max() > 1e-3


class Blind(LinearDeepVAE):
    """One that does not see how the sample depends on the posterior."""

    def log_weights(self, modules, images, codes, rng):
        return super().log_weights(modules, images, codes._replace(sample=codes.sample.detach()), rng)


def test_the_two_gradients_agree_and_a_wrong_one_would_not() -> None:
    modules, x = made()
    apart = {
        kind: gradients_apart(method, modules, x[:1], 20_000, torch.Generator().manual_seed(3))
        for kind, method in {"right": METHOD, "blind": Blind(**dataclasses.asdict(METHOD))}.items()
    }
    assert apart["right"] < 4
    assert apart["blind"] > 10
