"""Some images of a data set: held-out combinations of factors, and any other part."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from distaff.datasets.base import DataSet
from distaff.datasets.views.base import View, check_table
from distaff.errors import BadInput, unknown

MOST_DRAWS = 1000  # before a part counts as never drawn


class Subset(View):
    """Some of the images, as where combinations are held out. Their labels need not form a grid."""

    example: ClassVar = {"shape": 2, "x": [6, 7]}

    def __init__(self, data: DataSet, rows: ArrayLike, note: str = "") -> None:
        chosen = data.check(rows)
        if len(chosen) < 2:
            raise BadInput(f"{data.name}: at least 2 images must be left, got {len(chosen)}")
        super().__init__(data, note, chosen)

    @classmethod
    def made(cls, data: DataSet, value: Any) -> DataSet:
        """Without the images whose factors take all of these values; see `hold_out`."""
        inside, said = _inside(data, check_table("held_out", value, cls.example))
        return cls(data, np.flatnonzero(~inside), f"held out: {said}")

    def draw(self, size: int, rng: np.random.Generator) -> NDArray[np.int64]:
        """`size` indices: what `data` draws, without what is not in this part."""
        if type(self._data).draw is DataSet.draw:
            return DataSet.draw(self, size, rng)
        place = self._places()
        found = np.empty(0, dtype=np.int64)
        for _ in range(MOST_DRAWS):
            drawn = place[self._data.draw(size, rng)]
            found = np.concatenate([found, drawn[drawn >= 0]])
            if len(found) >= size:
                return found[:size]
        raise BadInput(f"{self.name}: hardly anything that is drawn is left by what is held out")


def hold_out(data: DataSet, combination: Mapping[str, int | Sequence[int]]) -> tuple[Subset, Subset]:
    """The images to train on, and those held out: all that have these values of factors, or of labels.

    `{"shape": 2, "x": [30, 31]}` holds out hearts (2) at the two rightmost places, and keeps hearts elsewhere
    and other shapes there.
    """
    inside, said = _inside(data, combination)
    if inside.sum() < 2:
        raise BadInput(
            f"{data.name}: what is held out ({said}) must be at least 2 images, not {inside.sum()}"
        )
    return (
        Subset(data, np.flatnonzero(~inside), f"held out: {said}"),
        Subset(data, np.flatnonzero(inside), f"only: {said}"),
    )


def _inside(data: DataSet, combination: Mapping[str, int | Sequence[int]]) -> tuple[NDArray[np.bool_], str]:
    """Which images (n,) take the values of a combination, and the combination in words."""
    if not combination:
        raise BadInput("held_out names no factor")
    said = ", ".join(f"{name}={values}" for name, values in combination.items())
    if data.factors is None:
        return _labelled_so(data, combination), said
    rows = data.factors.rows(np.arange(len(data)))
    inside = np.ones(len(data), dtype=bool)
    for name, values in combination.items():
        j, size = data.factors.position(name), data.factors.sizes[data.factors.position(name)]
        wanted = list(values) if isinstance(values, Iterable) else [values]
        if not wanted or not all(_is_whole(v) and 0 <= v < size for v in wanted):
            raise BadInput(f"held_out {name}={values!r} is not allowed; give whole numbers in 0..{size - 1}")
        inside &= np.isin(rows[:, j], wanted)
    return inside, said


def _labelled_so(data: DataSet, combination: Mapping[str, Any]) -> NDArray[np.bool_]:
    """Which images (n,) have these labels: values as they are, words by what they say."""
    labels = data.labels(np.arange(len(data)))
    if labels is None:
        raise BadInput(f"{data.name} has no labels to hold combinations of out")
    inside = np.ones(len(data), dtype=bool)
    for name, values in combination.items():
        if name not in data.label_names:
            raise unknown(f"label of {data.name}", name, data.label_names)
        column = labels[:, data.label_names.index(name)]
        known: list[Any] = list(data.words.get(name) or np.unique(column).tolist())
        wanted = list(values) if isinstance(values, Iterable) and not isinstance(values, str) else [values]
        for value in wanted:
            if value not in known:
                raise unknown(f"value of {name}", str(value), map(str, known))
        inside &= np.isin(column, [known.index(v) if name in data.words else v for v in wanted])
    return inside


def _is_whole(value: Any) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool)


def labelled_rows(data: DataSet, count: int, seed: int = 0) -> NDArray[np.int64]:
    """The indices (count,) of a random labelled part, for semi-supervision; the rest counts as unlabelled."""
    if data.labels(np.arange(1)) is None:
        raise BadInput(f"{data.name} has no labels")
    if not 1 <= count <= len(data):
        raise BadInput(f"labelled_images={count} is not allowed; {data.name} has 1 to {len(data)}")
    rng = np.random.default_rng(seed)
    if data.evenly:
        return rng.choice(len(data), size=count, replace=False)
    found: dict[int, None] = {}  # in the order in which they are drawn
    for _ in range(MOST_DRAWS):
        found |= dict.fromkeys(data.draw(count, rng).tolist())
        if len(found) >= count:
            return np.array([*found][:count])
    raise BadInput(f"labelled_images={count} is not allowed; only {len(found)} of {data.name} are ever drawn")
