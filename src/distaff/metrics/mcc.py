"""The mean correlation coefficient."""

import numpy as np
from numpy.typing import NDArray

from distaff.errors import NotApplicable, unknown
from distaff.metrics import sparse_codes
from distaff.metrics.alignment import ALIGNMENTS, cross_fitted, in_sample
from distaff.metrics.arrays import Codes, Factors, Floats, standardised
from distaff.metrics.declare import Adapted, metric, truths
from distaff.metrics.door import checked
from distaff.metrics.exact import Exact, Settings, Sums
from distaff.metrics.moments import whitening
from distaff.tables import Continuous, Sparse

CORRELATIONS = ("spearman", "pearson")
FITS = ("insample", "crossfit")
CROWDED = 0.05  # codes for each row; from here on the best of many codes correlates by chance
LEAST_ROWS = 20  # that are cross-fitted unasked: four for each of five folds


def _adapted(rows: int, codes: int) -> Adapted | None:
    """The card's settings: of many codes for few rows, in-sample correlations are those of noise."""
    if rows < LEAST_ROWS or codes <= CROWDED * rows:
        return None
    why = f"mcc is cross-fitted, for {codes} codes of {rows} rows (more than one for 20) fit noise in sample"
    return Adapted({"fit": "crossfit"}, why, low=-1.0)


def _of_sums(sums: Sums, settings: Settings) -> float:
    """In sample, of Pearson's correlations."""
    _check(settings["fit"], settings["align"])
    whole, codes, factors = sums.whole.correlation, sums.codes, sums.factors
    own, across = whole[np.ix_(codes, codes)], whole[np.ix_(codes, factors)]
    if settings["align"] is None:
        from scipy.optimize import linear_sum_assignment

        found = np.abs(across)
        found = found[linear_sum_assignment(found, maximize=True)]
    elif settings["align"] == "affine":
        found = np.linalg.norm(whitening(own).T @ across, axis=0)
    else:
        other = whitening(whole[np.ix_(factors, factors)])
        found = np.linalg.svd(whitening(own).T @ across @ other, compute_uv=False)
    return float(found.clip(0.0, 1.0).sum() / len(factors))


def _in_sample(settings: Settings) -> bool:
    return (settings["correlation"], settings["fit"]) == ("pearson", "insample")


@metric(
    source="Hyvarinen and Morioka 2016, arXiv:1605.06336, section 5; Spearman's as in Klindt et al. 2021",
    needs_order_above=0,
    invariant_to=frozenset({"permutation", "sign", "scale"}),
    truth=truths((0.999, 1.0), (0.4, 0.6), (0.0, 0.0), (0.999, 1.0), (0.0, 0.05), (0.74, 0.77)),
    worse_with=frozenset({"noise", "holistic", "missing"}),
    adapted=_adapted,
    only_dense="",
    exact=Exact("moments", _of_sums, _in_sample, 'correlation="pearson", fit="insample"'),
)
def mcc(
    codes: Codes,
    factors: Factors,
    *,
    correlation: str = "spearman",
    fit: str = "insample",
    align: str | None = None,
    folds: int = 5,
    continuous: Continuous = False,
    seed: int = 0,
) -> float:
    """Mean correlation coefficient: how well factors correlate with codes, each with a code of its own.

    The absolute correlation (`correlation` "spearman" or "pearson") of every code with every factor; the
    pairing of codes and factors that makes the sum largest (the Hungarian method); the mean over factors.
    0..1, higher is better. A factor without a code counts 0, as do constant codes, and spare codes cost
    nothing. Factors are taken as ordered numbers: for categories such as a shape it means little.

    In sample, the best of d codes of n rows correlates by chance, by almost sqrt(2 ln d / n): noise of 50
    codes and 100 rows scores .25. With `fit` "crossfit" pairs and their signs are found on all but one of
    `folds` random parts of the rows and the signed correlations are those of that part, averaged over parts
    by their sizes: -1..1, and noise has the mean 0. The card does so above 1 code for 20 rows, and says it.
    `distaff.metrics.permutation_null` gives chance, and p.

    `align` first takes away what is not to be judged. "affine": the factors as least squares predict them
    from all (standardised) codes stand for the codes, each for its factor, so that any invertible mixing of
    codes is forgiven (weak MCC; in sample, with Pearson's, the mean of sqrt(R2)). "cca": canonical variates
    of codes and of factors, so that mixing of factors is forgiven too; the correlations of as many pairs as
    there are, over k.

    `codes` (n, d), `factors` (n, k) whole numbers, or `continuous` ones. The matrix behind it:
    `distaff.metrics.correlation_matrix`. Raises BadInput for another `correlation`, `fit` or `align`.

    Two of three values have changed places:

        >>> round(mcc([[0], [2], [1]], [[0], [1], [2]]), 3)
        0.5
    """
    _check(fit, align)
    if align is not None and isinstance(codes, Sparse):
        raise NotApplicable(f"mcc takes no sparse codes with align='{align}': it compares all pairs of codes")

    def correlations(first: NDArray[np.floating] | Sparse, second: NDArray[np.floating]) -> Floats:
        return signed_correlation(first, second, correlation)

    if fit == "insample":
        return in_sample(codes, factors, correlations, align)
    return cross_fitted(codes, factors, correlations, align, folds, seed)


def _check(fit: str, align: str | None) -> None:
    if fit not in FITS:
        raise unknown("fit", str(fit), FITS)
    if align is not None and align not in ALIGNMENTS:
        raise unknown("align", str(align), map(str, ALIGNMENTS))


@checked(order_above=0, only_dense="")
def correlation_matrix(
    codes: Codes, factors: Factors, *, correlation: str = "spearman", continuous: Continuous = False
) -> Floats:
    """The absolute correlation of every code with every factor, (d, k); 0 for constant codes."""
    return absolute_correlation(codes, factors, correlation)


def absolute_correlation(
    first: NDArray[np.floating], second: NDArray[np.floating], correlation: str
) -> Floats:
    """The absolute correlation of the columns of two arrays with as many rows: (d, k), 0 where one is
    constant."""
    return np.abs(signed_correlation(first, second, correlation))


def signed_correlation(
    first: NDArray[np.floating] | Sparse, second: NDArray[np.floating], correlation: str
) -> Floats:
    """The correlation, -1..1, of the columns of two arrays with as many rows: (d, k), 0 where one is
    constant."""
    if correlation not in CORRELATIONS:
        raise unknown("correlation", str(correlation), CORRELATIONS)
    if isinstance(first, Sparse):
        return sparse_codes.signed_correlation(first, second, correlation)
    if correlation == "spearman":
        from scipy.stats import rankdata

        ranked = rankdata(first, axis=0), rankdata(second, axis=0)
    else:
        ranked = first, second
    found = standardised(ranked[0]).T @ standardised(ranked[1]) / len(first)
    return np.clip(found, -1.0, 1.0)  # rounding may lead beyond
