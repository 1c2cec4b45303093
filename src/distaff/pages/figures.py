"""Figures of arrays and of what is measured, each drawn once for pages and for files."""

from __future__ import annotations

import itertools
import math
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from distaff.pages.palette import COLOURS, INK, ON_DARK, ON_LIGHT, SOFT

LONGEST_NAME = 40
NO_TERMS = ("step", "images_per_second")  # what a line of the history says that is not of the objective


class Plot(Figure):
    """A figure that draws numbers, and these as a table, which pages show below it.

    A figure that is none shows pictures, for which its title alone stands.
    """

    numbers: pd.DataFrame | None = None


def axes(x: str = "", y: str = "", width: float = 6.4) -> tuple[Plot, Axes]:
    """A figure with one plain pair of axes, and what they are labelled."""
    figure = Plot((width, 3.6), layout="constrained")
    ax = figure.subplots()
    ax.spines[["top", "right"]].set_visible(False)
    ax.set(xlabel=x, ylabel=y)
    return figure, ax


def panels(names: Sequence[object]) -> tuple[Plot, list[Axes]]:
    """A figure with plain axes for each name, which stands above them, up to three in a row."""
    columns = max(min(len(names), 3), 1)
    rows = max(math.ceil(len(names) / columns), 1)
    figure = Plot(figsize=(9.3 if columns > 1 else 5.5, 0.5 + 2.5 * rows), layout="constrained")
    every = list(figure.subplots(rows, columns, squeeze=False).ravel())
    for empty in every[len(names) :]:
        empty.set_visible(False)
    for ax, name in zip(every, names, strict=False):
        ax.set_title(short(name), loc="left", fontsize=9, color=INK, parse_math=False)
        ax.tick_params(labelsize=8)
        ax.spines[["top", "right"]].set_visible(False)
    return figure, every[: len(names)]


def short(name: object) -> str:
    """A name on one line, cut where it is too long for an axis."""
    text = " ".join(str(name).encode("utf-8", "replace").decode().split())
    return text if len(text) <= LONGEST_NAME else text[: LONGEST_NAME - 1] + "…"


def history_curves(history: Sequence[Mapping[str, float]]) -> Plot:
    """The loss and its terms over steps, a panel each."""
    names = [name for name in history[0] if name not in NO_TERMS]
    steps = [line["step"] for line in history]
    figure, every = panels(names)
    figure.numbers = pd.DataFrame(history)[["step", *names]]
    for ax, name in zip(every, names, strict=True):
        values = np.array([line.get(name, np.nan) for line in history])
        ax.plot(steps, values, color=COLOURS[0], linewidth=1.4)
        ax.set_xlabel("step", fontsize=8)
        if len(values) > 20:  # the first steps would squeeze the rest into a line
            low, high = np.nanmin(values), np.nanmax(values[len(values) // 20 :])
            ax.set_ylim(low - 0.05 * (high - low), high + 0.1 * (high - low) or None)
    return figure


def curves(
    x: ArrayLike, lines: Mapping[str, ArrayLike], x_label: str, y_label: str, log: bool = False
) -> Plot:
    """A line for every entry, over the same x."""
    figure, ax = axes(x_label, y_label)
    figure.numbers = pd.DataFrame(
        {x_label: np.asarray(x)} | {name: np.asarray(y) for name, y in lines.items()}
    )
    for (name, y), colour in zip(lines.items(), itertools.cycle(COLOURS), strict=False):
        ax.plot(np.asarray(x), np.asarray(y), marker="o", ms=3, label=name, color=colour)
    if log:
        ax.set_xscale("log")
    if len(lines) > 1:
        ax.legend(frameon=False, fontsize=8)
    return figure


def bars(
    frame: pd.DataFrame,
    label: str,
    best: float | None = None,
    dots: Mapping[Any, ArrayLike] | None = None,
) -> Plot:
    """A group of bars for every row, a colour for every column; `dots` at (row, column) are drawn on them."""
    figure, ax = axes(y=label, width=max(6.4, 0.9 * len(frame)))
    figure.numbers = matrix_table(frame.to_numpy(), frame.index, frame.columns)
    width = 0.8 / len(frame.columns)
    for j, name in enumerate(frame.columns):
        places = np.arange(len(frame)) + (j - (len(frame.columns) - 1) / 2) * width
        drawn = ax.bar(places, frame[name], 0.92 * width, label=name, color=COLOURS[j % len(COLOURS)])
        ax.bar_label(drawn, fmt="%.2f", fontsize=8)
        for place, row in zip(places, frame.index, strict=True):
            values = np.asarray((dots or {}).get((row, name), []))
            ax.scatter(np.full(len(values), place), values, s=6, color=INK, zorder=3)
    ax.set_xticks(range(len(frame)), [textwrap.fill(str(name), 12) for name in frame.index])
    if best is not None:
        ax.axhline(best, color=SOFT, lw=0.8, zorder=0)
    if len(frame.columns) > 1:
        ax.legend(frameon=False, fontsize=8, loc="upper center", bbox_to_anchor=(0.5, -0.12), ncols=4)
    return figure


def against(
    table: pd.DataFrame, x: str, y: str, labels: tuple[str, str], strength: str, legend: str = "{}"
) -> Plot:
    """Two columns of a table of runs against each other, with a line through the medians of each strength.

    Every method has its colour; `legend` takes its name.
    """
    figure, ax = axes(*labels)
    figure.numbers = table[["method", strength, x, y]]
    for (method, part), colour in zip(table.groupby("method"), COLOURS, strict=False):
        middle = part.groupby(strength)[[x, y]].median()
        ax.scatter(part[x], part[y], s=8, alpha=0.5, color=colour)
        ax.plot(middle[x], middle[y], marker="o", color=colour, label=legend.format(method))
        for value, row in middle.iterrows():
            ax.annotate(f"{value:g}", tuple(row), (5, 5), textcoords="offset points", fontsize=8)
    ax.legend(frameon=False, fontsize=8)
    return figure


def heat_map(
    values: NDArray[Any],
    rows: Sequence[object],
    columns: Sequence[object],
    labels: tuple[str, str] = ("", ""),
    span: tuple[float, float] | None = None,
    *,
    diverging: bool = False,
    words: Sequence[Sequence[str]] | None = None,
) -> Plot:
    """A matrix with its numbers in the cells, or `words`; cells of what is NaN stay empty.

    `labels` name the rows' and the columns' axis. Colours run over `span`, by default that of the values;
    `diverging` ones are white in its middle.
    """
    left, below = (max(len(short(name)) for name in names) for names in (rows, columns))
    width = np.clip(0.6 + 0.075 * left + 0.75 * len(columns), 2.6, 9.3)
    figure = Plot((width, 0.7 + 0.4 * len(rows) + 0.05 * below), layout="constrained")
    ax = figure.subplots()
    low, high = span or (np.nanmin(values), np.nanmax(values))
    cmap = colormaps["RdBu" if diverging else "Blues"]
    ax.imshow(values, cmap=cmap, vmin=low, vmax=high, aspect="auto")
    slanted: dict[str, Any] = {"rotation": 35, "ha": "right"} if below > 8 else {}
    ax.set_xticks(range(len(columns)), list(map(short, columns)), fontsize=8, parse_math=False, **slanted)
    ax.set_yticks(range(len(rows)), list(map(short, rows)), fontsize=8, parse_math=False)
    ax.set(ylabel=labels[0], xlabel=labels[1])
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    if words is None:
        words = [[f"{value:.2f}".replace("-0.00", "0.00") for value in row] for row in values]
    write_cells(ax, values, words)
    figure.numbers = matrix_table(values, rows, columns, labels[0])
    return figure


def matrix_table(
    values: NDArray[Any], rows: Iterable[object], columns: Iterable[object], corner: str = ""
) -> pd.DataFrame:
    """A matrix as a table, whose first column names its rows."""
    frame = pd.DataFrame(values, columns=list(map(str, columns)))
    frame.insert(0, corner, list(map(str, rows)), allow_duplicates=True)
    return frame


def write_cells(ax: Axes, values: NDArray[Any], words: Sequence[Sequence[str]]) -> None:
    """Words in the cells of the matrix `values` (n, m) that `ax` shows, in white on dark colours."""
    (shown,) = ax.images
    light = shown.to_rgba(values)[..., :3] @ (0.2126, 0.7152, 0.0722)
    for i, j in zip(*np.nonzero(np.isfinite(values)), strict=True):
        colour = ON_LIGHT if light[i, j] > 0.5 else ON_DARK
        ax.text(j, i, words[i][j], ha="center", va="center", fontsize=8, color=colour)


def views(
    panels_of: Mapping[str, Sequence[Sequence[float]]],
    classes: Sequence[int],
    label: str,
    words: Sequence[str] | None = None,
) -> Plot:
    """Points (n, 2) coloured by class, a panel for every entry; `words` are what the classes stand for."""
    values = np.unique(classes)
    few = len(values) <= len(COLOURS)
    place = np.searchsorted(values, classes)
    figure, every = panels(list(panels_of))
    figure.numbers = pd.DataFrame({label: [words[value] if words else value for value in classes]})
    for name, points in panels_of.items():
        figure.numbers[[f"{name}, x", f"{name}, y"]] = np.asarray(points)
    for ax, points in zip(every, panels_of.values(), strict=True):
        x, y = np.asarray(points).T
        colours = np.array(COLOURS)[place] if few else place
        drawn = ax.scatter(x, y, s=7, c=colours, cmap=None if few else "viridis", lw=0)
        ax.set(xticks=[], yticks=[])
        ax.spines[:].set(visible=True, color=SOFT)
    if few:
        marks = [
            ax.scatter([], [], s=24, color=colour, label=short(words[value] if words else str(value)))
            for value, colour in zip(values, COLOURS, strict=False)
        ]
        legend = figure.legend(handles=marks, loc="outside right upper", frameon=False, fontsize=8)
        legend.set_title(short(label))
        for text in (legend.get_title(), *legend.get_texts()):
            text.set_parse_math(False)
    else:
        bar = figure.colorbar(drawn, ax=every)
        bar.set_label(short(label), parse_math=False)
    return figure


def latents_against(codes: NDArray[Any], factors: NDArray[Any], names: Sequence[str]) -> Plot:
    """The first latents of codes (n, d) against as many factors (n, k), for up to 2,000 rows."""
    figure, every = panels(names)
    some = np.random.default_rng(0).permutation(len(codes))[:2000]
    jitter = np.random.default_rng(1).uniform(-0.3, 0.3, len(some))
    latents = [f"latent {j + 1}" for j in range(len(names))]
    drawn = np.hstack([factors[some, : len(names)], codes[some, : len(names)]])
    figure.numbers = pd.DataFrame(drawn, columns=[*map(str, names), *latents])
    for j, ax in enumerate(every):
        ax.scatter(factors[some, j] + jitter, codes[some, j], s=2, color=COLOURS[0])
        ax.set_ylabel(latents[j], fontsize=8)
    return figure
