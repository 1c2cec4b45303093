"""Progressive matrices: three rows of three panels, whose last one is to be chosen among six answers.

A panel is a row of a grid of factors. In a row of a matrix some factors, the ruled ones, are constant; the
others vary. Which are ruled is told by the first two rows, which are whole: the factors that are constant in
both. The right answer continues them in the third row, and no other answer does. Matrices are made of factors
alone; what is shown of a panel, codes or pixels, is looked up afterwards.

Van Steenkiste et al. 2019, arXiv:1905.12506, after Raven's tests. Differences from disentanglement_lib: hard
answers are hard (there the choice does not reach the generator, so that all are easy), no two answers are the
same (there a repeated wrong answer is noticed and kept), a hard answer breaks one rule and not up to five,
factors may have two values, and those that are not ruled are not kept from being all different in a row.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from distaff.errors import BadInput, unknown
from distaff.factors import FactorSpace, Seed
from distaff.settings import whole_number

SIDE, ANSWERS = 3, 6
CHANCE = 1 / ANSWERS
CONTEXT = SIDE * SIDE - 1
KINDS = ("easy", "hard")
RULES = (1, 2, 3)

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


class Drawn(NamedTuple):
    """Some matrices: `context` (n, 8, k), row by row, `answers` (n, 6, k), all rows of a grid's factors.

    `right` (n,) is the place of the right answer, `ruled` (n, k) says which factors are constant in a row.
    """

    context: Ints
    answers: Ints
    right: Ints
    ruled: Bools

    def some(self, which: slice) -> Drawn:
        """A few of them."""
        return Drawn(self.context[which], self.answers[which], self.right[which], self.ruled[which])


@dataclass(frozen=True)
class Matrices:
    """Matrices of a grid. As many factors are ruled as one of `rules` says, each as likely.

    Wrong answers are cells of the grid, all different. `easy`: any that break a rule. `hard`: those that
    break a single one, while the factors without a rule are drawn anew; with one rule they are the easy ones.
    Raises BadInput where the grid is too small.
    """

    space: FactorSpace
    kind: str = "easy"
    rules: tuple[int, ...] = RULES

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise unknown("kind of answers", self.kind, KINDS)
        counts = tuple(whole_number("rules", count, 1) for count in self.rules)
        if not counts or len(set(counts)) < len(counts):
            raise BadInput(f"rules={list(self.rules)} is not allowed; name each number of rules once")
        object.__setattr__(self, "rules", counts)
        sizes = sorted(self.space.sizes[j] for j in self._varying)
        if len(sizes) <= max(counts):
            names = ", ".join(self.space.names[j] for j in self._varying) or "none"
            raise BadInput(
                f"a matrix of {max(counts)} rules needs at least {max(counts) + 1} factors of several "
                f"values; this grid has {len(sizes)}: {names}"
            )
        fewest = min(self._fewest(sizes, count) for count in counts)
        if fewest < ANSWERS - 1:
            raise BadInput(
                f"a matrix has {ANSWERS - 1} wrong answers, and a grid of {' x '.join(map(str, sizes))} has "
                f"as few as {fewest} of kind {self.kind}; use a larger one"
            )

    @property
    def _varying(self) -> list[int]:
        """The columns of the factors that have several values."""
        return [j for j, size in enumerate(self.space.sizes) if size > 1]

    def _fewest(self, sizes: Sequence[int], count: int) -> int:
        """How many wrong answers a matrix of so many rules has at least, whichever factors are ruled."""
        cells, hard = math.prod(sizes), self.kind == "hard"
        return min(
            (sum(ruled) - count if hard else math.prod(ruled) - 1) * cells // math.prod(ruled)
            for ruled in itertools.combinations(sizes, count)
        )

    def draw(self, n: int, seed: Seed) -> Drawn:
        """n matrices, independent, by the seed alone."""
        rng = np.random.default_rng(seed)
        ruled = self._ruled(n, rng)
        panels = self._panels(ruled, rng)
        right = panels[:, -1]
        wrong = self._wrong(right, ruled, rng)
        answers = np.concatenate([right[:, None], wrong], axis=1)
        order = rng.permuted(np.tile(np.arange(ANSWERS), (n, 1)), axis=1)
        mixed = np.take_along_axis(answers, order[..., None], axis=1)
        return Drawn(panels[:, :-1], mixed, order.argmin(axis=1), ruled)

    def _ruled(self, n: int, rng: np.random.Generator) -> Bools:
        """Which factors are ruled (n, k), drawn among those that vary."""
        counts = rng.choice(np.array(self.rules), size=n)
        ranks = rng.random((n, len(self._varying))).argsort(axis=1).argsort(axis=1)
        ruled = np.zeros((n, len(self.space.sizes)), dtype=bool)
        ruled[:, self._varying] = ranks < counts[:, None]
        return ruled

    def _panels(self, ruled: Bools, rng: np.random.Generator) -> Ints:
        """All nine panels (n, 9, k), the last of which is the right answer."""
        n, k = ruled.shape
        panels = rng.integers(0, self.space.sizes, size=(n, SIDE, SIDE, k))
        panels = np.where(ruled[:, None, None], panels[:, :, :1], panels)
        free = ~ruled & (np.array(self.space.sizes) > 1)
        while (seem := free & constant(panels[:, : SIDE - 1]).all(axis=1)).any():  # ruled without being so
            again = rng.integers(0, self.space.sizes, size=panels.shape)
            panels = np.where(seem[:, None, None], again, panels)
        return panels.reshape(n, SIDE * SIDE, k)

    def _wrong(self, right: Ints, ruled: Bools, rng: np.random.Generator) -> Ints:
        """Five wrong answers (n, 5, k), each drawn until it is one and differs from those before it."""
        n, k = right.shape
        found = np.empty((n, ANSWERS - 1, k), dtype=np.int64)
        for number in range(found.shape[1]):
            left = np.arange(n)
            while len(left):
                drawn = self._candidates(right[left], ruled[left], rng)
                known = (drawn[:, None] == found[left, :number]).all(axis=2).any(axis=1)
                fits = ((drawn == right[left]) | ~ruled[left]).all(axis=1)
                good = ~known & ~fits
                found[left[good], number] = drawn[good]
                left = left[~good]
        return found

    def _candidates(self, right: Ints, ruled: Bools, rng: np.random.Generator) -> Ints:
        """A cell (n, k) that may be a wrong answer for each of n matrices."""
        drawn = rng.integers(0, self.space.sizes, size=right.shape)
        if self.kind == "easy":
            return drawn
        broken = (rng.random(ruled.shape) * ruled).argmax(axis=1)  # one of the ruled, each as likely
        kept = ruled & (np.arange(ruled.shape[1]) != broken[:, None])
        return np.where(kept, right, drawn)


def constant(panels: Ints) -> Bools:
    """Which factors (n, r, k) are constant in which of the rows of panels (n, r, 3, k)."""
    return np.asarray((panels == panels[:, :, :1]).all(axis=2))
