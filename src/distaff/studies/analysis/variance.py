"""Scores by method and strength, and how much of their variance method, strength and seed explain.

Locatello et al. 2019, arXiv:1811.12359.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from distaff.errors import BadInput
from distaff.metrics.arrays import Floats, Ints
from distaff.studies.analysis.bootstrap import RESAMPLES, ends
from distaff.studies.analysis.score_table import by_run, described, disentanglement_of, each_dataset

SOURCES = ("method", "strength", "method and strength", "seed")


def scores_by_setting(
    table: pd.DataFrame, metrics: Sequence[str] | None = None, *, representation: str = "mean"
) -> pd.DataFrame:
    """Mean, spread and quartiles over seeds of every score, for each data set, method and strength.

    Columns: dataset, metric, method, strength, runs, mean, sd (NaN for one run), min, q25, median, q75,
    max; in the score's own units. `metrics` are the disentanglement scores unless named. Raises BadInput
    for a metric that the table lacks. Locatello et al. 2019, figures 3 and 4 (left).
    """
    wide = by_run(table, disentanglement_of(table, metrics, representation), representation)
    stacked: Any = wide.stack(future_stack=True)
    long: pd.DataFrame = stacked.dropna().rename("value").reset_index()
    return described(long.groupby(["dataset", "metric", "method", "strength"], sort=True)["value"])


def variance_shares(
    table: pd.DataFrame,
    metrics: Sequence[str] | None = None,
    *,
    representation: str = "mean",
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> pd.DataFrame:
    """Which share of a score's variance the method, the strength within the method, and the seed explain.

    For each data set and metric, four rows by `source`: "method" is eta squared of a one-way analysis of
    variance over methods, "method and strength" that over (method, strength), "strength" their difference
    and "seed" the rest. `share` is 0..1, and method, strength and seed add up to 1.

    Eta squared is biased up: pure noise over 36 settings of 4 seeds has a share of "method and strength"
    near 35 / 143. `unbiased` is omega squared, which takes the expected noise off each sum of squares; it
    adds up to 1 as well, and falls below 0 where a source explains less than noise would. Read it where
    seeds are few. Intervals of two seeds are rough: they held the true share in .83 to .92 of simulated
    studies. `low` and `high` bound the 95 % interval of the unbiased share, from a bootstrap of the
    runs within each setting: the settings are the study's, the seeds are chance.

    Columns: dataset, metric, source, share, low, high, unbiased, runs. A score that is constant on a data
    set has NaN shares, as has one of a single run per setting. Runs without the score are left out, so
    groups may be of unequal size. Raises BadInput for a metric that the table lacks and where no setting
    has two seeds. Locatello et al. 2019, section 5.4.
    """
    wide = by_run(table, disentanglement_of(table, metrics, representation), representation)
    rng = np.random.default_rng(seed)
    if not wide.groupby(level=["dataset", "method", "strength"]).size().gt(1).any():
        raise BadInput("no method and strength has two seeds, so nothing says what the seed explains")
    found = []
    for dataset, part in each_dataset(wide):
        for metric in part.columns:
            scores = part[metric].dropna()
            if len(scores):
                shares = _explained(scores, resamples, rng)
                found.append(shares.assign(dataset=dataset, metric=metric, runs=len(scores)))
    return pd.concat(found)[["dataset", "metric", "source", "share", "low", "high", "unbiased", "runs"]]


def _explained(scores: pd.Series, resamples: int, rng: np.random.Generator) -> pd.DataFrame:
    """Shares, intervals and unbiased shares of one score on one data set, a row per source."""
    scores = scores.sort_index()
    cell: NDArray[Any] = scores.groupby(level=["method", "strength"]).ngroup().to_numpy(dtype=np.int64)
    starts = np.flatnonzero(np.diff(cell, prepend=-1))  # of each setting's runs
    methods = scores.index.get_level_values("method")[starts]
    method_starts = np.flatnonzero(np.r_[True, methods[1:] != methods[:-1]])  # of each method's settings
    if len(starts) == len(scores):
        return pd.DataFrame(
            {"source": SOURCES, "share": np.nan, "low": np.nan, "high": np.nan, "unbiased": np.nan}
        )
    values = scores.to_numpy(dtype=np.float64)
    values = values - values.mean(dtype=np.float64)
    squares = _squares(np.asarray(values[None], dtype=np.float64), starts, method_starts)
    share = _shares(squares)[0]
    sizes = len(scores), len(starts), len(method_starts)
    unbiased = _unbiased(squares, *sizes)[0]
    redrawn = _redrawn(values, starts, cell, resamples, rng)
    drawn = _unbiased(_squares(redrawn, starts, method_starts), *sizes)
    low, high = unbiased + np.stack(ends(drawn)) - drawn.mean(axis=0)
    columns = {"share": share, "low": np.clip(low, 0, 1), "high": np.clip(high, 0, 1), "unbiased": unbiased}
    return pd.DataFrame({"source": SOURCES, **columns})


def _squares(values: Floats, starts: Ints, method_starts: Ints) -> Floats:
    """Sums of squares (resamples, 3): method, strength within method, rest; of values (resamples, runs)."""
    runs = values.shape[1]
    sizes = np.diff(starts, append=runs)
    sums = np.add.reduceat(values, starts, axis=1)  # (resamples, settings)
    method_sizes = np.add.reduceat(sizes, method_starts)
    method_sums = np.add.reduceat(sums, method_starts, axis=1)
    by_method = (method_sums**2 / method_sizes).sum(axis=1)
    by_setting = (sums**2 / sizes).sum(axis=1)
    overall = values.sum(axis=1) ** 2 / runs
    rest = (values**2).sum(axis=1) - by_setting
    return np.maximum(np.stack([by_method - overall, by_setting - by_method, rest], axis=1), 0)


def _shares(squares: Floats) -> Floats:
    """Shares (resamples, 4) in the order of SOURCES; NaN where the score does not vary."""
    total = squares.sum(axis=1)
    method, strength, rest = np.divide(
        squares.T, total, out=np.full((3, len(squares)), np.nan), where=total > 1e-24
    )
    return np.stack([method, strength, method + strength, rest], axis=1)


def _unbiased(squares: Floats, runs: int, settings: int, methods: int) -> Floats:
    """Shares (resamples, 4) less what noise would explain, in the order of SOURCES."""
    noise = squares[:, 2] / (runs - settings)  # expected per degree of freedom
    freed = squares + np.outer(noise, [1 - methods, methods - settings, settings])
    return _shares(freed)


def _redrawn(
    values: NDArray[Any], starts: Ints, cell: NDArray[Any], resamples: int, rng: np.random.Generator
) -> Floats:
    """Values (resamples, runs) with each setting's runs drawn again from its own."""
    sizes = np.diff(starts, append=len(values))
    drawn = starts[cell] + (rng.random((resamples, len(values))) * sizes[cell]).astype(np.int64)
    means = (np.add.reduceat(values, starts) / sizes)[cell]
    # n residuals vary by (n - 1) / n less than noise does
    wider = np.sqrt(sizes / np.maximum(sizes - 1, 1))[cell]
    return np.asarray(means + wider * (values[drawn] - means))
