"""Intervals of numbers that are worked out of a whole study: how much they hang on single seeds."""

from collections.abc import Callable, Mapping
from typing import TypeVar

import numpy as np
import pandas as pd
from scipy import stats

from distaff.metrics.arrays import Floats
from distaff.studies.analysis.bootstrap import LEVEL, Estimate

LEAST_SEEDS = 3  # without one of two, no choice of settings can be tried on another seed
Key = TypeVar("Key")


def jackknife(
    table: pd.DataFrame, numbers: Callable[[pd.DataFrame], Mapping[Key, float]]
) -> dict[Key, Estimate]:
    """Numbers of a results table by key, each with its 95 % interval over seeds.

    They are worked out again without each of the seeds in turn, and the interval is the t interval of the
    pseudo-values n * whole - (n - 1) * without, about the number itself. NaN with fewer than three seeds,
    and where a number is not there without some seed. Miller 1974, doi:10.1093/biomet/61.1.1.
    """
    whole, seeds = numbers(table), sorted(table["seed"].unique())
    if len(seeds) < LEAST_SEEDS:
        return {key: Estimate(float(value), np.nan, np.nan) for key, value in whole.items()}
    without = [numbers(table[table["seed"] != seed]) for seed in seeds]
    return {
        key: around(float(value), np.array([each.get(key, np.nan) for each in without], dtype=np.float64))
        for key, value in whole.items()
    }


def around(value: float, without: Floats) -> Estimate:
    """A number and the interval that its values without each of n seeds (n,) give it."""
    n = len(without)
    error = (n * value - (n - 1) * without).std(ddof=1) / n**0.5
    half = float(stats.t.ppf((1 + LEVEL) / 2, n - 1) * error)
    return Estimate(value, value - half, value + half)
