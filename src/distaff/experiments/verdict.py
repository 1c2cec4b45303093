"""What numbers say of a bound: they hold, they fail, or it is undecided."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy import stats

from distaff.studies.analysis.bootstrap import LEVEL, RESAMPLES
from distaff.studies.analysis.rank_correlation import spearman

HOLDS, FAILS, UNDECIDED, NOT_JUDGED = "holds", "fails", "undecided", "not judged"


class Measured(NamedTuple):
    """A number, the ends of its interval (None where there is none), and how many seeds are behind it."""

    value: float
    low: float | None
    high: float | None
    seeds: int


def over_seeds(values: ArrayLike) -> Measured:
    """The mean of one value per seed and its two-sided 95 % t interval; one seed has no interval.

    NaN where any value is not finite.
    """
    each = np.atleast_1d(np.asarray(values, dtype=np.float64))
    n = len(each)
    if not n or not np.isfinite(each).all():
        return Measured(float("nan"), None, None, n)
    mean = float(each.mean().clip(each.min(), each.max()))  # rounding can leave what equal values span
    if n == 1:
        return Measured(mean, None, None, 1)
    error = float(np.ptp(each) and each.std(ddof=1) / n**0.5)
    half = float(stats.t.ppf((1 + LEVEL) / 2, n - 1)) * error
    return Measured(mean, mean - half, mean + half, n)


def least(by_seed: pd.DataFrame) -> pd.Series:
    """The column whose mean over seeds (rows) is the least of all.

    The least of each seed's own values would be less with every column that is looked at, even where all
    columns are alike.
    """
    return by_seed[by_seed.mean().idxmin()]


def exactly(values: ArrayLike) -> Measured:
    """Numbers without sampling error: their mean, and their range as the interval. No seeds are behind them.

    NaN where any value is not finite.
    """
    each = np.atleast_1d(np.asarray(values, dtype=np.float64))
    if not len(each) or not np.isfinite(each).all():
        return Measured(float("nan"), None, None, 0)
    return Measured(float(each.mean().clip(each.min(), each.max())), float(each.min()), float(each.max()), 0)


def rank_correlation(first: ArrayLike, second: ArrayLike, seeds: int) -> Measured:
    """Spearman's correlation of two columns over runs (n,), and its 95 % bootstrap interval over the runs."""
    left, right = (np.asarray(each, dtype=np.float64)[:, None] for each in (first, second))
    value, low, high, _ = spearman(left, right, RESAMPLES, np.random.default_rng(0))[:, 0, 0]
    return Measured(float(value), float(low), float(high), seeds)


def size(found: Measured) -> Measured:
    """The absolute value of a number, and what its interval becomes."""
    assert found.low is not None
    assert found.high is not None
    ends = sorted((abs(found.low), abs(found.high)))
    least = 0.0 if found.low <= 0 <= found.high else ends[0]
    return Measured(abs(found.value), least, ends[1], found.seeds)


def verdict(found: Measured, low: float | None, high: float | None) -> str:
    """Whether the whole interval lies from `low` to `high` (holds), wholly outside (fails), or neither.

    A number without an interval is not judged; what is no number is undecided.
    """
    if not np.isfinite(found.value):
        return UNDECIDED
    if found.low is None or found.high is None or found.seeds == 1:
        return NOT_JUDGED
    least, most = -np.inf if low is None else low, np.inf if high is None else high
    if least <= found.low and found.high <= most:
        return HOLDS
    return FAILS if found.high < least or found.low > most else UNDECIDED
