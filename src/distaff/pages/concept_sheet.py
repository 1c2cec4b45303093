"""A sheet of the images that a model makes of a concept."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from distaff.pages.contact_sheet import COLUMNS, save_sheet
from distaff.pages.images import strip
from distaff.pages.saving import named

LONGEST = 200  # characters of the name of a file


def write_concept_sheet(folder: Path, title: str, images: Mapping[str, NDArray[np.float32]]) -> Path:
    """Write labelled images (n, C, H, W) in 0..1 below each other, as FOLDER/concepts/TITLE.png."""
    labels: list[str] = []
    strips: list[NDArray[np.uint8]] = []
    for label, many in images.items():
        for start in range(0, len(many), COLUMNS):
            labels.append("" if start else label)
            strips.append(strip(many[start : start + COLUMNS]))
    name = named(title, LONGEST)
    if name != named(title, len(title)):  # cut, so that others may begin alike
        name += f"_{hashlib.sha256(title.encode()).hexdigest()[:8]}"
    path = folder / "concepts" / f"{name}.png"
    save_sheet(path, labels, strips)
    return path
