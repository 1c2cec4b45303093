"""Images side by side: as pixels, and as a figure with titles."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def colours(images: NDArray[Any]) -> NDArray[np.uint8]:
    """Images (n, C, H, W) in 0..1 as pixels (n, H, W, 3); grey ones have three equal channels."""
    pixels = np.round(255 * np.clip(images, 0, 1)).astype(np.uint8).transpose(0, 2, 3, 1)
    return np.repeat(pixels, 3 // pixels.shape[3], axis=3)


def strip(images: NDArray[Any], gap: int = 1) -> NDArray[np.uint8]:
    """Images (n, C, H, W) in 0..1 side by side: pixels (H, n * (W + gap) - gap, 3)."""
    pixels = np.pad(colours(images), ((0, 0), (0, 0), (0, gap), (0, 0)), constant_values=110)
    row = pixels.transpose(1, 0, 2, 3).reshape(pixels.shape[1], -1, 3)
    return row[:, : row.shape[1] - gap]


def one_picture(images: NDArray[Any], columns: int) -> Figure:
    """Images (n, H, W) in 0..1 row by row, with white between, as one picture: hundreds take no time."""
    from matplotlib.figure import Figure

    n, height, width = images.shape
    tiles = np.pad(images, ((0, -n % columns), (0, 1), (0, 1)), constant_values=1)
    sheet = tiles.reshape(-1, columns, height + 1, width + 1).transpose(0, 2, 1, 3)
    rows = len(sheet)
    figure = Figure((9, 9 * rows * (height + 1) / (columns * (width + 1))))
    ax = figure.add_axes((0, 0, 1, 1))
    ax.axis("off")
    ax.imshow(sheet.reshape(rows * (height + 1), -1), cmap="gray", vmin=0, vmax=1, interpolation="nearest")
    return figure


def image_grid(
    images: NDArray[np.float32], columns: int, titles: Sequence[str] = (), rows_are: Sequence[str] = ()
) -> Figure:
    """Images (n, C, H, W) or (n, H, W) in 0..1, row by row; `titles` stand over the first row or all.

    `rows_are` stand to the left of the rows.
    """
    from matplotlib.figure import Figure

    pictures = np.asarray(images)
    pictures = pictures[:, None] if pictures.ndim == 3 else pictures
    rows = -(-len(pictures) // columns)
    figure = Figure((columns * 0.9, rows * (0.9 + 0.25 * (len(titles) > columns))), layout="constrained")
    for n, ax in enumerate(np.ravel(figure.subplots(rows, columns, squeeze=False))):
        ax.axis("off")
        if n < len(pictures):
            picture = np.clip(pictures[n].transpose(1, 2, 0), 0, 1)
            ax.imshow(picture.squeeze(), cmap="gray", vmin=0, vmax=1, interpolation="none")
        if n < len(titles):
            ax.set_title(titles[n], fontsize=7)
        if n % columns == 0 and n // columns < len(rows_are):
            place = {"ha": "right", "va": "center", "transform": ax.transAxes}
            ax.text(-0.1, 0.5, rows_are[n // columns], fontsize=8, **place)
    return figure
