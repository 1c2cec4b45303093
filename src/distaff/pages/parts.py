"""What sections are made of, as HTML. All text is escaped, unless it is Markup already."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from numbers import Real
from typing import Any

import numpy as np
import pandas as pd
from markupsafe import Markup
from matplotlib.figure import Figure
from numpy.typing import NDArray

from distaff.pages.figures import Plot
from distaff.pages.images import strip
from distaff.pages.saving import png, svg

MOST_ROWS = 60  # of the numbers of a figure


def joined(parts: Iterable[str]) -> Markup:
    """HTML as it is and text as paragraphs, one after the other; what is empty is left out."""
    made = (part if isinstance(part, Markup) else tagged("p", part, "soft") for part in parts if part)
    return Markup("\n").join(made)


def tagged(tag: str, text: object, kind: str = "") -> Markup:
    """Text in an element, such as "p" or "small", of a kind that the style sheet knows."""
    return Markup(f'<{tag} class="{kind}">{{}}</{tag}>' if kind else f"<{tag}>{{}}</{tag}>").format(text)


def number(value: float) -> str:
    """A number as tables show it: three decimals, more where it is small; a dash for NaN."""
    if value != value:
        return "–"
    small, large = abs(value) < 0.01, abs(value) >= 10
    return f"{value:.3g}" if small else f"{value:.4g}" if large else f"{value:.3f}"


def table(header: Sequence[object], rows: Iterable[Sequence[object]]) -> Markup:
    """A table that scrolls within the page; numbers stand on the right, None is a dash.

    A row with fewer cells than the header ends with its last cell.
    """
    rows = list(rows)
    right = {j for row in rows for j, cell in enumerate(row) if isinstance(cell, Real)}
    lines = [_row("td", row, right, len(header)) for row in rows]
    head = [_row("th", header, right, len(header))] if any(header) else []
    return tagged("div", tagged("table", Markup("\n").join([*head, *lines])), "scroll")


def _row(tag: str, cells: Sequence[object], right: set[int], width: int) -> Markup:
    made = []
    for j, cell in enumerate(cells):
        over = width - j if j == len(cells) - 1 and j < width - 1 else 1
        kind = ' class="n"' if j in right and over == 1 else ""
        text = number(cell) if isinstance(cell, float) else "–" if cell is None else cell
        made.append(Markup(f"<{tag}{kind}{f' colspan={over}' if over > 1 else ''}>{{}}</{tag}>").format(text))
    return tagged("tr", Markup().join(made))


def frame_table(frame: pd.DataFrame) -> Markup:
    """The columns of a data frame as a table, without its index."""
    return table(list(frame.columns), list(frame.itertuples(index=False)))


def drawing(title: str, figure: Figure, numbers: pd.DataFrame | None = None) -> Markup:
    """A figure, and its numbers as a table, folded: `numbers`, or else a Plot's own, of many rows some.

    `title` says what it shows to those who do not see it.
    """
    drawn = tagged("div", svg(figure, title), "drawing")
    if numbers is not None:
        return drawn + _numbers([frame_table(numbers)])
    own = figure.numbers if isinstance(figure, Plot) else None
    return drawn if own is None else drawn + _numbers(_thinned(own))


def _numbers(told: Iterable[str]) -> Markup:
    return folded("The numbers", told, kind="numbers")


def _thinned(frame: pd.DataFrame) -> list[str]:
    """A table of as many rows as a page has room for, evenly spread, and how many that are."""
    if len(frame) <= MOST_ROWS:
        return [frame_table(frame)]
    places = np.linspace(0, len(frame) - 1, MOST_ROWS).round().astype(np.int64)
    return [f"{MOST_ROWS} of {len(frame):,} rows.", frame_table(frame.iloc[places])]


def picture(images: NDArray[Any], alt: str) -> Markup:
    """Images (n, C, H, W) in 0..1 side by side; `alt` says what they are."""
    data = base64.b64encode(png(strip(images))).decode()
    return Markup('<img src="data:image/png;base64,{}" alt="{}">').format(data, alt)


def labelled(name: str, images: Markup, note: str = "", values: Sequence[str] = ()) -> Markup:
    """A picture behind its name and a note; `values` of its images stand above them."""
    label = Markup("{}{}").format(name, tagged("small", note) if note else "")
    line = tagged("div", tagged("div", label) + images, "strip")
    above = tagged("div", Markup().join(tagged("span", value) for value in values), "values")
    return (tagged("div", tagged("div", "") + above, "strip") if values else Markup()) + line


def folded(summary: str, parts: Iterable[str], opened: bool = False, kind: str = "") -> Markup:
    """Parts that are shown once their summary is clicked, or are `opened` already."""
    body = tagged("summary", summary) + joined(parts)
    attributes = Markup(' class="{}"').format(kind) if kind else Markup()
    return Markup("<details{}{}>{}</details>").format(attributes, Markup(" open" * opened), body)


def definitions(pairs: Iterable[tuple[object, object]]) -> Markup:
    """Names and what they are, a line each."""
    return tagged("dl", Markup("\n").join(tagged("dt", a) + tagged("dd", b) for a, b in pairs))
