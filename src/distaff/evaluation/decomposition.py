"""The KL of a VAE in three parts, exactly on a data set that is encoded whole."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from distaff.metrics.posterior import mean_kl

PAIRS_AT_ONCE = 4_000_000


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
    of_own = _log_normal(z, means[own], logvars[own]).sum(axis=1)
    log_q, log_marginals = np.empty(len(z)), np.empty((len(z), d))
    for part in np.array_split(np.arange(len(z)), -(-len(z) * n // PAIRS_AT_ONCE)):
        pairs = _log_normal(z[part, None], means, logvars)
        log_q[part] = np.logaddexp.reduce(pairs.sum(axis=2), axis=1) - np.log(n)
        log_marginals[part] = np.logaddexp.reduce(pairs, axis=1) - np.log(n)
    log_prior = _log_normal(z, np.zeros(d), np.zeros(d))
    return KLParts(
        float(mean_kl(means, logvars).sum()),
        float((of_own - log_q).mean()),
        float((log_q - log_marginals.sum(axis=1)).mean()),
        float((log_marginals - log_prior).sum(axis=1).mean()),
    )


def _log_normal(
    z: NDArray[np.float64], mean: NDArray[np.float64], logvar: NDArray[np.float64]
) -> NDArray[np.float64]:
    return -0.5 * (np.log(2 * np.pi) + logvar + (z - mean) ** 2 * np.exp(-logvar))
