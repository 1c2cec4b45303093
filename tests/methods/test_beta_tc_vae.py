"""beta-TCVAE: the parts of the KL against loops over the paper's formulas, and against a known truth."""

import math

import numpy as np
import pytest
import torch
from given import regulariser
from scipy.stats import norm

from distaff.batches.batch import Batch, Facts
from distaff.errors import BadInput
from distaff.methods.base import Codes
from distaff.methods.beta_tc_vae import BetaTCVAE, _log_weights, kl_parts
from distaff.methods.vae import VAE

RNG = np.random.default_rng(0)
M, D, POPULATION = 6, 3, 50
MEAN, LOGVAR = RNG.standard_normal((M, D)), 0.5 * RNG.standard_normal((M, D))
SAMPLE = MEAN + np.exp(LOGVAR / 2) * RNG.standard_normal((M, D))


def as_codes(mean: np.ndarray = MEAN, logvar: np.ndarray = LOGVAR, sample: np.ndarray = SAMPLE) -> Codes:
    return Codes(*(torch.tensor(values) for values in (mean, logvar, sample)))


def density(i: int, j: int, k: int) -> float:
    """q(z_k | x_j) at the code of image i."""
    return float(norm.pdf(SAMPLE[i, k], MEAN[j, k], math.exp(LOGVAR[j, k] / 2)))


def stratified_weights(n: int, population: int) -> np.ndarray:
    """Own image 1 / N, one other (N - M') / (N M'), the rest 1 / M', where M' = M - 1 others are there."""
    others = n - 1
    weights = np.empty((n, n))
    for i in range(n):
        for j in range(n):
            if j == i:
                weights[i, j] = 1 / population
            elif j == (i + 1) % n:
                weights[i, j] = (population - others) / (population * others)
            else:
                weights[i, j] = 1 / others
    return weights


def parts_by_loops(weights: np.ndarray) -> tuple[float, float, float]:
    """Mutual information, total correlation and the marginals' KL of one sample per image."""
    information = correlation = marginal = 0.0
    for i in range(M):
        log_posterior = sum(math.log(density(i, i, k)) for k in range(D))
        joint = sum(weights[i, j] * math.prod(density(i, j, k) for k in range(D)) for j in range(M))
        each = [sum(weights[i, j] * density(i, j, k) for j in range(M)) for k in range(D)]
        log_marginals = sum(math.log(q) for q in each)
        log_prior = sum(norm.logpdf(SAMPLE[i, k]) for k in range(D))
        information += (log_posterior - math.log(joint)) / M
        correlation += (math.log(joint) - log_marginals) / M
        marginal += (log_marginals - log_prior) / M
    return information, correlation, marginal


@pytest.mark.parametrize(("n", "population"), [(2, 2), (6, 50), (64, 737_280), (64, 64)])
def test_stratified_weights_sum_to_1(n: int, population: int) -> None:
    weights = _log_weights(torch.empty(n, n), population).exp().double().numpy()
    np.testing.assert_allclose(weights.sum(axis=1), 1, rtol=1e-5)
    np.testing.assert_allclose(weights.sum(axis=0), 1, rtol=1e-5)
    assert (weights > 0).all()


@pytest.mark.parametrize("population", [M, POPULATION, 10**6])
def test_stratified_parts_equal_the_loops(population: int) -> None:
    found = [float(part) for part in kl_parts(as_codes(), population)]
    assert found == pytest.approx(parts_by_loops(stratified_weights(M, population)), rel=1e-5)


def test_weighted_parts_equal_the_loops_with_the_batch_average() -> None:
    found = [float(part) for part in kl_parts(as_codes(), None)]
    assert found == pytest.approx(parts_by_loops(np.full((M, M), 1 / M)), rel=1e-5)


def test_weighted_parts_are_the_papers_but_for_its_constants() -> None:
    information, correlation, marginal = parts_by_loops(np.full((M, M), 1 / (POPULATION * M)))  # eq. 5
    constant = math.log(POPULATION)
    found = [float(part) for part in kl_parts(as_codes(), None)]
    papers = (information - constant, correlation - (D - 1) * constant, marginal + D * constant)
    assert found == pytest.approx(papers, rel=1e-5)


@pytest.mark.parametrize("population", [None, POPULATION])
def test_the_parts_add_up_to_the_sampled_kl(population: int | None) -> None:
    expected = (norm.logpdf(SAMPLE, MEAN, np.exp(LOGVAR / 2)) - norm.logpdf(SAMPLE)).sum() / M
    assert float(sum(kl_parts(as_codes(), population))) == pytest.approx(expected, rel=1e-5)


def test_the_constant_has_no_gradient() -> None:
    mean, logvar, sample = (torch.tensor(values, requires_grad=True) for values in (MEAN, LOGVAR, SAMPLE))
    normals = torch.distributions.Normal(mean, (logvar / 2).exp())
    densities = normals.log_prob(sample[:, None]).exp()  # (i, j, k)
    joint = densities.prod(dim=2).sum(dim=1) / (POPULATION * M)
    marginals = densities.sum(dim=1) / (POPULATION * M)
    papers = (joint.log() - marginals.log().sum(dim=1)).mean()
    ours = kl_parts(Codes(mean, logvar, sample), None)[1]
    expected = torch.autograd.grad(papers, (mean, logvar, sample))
    for found, gradient in zip(torch.autograd.grad(ours, (mean, logvar, sample)), expected, strict=True):
        torch.testing.assert_close(found, gradient, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("sampling", ["weighted", "stratified"])
def test_every_part_has_its_weight(sampling: str) -> None:
    method = BetaTCVAE(alpha=0.3, beta=6.0, gamma=1.7, sampling=sampling)
    weights = stratified_weights(M, POPULATION) if sampling == "stratified" else np.full((M, M), 1 / M)
    information, correlation, marginal = parts_by_loops(weights)
    kl = 0.5 * (MEAN**2 + np.exp(LOGVAR) - LOGVAR - 1).sum() / M
    expected = kl - 0.7 * information + 5 * correlation + 0.7 * marginal
    batch = Batch(torch.zeros(M, 1, 4, 4), POPULATION)
    found, terms = regulariser(method, batch, as_codes())
    assert float(found) == pytest.approx(expected, rel=1e-5)
    logged = [float(terms[name]) for name in ("mutual_information", "total_correlation", "marginal_kl")]
    assert logged == pytest.approx((information, correlation, marginal), rel=1e-5)


@pytest.mark.parametrize("sampling", ["weighted", "stratified"])
def test_weights_of_1_are_the_vae(sampling: str) -> None:
    images = torch.rand((8, 1, 16, 16), generator=torch.Generator().manual_seed(1))
    results = []
    for method in (VAE(), BetaTCVAE(alpha=1.0, beta=1.0, gamma=1.0, sampling=sampling)):
        state = method.state(Facts((1, 16, 16), 100), torch.Generator().manual_seed(0))
        loss = method.loss(state.modules, Batch(images, 100), torch.Generator().manual_seed(2))
        results.append((loss.total, torch.autograd.grad(loss.total, list(state.modules.parameters()))))
    assert torch.equal(results[0][0], results[1][0])
    for of_vae, of_this in zip(results[0][1], results[1][1], strict=True):
        torch.testing.assert_close(of_this, of_vae)


# A Gaussian aggregate: 2,000 correlated means, each with a posterior of variance .09.
POINTS, DEVIATION = 2000, 0.3


def aggregate() -> np.ndarray:
    rng = np.random.default_rng(1)
    return rng.multivariate_normal(np.zeros(3), 0.9 + 0.1 * np.eye(3), size=POINTS)


def drawn(means: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return means + DEVIATION * rng.standard_normal(means.shape)


@pytest.fixture(scope="module")
def true_correlation() -> float:
    """KL(q(z) || prod q(z_k)) of the whole mixture by Monte Carlo, with an error of about 1 %."""
    means, rng, found = aggregate(), np.random.default_rng(2), []
    for _ in range(5):
        for codes in drawn(means, rng).reshape(20, 100, 3):
            densities = norm.pdf(codes[:, None], means, DEVIATION)  # (100, POINTS, 3)
            joint, each = densities.prod(axis=2).mean(axis=1), densities.mean(axis=1)
            found.append(np.log(joint / each.prod(axis=1)).mean())
    return float(np.mean(found))


def test_the_true_total_correlation_is_near_that_of_the_gaussian(true_correlation: float) -> None:
    matrix = 0.9 + (0.1 + DEVIATION**2) * np.eye(3)
    closed = 0.5 * (np.log(np.diag(matrix)).sum() - np.linalg.slogdet(matrix)[1])
    assert true_correlation == pytest.approx(closed, rel=0.1)  # 2,000 points are not quite a Gaussian


@pytest.mark.parametrize(("population", "bound"), [(None, 0.05), (POINTS, 0.10)])
def test_batches_of_256_estimate_the_total_correlation(
    population: int | None, bound: float, true_correlation: float
) -> None:
    means, rng, found = aggregate(), np.random.default_rng(3), []
    logvar = np.full((256, 3), 2 * math.log(DEVIATION))
    for _ in range(150):
        batch = means[rng.integers(POINTS, size=256)]
        found.append(float(kl_parts(as_codes(batch, logvar, drawn(batch, rng)), population)[1]))
    assert np.mean(found) == pytest.approx(true_correlation, rel=bound)


def test_stratified_needs_more_images_than_a_batch_holds() -> None:
    with pytest.raises(BadInput, match="needs at least batch_size=64 images, got 63"):
        BetaTCVAE(sampling="stratified").check(Facts((1, 16, 16), 63))
    BetaTCVAE(sampling="stratified").check(Facts((1, 16, 16), 64))
    BetaTCVAE(sampling="weighted").check(Facts((1, 16, 16), 63))
