"""The code that the encoder is surest of, in the least disentangled of several runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from distaff.errors import BadInput
from distaff.evaluation.encode import encode_run
from distaff.metrics.mig import mig
from distaff.metrics.posterior import mean_variance
from distaff.training.run import Run


class LeastNoisy(NamedTuple):
    """A code of every image (n,), and where it comes from."""

    codes: NDArray[np.float64]
    run: Run
    latent: int
    mig: float


def least_noisy(runs: Sequence[Run], show: bool = False) -> LeastNoisy:
    """Of the run with the lowest MIG, the mean codes of the latent with the smallest mean sigma^2.

    Zietlow et al. 2020, arXiv:2102.06822, section 4.1: a direction that an unlucky VAE codes best mixes
    several factors. All images of the data set are encoded. Raises BadInput for a method without
    log-variances, and for runs on different data sets.
    """
    if len({run.config.dataset.fingerprint for run in runs}) != 1:
        raise BadInput("give at least one run, and all of them on the same data set")
    encodings = [encode_run(run, None, show=show) for run in runs]
    labels = runs[0].data.labels(encodings[0].rows)
    if labels is None:
        raise BadInput(f"{runs[0].data.name} has no labels to take a MIG with")
    scores = [float(mig(encoding.mean, labels)) for encoding in encodings]
    worst = int(np.argmin(scores))
    found = encodings[worst]
    if found.logvar is None:
        raise BadInput(f"{runs[worst].config.method} gives no log-variances, so no latent is the surest")
    if len(found.rows) != len(runs[worst].data):
        raise BadInput(f"the codes of all {len(runs[worst].data)} images would take over 1 GB")
    latent = int(mean_variance(found.logvar).argmin())
    return LeastNoisy(found.mean[:, latent].astype(np.float64), runs[worst], latent, scores[worst])
