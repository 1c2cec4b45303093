import numpy as np
import pytest
import torch

from distaff.experiments.vae_is_pca import NOISE, LinearVAE, fit_linear, kl_forms


@pytest.mark.parametrize("full", [False, True])
def test_the_closed_elbo_is_the_mean_over_samples(full: bool) -> None:
    generator = torch.Generator().manual_seed(0)
    model = LinearVAE(4, 2, full, generator)
    with torch.no_grad():
        model.lower.fill_(0.3)
        model.log_scale.copy_(torch.tensor([-0.5, 0.2]))
        root = model.root()
        x = (
            torch.randn(200_000, 4, generator=generator).double()
            @ torch.diag(torch.tensor([2.0, 1, 1, 0.5])).double()
        )
        mean = x @ model.encoder.T
        z = mean + torch.randn(len(x), 2, generator=generator).double() @ root.T
        error = (x - z @ model.decoder.T).square().sum(1).mean()
        spread = torch.distributions.MultivariateNormal(mean, scale_tril=root)
        prior = torch.distributions.MultivariateNormal(torch.zeros(2).double(), torch.eye(2).double())
        kl = torch.distributions.kl_divergence(spread, prior).mean()
        expected = float(0.5 * error / NOISE + kl)
        found = float(model.negative_elbo(x.T @ x / len(x), NOISE))
    assert found == pytest.approx(expected, rel=0.02)


def test_it_is_pca_with_a_diagonal_posterior_only() -> None:
    diagonal, full = fit_linear(0, False, 500), fit_linear(0, True, 500)
    np.testing.assert_allclose(diagonal.cosines, np.eye(3), atol=0.02)
    np.testing.assert_allclose(diagonal.variances, diagonal.expected, rtol=0.02)
    assert np.abs(full.cosines - np.eye(3)).max() > 0.3


def test_forms_of_the_kl() -> None:
    mean, logvar = np.array([[1.0, 0.0], [-1.0, 0.0]]), np.log([[0.01, 1.0], [0.01, 1.0]])
    exact, polarised = kl_forms(mean, logvar)
    assert polarised == pytest.approx(0.5 * (1 - np.log(0.01) - 1))
    assert exact == pytest.approx(polarised + 0.005)
