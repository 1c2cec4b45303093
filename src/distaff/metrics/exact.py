"""Values of metrics from what batches add up to: those of all rows, without keeping them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from distaff.metrics.arrays import Floats, Ints
from distaff.metrics.counts import Counts
from distaff.metrics.information import Information
from distaff.metrics.moments import Moments

Settings = Mapping[str, Any]


@dataclass(frozen=True)
class Sums:
    """What the rows of a stream add up to.

    Moments of codes beside factors, of rows to learn from and of rows to score on, and by their number of
    bins the counts. `d` of the columns are codes, and the factors that vary are `k`.
    """

    d: int
    learn: Moments
    score: Moments
    counts: Mapping[int, Counts]

    @property
    def whole(self) -> Moments:
        """The moments of all rows."""
        return self.learn.plus(self.score)

    @property
    def codes(self) -> Ints:
        """The numbers of the columns that are codes."""
        return np.arange(self.d)

    @property
    def factors(self) -> Ints:
        """The numbers of the columns that are factors and vary."""
        alive = np.flatnonzero(self.whole.varying)
        return alive[alive >= self.d]


@dataclass(frozen=True)
class Exact:
    """What a metric's value is made of besides rows ("counts" or "moments"), and how; `where` says when."""

    of: str
    value: Callable[[Sums, Settings], Any]
    #: whether it is so with these settings, `continuous` among them; in words beside it
    where: Callable[[Settings], bool] = lambda settings: True
    words: str = ""


def of_counts(value: Callable[[Information], float]) -> Exact:
    """A function of information and entropies, of codes in equal bins of given ranges."""
    return Exact("counts", lambda sums, settings: value(sums.counts[settings["bins"]].information))


def of_covariance(value: Callable[[Floats], float]) -> Exact:
    """A function of the covariance of the codes that vary."""
    return Exact("moments", lambda sums, settings: value(sums.whole.take(sums.codes).covariance))
