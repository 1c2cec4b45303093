"""Gradient boosting on binned codes, all classes of a factor at once: what is behind the fast `dci`.

Friedman 2001, doi:10.1214/aos/1013203451, algorithms 5 and 6, with trees of depth 3 as in scikit-learn's
GradientBoostingClassifier, whose importances these are. What differs: codes are put in bins, and a quarter of
the trees learn at four times the rate, so that as much is learned and as little is made of noise. As there,
chance decides between splits that are equally good, so that copies of a code share its importance.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from distaff.metrics.arrays import Floats, Ints

Bins = NDArray[np.uint8]  # bins of codes (n, d), or leaves (n, K): both are few

BINS = 64
DEPTH = 3
STAGES, RATE = 25, 0.4  # scikit-learn's are 100 and .1
LEAST_GAIN = 1e-7  # below it a split is rounding


class Boosting:
    """A model of one factor with `predict` and `feature_importances_` (d,), as scikit-learn's have them.

    `regress`: the factor is a real number, else whole numbers that stand for classes. `seed` decides between
    equally good splits.
    """

    def __init__(self, regress: bool = False, seed: int = 0) -> None:
        self.regress, self.seed = regress, seed
        self.trees: list[tuple[list[Ints], list[Ints], Floats]] = []

    def fit(self, codes: NDArray[Any], factor: NDArray[Any]) -> Boosting:
        """Learn from codes (n, d) and a factor (n,)."""
        self.edges = [_edges(column) for column in codes.T]
        bins = self._binned(codes)
        target = self._target(factor)
        self.start = target.mean(axis=0) if self.regress else np.log(target.mean(axis=0))
        which = np.arange(codes.shape[1]) * BINS + bins  # (n, d): places in a row of all bins of all codes
        shape = (len(codes), codes.shape[1] * BINS)
        ones, rows = np.ones(which.size, dtype=np.float32), np.arange(0, which.size + 1, codes.shape[1])
        places = csr_array((ones, which.ravel(), rows), shape=shape).T.tocsr()  # (d bins, n)
        filled = np.bincount(which.ravel(), minlength=shape[1]).astype(np.float32)
        counts = np.broadcast_to(filled[:, None], (shape[1], target.shape[1]))  # of rows by bin, (d bins, K)
        raw = np.tile(self.start, (len(codes), 1)).astype(np.float32)
        gains, rng = np.zeros(codes.shape[1]), np.random.default_rng(self.seed)
        for _ in range(STAGES):
            rest = target - raw if self.regress else target - _softmax(raw)
            features, cuts, leaves, gained = _tree(places, counts, bins, rest, rng)
            place = _places(leaves)
            values = self._values(place, rest)
            self.trees.append((features, cuts, values))
            raw += (np.float32(RATE) * values).take(place)
            gains += gained
        self.feature_importances_ = gains
        return self

    def predict(self, codes: NDArray[Any]) -> NDArray[Any]:
        """The likeliest value, or the real number, for codes (n, d)."""
        bins = self._binned(codes)
        raw = np.tile(self.start, (len(codes), 1))
        for features, cuts, values in self.trees:
            leaves = np.zeros(raw.shape, dtype=np.uint8)
            for feature, cut in zip(features, cuts, strict=True):
                leaves = _descended(leaves, bins, feature, cut)
            raw += (RATE * values).take(_places(leaves))
        return np.asarray(raw[:, 0] if self.regress else self.classes[raw.argmax(axis=1)])

    def _binned(self, codes: NDArray[Any]) -> Bins:
        columns = [np.searchsorted(e, c, side="left") for e, c in zip(self.edges, codes.T, strict=True)]
        return np.stack(columns, axis=1).astype(np.uint8)

    def _target(self, factor: NDArray[Any]) -> NDArray[np.float32]:
        """What is predicted (n, K): the number itself, or which class it is."""
        if self.regress:
            return factor[:, None].astype(np.float32)
        self.classes = np.unique(factor)
        return np.asarray(factor[:, None] == self.classes, dtype=np.float32)

    def _values(self, place: Ints, rest: NDArray[np.float32]) -> Floats:
        """A leaf's step (leaves, K): the mean of what is left, or Newton's step for classes."""
        classes, place = rest.shape[1], place.ravel()
        size = 2**DEPTH * classes
        total = np.bincount(place, rest.ravel(), size)
        if self.regress:
            below = np.bincount(place, minlength=size).astype(np.float64)
        else:
            off = np.abs(rest)
            below = np.bincount(place, (off * (1 - off)).ravel(), size) * classes / (classes - 1)
        steps = np.divide(total, below, out=np.zeros(size), where=below > 1e-9)
        return np.asarray(steps.reshape(2**DEPTH, classes))


def _edges(code: NDArray[Any]) -> Floats:
    """Where the bins of a code end: half of them of equal mass, half of equal width, which find its gaps."""
    inner = np.linspace(0, 1, BINS // 2 + 1)[1:-1]
    low, high = code.min(), code.max()
    return np.unique(np.concatenate([np.quantile(code, inner), low + (high - low) * inner]))


def _places(leaves: Bins) -> Ints:
    """Where the leaf of each row and column (n, K) lies in a table (leaves, K)."""
    classes = leaves.shape[1]
    return leaves * np.int64(classes) + np.arange(classes)


def _softmax(raw: NDArray[np.float32]) -> NDArray[np.float32]:
    powers = np.exp(raw - raw.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def _tree(
    places: csr_array,
    counts: NDArray[np.float32],
    bins: Bins,
    rest: NDArray[np.float32],
    rng: np.random.Generator,
) -> tuple[list[Ints], list[Ints], Bins, Floats]:
    """A tree for every column of what is left (n, K).

    For each level the codes and the bins to split after, (nodes, K); the leaf of each row (n, K); and by how
    much the squared error fell thanks to each code, (d,).
    """
    leaves = np.zeros(rest.shape, dtype=np.uint8)
    sums, there = [places @ rest], [counts]
    features, cuts, gained = [], [], np.zeros(bins.shape[1])
    for level in range(DEPTH):
        orders = [rng.permutation(bins.shape[1]) for _ in sums]
        found = [_best_split(*each) for each in zip(sums, there, orders, strict=True)]
        feature, cut, gain = (np.stack(part) for part in zip(*found, strict=True))
        np.add.at(gained, feature.ravel(), gain.ravel())
        features.append(feature)
        cuts.append(cut)
        leaves = _descended(leaves, bins, feature, cut)
        if level < DEPTH - 1:
            sums, there = _children(places, rest, leaves, sums, there)
    return features, cuts, leaves, gained


def _children(
    places: csr_array, rest: NDArray[np.float32], leaves: Bins, sums: list[Any], counts: list[Any]
) -> tuple[list[Any], list[Any]]:
    """The sums and counts by bin, (d bins, K), of the next level's nodes: what one has the other has not."""
    below_sums, below_counts = [], []
    for node, (total, count) in enumerate(zip(sums, counts, strict=True)):
        inside = (leaves == 2 * node).astype(np.float32)
        left, there = places @ (rest * inside), places @ inside
        below_sums += [left, total - left]
        below_counts += [there, count - there]
    return below_sums, below_counts


def _best_split(sums: NDArray[Any], counts: NDArray[Any], order: Ints) -> tuple[Ints, Ints, Floats]:
    """The best code and bin to split after for each column, (K,), and the fall of the squared error.

    Of equals the code that comes first in `order`. Without a split that helps: after the last bin, so that
    all rows go left.
    """
    codes, classes = len(order), sums.shape[1]
    left = sums.reshape(codes, BINS, classes).cumsum(axis=1, dtype=np.float64)
    there = counts.reshape(codes, BINS, classes).cumsum(axis=1, dtype=np.float64)
    total, all_of_them = left[:1, -1:], there[:1, -1:]
    right, elsewhere = total - left, all_of_them - there
    with np.errstate(divide="ignore", invalid="ignore"):
        gain = left**2 / there + right**2 / elsewhere - total**2 / all_of_them
    gain[~((there > 0.5) & (elsewhere > 0.5))] = 0.0
    flat = gain[order].reshape(codes * BINS, classes)
    best = flat.argmax(axis=0)
    fall = flat[best, np.arange(classes)]
    helps = fall > LEAST_GAIN
    return order[best // BINS], np.where(helps, best % BINS, BINS - 1), np.where(helps, fall, 0.0)


def _descended(leaves: Bins, bins: Bins, feature: Ints, cut: Ints) -> Bins:
    """The nodes of the next level (n, K) of rows whose nodes, codes and cuts of this level are given."""
    right = np.zeros(leaves.shape, dtype=bool)
    for node, (codes, last) in enumerate(zip(feature, cut.astype(np.uint8), strict=True)):
        right |= (leaves == node) & (bins.take(codes, axis=1) > last)
    return 2 * leaves + right
