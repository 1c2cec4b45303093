"""Which scores order runs alike: Spearman correlations between metrics, data sets and kinds of score.

Locatello et al. 2019, arXiv:1811.12359.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from distaff.errors import BadInput
from distaff.metrics.arrays import Bools, Floats, Ints
from distaff.studies.analysis.bootstrap import RESAMPLES, ends, resampled_counts, weight_below
from distaff.studies.analysis.score_table import (
    by_run,
    disentanglement_of,
    each_dataset,
    metrics_of,
    named,
    some,
)
from distaff.studies.metric_roles import turned, unsupervised

MEMORY = 2**24  # numbers held at once
LEAST_RUNS = 3  # two always correlate fully
LEAST_FOR_INTERVAL = 6  # below it half the intervals of three are a point, and hold nothing


def between_metrics(
    table: pd.DataFrame,
    metrics: Sequence[str] | None = None,
    *,
    representation: str = "mean",
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> pd.DataFrame:
    """Spearman correlation of every two metrics over the runs of each data set.

    Scores are turned so that higher is better, so 1 means that two metrics order the runs alike and -1 that
    they order them oppositely. Columns: dataset, first, second, correlation (-1..1), low, high (95 %
    bootstrap interval over runs, ranked anew in each resample), runs (that have both scores). Every ordered
    pair has a row. NaN where a score is constant or fewer than three runs have both; no interval below six.
    Runs are drawn one by one: where a seed moves both scores of all its runs alike, intervals are too narrow
    (simulated: they held the truth in .90 to .93 of cases for a quarter of the variance). `metrics` are the
    disentanglement scores unless named. Raises BadInput for a metric that the table lacks. Locatello et al.
    2019, figure 2.
    """
    chosen = disentanglement_of(table, metrics, representation)
    wide = turned(by_run(table, chosen, representation))
    return correlate_columns(wide, chosen, chosen, resamples=resamples, seed=seed)


def with_unsupervised(
    table: pd.DataFrame, *, representation: str = "mean", resamples: int = RESAMPLES, seed: int = 0
) -> pd.DataFrame:
    """Spearman correlation of unsupervised scores (`first`) with disentanglement scores (`second`).

    Reconstruction, kl, elbo, total correlation and the like are turned so that higher is better: a positive
    number means that choosing by the unsupervised score helps. Columns and errors as of `between_metrics`.
    Locatello et al. 2019, figure 4 (middle).
    """
    there = metrics_of(table, representation)
    first = some(unsupervised(there), "unsupervised", there)
    second = disentanglement_of(table, None, representation)
    wide = turned(by_run(table, [*first, *second], representation))
    return correlate_columns(wide, first, second, resamples=resamples, seed=seed)


def across_datasets(
    table: pd.DataFrame,
    metrics: Sequence[str] | None = None,
    *,
    representation: str = "mean",
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> pd.DataFrame:
    """Spearman correlation of one metric on two data sets, runs matched by method, strength and seed.

    Columns: metric, first, second (data sets), correlation (-1..1), low, high (95 % bootstrap interval over
    matched runs), runs. Raises BadInput where the table has one data set only, and for a metric that it
    lacks. Locatello et al. 2019, figure 4 (right).
    """
    chosen = disentanglement_of(table, metrics, representation)
    wide = by_run(table, chosen, representation)
    datasets = sorted(wide.index.unique("dataset"))
    if len(datasets) < 2:
        raise BadInput(f"comparing data sets needs two of them; the table has: {named(datasets)}")
    rng = np.random.default_rng(seed)
    found = []
    for metric in chosen:
        matched = wide[metric].unstack("dataset").reindex(columns=datasets)
        values = matched.to_numpy()
        found.append(_long(values, values, datasets, datasets, resamples, rng).assign(metric=metric))
    return pd.concat(found)[["metric", "first", "second", "correlation", "low", "high", "runs"]]


def correlate_columns(
    wide: pd.DataFrame,
    first: Sequence[str],
    second: Sequence[str],
    *,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> pd.DataFrame:
    """Spearman correlation of columns of a row-per-run table, as they are, on each data set of its index.

    Columns: dataset, first, second, correlation, low, high, runs.
    """
    rng = np.random.default_rng(seed)
    found = [
        _long(
            part[list(first)].to_numpy(), part[list(second)].to_numpy(), first, second, resamples, rng
        ).assign(dataset=dataset)
        for dataset, part in each_dataset(wide)
    ]
    return pd.concat(found)[["dataset", "first", "second", "correlation", "low", "high", "runs"]]


def spearman(left: Floats, right: Floats, resamples: int, rng: np.random.Generator) -> Floats:
    """Spearman correlations of columns of left (n, p) with columns of right (n, q), and their intervals.

    (4, p, q): the correlation, the ends of its 95 % bootstrap interval over rows, and the number of rows,
    which are those where both columns are numbers. Ties share their mean rank. NaN for constant columns and
    for fewer than three rows; of fewer than six there is no interval, for most of their resamples agree.
    """
    found = np.full((4, left.shape[1], right.shape[1]), np.nan)
    for columns, there in _patterns(left):
        for others, there_too in _patterns(right):
            rows = there & there_too
            n = int(rows.sum())
            block = np.full((4, len(columns), len(others)), np.nan)
            block[3] = n
            if n >= LEAST_RUNS:
                a, b = left[np.ix_(rows, columns)], right[np.ix_(rows, others)]
                block[0] = _correlations(a, b, np.ones((1, n)))[0]
                if n >= LEAST_FOR_INTERVAL:
                    block[1], block[2] = ends(_correlations(a, b, resampled_counts(n, resamples, rng)))
            found[np.ix_(np.arange(4), columns, others)] = block
    return found


def _long(
    left: Floats,
    right: Floats,
    first: Sequence[str],
    second: Sequence[str],
    resamples: int,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """A row per pair of columns."""
    correlation, low, high, runs = spearman(left, right, resamples, rng).reshape(4, -1)
    pairs = pd.MultiIndex.from_product([list(first), list(second)], names=["first", "second"])
    columns = {"correlation": correlation, "low": low, "high": high, "runs": runs.astype(int)}
    return pd.DataFrame(columns, index=pairs).reset_index()


def _patterns(values: Floats) -> list[tuple[Ints, Bools]]:
    """Columns that lack values in the same rows, with those rows' mask."""
    masks, which = np.unique(np.isfinite(values).T, axis=0, return_inverse=True)
    return [(np.flatnonzero(which.ravel() == i), mask) for i, mask in enumerate(masks)]


def _correlations(left: Floats, right: Floats, counts: Floats) -> Floats:
    """Spearman correlations (resamples, p, q) where row i is there counts[:, i] times."""
    n, width = left.shape[0], left.shape[1] + right.shape[1]
    some = max(1, MEMORY // (n * width))
    parts = [counts[start : start + some] for start in range(0, len(counts), some)]
    return np.concatenate([_pearson(_ranks(left, part), _ranks(right, part), part) for part in parts])


def _ranks(values: Floats, counts: Floats) -> Floats:
    """Ranks (resamples, columns, n) less their mean, ties sharing theirs; row i counts counts[:, i] times."""
    return np.stack([weight_below(column, counts) for column in values.T], axis=1) - len(values) / 2


def _pearson(left: NDArray[Any], right: NDArray[Any], counts: Floats) -> Floats:
    """Correlations (resamples, p, q) of centred, weighted columns (resamples, p or q, n)."""
    both = np.matmul(left * counts[:, None], right.transpose(0, 2, 1))
    own = np.einsum("rpn,rpn,rn->rp", left, left, counts)
    other = np.einsum("rqn,rqn,rn->rq", right, right, counts)
    scale = np.sqrt(own[:, :, None] * other[:, None, :])
    return np.clip(np.divide(both, scale, out=np.full_like(both, np.nan), where=scale > 0), -1, 1)
