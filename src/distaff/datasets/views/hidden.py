"""A data set some of whose factors no one is told of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from numpy.typing import ArrayLike, NDArray

from distaff.datasets.base import DataSet
from distaff.datasets.views.base import View
from distaff.errors import BadInput


class Hidden(View):
    """Every image, without some of the labels, as the study hides SmallNORB's instances.

    The images still vary in what `hide` names, so the other labels no longer form a grid: `factors` is None.
    """

    example: ClassVar = ["shape"]

    def __init__(self, data: DataSet, hide: Sequence[str]) -> None:
        hide = [hide] if isinstance(hide, str) else hide
        if not isinstance(hide, list | tuple) or not all(isinstance(name, str) for name in hide):
            raise BadInput(f'hide={hide!r} is not allowed; give names, as in hide=["shape"]')
        for name in hide:
            if name not in data.label_names:
                known = ", ".join(data.label_names)
                raise BadInput(f"{data.name} has no factor '{name}' to hide; it has: {known}")
        self._kept = [j for j, name in enumerate(data.label_names) if name not in hide]
        if not self._kept:
            raise BadInput(f"{data.name}: at least one factor must be left to see")
        super().__init__(data, f"hidden: {', '.join(hide)}" if hide else "")
        self.hidden = ()
        self.label_names = tuple(data.label_names[j] for j in self._kept)
        self.words = {name: words for name, words in data.words.items() if name in self.label_names}
        self.factors = None if hide else data.factors
        self.grid = data.factors or data.grid

    @classmethod
    def made(cls, data: DataSet, value: Any) -> DataSet:
        """Without these labels, and those that are hidden anyway; an empty list shows all."""
        if value in ((), []):
            return data
        given = [value] if isinstance(value, str) else value
        more = [name for name in data.hidden if name not in given] if isinstance(given, list | tuple) else []
        return cls(data, [*given, *more] if more else given)

    def labels(self, index: ArrayLike) -> NDArray[Any] | None:
        """The labels (n, k) at `index` that are not hidden."""
        labels = super().labels(index)
        return None if labels is None else labels[:, self._kept]
