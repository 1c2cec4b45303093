"""The Wasserstein distance of a Gaussian from the product of its marginals, as a share of its variance."""

from __future__ import annotations

import numpy as np

from distaff.metrics.arrays import Codes
from distaff.metrics.covariance import covariance
from distaff.metrics.declare import Sizes, metric, truths
from distaff.metrics.gaussian_wasserstein_correlation import squared_distance


@metric(
    high=2.0,
    higher_is_better=False,
    source="Locatello et al. 2019, arXiv:1811.12359, section 5.5",
    needs=(),
    grows=3,
    seconds=0.12,
    protocols={"locatello2019": Sizes(10_000)},
    least_codes=2,
    invariant_to=frozenset({"permutation", "sign"}),
    truth=truths((0.0, 0.01), (0.0, 0.01), (0.0, 0.0), (0.58, 0.59), (0.0, 0.01), (0.0, 0.01)),
    worse_with=frozenset({"holistic", "spread", "copied"}),
)
def gaussian_wasserstein_correlation_norm(codes: Codes) -> float:
    """Normalised Gaussian Wasserstein correlation: the same over the codes' total variance.

    `gaussian_wasserstein_correlation` divided by tr S. 0..2, lower is better; it does not depend on a common
    scale of all codes. It sees linear dependence only and needs no factors.

    `codes` (n, d) with d >= 2; constant ones add nothing. Raises NotApplicable for a single code.

    Variances of 1 and a covariance of one half, 2 - sqrt 1.5 - sqrt .5:

        >>> round(gaussian_wasserstein_correlation_norm([[-1, 0], [0, -1], [1, 1]]), 3)
        0.068
    """
    matrix = covariance(codes)
    return squared_distance(matrix) / float(np.trace(matrix)) if len(matrix) else 0.0
