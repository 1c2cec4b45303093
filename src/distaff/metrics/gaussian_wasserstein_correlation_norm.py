"""The Wasserstein distance of a Gaussian from the product of its marginals, as a share of its variance."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from distaff.metrics.covariance import covariance
from distaff.metrics.declare import metric
from distaff.metrics.gaussian_wasserstein_correlation import squared_distance


@metric(
    low=0.0,
    high=2.0,
    higher_is_better=False,
    source="Locatello et al. 2019, section 5.5",
    needs=(),
    grows=3,
    seconds=0.12,
    invariant_to=frozenset({"permutation", "sign"}),
    truth={
        "identity": (0.0, 0.01),
        "rotated": (0.0, 0.01),
        "constant": (0.0, 0.0),
        "duplicated": (0.58, 0.59),
        "noise": (0.0, 0.01),
        "one_missing": (0.0, 0.01),
    },
    worse_with=frozenset({"holistic", "spread", "copied"}),
)
def gaussian_wasserstein_correlation_norm(codes: ArrayLike) -> float:
    """Normalised Gaussian Wasserstein correlation: the same over the codes' total variance.

    `gaussian_wasserstein_correlation` divided by tr S. 0..2, lower is better; it does not depend on a common
    scale of all codes. It sees linear dependence only and needs no factors.

    `codes` (n, d) with d >= 2; constant ones add nothing. Raises NotApplicable for a single code.
    """
    matrix = covariance(codes, "gaussian_wasserstein_correlation_norm")
    return squared_distance(matrix) / float(np.trace(matrix)) if len(matrix) else 0.0
