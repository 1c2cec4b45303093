"""What the explorer shows of a run, as data: latents, some images with their codes, concepts."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from distaff.evaluation.acting.policy import Policy, policy
from distaff.evaluation.acting.returns import read_acted
from distaff.evaluation.concepts.imagined import lessons_of
from distaff.evaluation.posterior import active, carried
from distaff.pages.images import colours
from distaff.pages.saving import png
from distaff.pages.seen import COMPARED, Seen, known
from distaff.pages.traversals import nearest_the_centre

IMAGES = 200  # on the map
BYTES = 400_000  # of these images as a PNG, and of their codes, at the most; then there are fewer
FEWEST = 8
TOLD = 0.05  # share of a factor's entropy, from which on a latent is said to know of it
ENDS = (0.005, 0.995)  # quantiles of the aggregate posterior, between which latents move
PRIOR = (-1.0, 1.0)  # at least that far, where codes of unit size are drawn to train a generator
COLUMNS = 20  # images side by side on the sheet


def chosen(seen: Seen) -> NDArray[np.int64]:
    """Places in the encoding: of the image nearest the centre of all, then of others at random."""
    mean = seen.encoding.mean
    first = int(np.abs(mean - nearest_the_centre(seen.encoding)).sum(axis=1).argmin())
    others = np.random.default_rng(0).permutation(len(mean))
    count = max(min(IMAGES, BYTES // (4 * mean.shape[1])), FEWEST)
    return np.array([first, *others[others != first]][:count], dtype=np.int64)


def sheet(seen: Seen, places: NDArray[np.int64]) -> tuple[NDArray[np.int64], bytes]:
    """As many of the places as there is room for, and a PNG of their images, 20 in a row."""
    while True:
        found = png(tiled(seen.run.data.unit_images(seen.encoding.rows[places])))
        if len(found) <= BYTES or len(places) <= FEWEST:
            return places, found
        places = places[: max(len(places) // 2, FEWEST)]


def tiled(images: NDArray[Any]) -> NDArray[np.uint8]:
    """Images (n, C, H, W) in 0..1 as one picture (rows * H, 20 * W, 3), what is left over black."""
    n, _, height, width = images.shape
    rows = math.ceil(n / COLUMNS)
    pixels = np.zeros((rows * COLUMNS, height, width, 3), dtype=np.uint8)
    pixels[:n] = colours(images)
    grid = pixels.reshape(rows, COLUMNS, height, width, 3).transpose(0, 2, 1, 3, 4)
    return grid.reshape(rows * height, COLUMNS * width, 3)


def latents(seen: Seen, places: NDArray[np.int64]) -> list[dict[str, Any]]:
    """For every column of the code its name, range, what it carries and what it knows, the first on top.

    It moves between quantiles of the aggregate posterior, and as far as the codes of the images at `places`,
    and over the prior where codes have one and no posterior, as those of a generator.
    """
    encoding, unit = seen.encoding, "variance" if seen.encoding.logvar is None else "nats"
    ends = np.quantile(encoding.sample, ENDS, axis=0)
    low = np.minimum(ends[0], encoding.mean[places].min(axis=0))
    high = np.maximum(ends[1], encoding.mean[places].max(axis=0))
    if encoding.logvar is None and seen.run.method.has_prior:
        low, high = np.minimum(low, PRIOR[0]), np.maximum(high, PRIOR[1])
    still = low == high
    low, high = low - 0.5 * still, high + 0.5 * still
    each, live, knows = carried(encoding), active(encoding), _knows(seen)
    return [
        {
            "column": int(j),
            "name": seen.names[j],
            "carries": f"{each[j]:.2f} nats" if unit == "nats" else f"var. {each[j]:.3g}",
            "active": bool(live[j]),
            "low": float(low[j]),
            "high": float(high[j]),
            "knows": knows.get(int(j), []),
        }
        for j in seen.order
    ]


def _knows(seen: Seen) -> dict[int, list[tuple[str, float]]]:
    """What the first columns know of factors, by column: names and shares, the largest first."""
    columns = seen.order[:COMPARED]
    factors, shares = known(seen, columns)
    found = {}
    for column, row in zip(columns, shares, strict=True):
        told = [(factors[k], round(float(row[k]), 3)) for k in np.argsort(-row) if row[k] >= TOLD]
        found[int(column)] = told
    return found


def groups(seen: Seen) -> list[dict[str, Any]]:
    """The categorical codes by name, each with its columns."""
    one_hot = seen.run.method.one_hot(seen.run.facts)
    return [{"name": name, "columns": list(columns)} for name, columns in one_hot.items()]


def images(seen: Seen, places: NDArray[np.int64]) -> list[dict[str, Any]]:
    """The number of every image in the data set, and in words what its labels are."""
    rows, data = seen.encoding.rows[places], seen.run.data
    labels = data.labels(rows)
    if labels is None:
        return [{"number": int(row), "told": ""} for row in rows]
    return [
        {"number": int(row), "told": ", ".join(_label(data, *each) for each in enumerate(values))}
        for row, values in zip(rows, labels, strict=True)
    ]


def _label(data: Any, column: int, value: Any) -> str:
    """A label by its name and its word or number."""
    name, words = data.label_names[column], data.words.get(data.label_names[column])
    whole = str(int(value)) if value == np.floor(value) else f"{value:g}"
    said = words[int(value)] if words else whole
    return f"{name} {said}"


def concepts(seen: Seen) -> list[dict[str, Any]]:
    """The concepts and synonyms that a run was taught, each a Gaussian over latents; none without symbols."""
    if not seen.run.facts.words:
        return []
    lessons = lessons_of(seen.run)
    words = lessons.vocabulary.synonyms
    codes = seen.run.encode_symbols([*lessons.symbols, *map(lessons.vocabulary.symbol, words)])
    names = [*map(lessons.vocabulary.describe, lessons.taught), *words]
    sizes = [*map(len, lessons.taught), *map(len, words.values())]
    order = sorted(range(len(names)), key=lambda n: (sizes[n], names[n]))
    sigma = np.exp(codes.logvar / 2)
    return [{"name": names[n], "mean": _rounded(codes.mean[n]), "sigma": _rounded(sigma[n])} for n in order]


def agent(seen: Seen) -> Policy | None:
    """The policy of the agent that the run was judged by, where one was and is kept."""
    found = read_acted(seen.run)
    return None if found is None else policy(seen.run, found)


def _rounded(values: NDArray[np.float32]) -> list[float]:
    return [round(float(value), 4) for value in values]
