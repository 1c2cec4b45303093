"""DCIMIG, also called 3CharM."""

import numpy as np

from distaff.metrics.arrays import Codes, Factors
from distaff.metrics.declare import metric, truths
from distaff.metrics.exact import of_counts
from distaff.metrics.information import Bins, Information, binned_information, gap
from distaff.tables import Continuous


def _of(known: Information) -> float:
    largest = np.zeros(len(known.entropies))
    np.maximum.at(largest, known.shared.argmax(axis=1), gap(known.shared, axis=1))
    return float(largest.sum() / known.entropies.sum())


@metric(
    source="Sepliarskaia et al. 2019, arXiv:1910.05587, 'How to not measure disentanglement', section 4",
    least_factors=2,
    invariant_to=frozenset({"permutation", "sign", "scale"}),
    truth=truths((0.95, 1.0), (0.0, 0.2), (0.0, 0.0), (0.95, 1.0), (0.0, 0.01), (0.5, 0.9)),
    worse_with=frozenset({"noise", "holistic", "bent", "missing"}),
    only_dense="",
    exact=of_counts(_of),
)
def dcimig(codes: Codes, factors: Factors, *, bins: Bins = 20, continuous: Continuous = False) -> float:
    """DCIMIG: how much of the factors is held by codes that know of one factor only.

    Every code goes to the factor it has most mutual information with (nats, from `bins` equal bins of the
    code's range) and brings the gap to its second best. A factor takes the largest gap brought to it; the sum
    over factors is divided by the sum of their entropies. 0..1, higher is better. Factors with more entropy
    weigh more, and duplicated codes are not punished.

    `codes` (n, d), `factors` (n, k) with k >= 2, whole numbers; `continuous` ones are put in `bins` equal
    bins too. `bins` may be "zero_quantile", as for `mig`. Raises NotApplicable for a single factor.

    No code knows of the second factor only:

        >>> dcimig([[0, 0], [0, 1], [1, 2], [1, 3]], [[0, 0], [0, 1], [1, 0], [1, 1]])
        0.5
    """
    return _of(binned_information(codes, factors, bins, continuous))
