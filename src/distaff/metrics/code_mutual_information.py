"""The mean mutual information between codes."""

import numpy as np

from distaff.metrics.arrays import Codes
from distaff.metrics.declare import Sizes, metric, truths
from distaff.metrics.information import Bins, array_in_bins, mutual_information


@metric(
    high=np.inf,
    higher_is_better=False,
    source="Locatello et al. 2019, arXiv:1811.12359, section 5.5 (mutual_info_score in disentanglement_lib)",
    needs=(),
    grows=2,
    seconds=4.5,
    protocols={"locatello2019": Sizes(10_000)},
    least_codes=2,
    invariant_to=frozenset({"permutation", "sign", "scale"}),
    truth=truths((0.0, 0.02), (0.05, 0.15), (0.0, 0.0), (0.2, 0.6), (0.0, 0.02), (0.0, 0.02)),
    worse_with=frozenset({"spread"}),
    only_dense="it compares all pairs of codes",
)
def code_mutual_information(codes: Codes, *, bins: Bins = 20) -> float:
    """Mean mutual information of two codes: how much codes know of each other.

    The mutual information of every two codes (nats, from `bins` equal bins of each one's range), averaged
    over the pairs. At least 0, lower is better; few rows raise it, to .015 for noise at 10,000 rows and .15
    at 1,000. It needs no factors.

    `codes` (n, d) with d >= 2; `bins` may be "zero_quantile", as for `mig`. Raises NotApplicable for a single
    code.

    Two copies of a fair coin, ln 2:

        >>> round(code_mutual_information([[0, 0], [0, 0], [1, 1], [1, 1]]), 3)
        0.693
    """
    binned = array_in_bins(codes, bins)
    pairs = [mutual_information(binned[:, :j], binned[:, j : j + 1]) for j in range(1, binned.shape[1])]
    return float(np.concatenate(pairs).mean())
