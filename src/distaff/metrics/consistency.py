"""Do runs find the same codes, up to what cannot be told apart?"""

from collections.abc import Callable, Sequence
from itertools import permutations

import numpy as np

from distaff.errors import BadInput, NotApplicable, unknown
from distaff.metrics.arrays import Codes, Floats, standardised
from distaff.metrics.declare import metric, truths
from distaff.metrics.held_out import places
from distaff.metrics.kernel_r2 import signed_r2
from distaff.metrics.mcc import signed_correlation

Map = Callable[[Codes], Floats]


def identity(first: Codes, second: Codes, correlation: str) -> Map:
    """Nothing is forgiven."""
    if first.shape[1] != second.shape[1]:
        counts = f"{first.shape[1]} and {second.shape[1]}"
        raise NotApplicable(f"runs with {counts} codes cannot be the same without a map")
    return lambda codes: codes


def permutation(first: Codes, second: Codes, correlation: str) -> Map:
    """Order and sign are forgiven: codes are paired so that the sum of absolute correlations is largest.

    A code of the second run without a partner is predicted as 0.
    """
    from scipy.optimize import linear_sum_assignment

    found = signed_correlation(first, second, correlation)
    own, other = linear_sum_assignment(np.abs(found), maximize=True)
    weights = np.zeros(found.shape)
    weights[own, other] = np.sign(found[own, other])
    return lambda codes: codes @ weights


def linear(first: Codes, second: Codes, correlation: str) -> Map:
    """Every linear map is forgiven: least squares without an intercept."""
    weights = np.linalg.lstsq(first, second, rcond=None)[0]
    return lambda codes: codes @ weights


def affine(first: Codes, second: Codes, correlation: str) -> Map:
    """Every affine map is forgiven: least squares with an intercept."""
    from distaff.metrics.linear_r2 import fitted

    return fitted(first, second)


#: what is forgiven -> how a map from one run's codes to another's is fitted
INDETERMINACIES: dict[str, Callable[[Codes, Codes, str], Map]] = {
    "identity": identity,
    "permutation": permutation,
    "linear": linear,
    "affine": affine,
}


@metric(
    low=-np.inf,
    source="Roeder et al. 2021, arXiv:2007.00810, section 3, whose runs agree up to linear maps; "
    "other classes as in ituna 0.1.0; held out and standardised, ours",
    needs=("mates",),
    grows=2,
    seconds=3.0,
    invariant_to=frozenset({"permutation", "sign", "scale"}),
    truth=truths((0.99, 1.0), (0.99, 1.0), (0.0, 0.0), (0.99, 1.0), (-0.02, 0.02), (0.99, 1.0)),
    worse_with=frozenset({"noise", "missing"}),
    only_dense="least squares compare all pairs of codes",
)
def consistency(
    codes: Codes,
    mates: Sequence[Codes],
    *,
    indeterminacy: str = "affine",
    correlation: str = "pearson",
    seed: int = 0,
) -> float:
    """Consistency: do runs find the same codes, up to what their method cannot tell apart?

    `mates` are the codes that other runs give the same rows. For every ordered pair of runs, a map from the
    codes of one to those of the other, of the class that `indeterminacy` names: "identity" (none),
    "permutation" (codes in another order and with other signs, paired by their absolute `correlation`,
    "pearson" or "spearman"), "linear" or "affine" (least squares). Its R2 for every code, averaged over codes
    and pairs. At most 1, higher is better; 0 is what the mean alone explains, and below 0 is worse than that
    (it is not clipped). It needs no factors.

    Each run is standardised first, so that scale and offset are always forgiven. The map is learned on two
    thirds of the rows (10,000 at most) and judged on the others (5,000 at most). Codes that are constant
    are left out (a pair with none left scores 0); ituna 0.1.0 counts them as 1, judges on the rows that it
    learned from, and pairs codes by the correlation of their absolute values, which mispairs codes with a
    mean away from 0.

    `codes` (n, d), and each of `mates` (n, d'). Raises BadInput without mates.

    The second run has the codes in another order:

        >>> rows = [[0, 5], [1, 3], [2, 7], [3, 1], [4, 2], [5, 6]]
        >>> consistency(rows, mates=[[row[::-1] for row in rows]], indeterminacy="permutation")
        1.0
    """
    if indeterminacy not in INDETERMINACIES:
        raise unknown("indeterminacy", str(indeterminacy), INDETERMINACIES)
    if len(mates) == 0:
        raise BadInput("consistency needs the codes of at least one other run, got none")
    if len(codes) < 3:
        raise NotApplicable(f"consistency needs at least 3 rows, got {len(codes)}")
    learn, score = places(len(codes), seed)
    runs = [standardised(run) for run in (codes, *mates)]
    pairs = list(permutations(runs, 2))
    fit = INDETERMINACIES[indeterminacy]
    maps = (fit(first[learn], second[learn], correlation) for first, second in pairs)
    found = [signed_r2(b[score], m(a[score])) for m, (a, b) in zip(maps, pairs, strict=True)]
    return float(np.mean(found))
