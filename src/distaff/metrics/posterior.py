"""What the log-variances (n, d) of posteriors say of latents."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

ACTIVE = 0.8


def mean_variance(logvar: NDArray[Any]) -> NDArray[np.float64]:
    """Each latent's mean posterior variance (d,), of log-variances (n, d)."""
    return np.asarray(np.exp(logvar.astype(np.float64)).mean(axis=0))


def active_latents(logvar: NDArray[Any]) -> NDArray[np.bool_]:
    """Which latents (d,) are active: those of a mean variance below .8 (Zietlow et al. 2020, section 5.4)."""
    return mean_variance(logvar) < ACTIVE


def mean_kl(mean: NDArray[Any], logvar: NDArray[Any]) -> NDArray[np.float64]:
    """Each latent's mean KL divergence from a standard normal prior (d,), nats."""
    mean, logvar = mean.astype(np.float64), logvar.astype(np.float64)
    kl: NDArray[np.float64] = 0.5 * (mean**2 + np.exp(logvar) - logvar - 1).mean(axis=0)
    return kl
