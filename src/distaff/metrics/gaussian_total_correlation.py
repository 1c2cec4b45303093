"""The total correlation of a Gaussian."""

import math

import numpy as np

from distaff.metrics.arrays import Codes, Floats
from distaff.metrics.covariance import covariance, of_a_gaussian
from distaff.metrics.declare import truths
from distaff.metrics.exact import of_covariance


def _of(matrix: Floats) -> float:
    if not len(matrix):
        return 0.0
    deviation = np.sqrt(np.diag(matrix))
    correlation = matrix / np.outer(deviation, deviation)
    if np.linalg.matrix_rank(correlation, hermitian=True) < len(matrix):
        return math.inf
    return max(0.0, float(-np.linalg.slogdet(correlation)[1] / 2))


@of_a_gaussian(
    high=math.inf,
    source="Locatello et al. 2019, arXiv:1811.12359, section 5.1",
    seconds=0.14,
    invariant_to=frozenset({"permutation", "sign", "scale"}),
    truth=truths((0.0, 0.01), (0.0, 0.01), (0.0, 0.0), (math.inf, math.inf), (0.0, 0.01), (0.0, 0.01)),
    only_dense="it compares all pairs of codes",
    exact=of_covariance(_of),
)
def gaussian_total_correlation(codes: Codes) -> float:
    """Gaussian total correlation: how far codes are from independent, were they Gaussian.

    The KL divergence from a Gaussian with the codes' covariance S to the product of its marginals, (sum of ln
    S_jj - ln det S) / 2, in nats. At least 0, lower is better; infinite where codes depend on each other
    linearly, as copies do, or where there are more codes than rows. It sees linear dependence only and needs
    no factors: rotated codes of one variance score 0.

    `codes` (n, d) with d >= 2; constant ones are left out, where disentanglement_lib takes the logarithm of
    0. Raises NotApplicable for a single code.

    A correlation of one half, -ln(1 - .25) / 2:

        >>> round(gaussian_total_correlation([[-1, 0], [0, -1], [1, 1]]), 3)
        0.144
    """
    return _of(covariance(codes))
