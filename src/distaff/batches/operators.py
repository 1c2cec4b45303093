"""Two concepts, an operator, and an image that shows what becomes of them."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from distaff.batches.batch import Batch, Facts
from distaff.batches.kind import Draw
from distaff.batches.lessons import Lessons
from distaff.batches.symbols import Symbols, made_up
from distaff.concepts import OPERATORS, Concept
from distaff.datasets.base import DataSet
from distaff.errors import BadInput
from distaff.randomness import derived

MOST_CONCEPTS = 4000  # whose pairs are looked through, 16 million of them
RESULT = tuple(OPERATORS.values())


class Pairs(NamedTuple):
    """Pairs of taught concepts (n, 2), by their numbers, for each operator: those taught, those held out.

    Two concepts in either order are held out together.
    """

    taught: tuple[NDArray[np.int64], ...]
    held_out: tuple[NDArray[np.int64], ...]


@dataclass(frozen=True)
class Operators(Symbols):
    """Pairs of taught concepts with an operator, and an image that shows the concept that comes of them.

    As in Higgins et al. 2018 (arXiv:1707.03389, sections 3 and 4), AND is taught of concepts that speak of
    different attributes, IN COMMON of those that share a value; IGNORE of those that share an attribute where
    the first has another beside. Every operator comes as often. Of an operator's pairs, which count once for
    both orders, `pairs` are taught (0: all), and none of whose result no image is left. Images show the
    result and else are any.
    """

    pairs: int = 0

    def paired(self, data: DataSet) -> Pairs:
        """The pairs of every operator. Raises BadInput where there are too few, or too many concepts."""
        return pair_up(self.lessons(data), self.pairs, self.seed)

    def sample(self, data: DataSet, size: int, rng: np.random.Generator) -> Batch:
        """`size` images with two symbols and an operator each."""
        lessons = self.lessons(data)
        drawn = draw_pairs(lessons, self.paired(data).taught, size, rng)
        images = data.images(lessons.vocabulary.space.index(drawn.rows))
        first, second = (lessons.spoken(numbers, rng) for numbers in drawn.pairs.T)
        return Batch(images, len(data), symbols=first, other_symbols=second, operators=drawn.operators)

    def example(self, images: Draw, facts: Facts, size: int, rng: torch.Generator) -> Batch:
        """Images with symbols of any two concepts and any operator."""
        first, second = (made_up(facts.words, size, rng) for _ in range(2))
        operators = torch.randint(len(RESULT), (size,), generator=rng)
        drawn = images(size)
        return Batch(drawn, facts.images, symbols=first, other_symbols=second, operators=operators)


class Drawn(NamedTuple):
    """Pairs of taught concepts (n, 2), by their numbers, operators (n,), rows (n, k) that show the result."""

    pairs: NDArray[np.int64]
    operators: NDArray[np.int64]
    rows: NDArray[np.int64]


def draw_pairs(
    lessons: Lessons, pairs: Sequence[NDArray[np.int64]], size: int, rng: np.random.Generator
) -> Drawn:
    """So many of each operator's `pairs`, every operator as often."""
    operators = rng.integers(len(RESULT), size=size)
    chosen = np.stack([pairs[number][rng.integers(len(pairs[number]))] for number in operators])
    results = [result(lessons, pair, number) for pair, number in zip(chosen, operators, strict=True)]
    return Drawn(chosen, operators, lessons.scenes(results, rng))


def result(lessons: Lessons, pair: Iterable[int], operator: int) -> Concept:
    """What an operator makes of two taught concepts, by their numbers."""
    return RESULT[operator](*(lessons.taught[number] for number in pair))


@functools.lru_cache(maxsize=8)
def pair_up(lessons: Lessons, count: int, seed: int) -> Pairs:
    """Every operator's pairs of taught concepts, of which `count` (0: all) are taught, by a seed."""
    if len(lessons.taught) > MOST_CONCEPTS:
        given = f"concepts={len(lessons.taught)}"
        raise BadInput(f"{given} is not allowed; operators take pairs of at most {MOST_CONCEPTS}")
    taught, held_out = [], []
    for number, (name, meaningful) in enumerate(zip(OPERATORS, _meaningful(lessons), strict=True)):
        found = np.argwhere(np.triu(meaningful | meaningful.T))
        shuffled = found[np.random.default_rng(derived(seed, "pairs", number)).permutation(len(found))]
        known = np.flatnonzero(_shown(lessons, shuffled, number))
        if count > len(known) or not len(known):
            raise BadInput(f"pairs={count} is not allowed; {len(known)} pairs of concepts suit '{name}'")
        known = known[: count or None]
        taught.append(_in_order(shuffled[known], meaningful))
        held_out.append(_in_order(np.delete(shuffled, known, axis=0), meaningful))
    return Pairs(tuple(taught), tuple(held_out))


def _shown(lessons: Lessons, pairs: NDArray[np.int64], operator: int) -> NDArray[np.bool_]:
    """Which pairs (n, 2) have a result that images may show."""
    if not lessons.hidden:
        return np.ones(len(pairs), dtype=np.bool_)
    return np.array([result(lessons, pair, operator) not in lessons.hidden for pair in pairs], dtype=np.bool_)


def _in_order(pairs: NDArray[np.int64], meaningful: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Each of the pairs (n, 2) in both orders, where that order has a meaning."""
    both = np.concatenate([pairs, pairs[:, ::-1]])
    ordered: NDArray[np.int64] = both[meaningful[both[:, 0], both[:, 1]]]
    return ordered


def _meaningful(lessons: Lessons) -> list[NDArray[np.bool_]]:
    """Which pairs (c, c) of taught concepts each operator is taught of."""
    symbols, vocabulary = lessons.symbols, lessons.vocabulary
    ends = np.cumsum([vocabulary.size(name) for name in vocabulary.named])
    speaks = np.stack([part.any(axis=1) for part in np.split(symbols, ends[:-1], axis=1)], axis=1)
    values, attributes = symbols @ symbols.T, speaks.astype(np.float32) @ speaks.T.astype(np.float32)
    other = ~np.eye(len(symbols), dtype=bool)
    beside = attributes < speaks.sum(axis=1)[:, None]
    return [attributes == 0, (values > 0) & other, (attributes > 0) & beside]
