"""What is drawn when it is first asked for, and then kept."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


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
