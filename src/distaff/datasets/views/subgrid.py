"""A part of a grid data set: fewer values of some factors, in the original order."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from distaff.datasets.base import DataSet
from distaff.datasets.views.base import View
from distaff.errors import BadInput
from distaff.factors import FactorSpace


class SubGrid(View):
    """The images of `data` whose factors take chosen values.

    `keep` maps a factor to how many evenly spaced values to keep (x=16 keeps 0, 2, 4, ... of 32) or to the
    list of values. Factors left with a single value drop out of the labels. Images are drawn equally often.
    """

    draw, labels = DataSet.draw, DataSet.labels  # by the grid that is left

    def __init__(self, data: DataSet, keep: Mapping[str, int | Sequence[int]]) -> None:
        if data.factors is None:
            raise BadInput(f"{data.name} has no grid of factors to take a part of")
        space = data.factors
        values = [np.arange(size) for size in space.sizes]
        for factor, kept in keep.items():
            j = space.position(factor)
            values[j] = _kept(factor, space.sizes[j], kept)
        left = {name: kept for name, kept in zip(space.names, values, strict=True) if len(kept) > 1}
        if not left:
            raise BadInput(f"{data.name}: no factor is left to vary")
        fixed = [f"{factor} keeps {len(values[space.position(factor)])}" for factor in keep]
        rows = np.arange(len(space)).reshape(space.sizes)[np.ix_(*values)].ravel()
        super().__init__(data, "part of the grid: " + ", ".join(fixed), rows)
        self.factors = FactorSpace(tuple(left), tuple(map(len, left.values())))
        self.label_names = self.factors.names
        #: of the values that are kept, which are numbered anew
        self.words = {j: tuple(data.words[j][v] for v in left[j]) for j in left if j in data.words}
        self.hidden = tuple(name for name in data.hidden if name in left)


def _kept(factor: str, size: int, kept: int | Sequence[int]) -> NDArray[np.int64]:
    if isinstance(kept, int | np.integer) and not isinstance(kept, bool):
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
