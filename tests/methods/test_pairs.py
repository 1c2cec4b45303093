"""GroupVAE, ML-VAE and their adaptive forms: averages, what is shared, and the loss of a pair."""

import math

import numpy as np
import pytest
import torch
from scipy.integrate import quad
from scipy.stats import norm
from torch import nn

from distaff.batches.batch import Batch, Facts
from distaff.errors import BadInput
from distaff.methods.ada_gvae import AdaGVAE
from distaff.methods.ada_ml_vae import AdaMLVAE
from distaff.methods.base import Codes
from distaff.methods.group_vae import GroupVAE, kl_of_pair
from distaff.methods.ml_vae import MLVAE
from distaff.methods.terms import halves, sampled

RNG = np.random.default_rng(0)
N, D = 5, 4  # pairs, latents
MEANS, LOGVARS = RNG.standard_normal((2, N, D)), 0.8 * RNG.standard_normal((2, N, D))
CHANGED = RNG.random((N, 3)) < 0.5  # of three factors; the fourth latent stands for none
ALL = pytest.mark.parametrize("method", [GroupVAE, MLVAE, AdaGVAE, AdaMLVAE])
ADAPTIVE = pytest.mark.parametrize("method", [AdaGVAE, AdaMLVAE])
KNOWN = pytest.mark.parametrize("method", [GroupVAE, MLVAE])


def side(which: int) -> Codes:
    """Posteriors of the first images of the pairs, or of their partners."""
    return Codes(torch.tensor(MEANS[which]), torch.tensor(LOGVARS[which]), torch.tensor(MEANS[which]))


def batch_of(images: torch.Tensor) -> Batch:
    return Batch(images, 100, torch.tensor(CHANGED))


def kl_by_hand(i: int, j: int) -> float:
    """KL of the first posterior of pair i to the second, latent j."""
    (m1, m2), (s1, s2) = MEANS[:, i, j], np.exp(LOGVARS[:, i, j] / 2)
    return math.log(s2 / s1) + (s1**2 + (m1 - m2) ** 2) / (2 * s2**2) - 1 / 2


def shared_by_hand(method: GroupVAE) -> np.ndarray:
    """Which latents (N, D) a pair shares."""
    shared = np.zeros((N, D), dtype=bool)
    for i in range(N):
        divergences = [kl_by_hand(i, j) for j in range(D)]
        for j in range(D):
            if isinstance(method, AdaGVAE | AdaMLVAE):
                shared[i, j] = divergences[j] < (min(divergences) + max(divergences)) / 2
            else:
                shared[i, j] = j >= 3 or not CHANGED[i, j]
    return shared


def average_by_hand(method: GroupVAE, i: int, j: int) -> tuple[float, float]:
    """Mean and variance of the posterior that a pair gets where it shares latent j."""
    (m1, m2), (v1, v2) = MEANS[:, i, j], np.exp(LOGVARS[:, i, j])
    if not isinstance(method, MLVAE | AdaMLVAE):
        return (m1 + m2) / 2, (v1 + v2) / 2

    def root(z: float) -> float:
        return math.sqrt(norm.pdf(z, m1, v1**0.5) * norm.pdf(z, m2, v2**0.5))

    ends = min(m1, m2) - 12 * max(v1, v2) ** 0.5, max(m1, m2) + 12 * max(v1, v2) ** 0.5
    total = quad(root, *ends, epsabs=1e-13)[0]
    mean = quad(lambda z: z * root(z), *ends, epsabs=1e-13)[0] / total
    return mean, quad(lambda z: (z - mean) ** 2 * root(z), *ends, epsabs=1e-13)[0] / total


def posteriors_by_hand(method: GroupVAE) -> tuple[np.ndarray, np.ndarray]:
    """Means and variances (2, N, D) after averaging what is shared, alike for both images."""
    means, variances = MEANS.copy(), np.exp(LOGVARS)
    for i, j in np.argwhere(shared_by_hand(method)):
        means[:, i, j], variances[:, i, j] = average_by_hand(method, i, j)
    return means, variances


def codes_of(method: GroupVAE) -> Codes:
    """The codes that pairs with these posteriors are decoded from."""
    averaged = method.averaged(side(0), side(1), batch_of(torch.zeros(2 * N, 1, 4, 4)))
    return sampled(*averaged, torch.Generator().manual_seed(0))


def test_the_divergence_of_a_pair_is_the_integral() -> None:
    found = kl_of_pair(side(0), side(1)).numpy()
    for i, j in np.ndindex(N, D):
        q, p = (norm(MEANS[k, i, j], np.exp(LOGVARS[k, i, j] / 2)) for k in (0, 1))
        ends = q.mean() - 12 * q.std(), q.mean() + 12 * q.std()
        integral = quad(lambda z, q=q, p=p: q.pdf(z) * (q.logpdf(z) - p.logpdf(z)), *ends, epsabs=1e-12)[0]
        assert found[i, j] == pytest.approx(integral, rel=1e-5)
        assert found[i, j] == pytest.approx(kl_by_hand(i, j), rel=1e-9)


def test_the_divergence_is_taken_from_the_first_to_the_second() -> None:
    assert (kl_of_pair(side(0), side(1)) - kl_of_pair(side(1), side(0))).abs().min() > 1e-3


@ALL
def test_averages_equal_the_formula(method: type[GroupVAE]) -> None:
    mean, logvar = method().average(side(0), side(1))
    for i, j in np.ndindex(N, D):
        expected = average_by_hand(method(), i, j)
        assert (float(mean[i, j]), float(logvar[i, j].exp())) == pytest.approx(expected, rel=1e-5)


@ALL
def test_the_average_of_equal_posteriors_is_the_same_one(method: type[GroupVAE]) -> None:
    mean, logvar = method().average(side(0), side(0))
    np.testing.assert_allclose(mean, MEANS[0], rtol=1e-12)
    np.testing.assert_allclose(logvar, LOGVARS[0], rtol=1e-9)


@ALL
def test_shared_latents_equal_the_rule(method: type[GroupVAE]) -> None:
    images = torch.zeros(2 * N, 1, 4, 4)
    found = method(latents=D).shared(side(0), side(1), batch_of(images)).numpy()
    np.testing.assert_array_equal(found, shared_by_hand(method()))
    assert 0 < found.sum() < found.size


@KNOWN
def test_latents_beyond_the_factors_are_shared(method: type[GroupVAE]) -> None:
    everything = Batch(torch.zeros(2 * N, 1, 4, 4), 100, torch.ones((N, 3), dtype=torch.bool))
    found = method(latents=D).shared(side(0), side(1), everything).numpy()
    assert not found[:, :3].any()
    assert found[:, 3:].all()


@ADAPTIVE
@pytest.mark.parametrize("threshold", [0.1, 0.5, 0.9])
def test_the_threshold_lies_between_the_pairs_smallest_and_largest_divergence(
    method: type[AdaGVAE | AdaMLVAE], threshold: float
) -> None:
    divergences = np.array([2.0, 2.3, 2.9, 3.1, 4.0])  # of means sqrt(2 KL) apart, with unit variances
    means = torch.tensor(np.stack([divergences, 10 * divergences])).mul(2).sqrt()
    zeros = torch.zeros_like(means)
    first, second = Codes(zeros, zeros, zeros), Codes(means, zeros, means)
    found = method(threshold=threshold).shared(first, second, Batch(torch.zeros(4, 1, 4, 4), 100))
    for row, scale in zip(found.tolist(), (1, 10), strict=True):
        assert row == [scale * d < scale * (2 + threshold * 2) for d in divergences]


@ADAPTIVE
def test_what_is_shared_is_decided_without_gradients_or_labels(method: type[AdaGVAE | AdaMLVAE]) -> None:
    mean = torch.tensor(MEANS[0], requires_grad=True)
    codes = Codes(mean, torch.tensor(LOGVARS[0]), mean)
    assert not method().shared(codes, side(1), Batch(torch.zeros(2 * N, 1, 4, 4), 100)).requires_grad


@ALL
def test_both_images_take_the_average_in_the_same_latents_and_keep_the_others(
    method: type[GroupVAE],
) -> None:
    codes = codes_of(method(latents=D))
    means, variances = posteriors_by_hand(method())
    np.testing.assert_allclose(codes.mean, means.reshape(2 * N, D), rtol=1e-5)
    np.testing.assert_allclose(codes.logvar.exp(), variances.reshape(2 * N, D), rtol=1e-5)
    shared = shared_by_hand(method())
    assert (codes.mean[:N] == codes.mean[N:]).numpy().tolist() == shared.tolist()


@ALL
def test_each_image_has_a_sample_of_its_own(method: type[GroupVAE]) -> None:
    codes = codes_of(method(latents=D))
    noise = ((codes.sample - codes.mean) / (codes.logvar / 2).exp()).numpy()
    assert len(np.unique(noise.round(9))) == 2 * N * D
    assert abs(noise).max() < 5


@ALL
def test_the_loss_is_that_of_a_beta_vae_at_the_averaged_posteriors(method: type[GroupVAE]) -> None:
    made = method(latents=D, beta=3.0)
    facts = Facts((1, 16, 16), 100, (3, 4, 5))
    modules = made.state(facts, torch.Generator().manual_seed(0)).modules.double()
    images = torch.rand((2 * N, 1, 16, 16), generator=torch.Generator().manual_seed(1)).double()
    rng = torch.Generator().manual_seed(2)
    sides = halves(made.encode(modules, images, rng))
    codes = sampled(*made.averaged(*sides, batch_of(images)), rng)
    loss = made.loss(modules, batch_of(images), torch.Generator().manual_seed(2))
    p = torch.sigmoid(modules["decoder"](codes.sample)).detach().numpy()
    x, mean, logvar = images.numpy(), codes.mean.detach().numpy(), codes.logvar.detach().numpy()
    expected = 0.0
    for pair in range(N):
        for image in (pair, N + pair):
            reconstruction = -(x[image] * np.log(p[image]) + (1 - x[image]) * np.log(1 - p[image])).sum()
            kl = 0.5 * (mean[image] ** 2 + np.exp(logvar[image]) - logvar[image] - 1).sum()
            expected += (reconstruction + 3 * kl) / 2 / N
    assert float(loss.total.detach()) == pytest.approx(expected, rel=1e-5)
    assert loss.terms.keys() == {"reconstruction", "kl"}


@ALL
def test_the_representation_is_the_plain_encoders(method: type[GroupVAE]) -> None:
    pixels = np.concatenate([MEANS[0], LOGVARS[0]], axis=1).reshape(N, 2 * D, 1, 1)
    modules = nn.ModuleDict({"encoder": nn.Flatten()})
    codes = method(latents=D).encode(modules, torch.tensor(pixels), torch.Generator())
    np.testing.assert_array_equal(codes.mean, MEANS[0])
    np.testing.assert_array_equal(codes.logvar, LOGVARS[0])


@ALL
def test_what_batches_are_asked_for(method: type[GroupVAE]) -> None:
    known = not issubclass(method, AdaGVAE | AdaMLVAE)
    assert method().batches == "pairs"
    assert method().batch_options == {"k": None, "known": known}
    assert method(changed_factors=1).batch_options == {"k": 1, "known": known}


@ALL
def test_a_batch_of_pairs_is_even(method: type[GroupVAE]) -> None:
    with pytest.raises(BadInput, match="batch_size=63 is odd"):
        method(batch_size=63)
    with pytest.raises(BadInput, match="batch_size=1 "):
        method(batch_size=1)


@KNOWN
def test_known_factors_need_a_latent_each(method: type[GroupVAE]) -> None:
    with pytest.raises(BadInput, match="each of the 3 factors needs a latent, got latents=2"):
        method(latents=2).check(Facts((1, 16, 16), 100, (3, 4, 5)))
    method(latents=3).check(Facts((1, 16, 16), 100, (3, 4, 5)))


@ADAPTIVE
def test_unknown_factors_need_no_latents(method: type[GroupVAE]) -> None:
    method(latents=2).check(Facts((1, 16, 16), 100, (3, 4, 5)))
