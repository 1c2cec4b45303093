"""Histograms, mutual information and entropy of codes and factors, in nats."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from distaff.errors import BadInput
from distaff.metrics import sparse_codes
from distaff.metrics.arrays import EDGE, Codes, Factors, Floats, Ints, real_columns
from distaff.metrics.door import checked
from distaff.metrics.sparse_codes import SparseBins
from distaff.settings import whole_number
from distaff.tables import Continuous, Sparse

Bins = int | str  # a number of equal bins, or ZERO_QUANTILE

ZERO_QUANTILE = "zero_quantile"
BINS = 20  # of ZERO_QUANTILE: one of zeros, the others of what is not 0
ROUNDING = 1e-14  # nats: what is left where there is no information
CELLS_AT_ONCE = 2**16  # bounds the memory of the columns that are counted together


class Information(NamedTuple):
    """What codes and factors share (d, k), and the entropies of factors (k,), in nats."""

    shared: Floats
    entropies: Floats


@checked(only_dense="")
def mutual_information_matrix(
    codes: Codes, factors: Factors, *, bins: Bins = 20, continuous: Continuous = False
) -> Floats:
    """The mutual information of every code with every factor, (d, k) in nats.

    Codes (n, d) are put in `bins` equal bins of their range, as in disentanglement_lib; so are `continuous`
    factors (n, k), while others are taken as they are. With `bins` "zero_quantile" a code's zeros are one
    bin and its other values 19 more of as many rows each, equal values together, for codes that are mostly 0:
    of 20 equal bins of their range 19 hold the tail. Continuous factors are in 20 equal bins then.
    """
    return binned_information(codes, factors, bins, continuous)[0]


def binned_information(
    codes: Codes | Sparse, factors: Factors, bins: Bins, continuous: Continuous
) -> Information:
    """The mutual information of binned codes and factors, and the entropies of the factors."""
    binned, classes = binned_pair(codes, factors, bins, continuous)
    entropies = entropy(classes)
    shared = np.minimum(mutual_information(binned, classes), entropies)  # rounding may lead beyond
    return Information(shared, entropies)


def binned_pair(
    codes: Codes | Sparse, factors: Factors, bins: Bins, continuous: Continuous
) -> tuple[Ints | SparseBins, Ints]:
    """Codes (n, d) in bins, and factors (n, k) as classes, `continuous` ones in equal bins too."""
    number = number_of_bins(bins)
    classes, real = factors.copy(), list(real_columns(continuous))
    if real:
        classes[:, real] = discretise(factors[:, real], number)
    return codes_in_bins(codes, bins), classes.astype(np.int64)


def number_of_bins(bins: Bins) -> int:
    """How many bins are meant; BadInput where it is no number of at least 2 and not "zero_quantile"."""
    if isinstance(bins, str) and bins == ZERO_QUANTILE:
        return BINS
    try:
        return whole_number("bins", bins, 2)
    except BadInput as error:
        raise BadInput(f"{error}, or '{ZERO_QUANTILE}'") from None


def codes_in_bins(codes: Codes | Sparse, bins: Bins) -> Ints | SparseBins:
    """Each code of (n, d) in so many equal bins, or in one of zeros and others of equal mass."""
    if not isinstance(codes, Sparse):
        return array_in_bins(codes, bins)
    how = sparse_codes.zeros_and_quantiles if isinstance(bins, str) else sparse_codes.discretise
    return how(codes, number_of_bins(bins))


def array_in_bins(codes: NDArray[np.floating[Any]], bins: Bins) -> Ints:
    """The same of codes that are an array."""
    return (zeros_and_quantiles if isinstance(bins, str) else discretise)(codes, number_of_bins(bins))


def zeros_and_quantiles(codes: NDArray[np.floating[Any]], bins: int) -> Ints:
    """Each column of codes (n, d) in bins 0..bins-1: zeros in the first, the rest in parts of equal mass."""
    binned = np.zeros(codes.shape, dtype=np.int64, order="F")
    for j, column in enumerate(codes.T):
        on = np.flatnonzero(column)
        binned[on, j] = 1 + equal_parts(column[on], bins - 1)
    return binned


def equal_parts(values: NDArray[np.floating[Any]], parts: int) -> Ints:
    """Values (m,) in parts 0..parts-1 of as many each, by the share of smaller ones: equal ones together."""
    return np.searchsorted(np.sort(values), values) * parts // max(len(values), 1)


def discretise(codes: NDArray[np.floating[Any]], bins: int) -> Ints:
    """Each column of codes (n, d) in `bins` equal bins from its smallest to its largest value, 0..bins-1.

    What is below an edge by less than EDGE is on it: else rounding would part equal values.
    """
    binned = np.empty(codes.shape, dtype=np.int64, order="F")  # columns are counted one by one
    for j, column in enumerate(codes.T):
        if column.min() == column.max():
            binned[:, j] = 0
            continue
        try:
            edges = np.histogram_bin_edges(column, bins)
        except ValueError:  # too narrow a range for this precision, but not for the differences
            column = column - column.min()
            edges = np.histogram_bin_edges(column, bins)
        binned[:, j] = np.digitize(column, edges[1:-1] - EDGE * (edges[-1] - edges[0]))
    return binned


def mutual_information(first: Ints | SparseBins, second: Ints) -> Floats:
    """I(first_i; second_j) of the empirical joint, nats: columns (n, d) and (n, k) give (d, k)."""
    if isinstance(first, SparseBins):
        return _of_sparse(first, second)
    found = np.empty((first.shape[1], second.shape[1]))
    heights, widths = first.max(axis=0) + 1, second.max(axis=0) + 1
    cells = max(len(first), int(heights.max(initial=1) * widths.max(initial=1)))
    at_once = max(1, CELLS_AT_ONCE // cells)
    room = np.empty((min(at_once, first.shape[1]), len(first)), dtype=np.int64)
    for low in range(0, first.shape[1], at_once):
        some = slice(low, low + at_once)
        for j, b in enumerate(second.T):
            found[some, j] = _informations(first.T[some], int(heights[some].max()), b, int(widths[j]), room)
    return np.where(found > ROUNDING, found, 0.0)


def _of_sparse(first: SparseBins, second: Ints) -> Floats:
    """The same of codes in bins that are mostly zeros: only the rest is counted."""
    d, widths = first.codes.shape[1], second.max(axis=0) + 1
    found = np.empty((d, second.shape[1]))
    at_once = max(1, CELLS_AT_ONCE // int(first.height * widths.max(initial=1)))
    for low in range(0, d, at_once):
        some = slice(low, min(d, low + at_once))
        for j, (b, width) in enumerate(zip(second.T, widths.tolist(), strict=True)):
            joint = first.counts(some, b, width) / len(b)
            found[some, j] = information_of(joint, np.bincount(b, minlength=width) / len(b))
    return np.where(found > ROUNDING, found, 0.0)


def _informations(columns: Ints, height: int, b: Ints, width: int, room: Ints) -> Floats:
    """The information of some columns (m, n) with one, all counted together; `room` is for their cells."""
    m, n = columns.shape
    cell = np.multiply(columns, width, out=room[:m])
    cell += b
    cell += np.arange(m)[:, None] * (height * width)
    joint = np.bincount(cell.ravel(), minlength=m * height * width).reshape(m, height, width) / n
    return information_of(joint, np.bincount(b, minlength=width) / n)


def information_of(joint: Floats, of_second: Floats | None = None) -> Floats:
    """The mutual information (m,) of joint distributions (m, height, width), nats.

    `of_second` (width,) is the distribution that they share, where it is known.
    """
    if of_second is None:
        of_second = joint[0].sum(axis=0)
    independent = joint.sum(axis=2, keepdims=True) * of_second
    ratio = np.ones_like(joint)
    np.divide(joint, independent, out=ratio, where=joint > 0)  # an empty cell adds 0 ln 1
    terms = joint * np.log(ratio, out=ratio)
    return np.asarray(terms.reshape(len(joint), -1).sum(axis=1))


def entropy(columns: Ints | SparseBins) -> Floats:
    """The empirical entropy of each column (n, k), nats."""
    if isinstance(columns, SparseBins):
        return sparse_codes.entropies(columns)
    return np.array([entropy_of(np.bincount(column)) for column in columns.T])


def entropy_of(counts: Ints) -> float:
    """The entropy of what was counted (m,), nats."""
    shares = counts / counts.sum()
    shares = shares[shares > 0]
    return float(-(shares * np.log(shares)).sum())


def gap(scores: Floats, axis: int = 0) -> Floats:
    """Largest minus second largest along an axis."""
    ordered = np.sort(scores, axis=axis)
    return np.asarray(np.take(ordered, -1, axis) - np.take(ordered, -2, axis))
