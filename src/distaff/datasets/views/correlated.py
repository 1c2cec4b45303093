"""Correlated factors: the images of a data set, drawn with unequal probabilities."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from distaff.datasets.base import DataSet
from distaff.datasets.views.base import View, check_table
from distaff.errors import BadInput, unknown

PARTS = ("factors", "sigma", "kind", "joint")  # of the option
RATIO = 4.0  # of the largest to the smallest probability, in Chen et al. 2018


class Correlated(View):
    """Every image, in batches drawn so that two factors have a given joint distribution.

    `joint` (sizes of the two factors) holds probabilities up to a common factor; the other factors stay
    uniform. The images and their order are those of `data`, so that scores can be taken on the uniform grid.
    Of pairs that are made from the factors, the first images follow the joint, and changed factors of their
    partners are uniform; pairs of the data set's own stay as they are.
    """

    example: ClassVar = {"factors": ["x", "y"], "sigma": 0.2}

    def __init__(self, data: DataSet, first: str, second: str, joint: ArrayLike) -> None:
        if data.factors is None:
            raise BadInput(f"{data.name} has no grid of factors to correlate")
        if first == second:
            raise BadInput(f"factor '{first}' cannot be correlated with itself")
        try:
            self.joint = np.asarray(joint, dtype=np.float64)
        except (TypeError, ValueError):
            raise BadInput(f"the joint of {first} and {second} must be a table of numbers") from None
        super().__init__(data, f"{first} and {second} are drawn correlated")
        self.evenly = False
        self._pair = (first, second)
        self.draw(1, np.random.default_rng(0))  # an error now where factors and joint do not fit
        self.joint = self.joint / self.joint.sum()  # a new array: the one given stays as it is

    @classmethod
    def made(cls, data: DataSet, value: Any) -> DataSet:
        """From `factors`, the names of two, and `sigma` of `ridge`, `kind` of `ratio_joint` or `joint`."""
        asked = check_table("correlate", value, cls.example)
        for key in asked:
            if key not in PARTS:
                raise unknown("part of correlate", key, PARTS)
        names = asked.get("factors", [])
        if data.factors is None or not isinstance(names, list | tuple) or len(names) != 2 or len(asked) != 2:
            raise BadInput("correlate needs a grid, two factors, and one of sigma, kind or joint")
        first, second = (str(name) for name in names)
        rows, columns = (data.factors.sizes[data.factors.position(name)] for name in (first, second))
        if "sigma" in asked:
            return cls(data, first, second, ridge(rows, columns, asked["sigma"]))
        joint = ratio_joint(asked["kind"], rows, columns) if "kind" in asked else asked["joint"]
        return cls(data, first, second, joint)

    def draw(self, size: int, rng: np.random.Generator) -> NDArray[np.int64]:
        """`size` indices with the joint distribution."""
        assert self.factors is not None
        return self.factors.index(self.factors.sample_joint(size, self._pair, self.joint, rng))


def ridge(rows: int, columns: int, sigma: float = 0.2) -> NDArray[np.float64]:
    """A joint (rows, columns) that falls off as a Gaussian of width `sigma` from the diagonal; factors in
    0..1."""
    if isinstance(sigma, bool) or not isinstance(sigma, int | float) or not 1e-6 <= sigma <= 1e6:
        raise BadInput(f"sigma={sigma!r} is not allowed; it must be above 0, from 1e-6 to 1e6")
    apart = np.linspace(0, 1, rows)[:, None] - np.linspace(0, 1, columns)
    return np.exp(-(apart**2) / (2 * sigma**2))


def ratio_joint(kind: str, rows: int, columns: int, ratio: float = RATIO) -> NDArray[np.float64]:
    """A joint (rows, columns) whose probabilities run from 1 to `ratio`, as in Chen et al. 2018.

    Section 6.1 of arXiv:1802.04942. `kind`: "uniform", "diagonal" (likelier where both factors are low or
    both high), "antidiagonal", or "corner" (likelier where both are high). The paper's panels are not
    recoverable; these are our reading of them.
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
