"""Figures of results tables: every run of a study, by method, strength and what else the frames name."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from distaff.pages.figures import Plot, panels, short
from distaff.pages.palette import COLOURS, MARKERS, SOFT

QUARTILES = np.linspace(0, 1, 5)
Styles = dict[Hashable, dict[str, Any]]


def boxes(wide: pd.DataFrame) -> Plot:
    """Box plots of every score (a column each) over the runs of each method (an index level)."""
    figure, every = panels(list(wide.columns))
    figure.numbers = (
        wide.groupby("method").quantile(QUARTILES).rename_axis(["method", "quantile"]).reset_index()
    )
    methods = sorted(wide.index.unique("method"))
    names: dict[str, Any] = {"labels": list(map(short, methods)), "fontsize": 8, "parse_math": False}
    dots = {"markersize": 3, "markeredgecolor": SOFT}
    for ax, metric in zip(every, wide.columns, strict=True):
        values = [wide[metric].xs(m, level="method").dropna().to_numpy() for m in methods]
        middle = {"color": COLOURS[1]}
        ax.boxplot(values, orientation="horizontal", widths=0.6, medianprops=middle, flierprops=dots)
        ax.set_yticks(range(1, len(methods) + 1), **names)
        ax.invert_yaxis()
    return figure


def bands(frame: pd.DataFrame, panel: str, x: str, line: str, label: str) -> Plot:
    """Means with their quartiles as bands: a panel per value of `panel`, a line per value of `line`.

    Strengths of methods have different units, so they stand at their rank.
    """
    figure, every = panels(list(frame[panel].unique()))
    figure.numbers = frame[[panel, line, x, "mean", "q25", "q75"]]
    styles = _styles(frame[line])
    for ax, (_, part) in zip(every, frame.groupby(panel, sort=False), strict=True):
        for key, rows in part.groupby(line, sort=False):
            rows = rows.sort_values(x)
            at = np.arange(1, len(rows) + 1) if x == "strength" else rows[x].to_numpy()
            ax.plot(at, rows["mean"], markersize=4, linewidth=1.3, **styles[key])
            ax.fill_between(at, rows["q25"], rows["q75"], color=styles[key]["color"], alpha=0.12)
        if x == "labels":
            ax.set_xscale("log")
        elif x == "strength":
            ax.set_xticks(range(1, part.groupby(line).size().max() + 1))
        ax.set_xlabel(label, fontsize=8)
    _legend(figure, styles)
    return figure


def shares(found: pd.DataFrame) -> Plot:
    """Stacked bars of the shares that method, strength and seed explain, a bar per data set and metric."""
    parts = found.pivot_table(index=["dataset", "metric"], columns="source", values="share", sort=False)
    figure = Plot(figsize=(9.3, 1.2 + 0.24 * max(len(parts), 1)), layout="constrained")
    figure.numbers = parts.reset_index()
    ax = figure.subplots()
    left = np.zeros(len(parts))
    for source, colour in (("method", COLOURS[0]), ("strength", COLOURS[6]), ("seed", SOFT)):
        ax.barh(range(len(parts)), parts[source], left=left, color=colour, height=0.75, label=source)
        left += parts[source].to_numpy()
    names = [f"{short(d)} · {short(m)}" for d, m in parts.index]
    ax.set_yticks(range(len(parts)), names, fontsize=8, parse_math=False)
    ax.set_xlim(0, 1)
    ax.set_ylim(len(parts) - 0.5, -0.5)
    ax.set_xlabel("share of variance", fontsize=8)
    figure.legend(loc="outside upper right", ncols=3, fontsize=8, frameon=False)
    return figure


def scatter(points: pd.DataFrame, x: Sequence[str], y: str) -> Plot:
    """Every run's `y` against each column of `x`, coloured by method."""
    figure, every = panels(x)
    figure.numbers = points[["method", *x, y]]
    styles = _styles(points["method"])
    for ax, name in zip(every, x, strict=True):
        for method, rows in points.groupby("method", sort=False):
            look = styles[method] | {"linestyle": "", "markersize": 3, "alpha": 0.6}
            ax.plot(rows[name], rows[y], **look)
        ax.set_ylabel(y, fontsize=8)
    _legend(figure, styles)
    return figure


def selection(chosen: pd.DataFrame) -> Plot:
    """How far each rule gets from random (0) to the oracle (1), with intervals, a panel per metric."""
    figure, every = panels(list(chosen["metric"].unique()))
    figure.numbers = chosen[["metric", "rule", "fraction", "fraction_low", "fraction_high"]]
    for ax, (_, rows) in zip(every, chosen.groupby("metric", sort=False), strict=True):
        at = np.arange(len(rows))
        ax.hlines(at, rows["fraction_low"], rows["fraction_high"], color=COLOURS[0], linewidth=2)
        ax.plot(rows["fraction"], at, "o", color=COLOURS[0])
        ax.set_yticks(at, rows["rule"], fontsize=8)
        ax.invert_yaxis()
        ax.axvline(0, color=SOFT, linewidth=0.8)
    return figure


def _styles(names: pd.Series[Any]) -> Styles:
    return {
        name: {"color": COLOURS[i % len(COLOURS)], "marker": MARKERS[i % len(MARKERS)]}
        for i, name in enumerate(sorted(names.unique()))
    }


def _legend(figure: Figure, styles: Styles) -> None:
    handles = [Line2D([], [], linestyle="", **style) for style in styles.values()]
    names = [short(name) for name in styles]
    legend = figure.legend(handles, names, loc="outside lower center", ncols=4, fontsize=8, frameon=False)
    for text in legend.get_texts():
        text.set_parse_math(False)
