"""Correlations, histograms and areas of sparse codes: what their values and a count of zeros tell, exactly.

Each is what the same codes as an array would have; nothing here takes memory for zeros.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from distaff.metrics.arrays import EDGE, Bools, Codes, Floats, Ints, standardised, varying
from distaff.tables import Sparse


def moments(codes: Sparse) -> tuple[Floats, Floats]:
    """The mean and the variance of each code, (d,) each."""
    n, (low, high) = len(codes), codes.ranges()
    scale = np.maximum(
        np.maximum(-low, high), np.finfo(float).tiny
    )  # squares of codes of any size stay finite
    values = codes.values / scale[codes.columns]
    mean = codes.sums(values) / n
    squares = codes.sums((values - mean[codes.columns]) ** 2) + (n - codes.fires) * mean**2
    return mean * scale, squares / n * scale**2


def variances(codes: Codes | Sparse) -> Floats:
    """The variance of each code (d,), of an array or of sparse ones."""
    return moments(codes)[1] if isinstance(codes, Sparse) else np.var(codes, axis=0, dtype=np.float64)


def signed_correlation(codes: Sparse, other: NDArray[np.floating], correlation: str) -> Floats:
    """The correlation (d, k) of sparse codes with the columns (n, k) of an array; 0 where one is constant.

    Every zero of a code has the same rank, so that ranks less that one are as sparse as the code is.
    """
    from scipy.stats import rankdata

    live = varying(codes)
    if correlation == "spearman":
        codes, other = ranks(codes)[0], rankdata(other, axis=0)
    codes = _near_zero(codes)
    variance = moments(codes)[1]
    live &= variance > 0
    covariance = np.asarray(codes.matrix.T @ standardised(other)) / len(codes)
    found = np.where(live[:, None], covariance, 0.0) / np.sqrt(np.where(live, variance, 1.0))[:, None]
    return np.clip(found, -1.0, 1.0)  # rounding may lead beyond


def _near_zero(codes: Sparse) -> Sparse:
    """Codes at most 1 in size; those that are nowhere 0 less their means, which would drown what varies."""
    low, high = codes.ranges()
    mean = np.where(codes.fires == len(codes), moments(codes)[0], 0.0)
    scale = np.maximum(np.maximum(mean - low, high - mean), np.finfo(float).tiny)
    return codes.with_values((codes.values - mean[codes.columns]) / scale[codes.columns])


def ranks(codes: Sparse) -> tuple[Sparse, Floats]:
    """The rank of each value less that of its column's zeros, and the rank (d,) of these; mean of ties."""
    columns, values, n = codes.columns, codes.values, len(codes)
    smaller, equal = _among_own(codes)
    own = smaller + (equal + 1) / 2  # from 1, without the zeros
    zeros = n - codes.fires
    of_zeros = codes.sums((values < 0).astype(np.float64)) + (zeros + 1) / 2
    rank = own + np.where(values > 0, zeros[columns], 0)
    return codes.with_values(rank - of_zeros[columns]), of_zeros


def _among_own(codes: Sparse) -> tuple[Ints, Ints]:
    """How many values of the same column, none of them 0, are smaller than each, and how many equal, (z,)."""
    columns, values = codes.columns, codes.values
    order = np.lexsort((values, columns))
    first = np.ones(len(order), dtype=bool)  # of a run of equal values of one column
    first[1:] = (np.diff(columns[order]) != 0) | (np.diff(values[order]) != 0)
    begins = np.flatnonzero(first)
    long = np.diff(np.append(begins, len(order)))
    smaller, equal = np.empty(len(order), dtype=np.int64), np.empty(len(order), dtype=np.int64)
    smaller[order] = np.repeat(begins - codes.starts[columns[order[begins]]], long)
    equal[order] = np.repeat(long, long)
    return smaller, equal


def firing(codes: Sparse, attributes: Bools) -> tuple[Floats, Floats, Floats]:
    """Rows in which a code is not 0 and an attribute is there (d, m), in which it is not 0 (d,), and (m,)."""
    fires = codes.with_values(np.ones(len(codes.values)))
    hits = np.asarray(fires.matrix.T @ attributes.astype(np.float64))
    return hits, codes.fires.astype(np.float64), attributes.sum(axis=0, dtype=np.float64)


@dataclass(frozen=True)
class SparseBins:
    """Sparse codes (n, d) in bins: the bin of each value (z,), and that of each column's zeros (d,)."""

    codes: Sparse
    bins: Ints
    zeros: Ints
    height: int

    def counts(self, some: slice, classes: Ints, width: int) -> Ints:
        """How many rows of each class (n,) are in each bin of some columns: (m, height, width)."""
        starts = self.codes.starts
        low, high = starts[some.start], starts[some.stop]
        m, own = some.stop - some.start, classes[self.codes.rows[low:high]]
        cell = (self.codes.columns[low:high] - some.start) * self.height + self.bins[low:high]
        found = np.bincount(cell * width + own, minlength=m * self.height * width)
        counts = found.reshape(m, self.height, width)
        unseen = np.bincount(classes, minlength=width) - counts.sum(axis=1)
        counts[np.arange(m), self.zeros[some]] += unseen
        return counts


def discretise(codes: Sparse, bins: int) -> SparseBins:
    """Each code in `bins` equal bins from its smallest to its largest value, zeros among them."""
    low, high = codes.ranges()
    edges = _edges(low, high, bins)
    narrow = (np.diff(edges, axis=1) <= 0).any(axis=1)  # at this precision, but not for the differences
    shift = np.where(narrow, low, 0.0)
    edges[narrow] = _edges(np.zeros(narrow.sum()), (high - low)[narrow], bins)
    edges[low == high] = np.inf  # all in the first bin
    values = codes.values - shift[codes.columns]
    place, zeros = np.zeros(len(values), dtype=np.int64), np.zeros(len(low), dtype=np.int64)
    width = np.where(low == high, 0.0, high - low)
    for edge in edges.T[1:-1] - EDGE * width:
        place += values >= edge[codes.columns]
        zeros += -shift >= edge
    return SparseBins(codes, place, zeros, bins)


def zeros_and_quantiles(codes: Sparse, bins: int) -> SparseBins:
    """Each code in `bins` bins: zeros in the first, its other values in parts of equal mass."""
    place = 1 + _among_own(codes)[0] * (bins - 1) // codes.fires[codes.columns]
    return SparseBins(codes, place, np.zeros(codes.shape[1], dtype=np.int64), bins)


def _edges(low: Floats, high: Floats, bins: int) -> Floats:
    """The edges of equal bins of each code, (d, bins + 1), to the last bit those that NumPy gives each alone.

    `np.linspace` of all together takes another formula for all where one code is constant.
    """
    number, width = np.arange(bins + 1), (high - low)[:, None]
    step = width / bins
    edges = np.where(step == 0, number / bins * width, number * step) + low[:, None]
    edges[:, -1] = high
    return edges


def entropies(binned: SparseBins) -> Floats:
    """The entropy of each code's bins, (d,) in nats."""
    codes, d = binned.codes, binned.codes.shape[1]
    counts = np.bincount(codes.columns * binned.height + binned.bins, minlength=d * binned.height)
    counts = counts.reshape(d, binned.height)
    counts[np.arange(d), binned.zeros] += len(codes) - codes.fires
    shares = counts / len(codes)
    logs = np.log(shares, out=np.zeros(shares.shape), where=shares > 0)
    return np.asarray(-(shares * logs).sum(axis=1))
