"""The three parts of the KL, where they are known in closed form."""

import numpy as np
import pytest

from distaff.evaluation.decomposition import kl_decomposition, total_correlation


def gaussian_posteriors(n: int, covariance: np.ndarray, noise: float) -> tuple[np.ndarray, np.ndarray]:
    """Posteriors of variance `noise` whose mixture is nearly a Gaussian of this covariance."""
    d = len(covariance)
    spread = np.linalg.cholesky(covariance - noise * np.eye(d))
    noisy = np.random.default_rng(1).standard_normal((n, d))
    white = np.linalg.qr(noisy - noisy.mean(axis=0))[0] * np.sqrt(n)  # of exactly this covariance
    means = white @ spread.T
    return means, np.full((n, d), np.log(noise))


def test_parts_of_a_gaussian_aggregate() -> None:
    covariance = np.array([[1.0, 0.7, 0.0], [0.7, 1.2, 0.3], [0.0, 0.3, 0.8]])
    mean, logvar = gaussian_posteriors(2000, covariance, 0.1)
    parts = kl_decomposition(mean, logvar, samples=2)
    total_correlation = 0.5 * (np.log(np.diag(covariance)).sum() - np.linalg.slogdet(covariance)[1])
    variances = np.diag(covariance)
    dimension_wise = 0.5 * (variances - np.log(variances) - 1).sum()
    information = 0.5 * (np.linalg.slogdet(covariance)[1] - 3 * np.log(0.1))
    assert parts.total_correlation == pytest.approx(total_correlation, abs=0.05)
    assert parts.dimension_wise == pytest.approx(dimension_wise, abs=0.05)
    assert parts.information == pytest.approx(information, abs=0.1)
    assert sum(parts[1:]) == pytest.approx(parts.kl, abs=0.05)


def test_images_that_are_all_told_apart_have_ln_n_of_information() -> None:
    mean = np.arange(64.0)[:, None] * 10
    parts = kl_decomposition(mean, np.full((64, 1), -4.0))
    assert parts.information == pytest.approx(np.log(64), abs=1e-9)
    assert parts.total_correlation == pytest.approx(0, abs=1e-9)


def test_large_sets_are_taken_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    mean, logvar = rng.normal(size=(50, 2)), rng.normal(size=(50, 2))
    whole = kl_decomposition(mean, logvar)
    monkeypatch.setattr("distaff.evaluation.decomposition.PAIRS_AT_ONCE", 300)
    assert kl_decomposition(mean, logvar) == pytest.approx(whole, abs=1e-12)


def samples_of(mean: np.ndarray, logvar: np.ndarray) -> np.ndarray:
    return mean + np.exp(logvar / 2) * np.random.default_rng(2).standard_normal(mean.shape)


def test_total_correlation_of_a_gaussian_aggregate() -> None:
    covariance = np.array([[1.0, 0.7, 0.0], [0.7, 1.2, 0.3], [0.0, 0.3, 0.8]])
    truth = 0.5 * (np.log(np.diag(covariance)).sum() - np.linalg.slogdet(covariance)[1])
    mean, logvar = gaussian_posteriors(6000, covariance, 0.1)
    assert truth > 0.3
    found = [total_correlation(samples_of(mean, logvar), mean, logvar, seed=seed) for seed in range(3)]
    assert found == pytest.approx([truth] * 3, abs=0.05)
    assert len(set(found)) == 3, "the codes are drawn"
    turned = np.random.default_rng(0).permuted(mean, axis=0)
    assert total_correlation(samples_of(turned, logvar), turned, logvar) == pytest.approx(0, abs=0.05)


def test_total_correlation_sees_what_is_not_linear() -> None:
    first = np.random.default_rng(0).standard_normal(3000)
    mean = np.stack([first, first**2 - 1], axis=1) / [1, 2**0.5]  # uncorrelated, both of variance 1
    logvar = np.full(mean.shape, np.log(0.1))
    codes = samples_of(mean, logvar)
    assert abs(np.corrcoef(codes.T)[0, 1]) < 0.05, "a Gaussian total correlation is blind to it"
    assert total_correlation(codes, mean, logvar) > 0.4


def test_total_correlation_of_few_codes_takes_all_of_them_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    mean, logvar = rng.normal(size=(50, 2)), rng.normal(size=(50, 2))
    codes = samples_of(mean, logvar)
    whole = total_correlation(codes, mean, logvar)
    monkeypatch.setattr("distaff.evaluation.decomposition.PAIRS_AT_ONCE", 120)
    assert total_correlation(codes, mean, logvar, seed=1) == pytest.approx(whole, abs=1e-12)
