"""How good is the model that one would choose without labels, and how good could it be?

Locatello et al. 2019, arXiv:1811.12359; selection by agreement: Duan et al. 2020,
arXiv:1905.12614.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from distaff.studies.analysis.bootstrap import RESAMPLES, ends, mean_of_some, resampled_counts
from distaff.studies.analysis.score_table import by_run, disentanglement_of, metrics_of
from distaff.studies.analysis.transfer import on_the_grid, standing
from distaff.studies.metric_roles import higher_is_better, turned

#: rules that take the best run by a score that needs no labels
UNSUPERVISED = ("udr", "elbo", "reconstruction")


def selection(
    table: pd.DataFrame,
    metrics: Sequence[str] | None = None,
    *,
    representation: str = "mean",
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> pd.DataFrame:
    """The score of the model that each rule chooses, on every data set and metric.

    The rules:

    - "oracle" takes the best run by the metric itself;
    - "transfer" takes the method and strength that stands highest on the other data sets by the same metric
      (the mean over those data sets and their seeds of the share of runs that it beats) and a random seed
      of it here;
    - "udr", "elbo" and "reconstruction" take the run that is best by that score;
    - "random" takes any run.

    Where several runs or settings tie, the mean over them counts. Columns: dataset, metric, rule, value (in
    the score's own units), low, high, fraction (of the way from random, 0, to the oracle, 1; below 0 is
    worse than random; NaN where all runs score alike), fraction_low, fraction_high, runs. The intervals are
    95 %, from a bootstrap of the seeds, the same ones for all settings and data sets: what other seeds
    would have given to choose from. The oracle's cannot exceed its value. NaN with a single seed.

    A rule whose score the table lacks has no rows, nor has "transfer" with one data set. `metrics` are the
    disentanglement scores unless named. Raises BadInput for a metric that the table lacks.
    Locatello et al. 2019, section 5.5; Duan et al. 2020 for udr.
    """
    chosen, there = disentanglement_of(table, metrics, representation), metrics_of(table, representation)
    selectors = [rule for rule in UNSUPERVISED if rule in there]
    grid = on_the_grid(turned(by_run(table, list(dict.fromkeys([*chosen, *selectors])), representation)))
    scores = grid.values[: len(chosen)]
    by = {rule: grid.values[[*chosen, *selectors].index(rule)] for rule in selectors}
    seeds = len(grid.seeds)
    counts = np.concatenate(
        [np.ones((1, seeds)), resampled_counts(seeds, resamples, np.random.default_rng(seed))]
    )
    found = []
    for metric, values in zip(chosen, scores, strict=True):
        sign = 1.0 if higher_is_better(metric) else -1.0
        for d, dataset in enumerate(grid.datasets):
            if np.isfinite(values[d]).any():
                rules = _rules(values, {rule: by[rule][d] for rule in selectors}, d, counts)
                found.append(_rows(rules, sign, seeds > 1).assign(dataset=dataset, metric=metric))
                found[-1]["runs"] = int(np.isfinite(values[d]).sum())
    order = ["dataset", "metric", "rule", "value", "low", "high"]
    long = pd.concat(found)[[*order, "fraction", "fraction_low", "fraction_high", "runs"]]
    return long.sort_values("dataset", kind="stable", ignore_index=True)


def _rules(
    values: NDArray[np.float64], by: dict[str, NDArray[np.float64]], d: int, counts: NDArray[np.float64]
) -> dict[str, NDArray[np.float64]]:
    """What each rule's model scores on data set `d`, in each resample: (resamples,), higher better.

    `values` (data sets, settings, seeds) of one metric; `by` holds unsupervised scores (settings, seeds) of
    data set `d`; `counts` (resamples, seeds).
    """
    here = values[d]
    rules = {"oracle": _best_by(here, here, counts)}
    if len(values) > 1:
        rules["transfer"] = _transferred(values, d, counts)
    rules |= {rule: _best_by(score, here, counts) for rule, score in by.items()}
    rules["random"] = mean_of_some(here, counts[:, None], (1, 2))
    return rules


def _best_by(
    score: NDArray[np.float64], values: NDArray[np.float64], counts: NDArray[np.float64]
) -> NDArray[np.float64]:
    """The value of the run whose score is highest among those drawn: (resamples,)."""
    usable = np.isfinite(score) & np.isfinite(values) & (counts > 0)[:, None]  # (resamples, settings, seeds)
    scored = np.where(usable, score, -np.inf)
    hit = usable & (scored == scored.max(axis=(1, 2), keepdims=True))
    return mean_of_some(np.where(hit, values, np.nan), counts[:, None], (1, 2))


def _transferred(values: NDArray[np.float64], d: int, counts: NDArray[np.float64]) -> NDArray[np.float64]:
    """The mean value on data set `d` of the setting that stands highest on the others: (resamples,)."""
    ranks = np.full(values.shape, np.nan)
    for other in range(len(values)):
        rows = np.isfinite(values[other])
        if rows.any():
            ranks[other, rows] = standing(values[other, rows], np.ones((1, int(rows.sum()))))[0]
    others = [o for o in range(len(values)) if o != d and np.isfinite(values[o]).any()]
    stands = mean_of_some(ranks, counts[:, None, None], (3,))  # (resamples, sets, settings)
    overall = stands[:, others].mean(axis=1) if others else stands[:, d] * np.nan
    here = mean_of_some(values[d], counts[:, None], (2,))
    overall = np.where(np.isfinite(overall) & np.isfinite(here), overall, -np.inf)
    hit = (overall == overall.max(axis=1, keepdims=True)) & np.isfinite(overall)
    return mean_of_some(np.where(hit, here, np.nan), np.ones((1, 1)), (1,))


def _rows(rules: dict[str, NDArray[np.float64]], sign: float, many: bool) -> pd.DataFrame:
    """A row per rule from its values (1 + resamples,), the first of which is the estimate."""
    values = np.stack(list(rules.values()), axis=1)  # (1 + resamples, rules)
    way = rules["oracle"] - rules["random"]
    step = values - rules["random"][:, None]
    fraction = np.divide(step, way[:, None], out=np.full_like(step, np.nan), where=way[:, None] > 1e-12)
    nothing = np.full(len(rules), np.nan)
    low, high = ends(sign * values[1:]) if many else (nothing, nothing)
    fraction_low, fraction_high = ends(fraction[1:]) if many else (nothing, nothing)
    columns = {"rule": list(rules), "value": sign * values[0], "low": low, "high": high}
    columns |= {"fraction": fraction[0], "fraction_low": fraction_low, "fraction_high": fraction_high}
    return pd.DataFrame(columns)
