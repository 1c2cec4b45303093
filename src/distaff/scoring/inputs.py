"""What is scored: codes, and whatever else a metric may need of the same rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from distaff.metrics.needs import NEEDS


@dataclass(frozen=True)
class Inputs:
    """Codes (n, d), and what else is given of the same rows, by need, as distaff.metrics.needs has it.

    `codes` are an array or distaff.tables.Sparse. `continuous` are the columns of factors that hold real
    numbers, `unordered` those whose numbers stand for words without an order.
    """

    codes: Any
    given: Mapping[str, Any] = field(default_factory=dict)
    continuous: tuple[int, ...] = ()
    unordered: tuple[int, ...] = ()

    @property
    def factors(self) -> NDArray[Any] | None:
        """The factors (n, k), if there are any."""
        return self.given.get("factors")

    def take(self, rows: NDArray[np.int64]) -> Inputs:
        """The same of some rows."""
        given = {
            need: [part[rows] for part in value] if NEEDS[need].each else value[rows]
            for need, value in self.given.items()
            if NEEDS[need].of_rows
        }
        given |= {need: value for need, value in self.given.items() if need not in given}
        return Inputs(self.codes[rows], given, self.continuous, self.unordered)

    def __len__(self) -> int:
        return len(self.codes)
