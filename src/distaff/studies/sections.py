"""The sections of a study's page: every analysis as panels, a figure and its numbers each."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import pandas as pd
from matplotlib.figure import Figure

from distaff.pages import table_figures
from distaff.pages.figures import heat_map
from distaff.studies.analysis.downstream import (
    accuracy_by_labels,
    efficiency_and_scores,
    scores_and_downstream,
)
from distaff.studies.analysis.rank_correlation import across_datasets, between_metrics, with_unsupervised
from distaff.studies.analysis.sampled_and_mean import DEPENDENCE, mean_and_sampled, trend_with_strength
from distaff.studies.analysis.score_table import by_run, disentanglement_of, metrics_of
from distaff.studies.analysis.selection import selection
from distaff.studies.analysis.transfer import transfer
from distaff.studies.analysis.variance import scores_by_setting, variance_shares


class Panel(NamedTuple):
    """A figure, what it is of, and its numbers."""

    name: str
    figure: Figure
    numbers: pd.DataFrame


Panels = Iterator[Panel]
Build = Callable[[pd.DataFrame, str], Panels]  # of a table and the representation that is studied


def _by_method(table: pd.DataFrame, which: str) -> Panels:
    chosen = disentanglement_of(table, None, which)
    numbers = scores_by_setting(table, chosen, representation=which)
    wide = by_run(table, chosen, which)
    for dataset, part in numbers.groupby("dataset"):
        rows = pd.DataFrame(wide[wide.index.get_level_values("dataset") == dataset])
        yield Panel(str(dataset), table_figures.boxes(rows.dropna(axis=1, how="all")), part)


def _by_strength(table: pd.DataFrame, which: str) -> Panels:
    for dataset, part in scores_by_setting(table, representation=which).groupby("dataset"):
        label = "strength, weakest to strongest"
        columns = part[["dataset", "metric", "method", "strength", "runs", "mean"]]
        yield Panel(str(dataset), table_figures.bands(part, "metric", "strength", "method", label), columns)


def _variance(table: pd.DataFrame, which: str) -> Panels:
    shares = variance_shares(table, representation=which)
    yield Panel("all data sets", table_figures.shares(shares), shares)


def _each(found: pd.DataFrame, column: str, draw: Callable[[pd.DataFrame], Figure]) -> Panels:
    """A panel for each value of a column."""
    for name, part in found.groupby(column, sort=False):
        yield Panel(str(name), draw(part), part)


def _heat_map(part: pd.DataFrame) -> Figure:
    first, second = list(part["first"].unique()), list(part["second"].unique())
    matrix = part.pivot(index="first", columns="second", values="correlation").loc[first, second]
    return heat_map(matrix.to_numpy(dtype=float), first, second, span=(-1, 1), diverging=True)


def _transfer(table: pd.DataFrame, which: str) -> Panels:
    found = transfer(table, representation=which)
    rows = [
        (name.replace("_", " "), *(share or (float("nan"),) * 3)) for name, share in found._asdict().items()
    ]
    numbers = pd.DataFrame(rows, columns=["choice", "share of wins", "low", "high"])
    words = numbers.apply(lambda row: "{:.3f}\n{:.3f} – {:.3f}".format(*row.iloc[1:]), axis=1)
    figure = heat_map(
        numbers["share of wins"].to_numpy().reshape(2, 2),
        ["random data", "same data"],
        ["random metric", "same metric"],
        span=(0, 1),
        diverging=True,
        words=words.to_numpy().reshape(2, 2).tolist(),
    )
    yield Panel("all metrics and data sets", figure, numbers)


def _sampled(table: pd.DataFrame, which: str) -> Panels:
    there = [m for m in DEPENDENCE if m in metrics_of(table, which)] or [DEPENDENCE[0]]
    for metric in there:
        trends = trend_with_strength(table, metric)
        for dataset, part in mean_and_sampled(table, metric).groupby("dataset"):
            figure = table_figures.bands(
                part, "method", "strength", "representation", "strength, weakest to strongest"
            )
            numbers = trends[trends["dataset"] == dataset]
            yield Panel(f"{metric} on {dataset}; correlation with strength", figure, numbers)


def _by_labels(part: pd.DataFrame) -> Figure:
    return table_figures.bands(part, "learner", "labels", "method", "labels")


def _efficiency(table: pd.DataFrame, which: str) -> Panels:
    points = efficiency_and_scores(table, representation=which)
    scores = list(points.columns)[list(points.columns).index("efficiency") + 1 :]
    for (dataset, learner, labels), part in points.groupby(["dataset", "learner", "labels"]):
        numbers = part.groupby(["method", "strength"], as_index=False)[["efficiency", *scores]].mean()
        name = f"{dataset}, {learner}: accuracy at 100 labels over that at {labels}"
        yield Panel(name, table_figures.scatter(part, scores, "efficiency"), numbers)


SECTIONS: tuple[tuple[str, str, Build], ...] = (
    (
        "Scores by method",
        "Each box holds all runs of a method. Where boxes overlap, the method alone decides little.",
        _by_method,
    ),
    (
        "Scores by strength",
        "Lines are means over seeds, bands the middle half of them. A setting that is best everywhere would "
        "stand above the rest in every panel.",
        _by_strength,
    ),
    (
        "What explains the scores",
        "The variance of each score, split into what the method, its strength and the seed explain. "
        "Where seeds are few, read the unbiased column, for plain shares flatter method and strength.",
        _variance,
    ),
    (
        "Do metrics agree?",
        "Rank correlations of metrics over the runs of a data set. 1 says that two order the runs alike, 0 "
        "that they have nothing in common.",
        lambda table, which: _each(between_metrics(table, representation=which), "dataset", _heat_map),
    ),
    (
        "Do data sets agree?",
        "Rank correlations of one metric on two data sets, over runs of the same method, strength and seed. "
        "High numbers say that what works on one works on the other.",
        lambda table, which: _each(across_datasets(table, representation=which), "metric", _heat_map),
    ),
    (
        "Can one choose without labels?",
        "Rank correlations of scores that need no labels with those that do, all turned so that higher is "
        "better. Numbers near 0 say that choosing by the former is guessing.",
        lambda table, which: _each(with_unsupervised(table, representation=which), "dataset", _heat_map),
    ),
    (
        "Does a choice of settings transfer?",
        "How often the settings that are best by one metric, data set and seed beat a random model at "
        "another seed. One half is chance.",
        _transfer,
    ),
    (
        "Sampled and mean codes",
        "How dependent the latents are, in sampled codes and in their means. The losses ask for independent "
        "samples, and the means need not follow. A Gaussian total correlation sees correlation alone; where "
        "there is a line for all dependence, it is the total correlation of 2,000 codes, in nats as well.",
        _sampled,
    ),
    (
        "Downstream accuracy",
        "How well simple learners predict the factors from the codes, by number of labels. Lines are means "
        "over strengths and seeds, bands the middle half of them.",
        lambda table, which: _each(accuracy_by_labels(table, representation=which), "dataset", _by_labels),
    ),
    (
        "Disentanglement and downstream accuracy",
        "Rank correlations of disentanglement with accuracies and efficiencies. Positive numbers say that "
        "disentangled codes are easier to learn from.",
        lambda table, which: _each(scores_and_downstream(table, representation=which), "dataset", _heat_map),
    ),
    (
        "Statistical efficiency",
        "The accuracy at 100 labels over that at the most labels there are, a point per run. The table holds "
        "means over seeds.",
        _efficiency,
    ),
    (
        "Choosing a model",
        "The score of the model that each rule chooses, from a random one (0) to the best there is (1). "
        "Lines are 95 % intervals over seeds.",
        lambda table, which: _each(
            selection(table, representation=which), "dataset", table_figures.selection
        ),
    ),
)
