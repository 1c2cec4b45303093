"""Figures that several experiments draw."""

from __future__ import annotations

import itertools
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

COLOURS = ("#2f6f8f", "#d08c3f", "#6b8e4e", "#8a5a83", "#b3392f", "#5c6b7a")


def axes(x: str = "", y: str = "", width: float = 6.4) -> tuple[Figure, Axes]:
    """A figure with one plain pair of axes, and what they are labelled."""
    figure = Figure((width, 3.6), layout="constrained")
    ax = figure.subplots()
    ax.spines[["top", "right"]].set_visible(False)
    ax.set(xlabel=x, ylabel=y)
    return figure, ax


def bars(
    frame: pd.DataFrame,
    label: str,
    best: float | None = None,
    dots: Mapping[Any, ArrayLike] | None = None,
) -> Figure:
    """A group of bars for every row, a colour for every column; `dots` at (row, column) are drawn on them."""
    figure, ax = axes(y=label, width=max(6.4, 0.9 * len(frame)))
    width = 0.8 / len(frame.columns)
    for j, name in enumerate(frame.columns):
        places = np.arange(len(frame)) + (j - (len(frame.columns) - 1) / 2) * width
        drawn = ax.bar(places, frame[name], 0.92 * width, label=name, color=COLOURS[j % len(COLOURS)])
        ax.bar_label(drawn, fmt="%.2f", fontsize=8)
        for place, row in zip(places, frame.index, strict=True):
            values = np.asarray((dots or {}).get((row, name), []))
            ax.scatter(np.full(len(values), place), values, s=6, color="k", zorder=3)
    ax.set_xticks(range(len(frame)), [textwrap.fill(str(name), 12) for name in frame.index])
    if best is not None:
        ax.axhline(best, color="#9aa5b1", lw=0.8, zorder=0)
    if len(frame.columns) > 1:
        ax.legend(frameon=False, fontsize=8, loc="upper center", bbox_to_anchor=(0.5, -0.12), ncols=4)
    return figure


def curves(
    x: ArrayLike, lines: Mapping[str, ArrayLike], x_label: str, y_label: str, log: bool = False
) -> Figure:
    """A line for every entry, over the same x."""
    figure, ax = axes(x_label, y_label)
    for (name, y), colour in zip(lines.items(), itertools.cycle(COLOURS), strict=False):
        ax.plot(np.asarray(x), np.asarray(y), marker="o", ms=3, label=name, color=colour)
    if log:
        ax.set_xscale("log")
    if len(lines) > 1:
        ax.legend(frameon=False, fontsize=8)
    return figure


def against(
    table: pd.DataFrame, x: str, y: str, labels: tuple[str, str], strength: str, legend: str = "{}"
) -> Figure:
    """Two columns of a table of runs against each other, with a line through the medians of each strength.

    Every method has its colour; `legend` takes its name.
    """
    figure, ax = axes(*labels)
    for (method, part), colour in zip(table.groupby("method"), COLOURS, strict=False):
        middle = part.groupby(strength)[[x, y]].median()
        ax.scatter(part[x], part[y], s=8, alpha=0.5, color=colour)
        ax.plot(middle[x], middle[y], marker="o", color=colour, label=legend.format(method))
        for value, row in middle.iterrows():
            ax.annotate(f"{value:g}", tuple(row), (5, 5), textcoords="offset points", fontsize=8)
    ax.legend(frameon=False, fontsize=8)
    return figure


def heat_map(
    values: NDArray[np.float64],
    rows: Sequence[str],
    columns: Sequence[str],
    labels: tuple[str, str],
    span: tuple[float, float] | None = None,
) -> Figure:
    """A matrix with its numbers; `labels` name the rows' and the columns' axis, colours run over `span`."""
    figure = Figure((1.6 + 0.8 * len(columns), 1.2 + 0.5 * len(rows)), layout="constrained")
    ax = figure.subplots()
    low, high = span or (np.nanmin(values), np.nanmax(values))
    ax.imshow(values, cmap="viridis", aspect="auto", vmin=low, vmax=high)
    middle = (low + high) / 2
    for (i, j), value in np.ndenumerate(values):
        colour = "w" if value < middle else "k"
        ax.text(j, i, f"{value:.2f}", ha="center", va="center", fontsize=8, color=colour)
    ax.set_xticks(range(len(columns)), columns)
    ax.set_yticks(range(len(rows)), rows)
    ax.set(ylabel=labels[0], xlabel=labels[1])
    return figure


def latents_against(codes: NDArray[Any], factors: NDArray[Any], names: Sequence[str]) -> Figure:
    """The first latents of codes (n, d) against as many factors (n, k), for up to 2,000 rows."""
    figure = Figure((8, 2.8), layout="constrained")
    some = np.random.default_rng(0).permutation(len(codes))[:2000]
    jitter = np.random.default_rng(1).uniform(-0.3, 0.3, len(some))
    for j, (ax, name) in enumerate(zip(figure.subplots(1, len(names)), names, strict=True)):
        ax.scatter(factors[some, j] + jitter, codes[some, j], s=2, color=COLOURS[0])
        ax.set(xlabel=name, ylabel=f"latent {j + 1}")
    return figure


def image_grid(
    images: NDArray[np.float32], columns: int, titles: Sequence[str] = (), rows_are: Sequence[str] = ()
) -> Figure:
    """Images (n, C, H, W) or (n, H, W) in 0..1, row by row; `titles` stand over the first row or all.

    `rows_are` stand to the left of the rows.
    """
    pictures = np.asarray(images)
    pictures = pictures[:, None] if pictures.ndim == 3 else pictures
    rows = -(-len(pictures) // columns)
    figure = Figure((columns * 0.9, rows * (0.9 + 0.25 * (len(titles) > columns))), layout="constrained")
    for n, ax in enumerate(np.ravel(figure.subplots(rows, columns, squeeze=False))):
        ax.axis("off")
        if n < len(pictures):
            picture = np.clip(pictures[n].transpose(1, 2, 0), 0, 1)
            ax.imshow(picture.squeeze(), cmap="gray", vmin=0, vmax=1, interpolation="nearest")
        if n < len(titles):
            ax.set_title(titles[n], fontsize=7)
        if n % columns == 0 and n // columns < len(rows_are):
            place = {"ha": "right", "va": "center", "transform": ax.transAxes}
            ax.text(-0.1, 0.5, rows_are[n // columns], fontsize=8, **place)
    return figure
