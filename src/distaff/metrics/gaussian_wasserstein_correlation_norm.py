"""The Wasserstein distance of a Gaussian from the product of its marginals, as a share of its variance."""

import numpy as np

from distaff.metrics.arrays import Codes, Floats
from distaff.metrics.covariance import covariance, of_a_gaussian
from distaff.metrics.declare import truths
from distaff.metrics.exact import of_covariance
from distaff.metrics.gaussian_wasserstein_correlation import squared_distance


def _of(matrix: Floats) -> float:
    return squared_distance(matrix) / float(np.trace(matrix)) if len(matrix) else 0.0


@of_a_gaussian(
    high=2.0,
    source="Locatello et al. 2019, arXiv:1811.12359, section 5.5",
    seconds=0.12,
    invariant_to=frozenset({"permutation", "sign"}),
    truth=truths((0.0, 0.01), (0.0, 0.01), (0.0, 0.0), (0.58, 0.59), (0.0, 0.01), (0.0, 0.01)),
    only_dense="it compares all pairs of codes",
    exact=of_covariance(_of),
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
    return _of(covariance(codes))
