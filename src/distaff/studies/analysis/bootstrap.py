"""Bootstrap intervals: how much a number would differ had the study drawn other runs."""

from __future__ import annotations

import warnings
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

LEVEL = 0.95
RESAMPLES = 1000


class Estimate(NamedTuple):
    """A number and the ends of its 95 % interval."""

    value: float
    low: float
    high: float


def resampled_counts(units: int, resamples: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """How often each unit is drawn in each resample of as many units: (resamples, units)."""
    return rng.multinomial(units, np.full(units, 1 / units), size=resamples).astype(np.float64)


def ends(draws: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The middle 95 % of resampled numbers (resamples, ...), of those that exist; NaN where none does."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "All-NaN slice", RuntimeWarning)
        low, high = np.nanquantile(draws, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0)
    return low, high


def mean_of_some(
    values: NDArray[np.float64], weights: NDArray[np.float64], axes: tuple[int, ...]
) -> NDArray[np.float64]:
    """The weighted mean over axes of the values that exist; NaN where none does. The two are broadcast."""
    weights = np.where(np.isfinite(values), weights, 0.0)
    total = weights.sum(axis=axes)
    summed = (np.where(np.isfinite(values), values, 0.0) * weights).sum(axis=axes)
    return np.divide(summed, total, out=np.full(total.shape, np.nan), where=total > 0)


def weight_below(values: NDArray[np.float64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """The weight of all values below each, and half that of the equal ones: (resamples, n).

    `values` (n,) without NaN; `weights` (resamples, n). With weights that count, it is the rank less 1/2.
    """
    order = np.argsort(values, kind="stable")
    new = np.flatnonzero(np.r_[True, np.diff(values[order]) != 0])  # where a larger value begins
    tied = np.add.reduceat(weights[:, order], new, axis=1)  # (resamples, distinct values)
    found = np.empty(weights.shape)
    found[:, order] = np.repeat(np.cumsum(tied, axis=1) - tied / 2, np.diff(new, append=len(values)), axis=1)
    return found
