"""Some images of a data set: held-out combinations of factors, and any other part."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from distaff.datasets.base import DataSet
from distaff.errors import BadInput

MOST_DRAWS = 1000  # before a part counts as never drawn


def take_over(view: DataSet, data: DataSet, note: str) -> None:
    """Give a view of `data` its name, shape and provenance, and a note more."""
    view.name, view.image_shape, view.pixel_range = data.name, data.image_shape, data.pixel_range
    view.source, view.licence, view.citation = data.source, data.licence, data.citation
    view.label_names, view.words = data.label_names, data.words
    view.hidden = tuple(name for name in data.hidden if name in data.label_names)
    view.note = "; ".join(filter(None, [data.note, note]))


def pairs_left(data: DataSet, rows: NDArray[np.int64]) -> NDArray[np.int64] | None:
    """The data set's own pairs (m, 2) of which both images are among `rows`, as places in `rows`."""
    if data.pairs is None:
        return None
    place = np.full(len(data), -1)
    place[rows] = np.arange(len(rows))
    pairs = place[data.pairs]
    return pairs[(pairs >= 0).all(axis=1)]


class Subset(DataSet):
    """The images of `data` at `rows` (m,), in that order. Their labels need not form a grid."""

    def __init__(self, data: DataSet, rows: ArrayLike, note: str = "") -> None:
        self._data, self._rows = data, data.check(rows)
        if len(self._rows) < 2:
            raise BadInput(f"{data.name}: at least 2 images must be left, got {len(self._rows)}")
        take_over(self, data, note)
        self.pairs = pairs_left(data, self._rows)

    def __len__(self) -> int:
        return len(self._rows)

    def images(self, index: ArrayLike) -> NDArray[Any]:
        """The images (n, C, H, W) at `index`."""
        return self._data.images(self._rows[self.check(index)])

    def labels(self, index: ArrayLike) -> NDArray[Any] | None:
        """The labels (n, k) at `index`, or None."""
        return self._data.labels(self._rows[self.check(index)])

    def draw(self, size: int, rng: np.random.Generator) -> NDArray[np.int64]:
        """`size` indices: what `data` draws, without what is not in this part."""
        if type(self._data).draw is DataSet.draw:
            return super().draw(size, rng)
        place = np.full(len(self._data), -1)
        place[self._rows] = np.arange(len(self._rows))
        found = np.empty(0, dtype=np.int64)
        for _ in range(MOST_DRAWS):
            drawn = place[self._data.draw(size, rng)]
            found = np.concatenate([found, drawn[drawn >= 0]])
            if len(found) >= size:
                return found[:size]
        raise BadInput(f"{self.name}: hardly anything that is drawn is left by what is held out")


def hold_out(data: DataSet, combination: Mapping[str, int | Sequence[int]]) -> tuple[Subset, Subset]:
    """The images to train on, and those held out: all whose factors take the values of `combination`.

    `{"shape": 2, "x": [30, 31]}` holds out hearts (2) at the two rightmost places, and keeps hearts elsewhere
    and other shapes there.
    """
    if data.factors is None:
        raise BadInput(f"{data.name} has no grid of factors to hold combinations of out")
    if not combination:
        raise BadInput("held_out names no factor")
    rows = data.factors.rows(np.arange(len(data)))
    inside = np.ones(len(data), dtype=bool)
    for name, values in combination.items():
        j, size = data.factors.position(name), data.factors.sizes[data.factors.position(name)]
        wanted = list(values) if isinstance(values, Iterable) else [values]
        if not wanted or not all(type(v) is int and 0 <= v < size for v in wanted):
            raise BadInput(f"held_out {name}={values!r} is not allowed; give whole numbers in 0..{size - 1}")
        inside &= np.isin(rows[:, j], wanted)
    said = ", ".join(f"{name}={values}" for name, values in combination.items())
    return (
        Subset(data, np.flatnonzero(~inside), f"held out: {said}"),
        Subset(data, np.flatnonzero(inside), f"only: {said}"),
    )


def labelled_rows(data: DataSet, count: int, seed: int = 0) -> NDArray[np.int64]:
    """The indices (count,) of a random labelled part, for semi-supervision; the rest counts as unlabelled."""
    if data.labels(np.arange(1)) is None:
        raise BadInput(f"{data.name} has no labels")
    if not 1 <= count <= len(data):
        raise BadInput(f"labelled_images={count} is not allowed; {data.name} has 1 to {len(data)}")
    return np.random.default_rng(seed).choice(len(data), size=count, replace=False)
