"""Health of mutual information: are there rows enough, and does any code know of a factor?

Both are judged by what codes know of the same factors shuffled. A formula for the bias on few rows may exceed
the entropy that there is to know, and is silent about rare values.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from distaff.metrics.arrays import varying
from distaff.metrics.information import discretise, entropy, mutual_information

BINS = 20  # as of the metrics
SHUFFLES = 5
MOST_CODES = 50  # behind a mean over codes
UPPER = 0.75  # the quantile over codes, for those that are mostly off hardly overestimate
TOO_HIGH = 0.1  # shares of a factor's entropy
UNKNOWN = 0.05
LEAST_IN_BIN = 5  # rows
BLUR = 0.5  # where shuffled factors give more, nothing can be said of what codes know


def few_rows(codes: NDArray[np.floating], factors: NDArray[np.int64], names: list[str]) -> Iterator[str]:
    """A line for each factor of which codes know too much when it is shuffled, in the metrics' own bins."""
    live = np.flatnonzero(varying(codes))
    chosen = live[np.linspace(0, len(live) - 1, min(len(live), MOST_CODES)).astype(np.int64)]
    if not len(chosen):
        return
    binned = discretise(codes[:, chosen], BINS)
    for name, column, most in zip(names, factors.T, entropy(factors), strict=True):
        share = np.quantile(mutual_information(binned, shuffled(column)).mean(axis=1), UPPER) / most
        if share > TOO_HIGH:
            yield (
                f"factor {name} has {len(np.unique(column))} values in {len(column)} rows: mutual "
                f"information is too high, {share:.0%} of the entropy with the factor shuffled"
            )


def lost_factors(codes: NDArray[np.floating], factors: NDArray[np.int64], names: list[str]) -> list[str]:
    """The factors of which no code knows more than .05 of what is left to know beyond shuffled ones.

    A code counts by the best of equal bins, bins of equal mass, and whether it is 0: an outlying row or a
    heavy tail spoils the first, a rare value the second. A view in which shuffling leaves little to know is
    not judged.
    """
    views = [discretise(codes, BINS), equal_mass(codes, BINS), (codes != 0).astype(np.int64)]
    lost = []
    for name, column, most in zip(names, factors.T, entropy(factors), strict=True):
        tried = np.concatenate([column[:, None], shuffled(column)], axis=1)
        judged = []
        for view in views:
            best = mutual_information(view, tried).max(axis=0)
            chance = float(best[1:].mean())
            if chance <= BLUR * most:
                judged.append(best[0] - chance >= UNKNOWN * (most - chance))
        if judged and not any(judged):
            lost.append(name)
    return lost


def shuffled(column: NDArray[np.int64]) -> NDArray[np.int64]:
    """A factor (n,) in random orders (n, 5)."""
    rng = np.random.default_rng(0)
    return np.stack([rng.permutation(column) for _ in range(SHUFFLES)], axis=1)


def equal_mass(codes: NDArray[np.floating], bins: int) -> NDArray[np.int64]:
    """Each column of codes (n, d) in bins of about as many rows: equal values stay together.

    0 has a bin of its own, the last: of codes that are mostly off it would crowd the others.
    """
    binned = np.full(codes.shape, bins, dtype=np.int64, order="F")
    for j, column in enumerate(codes.T):
        on = np.flatnonzero(column)
        if len(on):
            ordered, own = np.sort(column[on]), min(bins, 1 + len(on) // LEAST_IN_BIN)
            binned[on, j] = np.searchsorted(ordered, column[on], side="left") * own // len(on)
    return binned
