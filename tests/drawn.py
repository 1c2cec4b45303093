"""What a figure draws, against what its table says."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure


def quantities(figure: Figure) -> list[np.ndarray]:
    """All numbers that a figure's artists draw: places of points and of lines, and values of matrices.

    Without ticks lines are a diagram and a matrix is a picture, of which no number could be read.
    """
    made: list[Any] = []
    for ax in figure.axes:
        ticks = len(ax.get_xticks())
        made += [np.ravel(line.get_data()) for line in ax.lines if ticks]
        made += [np.ravel(cloud.get_offsets()) for cloud in ax.collections if len(cloud.get_offsets())]
        made += [np.ravel(image.get_array()) for image in ax.images if ticks]
    return [np.ma.filled(np.ma.asarray(each, float), np.nan) for each in made]


def numbers_in(frame: pd.DataFrame) -> np.ndarray:
    return frame.select_dtypes("number").to_numpy(float).ravel()


def untold(figure: Any, beside: Iterable[float] = ()) -> list[float]:
    """The numbers that a figure draws and its table lacks, but for 0, 1 and what is named `beside`.

    Rules have ends at 0 and 1.
    """
    told = np.concatenate([numbers_in(figure.numbers), [0, 1], list(beside)])
    drawn = np.concatenate([*quantities(figure), []])
    drawn = drawn[np.isfinite(drawn)]
    return drawn[np.abs(drawn[:, None] - told).min(axis=1) > 1e-9].tolist()
