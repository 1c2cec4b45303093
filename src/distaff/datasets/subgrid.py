"""A part of a grid data set: fewer values of some factors, in the original order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from distaff.datasets.base import DataSet
from distaff.datasets.subset import pairs_left, take_over
from distaff.errors import BadInput
from distaff.factors import FactorSpace


class SubGrid(DataSet):
    """The images of `data` whose factors take chosen values.

    `keep` maps a factor to how many evenly spaced values to keep (x=16 keeps 0, 2, 4, ... of 32) or to the
    list of values. Factors left with a single value drop out of the labels.
    """

    def __init__(self, data: DataSet, keep: Mapping[str, int | Sequence[int]]) -> None:
        if data.factors is None:
            raise BadInput(f"{data.name} has no grid of factors to take a part of")
        space = data.factors
        values = [np.arange(size) for size in space.sizes]
        for factor, kept in keep.items():
            j = space.position(factor)
            values[j] = _kept(factor, space.sizes[j], kept)
        self._data, self._values = data, values
        self._grid = FactorSpace(space.names, tuple(len(v) for v in values))
        self._varying = [j for j, v in enumerate(values) if len(v) > 1]
        if not self._varying:
            raise BadInput(f"{data.name}: no factor is left to vary")
        self.factors = FactorSpace(
            tuple(space.names[j] for j in self._varying), tuple(len(values[j]) for j in self._varying)
        )
        fixed = [f"{factor} keeps {len(values[space.position(factor)])}" for factor in keep]
        take_over(self, data, "part of the grid: " + ", ".join(fixed))
        self.label_names = self.factors.names
        self.words = {  # of the values that are kept, which are numbered anew
            space.names[j]: tuple(words[value] for value in values[j])
            for j in self._varying
            if (words := data.words.get(space.names[j]))
        }
        self.hidden = tuple(name for name in data.hidden if name in self.label_names)
        if data.pairs is not None:
            self.pairs = pairs_left(data, self._originals(np.arange(len(self))))

    def __len__(self) -> int:
        return len(self._grid)

    def images(self, index: ArrayLike) -> NDArray[Any]:
        """The images (n, C, H, W) at `index` of this part."""
        return self._data.images(self._originals(index))

    def _originals(self, index: ArrayLike) -> NDArray[np.int64]:
        """The indices in the data set beneath."""
        rows = self._grid.rows(self.check(index))
        original = np.stack([values[rows[:, j]] for j, values in enumerate(self._values)], axis=1)
        assert self._data.factors is not None
        return self._data.factors.index(original)


def _kept(factor: str, size: int, kept: int | Sequence[int]) -> NDArray[np.int64]:
    if isinstance(kept, int) and not isinstance(kept, bool):
        if not 1 <= kept <= size:
            raise BadInput(f"{factor}={kept} is out of range; it must be 1 to {size} values")
        return np.arange(kept) * size // kept
    try:
        values = np.asarray(kept)
    except ValueError:  # lists of lists of different lengths
        values = np.empty(0)
    if values.ndim != 1 or not values.size or not np.issubdtype(values.dtype, np.integer):
        raise BadInput(f"{factor}={kept!r} is not allowed; give a number of values or a list, as in [0,5,9]")
    if values.min() < 0 or values.max() >= size or len(np.unique(values)) != len(values):
        raise BadInput(f"{factor}={kept!r} is not allowed; values must differ and lie in 0..{size - 1}")
    return np.sort(values).astype(np.int64)
