"""The KL of a VAE in three parts, exactly on a data set encoded whole; and total correlation alone."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from distaff.metrics.posterior import mean_kl

Floats = NDArray[np.float64]
PAIRS_AT_ONCE = 2_000_000  # of a sample and a posterior, in memory thrice
SAMPLES = 2000  # behind a total correlation


class KLParts(NamedTuple):
    """nats per image: `information` I(z; n), `total_correlation`, `dimension_wise` KL; they sum to `kl`."""

    kl: float
    information: float
    total_correlation: float
    dimension_wise: float


def kl_decomposition(mean: ArrayLike, logvar: ArrayLike, *, samples: int = 1, seed: int = 0) -> KLParts:
    """E KL(q(z|n) || p) = I(z; n) + KL(q(z) || prod_j q(z_j)) + sum_j KL(q(z_j) || p(z_j)).

    Chen et al. 2018, arXiv:1802.04942, section 2.1. `mean` and `logvar` (n, d) are the posteriors of all n
    images; q(z) is their mixture, so that only z itself is sampled, `samples` times from every posterior.
    `kl` is closed. Takes n * n * d steps: for some thousands of images.
    """
    means, logvars = np.asarray(mean, np.float64), np.asarray(logvar, np.float64)
    n, d = means.shape
    # not default_rng(seed), whose numbers may have made the posteriors
    noise = np.random.default_rng([seed, n, d]).standard_normal((samples, n, d))
    z = (means + np.exp(0.5 * logvars) * noise).reshape(-1, d)
    own = np.tile(np.arange(n), samples)
    of_own = log_normal(z, means[own], logvars[own]).sum(axis=1)
    log_q, log_marginals = log_mixture(z, means, logvars)
    log_prior = log_normal(z, np.zeros(d), np.zeros(d))
    return KLParts(
        float(mean_kl(means, logvars).sum()),
        float((of_own - log_q).mean()),
        float((log_q - log_marginals.sum(axis=1)).mean()),
        float((log_marginals - log_prior).sum(axis=1).mean()),
    )


def total_correlation(sample: ArrayLike, mean: ArrayLike, logvar: ArrayLike, *, seed: int = 0) -> float:
    """KL(q(z) || prod_j q(z_j)) of sampled codes, nats: 0 or more but for chance, 0 for independent latents.

    `sample` (n, d) are codes, one of each of the posteriors `mean` and `logvar` (n, d), and q(z) is the
    mixture of all n; the mean is over 2,000 of the codes, drawn by `seed`. Unlike the Gaussian total
    correlation it sees every kind of dependence. Of a part of a data set it is that of the part's mixture,
    which is the higher the fewer rows of narrow posteriors there are. Chen et al. 2018, arXiv:1802.04942,
    section 2.1. Takes 2,000 * n * d steps.
    """
    codes, means, logvars = (np.asarray(each, np.float64) for each in (sample, mean, logvar))
    # not default_rng(seed), whose numbers may have made the codes
    some = np.random.default_rng([seed, *codes.shape]).permutation(len(codes))[:SAMPLES]
    log_q, log_marginals = log_mixture(codes[some], means, logvars)
    return float((log_q - log_marginals.sum(axis=1)).mean())


def log_mixture(z: Floats, means: Floats, logvars: Floats) -> tuple[Floats, Floats]:
    """log q(z) (m,) and log q(z_j) (m, d) of codes (m, d) under the mixture of the posteriors (n, d)."""
    n = len(means)
    log_q, log_marginals = np.empty(len(z)), np.empty(z.shape)
    for part in np.array_split(np.arange(len(z)), -(-len(z) * n // PAIRS_AT_ONCE)):
        joint = np.zeros((len(part), n))
        for j in range(z.shape[1]):
            of_one = log_normal(z[part, j, None], means[:, j], logvars[:, j])  # (part, n)
            joint += of_one
            log_marginals[part, j] = _log_mean(of_one)
        log_q[part] = _log_mean(joint)
    return log_q, log_marginals


def _log_mean(logs: Floats) -> Floats:
    """The logarithm of the mean over the last axis, of logarithms; overwrites them."""
    top = logs.max(axis=-1)
    logs -= top[..., None]
    return np.asarray(top + np.log(np.exp(logs, out=logs).mean(axis=-1)))


def log_normal(z: Floats, mean: Floats, logvar: Floats) -> Floats:
    """ln N(z; mean, exp(logvar)) of every number, nats."""
    found = np.asarray(z - mean)
    found *= found
    found *= -0.5 * np.exp(-logvar)
    found -= 0.5 * (np.log(2 * np.pi) + logvar)
    return found
