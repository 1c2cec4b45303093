"""The figures of a study, one function each, from the frames that the statistics give."""

from __future__ import annotations

import io
import math
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from distaff.reporting.figures import INK
from distaff.studies.analysis.transfer import Transfer

# Okabe and Ito's colours, which colour-blind readers tell apart, without the yellow
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")
MARKERS = "osD^vPX"
LONGEST_NAME = 28


def scores_by_method(wide: pd.DataFrame) -> Figure:
    """Box plots of every score (a column each) over the runs of each method (an index level)."""
    figure, panels = _panels(wide.shape[1])
    methods = sorted(wide.index.unique("method"))
    for ax, metric in zip(panels, wide.columns, strict=True):
        values = [wide[metric].xs(m, level="method").dropna().to_numpy() for m in methods]
        ax.boxplot(values, orientation="horizontal", widths=0.6, medianprops={"color": COLOURS[1]})
        ax.set_yticks(range(1, len(methods) + 1), list(map(short, methods)), fontsize=8, parse_math=False)
        ax.invert_yaxis()
        _title(ax, metric)
    return figure


def lines(frame: pd.DataFrame, panel: str, x: str, line: str, label: str) -> Figure:
    """Means with their quartiles as bands: a panel per value of `panel`, a line per value of `line`.

    Strengths of methods have different units, so they stand at their rank.
    """
    figure, panels = _panels(frame[panel].nunique())
    styles = _styles(frame[line])
    for ax, (name, part) in zip(panels, frame.groupby(panel, sort=False), strict=True):
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
        _title(ax, str(name))
    _legend(figure, styles)
    return figure


def variance_shares(shares: pd.DataFrame) -> Figure:
    """Stacked bars of the shares that method, strength and seed explain, a bar per data set and metric."""
    parts = shares.pivot_table(index=["dataset", "metric"], columns="source", values="share", sort=False)
    figure = Figure(figsize=(9.3, 1.2 + 0.24 * max(len(parts), 1)), layout="constrained")
    ax = figure.subplots()
    left = np.zeros(len(parts))
    for source, colour in (("method", COLOURS[0]), ("strength", COLOURS[5]), ("seed", "#c8ced4")):
        ax.barh(range(len(parts)), parts[source], left=left, color=colour, height=0.75, label=source)
        left += parts[source].to_numpy()
    names = [f"{short(d)} · {short(m)}" for d, m in parts.index]
    ax.set_yticks(range(len(parts)), names, fontsize=8, parse_math=False)
    ax.set_xlim(0, 1)
    ax.set_ylim(len(parts) - 0.5, -0.5)
    ax.set_xlabel("share of variance", fontsize=8)
    figure.legend(loc="outside upper right", ncols=3, fontsize=8, frameon=False)
    return figure


def heat_map(matrix: pd.DataFrame, low: float = -1, high: float = 1) -> Figure:
    """A matrix with its numbers in the cells; blue above the middle, red below it."""
    rows, columns = matrix.shape
    figure = Figure(figsize=(min(9.3, 2.6 + 0.85 * columns), 1.6 + 0.4 * rows), layout="constrained")
    ax = figure.subplots()
    values = matrix.to_numpy(dtype=float)
    ax.imshow(values, cmap="RdBu", vmin=low, vmax=high, aspect="auto")
    ax.set_xticks(range(columns), list(map(short, matrix.columns)), rotation=35, ha="right", fontsize=8)
    ax.set_yticks(range(rows), list(map(short, matrix.index)), fontsize=8)
    for text in [*ax.get_xticklabels(), *ax.get_yticklabels()]:
        text.set_parse_math(False)
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    for i, j in zip(*np.nonzero(np.isfinite(values)), strict=True):
        strong = abs(values[i, j] - (low + high) / 2) > 0.3 * (high - low)
        colour = "white" if strong else INK
        words = f"{values[i, j]:.2f}".replace("-0.00", "0.00")
        ax.text(j, i, words, ha="center", va="center", fontsize=8, color=colour)
    return figure


def transfer_table(found: Transfer) -> Figure:
    """The four shares of wins as a 2 x 2 heat map around one half."""
    values = np.array([np.nan if share is None else share.value for share in found]).reshape(2, 2)
    columns = ["random metric", "same metric"]
    figure = heat_map(pd.DataFrame(values, index=["random data", "same data"], columns=columns), 0, 1)
    for text, share in zip(figure.axes[0].texts, (share for share in found if share), strict=True):
        text.set_text(f"{share.value:.3f}\n{share.low:.3f} – {share.high:.3f}")
    return figure


def scatter(points: pd.DataFrame, x: Sequence[str], y: str) -> Figure:
    """Every run's `y` against each column of `x`, coloured by method."""
    figure, panels = _panels(len(x))
    styles = _styles(points["method"])
    for ax, name in zip(panels, x, strict=True):
        for method, rows in points.groupby("method", sort=False):
            ax.plot(rows[name], rows[y], linestyle="", markersize=3, alpha=0.6, **styles[method])
        ax.set_ylabel(y, fontsize=8)
        _title(ax, name)
    _legend(figure, styles)
    return figure


def selection(chosen: pd.DataFrame) -> Figure:
    """How far each rule gets from random (0) to the oracle (1), with intervals, a panel per metric."""
    figure, panels = _panels(chosen["metric"].nunique())
    for ax, (metric, rows) in zip(panels, chosen.groupby("metric", sort=False), strict=True):
        at = np.arange(len(rows))
        ax.hlines(at, rows["fraction_low"], rows["fraction_high"], color=COLOURS[0], linewidth=2)
        ax.plot(rows["fraction"], at, "o", color=COLOURS[0])
        ax.set_yticks(at, rows["rule"], fontsize=8)
        ax.invert_yaxis()
        ax.axvline(0, color="#9aa5b1", linewidth=0.8)
        _title(ax, str(metric))
    return figure


def png(figure: Figure) -> bytes:
    """The figure as a PNG, on white."""
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing")
        figure.savefig(buffer, format="png", dpi=130, facecolor="white")
    return buffer.getvalue()


def short(name: object) -> str:
    """A name on one line, cut where it is too long for an axis."""
    text = " ".join(str(name).encode("utf-8", "replace").decode().split())
    return text if len(text) <= LONGEST_NAME else text[: LONGEST_NAME - 1] + "…"


def _panels(count: int) -> tuple[Figure, list[Any]]:
    columns = min(count, 3)
    rows = math.ceil(count / max(columns, 1))
    figure = Figure(figsize=(9.3 if columns > 1 else 5.5, 0.5 + 2.5 * rows), layout="constrained")
    axes = list(figure.subplots(rows, columns, squeeze=False).ravel())
    for empty in axes[count:]:
        empty.set_visible(False)
    for panel in axes:
        panel.tick_params(labelsize=8)
        panel.spines[["top", "right"]].set_visible(False)
    return figure, axes[:count]


def _title(ax: Any, name: str) -> None:
    ax.set_title(short(name), loc="left", fontsize=9, color=INK, parse_math=False)


def _styles(names: pd.Series[Any]) -> dict[Any, dict[str, Any]]:
    return {
        name: {"color": COLOURS[i % 7], "marker": MARKERS[i % 7]}
        for i, name in enumerate(sorted(names.unique()))
    }


def _legend(figure: Figure, styles: dict[Any, dict[str, Any]]) -> None:
    from matplotlib.lines import Line2D

    handles = [Line2D([], [], linestyle="", **style) for style in styles.values()]
    names = [short(name) for name in styles]
    legend = figure.legend(handles, names, loc="outside lower center", ncols=4, fontsize=8, frameon=False)
    for text in legend.get_texts():
        text.set_parse_math(False)
