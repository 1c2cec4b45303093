"""Arrays of pixels: drawn when they are first asked for and then kept, and the blocks that are averaged."""

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Number = TypeVar("Number", bound=np.generic)


def in_blocks(pixels: NDArray[Number], side: int) -> list[NDArray[Number]]:
    """The first pixels of all blocks of `side` x `side` of images (..., h, w), then their second ones, ..."""
    return [pixels[..., i::side, j::side] for i in range(side) for j in range(side)]


class Table:
    """Arrays of one shape by number, each made by `make(number)` once. Memory is only taken by those made."""

    def __init__(
        self, count: int, shape: tuple[int, ...], make: Callable[[int], NDArray[Any]], dtype: Any = np.float32
    ) -> None:
        self._make = make
        self._kept = np.zeros((count, *shape), dtype=dtype)
        self._made = np.zeros(count, dtype=bool)

    def __getitem__(self, numbers: NDArray[np.int64]) -> NDArray[Any]:
        for number in np.unique(numbers[~self._made[numbers]]):
            self._kept[number] = self._make(int(number))
            self._made[number] = True
        return self._kept[numbers]
