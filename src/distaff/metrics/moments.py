"""What batches of rows add up to: their number, means and products, merged exactly in any order."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from distaff.metrics.arrays import SMALLEST, Bools, Floats, Ints

#: eigenvalues below this part of the largest are those of columns that repeat others: products of columns
#: hold half the digits of the columns themselves
NEGLIGIBLE = 1e-12


@dataclass(frozen=True)
class Moments:
    """The number of rows, and of their columns (p,) the means, ranges and products of deviations (p, p)."""

    n: int
    mean: Floats
    scatter: Floats
    low: Floats
    high: Floats

    @classmethod
    def of(cls, rows: Floats) -> Moments:
        """Those of rows (n, p), which may be none."""
        if not len(rows):
            p = rows.shape[1]
            return cls(0, np.zeros(p), np.zeros((p, p)), np.full(p, np.inf), np.full(p, -np.inf))
        mean = rows.mean(axis=0)
        off = rows - mean
        return cls(len(rows), mean, off.T @ off, rows.min(axis=0), rows.max(axis=0))

    def plus(self, other: Moments) -> Moments:
        """Those of both together, as Chan et al. 1983, doi:10.1080/00031305.1983.10483115, add them."""
        if not self.n or not other.n:
            return other if not self.n else self
        n, step = self.n + other.n, other.mean - self.mean
        mean = self.mean + step * (other.n / n)
        scatter = self.scatter + other.scatter + np.outer(step, step) * (self.n * other.n / n)
        low, high = np.minimum(self.low, other.low), np.maximum(self.high, other.high)
        return Moments(n, mean, scatter, low, high)

    def take(self, columns: Ints) -> Moments:
        """Those of some columns."""
        parts = (each[columns] for each in (self.low, self.high))
        return Moments(self.n, self.mean[columns], self.scatter[np.ix_(columns, columns)], *parts)

    @property
    def varying(self) -> Bools:
        """Which columns (p,) take more than one value."""
        return np.asarray(self.high - self.low > SMALLEST) & (self.n > 0)

    @property
    def deviation(self) -> Floats:
        """The standard deviation (p,) of every column, 1 where it does not vary."""
        spread = np.sqrt(np.diag(self.scatter) / max(self.n, 1))
        return np.where(self.varying & (spread > 0), spread, 1.0)

    @property
    def covariance(self) -> Floats:
        """The covariance, without bias, of the columns that vary."""
        alive = np.flatnonzero(self.varying)
        return np.asarray(self.scatter[np.ix_(alive, alive)] / max(self.n - 1, 1))

    @property
    def correlation(self) -> Floats:
        """The correlation (p, p) of every two columns, 0 where one does not vary."""
        scale = self.deviation
        alive = self.varying
        found = self.scatter / np.outer(scale, scale) / max(self.n, 1)
        return np.clip(np.where(np.outer(alive, alive), found, 0.0), -1.0, 1.0)


def whitening(correlation: NDArray[np.float64]) -> Floats:
    """What columns of this correlation (d, d) become orthonormal by, (d, rank)."""
    sizes, vectors = np.linalg.eigh(correlation)
    kept = sizes > NEGLIGIBLE * max(sizes.max(initial=0.0), 1.0)
    return np.asarray(vectors[:, kept] / np.sqrt(sizes[kept]))


def held_out_r2(learn: Moments, score: Moments, known: Ints, target: Ints) -> float:
    """How well least squares predict the columns `target` from the columns `known`, on other rows: mean R2.

    Learned from the rows behind `learn`; per column 1 minus squared error over squared deviation on those
    behind `score`, at least 0; columns that are constant in either are left out (0 where none is left).
    """
    target = target[learn.varying[target] & score.varying[target]]
    if not len(target):
        return 0.0
    scale = learn.deviation  # loud columns would drown others
    white = whitening(learn.correlation[np.ix_(known, known)])
    weights = white @ (white.T @ learn.correlation[np.ix_(known, target)])
    errors = np.zeros((len(scale), len(target)))  # what the error of each target is made of
    errors[known] -= weights
    errors[target, np.arange(len(target))] += 1.0
    scatter = score.scatter / np.outer(scale, scale)
    off = ((score.mean - learn.mean) / scale) @ errors
    error = np.einsum("pt,pq,qt->t", errors, scatter, errors) + score.n * off**2
    return float(np.clip(1 - error / np.diag(scatter)[target], 0.0, 1.0).mean())
