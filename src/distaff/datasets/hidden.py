"""A data set some of whose factors no one is told of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from distaff.datasets.base import DataSet
from distaff.datasets.subset import take_over
from distaff.errors import BadInput


class Hidden(DataSet):
    """The images of `data` without the labels `hide`, as the study hides SmallNORB's instances.

    The images still vary in them, so the other labels no longer form a grid: `factors` is None.
    """

    def __init__(self, data: DataSet, hide: Sequence[str]) -> None:
        hide = [hide] if isinstance(hide, str) else hide
        if not isinstance(hide, list | tuple) or not all(isinstance(name, str) for name in hide):
            raise BadInput(f'hide={hide!r} is not allowed; give names, as in hide=["shape"]')
        for name in hide:
            if name not in data.label_names:
                raise BadInput(
                    f"{data.name} has no factor '{name}' to hide; it has: {', '.join(data.label_names)}"
                )
        self._data = data
        self._kept = [j for j, name in enumerate(data.label_names) if name not in hide]
        if not self._kept:
            raise BadInput(f"{data.name}: at least one factor must be left to see")
        take_over(self, data, f"hidden: {', '.join(hide)}" if hide else "")
        self.hidden = ()
        self.label_names = tuple(data.label_names[j] for j in self._kept)
        self.words = {name: words for name, words in data.words.items() if name in self.label_names}
        self.factors = None if hide else data.factors
        self.grid, self.pairs = data.factors, data.pairs

    def __len__(self) -> int:
        return len(self._data)

    def images(self, index: ArrayLike) -> NDArray[Any]:
        """The images (n, C, H, W) at `index`."""
        return self._data.images(index)

    def labels(self, index: ArrayLike) -> NDArray[Any] | None:
        """The labels (n, k) at `index` that are not hidden."""
        labels = self._data.labels(index)
        return None if labels is None else labels[:, self._kept]

    def draw(self, size: int, rng: np.random.Generator) -> NDArray[np.int64]:
        """Indices as the data set beneath draws them."""
        return self._data.draw(size, rng)
