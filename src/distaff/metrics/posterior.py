"""What Gaussian posteriors (n, d) say of their latents."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

#: nats; a latent whose means fill the rest of the prior then has .905 of its variance as noise, exp(-2 * .05)
ACTIVE_KL = 0.05
ACTIVE_VARIANCE = 0.8


def mean_kl(mean: NDArray[Any], logvar: NDArray[Any]) -> NDArray[np.float64]:
    """Each latent's mean KL divergence from a standard normal prior (d,), nats."""
    mean, logvar = mean.astype(np.float64), logvar.astype(np.float64)
    kl: NDArray[np.float64] = 0.5 * (mean**2 + np.exp(logvar) - logvar - 1).mean(axis=0)
    return kl


def active_latents(mean: NDArray[Any], logvar: NDArray[Any]) -> NDArray[np.bool_]:
    """Which latents (d,) are active, here and wherever nothing else is said: a mean KL above .05 nats."""
    return mean_kl(mean, logvar) > ACTIVE_KL


def latent_information(mean: NDArray[Any], logvar: NDArray[Any]) -> NDArray[np.float64]:
    """The most that each latent can tell of the image (d,), nats: I(z_j; x) of a Gaussian aggregate.

    It is the latent's mean KL less that of the Gaussian of its aggregate's mean and variance, the best prior
    there is. A posterior that is the same for all images tells nothing, however many nats of KL it takes: so
    AnnealedVAE can spend a capacity. 0 or more.
    """
    aggregate = mean.var(axis=0, dtype=np.float64) + mean_variance(logvar)
    entropy: NDArray[np.float64] = 0.5 * (np.log(aggregate) - logvar.mean(axis=0, dtype=np.float64))
    return entropy


def mean_variance(logvar: NDArray[Any]) -> NDArray[np.float64]:
    """Each latent's mean posterior variance (d,), of log-variances (n, d)."""
    return np.asarray(np.exp(logvar.astype(np.float64)).mean(axis=0))


def active_by_variance(logvar: NDArray[Any]) -> NDArray[np.bool_]:
    """The rule of Zietlow et al. 2020, for their claims: a mean variance below .8.

    arXiv:2102.06822, section 5.4.
    """
    return mean_variance(logvar) < ACTIVE_VARIANCE
