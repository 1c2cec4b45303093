"""Bootstrap intervals: how much a number would differ had the study drawn other runs."""

from __future__ import annotations

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
    flat = draws.reshape(len(draws), -1)
    found = np.full((2, flat.shape[1]), np.nan)
    some = np.isfinite(flat).any(axis=0)
    if some.any():
        quantiles = [(1 - LEVEL) / 2, (1 + LEVEL) / 2]
        whole = np.isfinite(flat).all(axis=0)
        found[:, whole] = np.quantile(flat[:, whole], quantiles, axis=0)
        for j in np.flatnonzero(some & ~whole):
            found[:, j] = np.quantile(flat[np.isfinite(flat[:, j]), j], quantiles)
    low, high = found.reshape(2, *draws.shape[1:])
    return low, high


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
