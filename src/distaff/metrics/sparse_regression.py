"""Least squares between sparse codes and factors, without an array of the codes or their products.

A code that is never 0 is no sparser as an array, and is taken as one, which keeps its digits however far from
0 it lies. The others are standardised as they are multiplied.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from distaff.errors import NotApplicable
from distaff.metrics.arrays import Factors, Floats, standardised, varying
from distaff.metrics.sparse_codes import moments
from distaff.tables import Sparse

STEPS = 5000  # of one least squares; codes that nearly repeat each other take many
ROUNDING = 1e-15  # where steps end; below it what is left of codes that repeat each other is fitted as well


@dataclass(frozen=True)
class Scaled:
    """Codes (n, d) that would be standardised: those that are sparse and vary, and an array of those never 0.

    `mean` and `weight` (one over the deviation) are of the sparse ones.
    """

    sparse: Sparse
    mean: Floats
    weight: Floats
    full: Floats

    @property
    def operator(self) -> Any:
        """What multiplies by them, the sparse ones first."""
        from scipy.sparse.linalg import LinearOperator

        matrix, parts = self.sparse.matrix, len(self.mean)

        def times(v: Floats) -> Floats:
            scaled = v.ravel()[:parts] * self.weight
            return np.asarray(matrix @ scaled - self.mean @ scaled + self.full @ v.ravel()[parts:])

        def transposed(u: Floats) -> Floats:
            u = u.ravel()
            own = (matrix.T @ u - self.mean * u.sum()) * self.weight
            return np.concatenate([own, self.full.T @ u])

        shape = len(self.sparse), parts + self.full.shape[1]
        return LinearOperator(shape, matvec=times, rmatvec=transposed, dtype=np.float64)


def apart(learn: Sparse, score: Sparse) -> tuple[list[Sparse], list[Floats]]:
    """Of both rows the codes that are sparse, and arrays of those nowhere 0 among one or the other."""
    full = (learn.fires == len(learn)) | (score.fires == len(score))
    both = learn, score
    return [each[:, ~full] for each in both], [_array(each[:, full]) for each in both]


def _array(codes: Sparse) -> Floats:
    found = np.zeros(codes.shape)
    found[codes.rows, codes.columns] = codes.values
    return found


def scaled(learn: Sparse, score: Sparse) -> tuple[Scaled, Scaled]:
    """Codes of both rows by the means and deviations of those to learn from."""
    parts, arrays = apart(learn, score)
    variance = moments(parts[0])[1]
    alive = varying(parts[0]) & (variance > 0)
    parts = [part[:, alive] for part in parts]
    mean, weight = moments(parts[0])[0], 1 / np.sqrt(variance[alive])
    first, second = (
        Scaled(part, mean, weight, standardised(array, like=arrays[0]))
        for part, array in zip(parts, arrays, strict=True)
    )
    return first, second


def predicted_factors(learn: Sparse, factors: Factors, score: Sparse) -> Floats:
    """What least squares on standardised codes, learned of factors (n, k), say of other rows (m, k).

    By LSQR (Paige and Saunders 1982, doi:10.1145/355984.355989), to rounding. Raises NotApplicable where
    that takes too many steps, as for codes that nearly repeat each other.
    """
    from scipy.sparse.linalg import lsqr

    known, unseen = scaled(learn, score)
    by, of_unseen, mean = known.operator, unseen.operator, factors.mean(axis=0, dtype=np.float64)
    found = np.empty((len(score), factors.shape[1]))
    for j, target in enumerate(factors.T - mean[:, None]):
        weights, stopped, *_ = lsqr(by, target, atol=ROUNDING, btol=ROUNDING, conlim=0, iter_lim=STEPS)
        if stopped == 7:
            raise NotApplicable(
                f"least squares of sparse codes take more than {STEPS:,} steps here, for codes nearly repeat "
                "each other; give an array of them, codes.toarray()"
            )
        found[:, j] = mean[j] + of_unseen @ weights
    return found


def code_r2(learn: Sparse, score: Sparse, inverse: Floats, unseen: Floats) -> Floats:
    """R2 of each code that varies in both, predicted by least squares from standardised columns, at least 0.

    `inverse` (k, n) is the pseudo-inverse of the columns beside the rows to learn from, `unseen` (m, k) stand
    beside those to score on. Every code must be 0 somewhere in both, or its squares drown how it varies.
    """
    alive = varying(learn) & varying(score)
    learn, score = learn[:, alive], score[:, alive]
    mean, _ = moments(learn)
    weights = np.asarray(learn.matrix.T @ inverse.T) - np.outer(mean, inverse.sum(axis=1))
    weights = np.concatenate([mean[:, None], weights], axis=1)  # (d, 1 + k)
    columns = np.concatenate([np.ones((len(unseen), 1)), unseen], axis=1)
    products = np.asarray(score.matrix.T @ columns)
    squares = score.sums(score.values**2)
    of_predicted = ((weights @ (columns.T @ columns)) * weights).sum(axis=1)
    error = squares - 2 * (products * weights).sum(axis=1) + of_predicted
    return np.asarray(np.clip(1 - error / (moments(score)[1] * len(score)), 0.0, 1.0))
