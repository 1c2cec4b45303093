"""The mutual information gap from the side of the codes."""

import numpy as np

from distaff.metrics.arrays import Bools, Codes, Factors, check_number
from distaff.metrics.declare import metric, truths
from distaff.metrics.exact import Exact, Settings, Sums
from distaff.metrics.information import Bins, Information, binned_information, gap
from distaff.metrics.sparse_codes import variances
from distaff.tables import Continuous


def _of(known: Information, active: Bools) -> float:
    if not active.any():
        return 0.0
    return float(np.mean(gap(known.shared[active] / known.entropies, axis=1)))


def _of_sums(sums: Sums, settings: Settings) -> float:
    check_number("least_variance", settings["least_variance"], 0)
    variance = np.diag(sums.whole.scatter)[sums.codes] / sums.whole.n
    return _of(sums.counts[settings["bins"]].information, variance > settings["least_variance"])


@metric(
    source="Li et al. 2020, arXiv:2002.10549, section 4",
    least_factors=2,
    invariant_to=frozenset({"permutation", "sign"}),
    truth=truths((0.95, 1.0), (0.0, 0.2), (0.0, 0.0), (0.95, 1.0), (0.0, 0.01), (0.95, 1.0)),
    worse_with=frozenset({"noise", "holistic", "bent", "missing"}),
    blind=("mig_sup",),
    least_deviation=0.1,
    only_dense="",
    exact=Exact("counts", _of_sums),
)
def mig_sup(
    codes: Codes,
    factors: Factors,
    *,
    bins: Bins = 20,
    least_variance: float = 0.01,
    continuous: Continuous = False,
) -> float:
    """MIG-sup: how much more a code knows of its best factor than of its second best.

    For every code, its mutual information with each factor (nats, from `bins` equal bins of the code's range)
    over the factor's entropy, largest minus second largest; the mean over the codes. 0..1, higher is better.
    It supplements the mutual information gap, which does not see a code that mixes factors. Codes whose
    variance is at most `least_variance` are left out, as in the authors' code; with none left the score is 0.
    Other libraries keep them all, or divide by the code's entropy.

    `codes` (n, d), `factors` (n, k) with k >= 2, whole numbers; `continuous` ones are put in `bins` equal
    bins too. `bins` may be "zero_quantile", as for `mig`. Raises NotApplicable for a single factor.

    The second code knows as much of either factor:

        >>> mig_sup([[0, 0], [0, 1], [1, 2], [1, 3]], [[0, 0], [0, 1], [1, 0], [1, 1]])
        0.5
    """
    check_number("least_variance", least_variance, 0)
    active = np.asarray(variances(codes) > least_variance)
    return _of(binned_information(codes, factors, bins, continuous), active)
