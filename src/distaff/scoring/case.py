"""What validity warnings look at: some rows, the codes that vary, and the factors by kind."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from distaff.metrics.arrays import Floats, Ints, varying
from distaff.scoring.card import Score
from distaff.scoring.inputs import Inputs

MOST_ROWS, MOST_CODES = 5000, 500  # that are looked at


@dataclass(frozen=True)
class Case:
    """What is judged: inputs that have factors, the factors' names, and the scores."""

    inputs: Inputs
    names: Sequence[str]
    scores: Mapping[str, Score]

    @functools.cached_property
    def rows(self) -> NDArray[np.int64]:
        """The rows that are looked at, at random where there are many."""
        return np.random.default_rng(0).permutation(len(self.inputs))[:MOST_ROWS]

    @functools.cached_property
    def columns(self) -> Ints:
        """The codes that are looked at: the first 500 that vary."""
        return np.flatnonzero(varying(self.inputs.codes))[:MOST_CODES]

    @functools.cached_property
    def codes(self) -> Floats:
        """The codes that are looked at, (m, d)."""
        return np.asarray(self.inputs.codes[np.ix_(self.rows, self.columns)], dtype=np.float64)

    @functools.cached_property
    def ordered(self) -> dict[str, Floats]:
        """By name the factors (m,) that are numbers, or have an order."""
        factors = self.inputs.given["factors"][self.rows].astype(np.float64)
        kept = {
            n: c for j, (n, c) in enumerate(zip(self.names, factors.T, strict=True)) if self._has_order(j)
        }
        return {name: column for name, column in kept.items() if np.ptp(column) > 0}

    @functools.cached_property
    def classes(self) -> dict[str, Ints]:
        """By name the factors (m,) that are whole numbers."""
        factors = self.inputs.given["factors"][self.rows]
        whole = [j for j in range(len(self.names)) if j not in self.inputs.continuous]
        return {self.names[j]: factors[:, j].astype(np.int64) for j in whole if np.ptp(factors[:, j]) > 0}

    def _has_order(self, j: int) -> bool:
        return j not in self.inputs.unordered

    def named(self, beginnings: Sequence[str]) -> str:
        """The scores with a value whose names begin so, with a dot or nothing after it."""
        there = [name for name, score in self.scores.items() if score.value is not None]
        return ", ".join(n for n in there if n in beginnings or n.partition(".")[0] in beginnings)
