"""The average maximal mutual information."""

import numpy as np

from distaff.metrics.arrays import Codes, Factors
from distaff.metrics.declare import metric, truths
from distaff.metrics.exact import of_counts
from distaff.metrics.information import Bins, Information, binned_information
from distaff.tables import Continuous


def _of(known: Information) -> float:
    return float(np.mean(known.shared.max(axis=0) / known.entropies))


@metric(
    source="Chen et al. 2018, arXiv:1802.04942, section 4.1",
    invariant_to=frozenset({"permutation", "sign", "scale"}),
    truth=truths((0.98, 1.0), (0.05, 0.35), (0.0, 0.0), (0.98, 1.0), (0.0, 0.02), (0.73, 0.80)),
    worse_with=frozenset({"noise", "holistic", "bent", "missing"}),
    only_dense="",
    exact=of_counts(_of),
)
def average_maximal_mutual_information(
    codes: Codes, factors: Factors, *, bins: Bins = 20, continuous: Continuous = False
) -> float:
    """Average maximal mutual information: how much of a factor its best single code knows.

    For every factor, the largest mutual information of a code with it (nats, from `bins` equal bins of the
    code's range) over the factor's entropy; the mean over factors. 0..1, higher is better. It does not ask
    whether other codes know as much: duplicated codes score 1, where the mutual information gap is 0.

    `codes` (n, d), `factors` (n, k) whole numbers; `continuous` ones are put in `bins` equal bins too.
    `bins` may be "zero_quantile", as for `mig`.

    The first factor has two codes, the second none:

        >>> codes, factors = [[0, 0], [0, 0], [1, 1], [1, 1]], [[0, 0], [0, 1], [1, 0], [1, 1]]
        >>> average_maximal_mutual_information(codes, factors)
        0.5
    """
    return _of(binned_information(codes, factors, bins, continuous))
