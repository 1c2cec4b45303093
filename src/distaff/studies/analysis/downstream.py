"""Are disentangled codes easier to learn from? Accuracy by number of labels, and statistical efficiency.

Locatello et al. 2019, arXiv:1811.12359.
"""

import re
from collections.abc import Iterable
from typing import Any, NamedTuple

import pandas as pd

from distaff.errors import BadInput
from distaff.studies.analysis.bootstrap import RESAMPLES
from distaff.studies.analysis.rank_correlation import correlate_columns
from distaff.studies.analysis.score_table import by_run, described, disentanglement_of, metrics_of, named
from distaff.studies.metric_roles import turned

FEW = 100  # labels


class Accuracy(NamedTuple):
    """What a score such as "downstream.lr100" is the accuracy of."""

    learner: str
    labels: int


def accuracy_by_labels(table: pd.DataFrame, *, representation: str = "mean") -> pd.DataFrame:
    """Downstream accuracy by number of labels, for each data set, method and learner.

    Columns: dataset, learner ("lr" logistic regression, "gbt" gradient boosting), method, labels, runs,
    mean, sd, q25, median, q75 (of all strengths and seeds; 0..1, higher is better). Raises BadInput without
    any downstream accuracy. Locatello et al. 2019, section 5.6.
    """
    accuracies = _accuracies(metrics_of(table, representation))
    wide = by_run(table, list(accuracies), representation)
    wide.columns = pd.MultiIndex.from_tuples(list(accuracies.values()), names=Accuracy._fields)
    long = wide.stack(["learner", "labels"], future_stack=True).dropna()
    groups = long.groupby(level=["dataset", "learner", "method", "labels"], sort=True)
    return described(groups).drop(columns=["min", "max"])


def most_labels(table: pd.DataFrame, *, representation: str = "mean") -> dict[str, int]:
    """The most labels that each learner's accuracy is known for: what efficiency divides by.

    Logistic regression comes first, then boosting.
    Raises BadInput unless some learner has accuracies at 100 labels and at more.
    """
    there = metrics_of(table, representation)
    sizes = pd.DataFrame(_accuracies(there).values(), columns=Accuracy._fields)
    both = sizes.groupby("learner", sort=False)["labels"].agg(lambda n: n.max() if FEW in set(n) else 0)
    found = {str(learner): int(n) for learner, n in both.items() if n > FEW}
    if not found:
        scores = named(metric for metric in there if metric.startswith("downstream."))
        raise BadInput(f"efficiency needs accuracies at {FEW} labels and at more; the table has: {scores}")
    return found


def efficiency(table: pd.DataFrame, *, representation: str = "mean") -> pd.DataFrame:
    """Statistical efficiency of every run: the accuracy at 100 labels over that at the most labels.

    1 says that more labels than 100 add nothing; higher is better. Columns: dataset, method, strength,
    seed, learner, labels (the most that the table has: 10,000 in the paper), efficiency. Runs without
    either accuracy are left out. Raises BadInput as `most_labels`. Locatello et al. 2019, section 5.6.
    """
    most = most_labels(table, representation=representation)
    ratios = _efficiencies(table, most, representation).rename_axis(columns="learner")
    stacked: Any = ratios.stack(future_stack=True)
    long: pd.DataFrame = stacked.dropna().rename("efficiency").reset_index()
    long.insert(5, "labels", long["learner"].map(most))
    return long


def efficiency_and_scores(table: pd.DataFrame, *, representation: str = "mean") -> pd.DataFrame:
    """Every run's efficiency beside its disentanglement scores: the points of a scatter plot.

    The columns of `efficiency`, then one per disentanglement score in its own units.
    Locatello et al. 2019, figure 6.
    """
    scores = by_run(table, disentanglement_of(table, None, representation), representation).reset_index()
    return efficiency(table, representation=representation).merge(scores, how="left")


def scores_and_downstream(
    table: pd.DataFrame, *, representation: str = "mean", resamples: int = RESAMPLES, seed: int = 0
) -> pd.DataFrame:
    """Spearman correlation of disentanglement scores with downstream accuracy and efficiency.

    `first` is a disentanglement score, turned so that higher is better; `second` is "lr100", "gbt10000" and
    so on for accuracies, and "efficiency.lr" or "efficiency.gbt" (100 labels over `most_labels`) where the
    table has them. Columns: dataset, first, second, correlation (-1..1), low, high (95 % bootstrap interval
    over runs), runs. Raises BadInput without disentanglement scores or accuracies. Locatello et al. 2019,
    figure 5.
    """
    accuracies = _accuracies(metrics_of(table, representation))
    first = disentanglement_of(table, None, representation)
    wide = by_run(table, [*first, *accuracies], representation)
    try:
        most = most_labels(table, representation=representation)
    except BadInput:
        most = {}
    ratios = _efficiencies(table, most, representation).add_prefix("efficiency.") if most else wide[[]]
    second = [*(f"{a.learner}{a.labels}" for a in accuracies.values()), *ratios.columns]
    named_well = wide[list(accuracies)].set_axis(second[: len(accuracies)], axis=1)
    joined = turned(wide[first]).join(named_well).join(ratios)
    return correlate_columns(joined, first, second, resamples=resamples, seed=seed)


def _accuracies(metrics: Iterable[str]) -> dict[str, Accuracy]:
    """Scores that are accuracies, in the order of learner and labels."""
    metrics = list(metrics)
    matches = {metric: re.fullmatch(r"downstream\.([a-z]+)(\d+)", metric) for metric in metrics}
    found = {metric: Accuracy(m[1], int(m[2])) for metric, m in matches.items() if m}
    if not found:
        raise BadInput(f"the table has no downstream accuracy; it has: {named(metrics)}")
    learners = {"lr": 0, "gbt": 1}
    return dict(sorted(found.items(), key=lambda item: (learners.get(item[1].learner, 2), *item[1])))


def _efficiencies(table: pd.DataFrame, most: dict[str, int], representation: str) -> pd.DataFrame:
    """A row per run and a column per learner."""
    few = [f"downstream.{learner}{FEW}" for learner in most]
    many = [f"downstream.{learner}{n}" for learner, n in most.items()]
    wide = by_run(table, [*few, *many], representation)
    best = wide[many].set_axis(list(most), axis=1)
    return wide[few].set_axis(list(most), axis=1) / best.where(best > 0)
