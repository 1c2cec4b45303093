"""The mutual information gap, with histograms as in disentanglement_lib."""

import numpy as np

from distaff.metrics.arrays import Codes, Factors
from distaff.metrics.declare import Sizes, metric, truths
from distaff.metrics.exact import of_counts
from distaff.metrics.information import Bins, Information, binned_information, gap
from distaff.tables import Continuous


def _of(known: Information) -> float:
    return float(np.mean(gap(known.shared) / known.entropies))


@metric(
    source="Chen et al. 2018, arXiv:1802.04942, section 4.1; "
    "histograms as in Locatello et al. 2019, appendix C",
    protocols={"locatello2019": Sizes(10_000)},
    least_codes=2,
    invariant_to=frozenset({"permutation", "sign", "scale"}),
    truth=truths((0.95, 1.0), (0.0, 0.05), (0.0, 0.0), (0.0, 0.01), (0.0, 0.01), (0.70, 0.80)),
    worse_with=frozenset({"noise", "holistic", "spread", "bent", "missing"}),
    headline={"mig": 3},
    only_dense="",
    exact=of_counts(_of),
)
def mig(codes: Codes, factors: Factors, *, bins: Bins = 20, continuous: Continuous = False) -> float:
    """Mutual information gap: how much more the best code knows of a factor than the second best.

    For every factor, the mutual information of each code with it (nats, from `bins` equal bins of the code's
    range), largest minus second largest, divided by the factor's entropy; the mean over factors. 0..1, higher
    is better. Equal bins cap it below 1 where a factor has more values than bins can part (.902 for perfect
    codes of dSprites), and few rows raise it for noise.

    `codes` (n, d) with d >= 2, `factors` (n, k) whole numbers; `continuous` ones are put in `bins` equal bins
    too. With `bins` "zero_quantile", for codes that are mostly 0, a code's zeros are one bin and its other
    values 19 more of as many rows each: of equal bins of its range 19 would hold the tail. The matrix behind
    it: `distaff.metrics.mutual_information_matrix`. Raises NotApplicable for a single code.

    The second factor has no code:

        >>> mig([[0, 5], [0, 5], [1, 5], [1, 5]], [[0, 0], [0, 1], [1, 0], [1, 1]])
        0.5
    """
    return _of(binned_information(codes, factors, bins, continuous))
