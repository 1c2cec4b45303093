"""DIP-VAE I and II against loops over their formulas, and their gradients against finite differences."""

import numpy as np
import pytest
import torch
from given import regulariser

from distaff.batches.batch import Batch, Facts
from distaff.methods.base import Codes
from distaff.methods.dip_vae_i import DIPVAEI
from distaff.methods.dip_vae_ii import DIPVAEII
from distaff.methods.vae import VAE

RNG = np.random.default_rng(0)
N, D = 7, 4
MEAN, LOGVAR = RNG.standard_normal((N, D)), 0.6 * RNG.standard_normal((N, D)) - 0.5
BATCH = Batch(torch.zeros(N, 1, 4, 4), 100)
BOTH = pytest.mark.parametrize("variant", [DIPVAEI, DIPVAEII])


def matrix_by_loops(mean: np.ndarray, logvar: np.ndarray, second: bool) -> np.ndarray:
    """Cov[mu], and for the second variant the mean posterior variances on its diagonal."""
    found = np.zeros((D, D))
    centre = [sum(mean[i, a] for i in range(N)) / N for a in range(D)]
    for a in range(D):
        for b in range(D):
            for i in range(N):
                found[a, b] += (mean[i, a] - centre[a]) * (mean[i, b] - centre[b]) / N
                if second and a == b:
                    found[a, b] += np.exp(logvar[i, a]) / N
    return found


def penalties(matrix: np.ndarray) -> tuple[float, float]:
    """The sums over i != j of C_ij^2, both ways round, and over i of (C_ii - 1)^2."""
    off_diagonal = sum(matrix[a, b] ** 2 for a in range(D) for b in range(D) if a != b)
    return off_diagonal, sum((matrix[a, a] - 1) ** 2 for a in range(D))


def kl() -> float:
    return sum(0.5 * (m**2 + np.exp(v) - v - 1) for m, v in zip(MEAN.flat, LOGVAR.flat, strict=True)) / N


def of_codes(method: VAE, mean: torch.Tensor, logvar: torch.Tensor) -> tuple[torch.Tensor, dict]:
    return regulariser(method, BATCH, Codes(mean, logvar, mean))


def logged(method: VAE, mean: np.ndarray, logvar: np.ndarray) -> tuple[float, float]:
    terms = of_codes(method, torch.tensor(mean), torch.tensor(logvar))[1]
    return float(terms["off_diagonal"]), float(terms["diagonal"])


@BOTH
def test_the_penalties_equal_the_loops(variant: type[DIPVAEI]) -> None:
    off_diagonal, diagonal = penalties(matrix_by_loops(MEAN, LOGVAR, variant is DIPVAEII))
    method = variant(lambda_od=3.0, lambda_d=0.7)
    found, _ = of_codes(method, torch.tensor(MEAN), torch.tensor(LOGVAR))
    assert logged(method, MEAN, LOGVAR) == pytest.approx((off_diagonal, diagonal), rel=1e-5)
    assert float(found) == pytest.approx(kl() + 3 * off_diagonal + 0.7 * diagonal, rel=1e-5)


def matrix(method: DIPVAEI) -> np.ndarray:
    return method.covariance(Codes(torch.tensor(MEAN), torch.tensor(LOGVAR), torch.tensor(MEAN))).numpy()


def test_the_matrix_of_1_is_the_covariance_of_means() -> None:
    np.testing.assert_allclose(matrix(DIPVAEI()), np.cov(MEAN.T, bias=True), rtol=1e-9)


def test_the_matrix_of_2_is_the_covariance_of_samples() -> None:
    samples = MEAN + np.exp(LOGVAR / 2) * np.random.default_rng(1).standard_normal((100_000, N, D))
    expected = np.cov(samples.reshape(-1, D).T, bias=True)
    np.testing.assert_allclose(matrix(DIPVAEII()), expected, atol=0.01)  # as exact as so many samples


def test_the_diagonal_of_2_is_added_latent_by_latent() -> None:
    plain, variances = matrix_by_loops(MEAN, LOGVAR, False), np.exp(LOGVAR).mean(axis=0)
    found = logged(DIPVAEII(), MEAN, LOGVAR)
    assert found == pytest.approx(penalties(plain + np.diag(variances)), rel=1e-5)
    # what public code does by mistake: one number for all latents, on the diagonal or on the whole matrix
    for wrong in (plain + variances.mean(), plain + variances.mean() * np.eye(D)):
        assert found != pytest.approx(penalties(wrong), rel=1e-2)


def test_the_off_diagonal_of_2_is_that_of_1() -> None:
    assert logged(DIPVAEII(), MEAN, LOGVAR)[0] == pytest.approx(logged(DIPVAEI(), MEAN, LOGVAR)[0], rel=1e-12)


def test_2_without_posterior_variance_is_1() -> None:
    nothing = np.full((N, D), -800.0)
    assert logged(DIPVAEII(), MEAN, nothing) == logged(DIPVAEI(), MEAN, LOGVAR)


@BOTH
def test_without_weights_it_is_the_vae(variant: type[DIPVAEI]) -> None:
    images = torch.rand((6, 1, 16, 16), generator=torch.Generator().manual_seed(1))
    losses = []
    for method in (VAE(), variant(lambda_od=0, lambda_d=0)):
        state = method.state(Facts((1, 16, 16), 100), torch.Generator().manual_seed(0))
        loss = method.loss(state.modules, Batch(images, 100), torch.Generator().manual_seed(2))
        losses.append(float(loss.total.detach()))
    assert losses[0] == losses[1]


@BOTH
def test_a_matrix_that_is_the_identity_costs_nothing(variant: type[DIPVAEI]) -> None:
    signs = np.array([[1, 1, 1, 1], [1, -1, 1, -1], [1, 1, -1, -1], [1, -1, -1, 1]], dtype=float)
    both = np.concatenate([signs, -signs])  # covariance of exactly the identity
    share = 0.6 if variant is DIPVAEII else 1.0
    logvar = np.full((8, 4), np.log(0.4))
    assert logged(variant(), np.sqrt(share) * both, logvar) == pytest.approx((0, 0), abs=1e-12)


@BOTH
def test_the_gradient_is_that_of_finite_differences(variant: type[DIPVAEI]) -> None:
    method = variant(lambda_od=3.0, lambda_d=0.7)
    given = [torch.tensor(values, requires_grad=True) for values in (MEAN, LOGVAR)]
    gradients = torch.autograd.grad(of_codes(method, *given)[0], given)
    for which, gradient in enumerate(gradients):
        for place in np.ndindex(N, D):
            moved = []
            for sign in (1, -1):
                values = [MEAN.copy(), LOGVAR.copy()]
                values[which][place] += sign * 1e-5
                moved.append(float(of_codes(method, *map(torch.tensor, values))[0]))
            assert float(gradient[place]) == pytest.approx((moved[0] - moved[1]) / 2e-5, rel=1e-5, abs=1e-7)
