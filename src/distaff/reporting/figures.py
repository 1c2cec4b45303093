"""The pictures of a report: strips of images, curves and a matrix, as data that a page can hold."""

from __future__ import annotations

import io
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from distaff.reporting.page import data_uri

INK, LINE = "#1f2933", "#2f6f8f"
NO_TERMS = ("step", "images_per_second")  # what a line of the history says that is not of the objective


def strip(images: NDArray[Any], gap: int = 1) -> NDArray[np.uint8]:
    """Images (n, C, H, W) in 0..1 side by side: pixels (H, n * (W + gap) - gap, 3)."""
    pixels = np.round(255 * np.clip(images, 0, 1)).astype(np.uint8).transpose(0, 2, 3, 1)
    pixels = np.repeat(pixels, 3 // pixels.shape[3], axis=3)
    pixels = np.pad(pixels, ((0, 0), (0, 0), (0, gap), (0, 0)), constant_values=110)
    row = pixels.transpose(1, 0, 2, 3).reshape(pixels.shape[1], -1, 3)
    return row[:, : row.shape[1] - gap]


def png(images: NDArray[Any]) -> str:
    """Images (n, C, H, W) in 0..1 side by side, as a data URI."""
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(strip(images)).save(buffer, format="png", optimize=True)
    return data_uri(buffer.getvalue())


def curves(history: list[dict[str, float]]) -> str:
    """The loss and its terms over steps, one small panel each, as SVG."""
    names = [name for name in history[0] if name not in NO_TERMS]
    steps = [line["step"] for line in history]
    figure = _figure(2.9 * len(names), 2.3)
    for ax, name in zip(figure.subplots(1, len(names), squeeze=False)[0], names, strict=True):
        values = np.array([line.get(name, np.nan) for line in history])
        ax.plot(steps, values, color=LINE, linewidth=1.4)
        ax.set_title(name, loc="left", fontsize=10, color=INK, parse_math=False)
        ax.set_xlabel("step", fontsize=8)
        ax.spines[["top", "right"]].set_visible(False)
        ax.tick_params(labelsize=8)
        if len(values) > 20:  # the first steps would squeeze the rest into a line
            low, high = np.nanmin(values), np.nanmax(values[len(values) // 20 :])
            ax.set_ylim(low - 0.05 * (high - low), high + 0.1 * (high - low) or None)
    return _svg(figure)


def matrix(values: NDArray[Any], rows: Sequence[str], columns: Sequence[str]) -> str:
    """A matrix of numbers in 0..1 with its values written in the cells, as SVG."""
    figure = _figure(1.6 + 0.85 * len(columns), 0.7 + 0.34 * len(rows))
    ax = figure.subplots()
    ax.imshow(values, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    ax.set_xticks(range(len(columns)), columns, fontsize=9, parse_math=False)
    ax.set_yticks(range(len(rows)), rows, fontsize=9)
    ax.xaxis.tick_top()
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    for i, j in np.ndindex(*values.shape):
        color = "white" if values[i, j] > 0.55 else INK
        ax.text(j, i, f"{values[i, j]:.2f}", ha="center", va="center", fontsize=8, color=color)
    return _svg(figure)


def views(panels: Mapping[str, Sequence[Sequence[float]]], classes: Sequence[int], label: str) -> str:
    """Points (n, 2) coloured by class, a panel for every entry, as SVG."""
    from matplotlib import colormaps

    values = np.unique(classes)
    few = len(values) <= 10
    cmap = colormaps["tab10"] if few else colormaps["viridis"]
    place = np.searchsorted(values, classes)
    figure = _figure(4.2 * len(panels), 3.9)
    axes = figure.subplots(1, len(panels), squeeze=False)[0]
    for ax, (name, points) in zip(axes, panels.items(), strict=True):
        x, y = np.asarray(points).T
        drawn = ax.scatter(x, y, s=7, c=cmap(place) if few else place, cmap=None if few else cmap, lw=0)
        ax.set_title(name, loc="left", fontsize=10, color=INK)
        ax.set(xticks=[], yticks=[])
        ax.spines[:].set_color("#d9e0e7")
    if few:
        marks = [ax.scatter([], [], s=24, color=cmap(n), label=str(value)) for n, value in enumerate(values)]
        figure.legend(handles=marks, title=label, loc="outside right upper", frameon=False, fontsize=8)
    else:
        figure.colorbar(drawn, ax=ax, label=label)
    return _svg(figure)


def _figure(width: float, height: float) -> Any:
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def _svg(figure: Any) -> str:
    import matplotlib

    buffer = io.StringIO()
    style: Any = {"svg.hashsalt": "distaff", "svg.fonttype": "none"}  # text stays text, in any script
    with matplotlib.rc_context(style), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing")  # the browser has the letter
        figure.savefig(buffer, format="svg", metadata={"Date": None}, transparent=True)
    return "".join(buffer.getvalue().partition("<svg")[1:])
