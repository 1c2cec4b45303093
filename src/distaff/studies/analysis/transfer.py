"""Does a choice of method and strength carry over to another seed, metric or data set?

Locatello et al. 2019, arXiv:1811.12359.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from distaff.errors import BadInput
from distaff.studies.analysis.bootstrap import (
    RESAMPLES,
    Estimate,
    ends,
    mean_of_some,
    resampled_counts,
    weight_below,
)
from distaff.studies.analysis.score_table import by_run, disentanglement_of
from distaff.studies.metric_roles import turned

MEMORY = 2**22  # numbers held at once


class Transfer(NamedTuple):
    """How often a transferred choice beats a random model, 0..1; None where there is nothing to transfer to.

    "random" means another one than the choice was made by, drawn at random; .5 is no better than chance.
    """

    random_metric_random_data: Estimate | None
    same_metric_random_data: Estimate | None
    random_metric_same_data: Estimate | None
    same_metric_same_data: Estimate | None


class Scores(NamedTuple):
    """Values (metrics, data sets, settings, seeds), higher better, NaN where there is none."""

    values: NDArray[np.float64]
    datasets: list[str]
    settings: list[tuple[str, float]]
    seeds: list[int]


def transfer(
    table: pd.DataFrame,
    metrics: Sequence[str] | None = None,
    *,
    representation: str = "mean",
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Transfer:
    """How often the settings that are best by one metric, data set and seed beat a random model elsewhere.

    A source (metric, data set, seed) is drawn; the (method, strength) that scores best there is chosen (one
    of them at random where several tie). A target (metric, data set) is drawn: the source's own ("same") or
    another one ("random"). The chosen setting's run at another seed is scored on the target and compared
    with a model drawn uniformly from all methods, strengths and seeds of the target data set. The number is
    the share of draws in which the chosen run is better, and half of those in which both are equal.

    Locatello et al. 2019, table 1, average 10,000 such draws: 54.9 % for random metric and data, 59.3 % for
    the same metric and random data, 62.6 % for a random metric and the same data, 80.7 % for both the same.
    Here no draws are made: the mean over all of them is worked out, so the number has no noise of its own.
    Where the paper leaves room, this is the reading:

    - a random metric or data set is never the source's own;
    - every source and target pair of its kind weighs the same, and within it every source seed, target seed
      (never the source's, on another data set neither, since runs there may share their initial weights)
      and random model;
    - the random model may be of any method, of any seed, and even the chosen run itself (a tie);
    - ties count one half, so that a score that cannot tell models apart gives 50 %.

    The intervals resample seeds, the same ones for all settings, metrics and data sets, for runs of a seed
    share chance and draws would make any study look large. With two to four seeds they are rough. Missing
    scores are never chosen and never compared with. `metrics` are the disentanglement scores unless named.
    Raises BadInput for a metric that the table lacks and for a table of one seed. With one data set the
    random-data shares are None, with one metric the random-metric shares.
    """
    chosen = disentanglement_of(table, metrics, representation)
    scores = on_the_grid(turned(by_run(table, chosen, representation)))
    n_metrics, n_datasets, _, n_seeds = scores.values.shape
    if n_seeds < 2:
        raise BadInput(
            f"transfer to another seed needs two of them; the table has seed {scores.seeds[0]} only"
        )
    rng = np.random.default_rng(seed)
    value = _by_kind(_beats(scores.values, np.ones((1, n_seeds))), n_metrics, n_datasets)
    drawn = _by_kind(_beats(scores.values, resampled_counts(n_seeds, resamples, rng)), n_metrics, n_datasets)
    return Transfer(
        *(
            Estimate(float(v[0]), *map(float, ends(d))) if np.isfinite(v[0]) else None
            for v, d in zip(value.T, drawn.T, strict=True)
        )
    )


def on_the_grid(wide: pd.DataFrame) -> Scores:
    """What `by_run` gave, as an array over metrics, data sets, settings and seeds."""
    index: Any = wide.index
    datasets = sorted(index.unique("dataset"))
    seeds = sorted(index.unique("seed"))
    settings = index.droplevel(["dataset", "seed"]).unique().sort_values()
    values = np.full((wide.shape[1], len(datasets), len(settings), len(seeds)), np.nan)
    places = (
        pd.Index(datasets).get_indexer(index.get_level_values("dataset")),
        settings.get_indexer(index.droplevel(["dataset", "seed"])),
        pd.Index(seeds).get_indexer(index.get_level_values("seed")),
    )
    values[:, *places] = wide.to_numpy().T
    return Scores(values, list(datasets), list(settings), list(seeds))


def best_settings(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The probability (..., settings, seeds) that a setting is chosen by its seed's scores; ties share it."""
    filled = np.where(np.isfinite(values), values, -np.inf)
    best = filled.max(axis=-2, keepdims=True)
    hit = (filled == best) & np.isfinite(values)
    return np.asarray(hit / np.maximum(hit.sum(axis=-2, keepdims=True), 1))


def standing(values: NDArray[np.float64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """The share of values (n,) below each, with half of the equal ones, by weights (resamples, n): 0..1."""
    return weight_below(values, weights) / np.maximum(weights.sum(axis=1, keepdims=True), 1e-300)


def _beats(values: NDArray[np.float64], counts: NDArray[np.float64]) -> NDArray[np.float64]:
    """For every source and target (metric, data set), how often the choice beats a random model.

    `values` (metrics, data sets, settings, seeds); `counts` (resamples, seeds) says how often each seed is
    there. (resamples, sources, targets), NaN where no run could be compared.
    """
    pairs = values.reshape(-1, *values.shape[2:])  # (metrics x data sets, settings, seeds)
    choice = best_settings(pairs)
    some = max(1, MEMORY // pairs.size)
    parts = [counts[start : start + some] for start in range(0, len(counts), some)]
    return np.concatenate([_beats_some(pairs, choice, part) for part in parts])


def _beats_some(
    pairs: NDArray[np.float64], choice: NDArray[np.float64], counts: NDArray[np.float64]
) -> NDArray[np.float64]:
    there = np.isfinite(pairs).astype(np.float64)
    wins = np.zeros((len(counts), *pairs.shape))
    every = np.broadcast_to(counts[:, None], (len(counts), *pairs.shape[1:]))
    for target, scores in enumerate(pairs):
        rows = np.isfinite(scores)
        if rows.any():
            wins[:, target, rows] = standing(scores[rows], every[:, rows])
    chosen = (choice * counts[:, None, None]).sum(axis=-1)  # (resamples, sources, settings)

    def over_other_seeds(what: NDArray[np.float64]) -> NDArray[np.float64]:
        """Sums (resamples, sources, targets) over every seed of the source with every other seed."""
        all_seeds = chosen @ (what * counts[:, None, None]).sum(axis=-1).transpose(0, 2, 1)
        flat = what.reshape(*what.shape[:2], -1)
        own_seed = (choice * counts[:, None, None] ** 2).reshape(len(counts), len(pairs), -1)
        return np.asarray(all_seeds - own_seed @ flat.transpose(0, 2, 1))

    compared = over_other_seeds(np.broadcast_to(there, wins.shape))
    won = over_other_seeds(wins)
    return np.divide(won, compared, out=np.full(won.shape, np.nan), where=compared > 1e-9)


def _by_kind(beats: NDArray[np.float64], metrics: int, datasets: int) -> NDArray[np.float64]:
    """Means (resamples, 4) over the pairs of each kind, in the order of Transfer; NaN where there is none."""
    metric, dataset = np.divmod(np.arange(metrics * datasets), datasets)
    same_metric, same_data = metric[:, None] == metric, dataset[:, None] == dataset
    kinds = [(same_data == d) & (same_metric == m) for d in (False, True) for m in (False, True)]
    return np.stack([mean_of_some(beats[:, kind], np.ones(1), (1,)) for kind in kinds], axis=1)
