"""Figures and pixels as bytes: PNG for files, SVG for pages, where text stays text and follows the theme."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from distaff.files import replacing
from distaff.pages.palette import INK

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DPI = 130
MOST_POINTS = 500  # of a cloud that a page holds as shapes; as pixels it takes less from there on
LONGEST_NAME = 80  # characters of a title in the name of a file


def png(picture: Figure | NDArray[np.uint8]) -> bytes:
    """A figure, on white, or pixels (H, W, 3) as a PNG."""
    if not isinstance(picture, np.ndarray):
        return _written(picture, "png", facecolor="white")
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, format="png")
    return buffer.getvalue()


def svg(figure: Figure, title: str) -> Markup:
    """A figure as SVG, called `title`. What is black or INK takes the colour of the text around it.

    Names within it are made of the title: a reference to another figure's part would go nowhere where that
    is folded away.
    """
    from matplotlib import rc_context
    from matplotlib.collections import PathCollection
    from matplotlib.lines import Line2D

    for points in figure.findobj(PathCollection):
        points.set_rasterized(np.size(points.get_offsets()) > 2 * MOST_POINTS)
    for line in figure.findobj(Line2D):
        line.set_rasterized(line.get_marker() != "None" and np.size(line.get_xdata()) > MOST_POINTS)
    unsaid = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    style: Any = {"svg.hashsalt": title, "svg.fonttype": "none"}  # text stays text, in any script
    with rc_context(style):
        text = _written(figure, "svg", metadata=unsaid, transparent=True).decode()
    _, opening, drawn = re.split(r"(<svg [^>]*>)", text, maxsplit=1)
    drawn = re.sub(r'<g id="[^"]*">', "<g>", drawn)  # every figure has the same ones
    drawn = re.sub(rf"(fill|stroke): (#000000|{INK})", r"\1: currentColor", drawn)
    size = " ".join(re.findall(r'(?:width|height|viewBox)="[^"]*"', opening))
    return Markup('<svg {} role="img" aria-label="{}">{}').format(Markup(size), title, Markup(drawn))


def _written(figure: Figure, kind: str, **options: Any) -> bytes:
    """What Matplotlib writes; letters that its font lacks a browser has, and a file shows as a box."""
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing")
        figure.savefig(buffer, format=kind, dpi=DPI, **options)
    return buffer.getvalue()


def save_png(picture: Figure | NDArray[np.uint8], path: Path) -> None:
    """Replace `path` by the picture as a PNG."""
    with replacing(path) as partial:
        partial.write_bytes(png(picture))


def named(title: str, longest: int = LONGEST_NAME) -> str:
    """A title as the name of a file, without its ending."""
    return re.sub(r"[^a-z0-9]+", "_", title.lower()).strip("_")[:longest].strip("_")


def save_figures(titled: Iterable[tuple[str, Figure]], folder: Path) -> list[Path]:
    """Write figures into a folder as PNG, numbered and named after their titles, and return their paths."""
    written: list[Path] = []
    for title, figure in titled:
        path = folder / f"{len(written) + 1:02d}_{named(title)}.png"
        save_png(figure, path)
        written.append(path)
    return written
