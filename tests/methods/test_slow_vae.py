"""SlowVAE: the KL to the Laplace prior by integration, the whole loss, and the authors' own numbers."""

import math

import numpy as np
import pytest
import torch
from given import regulariser
from scipy.integrate import quad
from scipy.stats import laplace, norm

from distaff.batches.batch import Batch, Facts
from distaff.errors import BadInput
from distaff.methods.base import Codes
from distaff.methods.slow_vae import SlowVAE, kl_to_laplace

RNG = np.random.default_rng(0)
N, D = 3, 2  # pairs, latents
MEANS, LOGVARS = RNG.standard_normal((2, N, D)), RNG.standard_normal((2, N, D)) - 1

# compute_cross_ent_laplace of bethgelab/slow_disentanglement, scripts/solver.py, at commit 26eef45:
# (mean, log-variance, rate, cross-entropy)
AUTHORS = [
    (0.0, 0.0, 6.0, 3.68869508),
    (0.3, -2.0, 6.0, 1.21771976),
    (-1.7, 0.5, 6.0, 9.76790753),
    (2.5, -4.0, 1.0, 3.19314718),
    (-0.05, -6.0, 0.5, 1.41540872),
    (4.0, 1.0, 10.0, 38.47345274),
]


def divergence(mean: float, logvar: float, centre: float, rate: float) -> float:
    """Our KL of one Gaussian to one Laplace distribution."""
    values = [torch.tensor([[value]], dtype=torch.float64) for value in (mean, logvar, centre)]
    return float(kl_to_laplace(Codes(values[0], values[1], values[0]), values[2], rate))


def integral(mean: float, logvar: float, centre: float, rate: float) -> float:
    """The same by integration, in two parts, since the prior has a corner."""
    q, p = norm(mean, math.exp(logvar / 2)), laplace(centre, 1 / rate)
    low, high = mean - 12 * q.std(), mean + 12 * q.std()
    corner = min(max(centre, low), high)
    return sum(
        quad(lambda z: q.pdf(z) * (q.logpdf(z) - p.logpdf(z)), *ends, epsabs=1e-12)[0]
        for ends in ((low, corner), (corner, high))
    )


@pytest.mark.parametrize("rate", [0.5, 1.0, 6.0, 20.0])
@pytest.mark.parametrize("centre", [-2.0, 0.1, 0.7])
def test_the_divergence_equals_the_integral(rate: float, centre: float) -> None:
    for mean, logvar in ((0.1, 0.0), (-1.3, -3.0), (0.4, 1.5), (2.0, -6.0)):
        found = divergence(mean, logvar, centre, rate)
        assert found == pytest.approx(integral(mean, logvar, centre, rate), rel=1e-5, abs=1e-9)


@pytest.mark.parametrize(("mean", "logvar", "rate", "expected"), AUTHORS)
def test_the_cross_entropy_equals_the_authors(
    mean: float, logvar: float, rate: float, expected: float
) -> None:
    entropy = norm(0, math.exp(logvar / 2)).entropy()
    assert divergence(mean, logvar, 0.0, rate) + entropy == pytest.approx(expected, rel=1e-6)


def by_hand(beta: float, gamma: float, rate: float) -> tuple[float, float, float]:
    """KL to the normal and to the transition prior, each averaged over the directions, and the sum's half."""
    kl = transition = 0.0
    for i in range(N):
        for now, before in ((0, 1), (1, 0)):
            for j in range(D):
                m, v = MEANS[now, i, j], LOGVARS[now, i, j]
                kl += 0.5 * (m**2 + math.exp(v) - v - 1) / (2 * N)
                transition += integral(m, v, MEANS[before, i, j], rate) / (2 * N)
    return kl, transition, (beta * kl + gamma * transition) / 2


@pytest.mark.parametrize(("beta", "gamma", "rate"), [(1.0, 10.0, 6.0), (3.0, 0.5, 1.2), (0.0, 1.0, 6.0)])
def test_the_regulariser_is_half_of_a_pairs(beta: float, gamma: float, rate: float) -> None:
    mean, logvar = (torch.tensor(values.reshape(2 * N, D)) for values in (MEANS, LOGVARS))
    method = SlowVAE(beta=beta, gamma=gamma, prior_rate=rate)
    batch = Batch(torch.zeros(2 * N, 1, 4, 4), 100)
    found, terms = regulariser(method, batch, Codes(mean, logvar, mean))
    kl, transition, expected = by_hand(beta, gamma, rate)
    assert float(found) == pytest.approx(expected, rel=1e-5)
    assert float(terms["kl"]) == pytest.approx(kl, rel=1e-5)
    assert float(terms["transition_kl"]) == pytest.approx(transition, rel=1e-5)


def test_the_loss_is_half_of_both_reconstructions_and_the_weighted_divergences() -> None:
    method = SlowVAE(latents=D, beta=2.0, gamma=5.0)
    modules = method.state(Facts((1, 16, 16), 100), torch.Generator().manual_seed(0)).modules.double()
    images = torch.rand((2 * N, 1, 16, 16), generator=torch.Generator().manual_seed(1)).double()
    codes = method.encode(modules, images, torch.Generator().manual_seed(2))
    p, x = torch.sigmoid(modules["decoder"](codes.sample)).detach().numpy(), images.numpy()
    mean, logvar = codes.mean.detach().numpy(), codes.logvar.detach().numpy()
    expected = 0.0
    for first, second in ((i, N + i) for i in range(N)):
        of_pair = 0.0
        for now, before in ((first, second), (second, first)):
            of_pair -= (x[now] * np.log(p[now]) + (1 - x[now]) * np.log(1 - p[now])).sum()
            for m, v, centre in zip(mean[now], logvar[now], mean[before], strict=True):
                of_pair += 2.0 * 0.5 * (m**2 + math.exp(v) - v - 1) / 2
                of_pair += 5.0 * integral(m, v, centre, 6.0) / 2
        expected += of_pair / 2 / N
    loss = method.loss(modules, Batch(images, 100), torch.Generator().manual_seed(2))
    assert float(loss.total.detach()) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("logvar", [0.0, -20.0])
def test_gradients_where_nothing_moved(logvar: float) -> None:
    """Of rate * deviation * sqrt(2 / pi) - entropy: none of the mean, for the prior is even."""
    mean = torch.zeros((2, 3), dtype=torch.float64, requires_grad=True)
    logvars = torch.full((2, 3), logvar, dtype=torch.float64, requires_grad=True)
    kl_to_laplace(Codes(mean, logvars, mean), torch.zeros(2, 3), 6.0).sum().backward()
    assert mean.grad.tolist() == [[0] * 3] * 2
    slope = 6 * math.exp(logvar / 2) / 2 * math.sqrt(2 / math.pi) - 0.5
    np.testing.assert_allclose(logvars.grad, slope, rtol=1e-9)


def test_what_batches_are_asked_for() -> None:
    assert SlowVAE(step_rate=0.5).batches == "transitions"
    assert SlowVAE(step_rate=0.5).batch_options == {"rate": 0.5}
    with pytest.raises(BadInput, match="batch_size=7 is odd"):
        SlowVAE(batch_size=7)
