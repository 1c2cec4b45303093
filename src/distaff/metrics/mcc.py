"""The mean correlation coefficient."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from distaff.errors import unknown
from distaff.metrics.arrays import Codes, Factors, standardised
from distaff.metrics.declare import metric, truths
from distaff.metrics.door import checked
from distaff.tables import Continuous

CORRELATIONS = ("spearman", "pearson")


@metric(
    source="Hyvarinen and Morioka 2016, arXiv:1605.06336, section 5; Spearman's as in Klindt et al. 2021",
    continuous=True,
    needs_order_above=0,
    invariant_to=frozenset({"permutation", "sign", "scale"}),
    truth=truths((0.999, 1.0), (0.4, 0.6), (0.0, 0.0), (0.999, 1.0), (0.0, 0.05), (0.74, 0.77)),
    worse_with=frozenset({"noise", "holistic", "missing"}),
)
def mcc(
    codes: Codes, factors: Factors, *, correlation: str = "spearman", continuous: Continuous = False
) -> float:
    """Mean correlation coefficient: how well factors correlate with codes, each with a code of its own.

    The absolute correlation (`correlation` "spearman" or "pearson") of every code with every factor; the
    pairing of codes and factors that makes the sum largest (the Hungarian method); the mean over factors.
    0..1, higher is better. A factor without a code counts 0, as do constant codes, and spare codes cost
    nothing. Factors are taken as ordered numbers: for categories such as a shape it means little.

    `codes` (n, d), `factors` (n, k) whole numbers, or `continuous` ones. The matrix behind it:
    `distaff.metrics.correlation_matrix`. Raises BadInput for another `correlation`.

    Two of three values have changed places:

        >>> round(mcc([[0], [2], [1]], [[0], [1], [2]]), 3)
        0.5
    """
    from scipy.optimize import linear_sum_assignment

    matrix = correlation_matrix.of_arrays(codes, factors, correlation=correlation)
    return float(matrix[linear_sum_assignment(matrix, maximize=True)].sum() / matrix.shape[1])


@checked(order_above=0)
def correlation_matrix(
    codes: Codes, factors: Factors, *, correlation: str = "spearman", continuous: Continuous = False
) -> NDArray[np.float64]:
    """The absolute correlation of every code with every factor, (d, k); 0 for constant codes."""
    return absolute_correlation(codes, factors, correlation)


def absolute_correlation(
    first: NDArray[np.floating], second: NDArray[np.floating], correlation: str
) -> NDArray[np.float64]:
    """The absolute correlation of the columns of two arrays with as many rows: (d, k), 0 where one is
    constant."""
    if correlation not in CORRELATIONS:
        raise unknown("correlation", str(correlation), CORRELATIONS)
    if correlation == "spearman":
        from scipy.stats import rankdata

        first, second = rankdata(first, axis=0), rankdata(second, axis=0)
    found = np.abs(standardised(first).T @ standardised(second)) / len(first)
    return np.minimum(found, 1.0)  # rounding may lead beyond
