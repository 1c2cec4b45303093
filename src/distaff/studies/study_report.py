"""The report of a study: one self-contained HTML file, and its figures as PNG files."""

import os
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from distaff.errors import BadInput
from distaff.pages import saving
from distaff.pages.page import Section, page
from distaff.pages.parts import drawing, folded, frame_table, number, tagged
from distaff.studies.analysis.dead import dead_by_setting, dead_runs, without_dead
from distaff.studies.analysis.published import beside
from distaff.studies.analysis.score_table import check_table, named
from distaff.studies.metric_roles import MODEL, is_known
from distaff.studies.sections import SECTIONS, Build, Panel


class Analysis(NamedTuple):
    """A section's panels, of all runs and of those that are not dead, or the problem why it has none."""

    heading: str
    words: str
    panels: list[Panel]
    problem: str


def analyses(table: pd.DataFrame) -> list[Analysis]:
    """Every analysis of a results table, worked out once for the page and for the files.

    Where runs are dead, a panel that they are in is there twice, with and without them. Raises BadInput for
    what is no results table at all.
    """
    check_table(table)
    alive = without_dead(table)
    return [_worked_out(table, alive, heading, words, build) for heading, words, build in SECTIONS]


def study_report(
    table: pd.DataFrame, found: list[Analysis], *, title: str, note: str = "", paper: bool = False
) -> str:
    """The HTML page of a results table and its `analyses`.

    An analysis that the table lacks something for is shown with the reason instead. A study of a `paper` has
    the published numbers beside its own.
    """
    keys = ["dataset", "method", "strength", "seed"]
    runs = table["run"].nunique() if "run" in table else len(table[keys].drop_duplicates())
    if (alike := runs - len(table[keys].drop_duplicates())) > 0:
        note = (
            f"{note} Beware: {alike} of them share data set, method, strength and seed with others.".strip()
        )
    first = [_what_was_run(table), _dead(table), *([_published(table)] if paper else [])]
    return page(title, [f"{runs:,} runs. {note}"], [*first, *map(_shown, found)])


def save_figures(found: list[Analysis], folder: str | os.PathLike[str]) -> list[Path]:
    """Write the figures of all analyses into `folder`, as PNG files, and return their paths."""
    titled = ((f"{one.heading} {panel.name}", panel.figure) for one in found for panel in one.panels)
    return saving.save_figures(titled, Path(folder))


def _what_was_run(table: pd.DataFrame) -> Section:
    kinds = ("dataset", "method", "representation", "metric")
    parts: list[str] = [f"{kind}: {named(sorted(table[kind].unique()))}" for kind in kinds]
    unread = [metric for metric in table["metric"].unique() if not is_known(str(metric))]
    if unread:
        told = f"Not analysed, for no registered metric has these names: {named(unread)}"
        parts.append(tagged("p", told, "problem"))
    return Section("What was run", parts)


def _dead(table: pd.DataFrame) -> Section:
    """How many runs are dead, and what every statistic below is made of."""
    dead = dead_runs(table)
    count, unknown = int((dead == True).sum()), int(dead.isna().sum())  # noqa: E712
    words = ["A run is dead when none of its latents tells images apart by more than .05 nats."]
    if "informative" not in set(table["metric"]):
        words.append(
            "This table does not count such latents: a run is taken to be dead when its KL is below .05 nats "
            "in all or its FactorVAE score is 0, as it is where no code varies."
        )
    if unknown:
        words.append(f"Of {unknown} of {len(dead)} runs it is not known: they have none of these scores.")
    if unknown == len(dead):
        return Section("Dead runs", [" ".join(words)])
    told = f"{count} of {len(dead) - unknown} runs are dead."
    told += " Every statistic below is given with and without them." if count else ""
    parts = [tagged("p", told, "problem" if count else ""), " ".join(words)]
    where = dead_by_setting(table)
    where = where[(where["dead"] > 0) | (where["not known"] > 0)]
    return Section("Dead runs", [*parts, frame_table(where) if len(where) else ""])


def _published(table: pd.DataFrame) -> Section:
    """The numbers of the papers in the first columns, ours in the last."""
    words = (
        "What the papers say, beside what this study says. Intervals are of a jackknife over its seeds, and "
        "hold for its data sets, methods and steps, which at most scales are not the papers'; of few seeds "
        "they are rough and may reach past what a number can be."
    )
    heading, alive = "Published numbers and ours", without_dead(table)
    try:
        ours = {"ours (95 % over seeds)": beside(table)}
        if len(alive) < len(table):
            ours["without dead runs"] = beside(alive)
    except BadInput as problem:
        return Section(heading, [words, tagged("p", str(problem), "problem")])
    columns = [_in_words(found).rename(name) for name, found in ours.items()]
    return Section(heading, [words, frame_table(pd.concat(columns, axis=1).reset_index())])


def _in_words(found: pd.DataFrame) -> "pd.Series[str]":
    """Our numbers with their intervals, by what is published and the data set."""
    said = [
        f"{number(what) if isinstance(what, float) else what}{f' ({where})' if where else ''}"
        for what, where in zip(found["published"], found["where"], strict=True)
    ]
    ours = zip(found["ours"], found["low"], found["high"], strict=True)
    texts = [number(v) + ("" if a != a else f" ({number(a)} to {number(b)})") for v, a, b in ours]
    index = pd.MultiIndex.from_arrays([found["number"], said, found["data"]])
    return pd.Series(texts, index=index.set_names(["number", "published", "data"]))


def _worked_out(table: pd.DataFrame, alive: pd.DataFrame, heading: str, words: str, build: Build) -> Analysis:
    panels, problem = _built(table, build)
    if not panels or len(alive) == len(table):
        return Analysis(heading, words, panels, problem)
    others = {panel.name: panel for panel in _built(alive, build)[0]}
    both = []
    for panel in panels:
        both.append(panel)
        other = others.get(panel.name)
        if other is not None and not _estimates(other).equals(_estimates(panel)):
            both.append(other._replace(name=f"{panel.name}, without dead runs"))
    return Analysis(heading, words, both, problem)


def _estimates(panel: Panel) -> pd.DataFrame:
    """The numbers of a panel without the ends of intervals, which are drawn anew."""
    ends = [name for name in panel.numbers.columns if str(name).endswith(("low", "high"))]
    return panel.numbers.drop(columns=ends).reset_index(drop=True)


def _built(table: pd.DataFrame, build: Build) -> tuple[list[Panel], str]:
    """The panels of a section, or none and the reason."""
    there = [name for name in table["representation"].unique() if name != MODEL]
    studied = "mean" if "mean" in there or not there else str(there[0])
    try:
        return list(build(table, studied)), ""
    except BadInput as problem:
        return [], str(problem)


def _shown(one: Analysis) -> Section:
    """An analysis as a section: every panel above its numbers, the first one open."""
    parts = [one.words, tagged("p", one.problem, "problem") if one.problem else ""]
    for n, panel in enumerate(one.panels):
        figure = drawing(f"{one.heading}: {panel.name}", panel.figure, panel.numbers)
        parts.append(folded(panel.name, [figure], opened=n == 0))
    return Section(one.heading, parts)
