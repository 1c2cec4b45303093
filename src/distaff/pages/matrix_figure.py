"""A picture of a matrix: its panels, a question mark where one is to be chosen, and the answers."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from distaff.evaluation.reasoning.matrices import ANSWERS, CONTEXT, SIDE, Drawn
from distaff.factors import FactorSpace
from distaff.pages.palette import COLOURS, INK, SOFT

WIDE = 0.85  # inches of a panel


def matrix_figure(
    images: Callable[[NDArray[np.int64]], NDArray[np.float64]], space: FactorSpace, drawn: Drawn
) -> Figure:
    """The first of some drawn matrices; `images` gives those of cells (n,) of their grid, in 0..1.

    The right answer has a frame. Which factors are ruled stands below.
    """
    panels = np.concatenate([drawn.context[0], drawn.answers[0]])
    pictures = images(space.index(panels))
    figure = Figure((WIDE * (SIDE + 1 + ANSWERS // 2), WIDE * SIDE + 0.4), layout="constrained")
    halves = figure.add_gridspec(1, 2, width_ratios=(SIDE, ANSWERS // 2 + 0.4))
    left, right = (figure.add_subfigure(halves[half]) for half in range(2))
    places = left.subplots(SIDE, SIDE).ravel()
    for ax, picture in zip(places, pictures[:CONTEXT], strict=False):
        _picture(ax, picture)
    places[-1].text(0.5, 0.5, "?", ha="center", va="center", fontsize=24, color=INK)
    _frame(places[-1], SOFT, 1)
    for place, ax in enumerate(right.subplots(2, ANSWERS // 2).ravel()):
        _picture(ax, pictures[CONTEXT + place])
        ax.set_title(str(place + 1), fontsize=9, color=INK)
        if place == drawn.right[0]:
            _frame(ax, COLOURS[2], 3)
    ruled = " and ".join(space.names[j] for j in np.flatnonzero(drawn.ruled[0]))
    figure.supxlabel(f"constant in a row: {ruled}; right: {drawn.right[0] + 1}", fontsize=9, color=INK)
    return figure


def _picture(ax: Axes, picture: NDArray[np.float64]) -> None:
    ax.imshow(np.clip(picture.transpose(1, 2, 0), 0, 1).squeeze(), cmap="gray", vmin=0, vmax=1)
    _frame(ax, SOFT, 0)


def _frame(ax: Axes, colour: str, width: float) -> None:
    ax.set(xticks=[], yticks=[])
    ax.spines[:].set(visible=width > 0, color=colour, linewidth=width)
