"""Correlated factors: the images of a data set, drawn with unequal probabilities."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from distaff.datasets.base import DataSet
from distaff.datasets.subset import take_over
from distaff.errors import BadInput, unknown

RATIO = 4.0  # of the largest to the smallest probability, in Chen et al. 2018


class Correlated(DataSet):
    """`data`, of which batches are drawn so that two factors have a given joint distribution.

    `joint` (sizes of the two factors) holds probabilities up to a common factor; the other factors stay
    uniform. The images and their order are those of `data`, so that scores can be taken on the uniform grid.
    Of pairs that are made from the factors, the first images follow the joint, and changed factors of their
    partners are uniform; pairs of the data set's own stay as they are.
    """

    def __init__(self, data: DataSet, first: str, second: str, joint: ArrayLike) -> None:
        if data.factors is None:
            raise BadInput(f"{data.name} has no grid of factors to correlate")
        if first == second:
            raise BadInput(f"factor '{first}' cannot be correlated with itself")
        try:
            self.joint = np.asarray(joint, dtype=np.float64)
        except (TypeError, ValueError):
            raise BadInput(f"the joint of {first} and {second} must be a table of numbers") from None
        self._data, self.factors, self._pair = data, data.factors, (first, second)
        self.draw(1, np.random.default_rng(0))  # an error now where factors and joint do not fit
        self.joint = self.joint / self.joint.sum()  # a new array: the one given stays as it is
        self.pairs = data.pairs
        take_over(self, data, f"{first} and {second} are drawn correlated")

    def __len__(self) -> int:
        return len(self._data)

    def images(self, index: ArrayLike) -> NDArray[Any]:
        """The images (n, C, H, W) at `index`."""
        return self._data.images(index)

    def labels(self, index: ArrayLike) -> NDArray[Any] | None:
        """The labels (n, k) at `index`."""
        return self._data.labels(index)

    def draw(self, size: int, rng: np.random.Generator) -> NDArray[np.int64]:
        """`size` indices with the joint distribution."""
        assert self.factors is not None
        return self.factors.index(self.factors.sample_joint(size, self._pair, self.joint, rng))


def ridge(rows: int, columns: int, sigma: float = 0.2) -> NDArray[np.float64]:
    """A joint (rows, columns) that falls off as a Gaussian of width `sigma` from the diagonal; factors in
    0..1."""
    if isinstance(sigma, bool) or not isinstance(sigma, int | float) or not sigma > 0:
        raise BadInput(f"sigma={sigma!r} is not allowed; it must be above 0")
    apart = np.linspace(0, 1, rows)[:, None] - np.linspace(0, 1, columns)
    return np.exp(-(apart**2) / (2 * sigma**2))


def ratio_joint(kind: str, rows: int, columns: int, ratio: float = RATIO) -> NDArray[np.float64]:
    """A joint (rows, columns) whose probabilities run from 1 to `ratio`, as in Chen et al. 2018, section 6.1.

    `kind`: "uniform", "diagonal" (likelier where both factors are low or both high), "antidiagonal", or
    "corner" (likelier where both are high). The paper's panels are not recoverable; these are our reading of
    them.
    """
    x, y = np.linspace(0, 1, rows)[:, None], np.linspace(0, 1, columns)[None]
    kinds = {
        "uniform": 0 * x * y,
        "diagonal": 1 - np.abs(x - y),
        "antidiagonal": 1 - np.abs(x + y - 1),
        "corner": x * y,
    }
    if not isinstance(kind, str) or kind not in kinds:
        raise unknown("kind of joint", str(kind), kinds)
    return ratio ** kinds[kind]
