"""JEMMIG, the mutual information gap with joint entropy."""

import numpy as np

from distaff.metrics.arrays import Codes, Factors, Floats
from distaff.metrics.declare import metric, truths
from distaff.metrics.exact import Exact, Settings, Sums
from distaff.metrics.information import (
    Bins,
    Information,
    binned_pair,
    entropy,
    gap,
    mutual_information,
    number_of_bins,
)
from distaff.tables import Continuous

EQUAL = 1e-12  # nats: codes that tell as much


def _of(known: Information, code_entropies: Floats, bins: int) -> float:
    most = known.shared.max(axis=0)
    equals = known.shared >= most - EQUAL  # of codes that tell as much the purest is the best
    best = np.where(equals, code_entropies[:, None], np.inf).min(axis=0)  # (k,)
    joint = known.entropies + best - most
    unspoilt = np.maximum(joint - gap(known.shared), 0.0)  # rounding may lead beyond
    return float(np.mean(1 - unspoilt / (known.entropies + np.log(bins))))


def _of_sums(sums: Sums, settings: Settings) -> float:
    counts = sums.counts[settings["bins"]]
    return _of(counts.information, counts.code_entropies, settings["bins"])


@metric(
    source="Do and Tran 2020, arXiv:1908.09961, section 3.4, in the normalised form",
    least_codes=2,
    edition=2,  # among codes that tell as much, where the first took the one that stands first
    invariant_to=frozenset({"permutation", "sign", "scale"}),
    truth=truths((0.98, 1.0), (0.0, 0.3), (0.55, 0.65), (0.55, 0.65), (0.0, 0.15), (0.5, 0.85)),
    worse_with=frozenset({"noise", "holistic", "spread", "missing"}),
    only_dense="",
    exact=Exact("counts", _of_sums),
)
def jemmig(codes: Codes, factors: Factors, *, bins: Bins = 20, continuous: Continuous = False) -> float:
    """JEMMIG: the mutual information gap, less what the best code holds besides its factor.

    For every factor v with best code z and second-best code z': 1 - (H(v, z) - I(v; z) + I(v; z')) / (H(v) +
    ln bins), in nats from `bins` equal bins of the code's range; the mean over factors. Of codes that know as
    much the one with the least entropy is the best. 0..1, higher is better. A code that mixes factors pays
    with joint entropy, which the mutual information gap does not see.
    It is below 1 for perfect codes of a factor whose values do not fill the bins evenly, and about one half
    for constant codes, whose joint entropy is small.

    `codes` (n, d) with d >= 2, `factors` (n, k) whole numbers; `continuous` ones are put in `bins` equal bins
    too. `bins` may be "zero_quantile", as for `mig`. Raises NotApplicable for a single code.

    The first code holds both factors, for which the mutual information gap would give 1:

        >>> round(jemmig([[0, 5], [1, 5], [2, 5], [3, 5]], [[0, 0], [0, 1], [1, 0], [1, 1]], bins=4), 3)
        0.667
    """
    binned, classes = binned_pair(codes, factors, bins, continuous)
    known = Information(mutual_information(binned, classes), entropy(classes))
    return _of(known, entropy(binned), number_of_bins(bins))
