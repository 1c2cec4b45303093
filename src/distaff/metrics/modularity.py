"""Modularity."""

import numpy as np

from distaff.metrics.arrays import Codes, Factors, Floats
from distaff.metrics.declare import Sizes, metric, truths
from distaff.metrics.exact import of_counts
from distaff.metrics.information import Bins, Information, binned_information
from distaff.tables import Continuous


def of_matrix(matrix: Floats) -> Floats:
    """The modularity (d,) of each row of a matrix (d, k), 0 for an empty one."""
    squared = matrix**2
    best = squared.max(axis=1)
    rest = squared.sum(axis=1) - best
    found = np.zeros(len(squared))
    informed = best > 0
    found[informed] = 1 - rest[informed] / (best[informed] * (squared.shape[1] - 1))
    return found


def _of(known: Information) -> float:
    return float(of_matrix(known.shared).mean())


@metric(
    source="Ridgeway and Mozer 2018, arXiv:1802.05312, section 3; "
    "histograms as in Locatello et al. 2019, appendix C",
    protocols={"locatello2019": Sizes(10_000)},
    least_factors=2,
    invariant_to=frozenset({"permutation", "sign", "scale"}),
    truth=truths((0.99, 1.0), (0.0, 0.85), (0.0, 0.0), (0.99, 1.0), (0.3, 0.85), (0.99, 1.0)),
    worse_with=frozenset({"holistic"}),
    blind=("modularity",),
    headline={"modularity": 5},
    only_dense="",
    exact=of_counts(_of),
)
def modularity(codes: Codes, factors: Factors, *, bins: Bins = 20, continuous: Continuous = False) -> float:
    """Modularity: does each code know of one factor only?

    For every code, 1 minus the sum of its squared mutual information (nats, from `bins` equal bins of its
    range) with all factors but its best one, over k - 1 times that with its best; the mean over codes. 0..1,
    higher is better. Zero information with every factor counts 0, so dead codes pull the mean down: perfect
    codes with as many dead ones score .5. Noise scores high, about .65 on dSprites, for its information with
    a factor is an estimation bias that grows with the factor's number of values.

    `codes` (n, d), `factors` (n, k) with k >= 2, whole numbers; `continuous` ones are put in `bins` equal
    bins too. `bins` may be "zero_quantile", as for `mig`. Raises NotApplicable for a single factor.

    The second code knows as much of either factor:

        >>> modularity([[0, 0], [0, 1], [1, 2], [1, 3]], [[0, 0], [0, 1], [1, 0], [1, 1]])
        0.5
    """
    return _of(binned_information(codes, factors, bins, continuous))
