"""A contact sheet: each factor of a data set varied alone, or a sample where there are no factors."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from distaff.datasets import DataSet
from distaff.pages.images import strip
from distaff.pages.saving import save_png

COLUMNS = 12
SHORTEST = 64  # pixels an image is enlarged to


def write_contact_sheet(data: DataSet, path: Path) -> Path:
    """Write the sheet as PNG: a row per factor, spread over its values, the others in the middle."""
    labels, rows = zip(*_rows(data), strict=True)
    save_sheet(path, labels, [strip(data.unit_images(index)) for index in rows])
    return path


def save_sheet(path: Path, labels: Sequence[str], strips: Sequence[NDArray[np.uint8]]) -> None:
    """Write strips of images below each other, each behind its label, small ones enlarged, as PNG."""
    from PIL import Image, ImageDraw

    zoom = max(1, SHORTEST // strips[0].shape[0])
    strips = [row.repeat(zoom, axis=0).repeat(zoom, axis=1) for row in strips]
    margin, line = 90, strips[0].shape[0] + 4
    sheet = Image.new("RGB", (margin + max(row.shape[1] for row in strips), line * len(strips)), "white")
    draw = ImageDraw.Draw(sheet)
    for number, (label, row) in enumerate(zip(labels, strips, strict=True)):
        draw.text((6, number * line + line // 2 - 6), label[:14], fill="black")
        sheet.paste(Image.fromarray(row), (margin, number * line))
    save_png(np.asarray(sheet), path)


def _rows(data: DataSet) -> list[tuple[str, NDArray[Any]]]:
    space = data.factors or data.grid
    if space is None:
        chosen = np.random.default_rng(0).integers(len(data), size=(5, min(COLUMNS, len(data))))
        return [("sample", index) for index in chosen]
    middle = np.array(space.sizes) // 2
    rows = []
    for j, (name, size) in enumerate(zip(space.names, space.sizes, strict=True)):
        values = np.unique(np.linspace(0, size - 1, min(size, COLUMNS)).astype(np.int64))
        row = np.repeat(middle[None], len(values), axis=0)
        row[:, j] = values
        rows.append((name, space.index(row)))
    return rows
