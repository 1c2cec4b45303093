"""Which code stands for which factor, learned on some rows and judged on others: what is behind `mcc`.

An alignment is learned from codes (n, d) and factors (n, k); then, of any rows, it gives as many columns made
of codes as of factors, paired, and their correlations are expected to be positive.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from distaff.errors import NotApplicable
from distaff.metrics.arrays import Codes, Factors, Floats, standardised
from distaff.metrics.linear_r2 import NEGLIGIBLE, fitted
from distaff.settings import whole_number

#: correlations (d, k) of the columns of two arrays
Correlations = Callable[[Floats, Floats], Floats]


class Alignment(NamedTuple):
    """The correlations of the pairs: of the rows that they were learned from, and what gives others'."""

    own: Floats
    of: Callable[[Codes, Factors], Floats]


def in_sample(codes: Codes, factors: Factors, correlations: Correlations, align: str | None) -> float:
    """The sum of the pairs' correlations over k, on the rows that they were learned from."""
    return float(ALIGNMENTS[align](codes, factors, correlations).own.sum() / factors.shape[1])


def cross_fitted(
    codes: Codes, factors: Factors, correlations: Correlations, align: str | None, folds: int, seed: int
) -> float:
    """The same of each of some random parts of the rows, learned from the others; the mean over rows."""
    parts, n = whole_number("folds", folds, 2), len(codes)
    if n < 2 * parts:
        raise NotApplicable(f"{parts} folds need at least {2 * parts} rows, got {n}")
    order = np.random.default_rng(seed).permutation(n)
    total = 0.0
    for held in np.array_split(order, parts):
        rest = np.setdiff1d(order, held)
        learned = ALIGNMENTS[align](codes[rest], factors[rest], correlations)
        total += len(held) * float(learned.of(codes[held], factors[held]).sum())
    return total / float(n * factors.shape[1])


def one_to_one(codes: Codes, factors: Factors, correlations: Correlations) -> Alignment:
    """Each factor with a code of its own and that code's sign, so that the sum of correlations is largest."""
    from scipy.optimize import linear_sum_assignment

    learned = correlations(codes, factors)
    pairs = linear_sum_assignment(np.abs(learned), maximize=True)
    signs = np.sign(learned[pairs])
    return Alignment(np.abs(learned[pairs]), lambda other, truth: signs * correlations(other, truth)[pairs])


def affine(codes: Codes, factors: Factors, correlations: Correlations) -> Alignment:
    """Each factor with what least squares predict of it, from standardised codes: loud ones drown others."""
    prediction = fitted(codes, factors)

    def pairs(other: Codes, truth: Factors) -> Floats:
        return correlations(prediction(other), truth).diagonal()

    return Alignment(pairs(codes, factors), pairs)


def canonical(codes: Codes, factors: Factors, correlations: Correlations) -> Alignment:
    """Canonical variates of codes with those of factors (Hotelling 1936, doi:10.1093/biomet/28.3-4.321)."""
    whiten, whiten_factors = _whitening(codes), _whitening(factors)
    across = (standardised(codes) @ whiten).T @ (standardised(factors) @ whiten_factors)
    left, _, right = np.linalg.svd(across, full_matrices=False)

    def pairs(other: Codes, truth: Factors) -> Floats:
        variates = standardised(other, like=codes) @ (whiten @ left)
        return correlations(
            variates, standardised(truth, like=factors) @ (whiten_factors @ right.T)
        ).diagonal()

    return Alignment(pairs(codes, factors), pairs)


def _whitening(array: Floats) -> Floats:
    """What standardised columns (n, d) become orthonormal by, (d, rank)."""
    _, sizes, right = np.linalg.svd(standardised(array), full_matrices=False)
    kept = sizes > NEGLIGIBLE * max(sizes.max(initial=0.0), 1.0)
    return np.asarray(right[kept].T / sizes[kept])


ALIGNMENTS: dict[str | None, Callable[[Codes, Factors, Correlations], Alignment]] = {
    None: one_to_one,
    "affine": affine,
    "cca": canonical,
}
