"""The Wasserstein distance of a Gaussian from the product of its marginals."""

import math

import numpy as np

from distaff.metrics.arrays import Codes, Floats
from distaff.metrics.covariance import covariance, of_a_gaussian
from distaff.metrics.declare import truths
from distaff.metrics.exact import of_covariance


def squared_distance(matrix: Floats) -> float:
    """The squared Wasserstein-2 distance of a Gaussian with this covariance from its marginals' product."""
    if not len(matrix):
        return 0.0
    deviation = np.sqrt(np.diag(matrix))
    # D S has the eigenvalues of the symmetric D^(1/2) S D^(1/2), whose roots are real
    roots = np.sqrt(np.linalg.eigvalsh(matrix * np.outer(deviation, deviation)).clip(min=0))
    return max(0.0, float(2 * np.trace(matrix) - 2 * roots.sum()))


@of_a_gaussian(
    high=math.inf,
    source="Locatello et al. 2019, arXiv:1811.12359, section 5.5",
    seconds=0.12,
    invariant_to=frozenset({"permutation", "sign"}),
    truth=truths((0.0, 0.01), (0.0, 0.01), (0.0, 0.0), (4.6, 4.8), (0.0, 0.01), (0.0, 0.01)),
    only_dense="it compares all pairs of codes",
    exact=of_covariance(squared_distance),
)
def gaussian_wasserstein_correlation(codes: Codes) -> float:
    """Gaussian Wasserstein correlation: how far codes are from independent, were they Gaussian.

    The squared Wasserstein-2 distance of a Gaussian with the codes' covariance S from the product of its
    marginals, 2 tr S - 2 tr (D S)^(1/2) with D the diagonal of S. At least 0, in squared units of the codes,
    lower is better. It sees linear dependence only and needs no factors.

    `codes` (n, d) with d >= 2; constant ones add nothing. Raises NotApplicable for a single code.

    Variances of 1 and a covariance of one half, 4 - 2 (sqrt 1.5 + sqrt .5):

        >>> round(gaussian_wasserstein_correlation([[-1, 0], [0, -1], [1, 1]]), 3)
        0.136
    """
    return squared_distance(covariance(codes))
