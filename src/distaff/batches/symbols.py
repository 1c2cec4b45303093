"""Images with symbols of concepts that they show."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from distaff.batches.batch import Batch, Facts
from distaff.batches.kind import Draw, Kind
from distaff.batches.lessons import Lessons, plan_lessons, vocabulary_of
from distaff.batches.synonyms import with_synonyms
from distaff.concepts import Vocabulary
from distaff.datasets.base import DataSet


@dataclass(frozen=True)
class Symbols(Kind):
    """Images, each an example of a taught concept, with the concepts' symbols; every concept as often.

    `attributes`: names with commas between, of the factors that concepts name; without, those that the data
    set has words for, or all; others are nuisances. Which `concepts` (0: all) are taught, by which `examples`
    (0: any image that shows them, each as likely), and which are held out follows from the seed; see
    `Lessons`. What `synonyms` mean is taught as well, and is said by their words in half of the cases
    wherever a concept says all of it; see distaff.batches.synonyms.
    """

    attributes: str = ""
    concepts: int = 133
    examples: int = 10
    held_out: int = 0
    seed: int = 0
    synonyms: str = ""

    def vocabulary(self, data: DataSet) -> Vocabulary:
        """The words of the data set's attributes. Raises BadInput where it has no grid of them."""
        return with_synonyms(self._without_synonyms(data), self.synonyms)

    def _without_synonyms(self, data: DataSet) -> Vocabulary:
        return vocabulary_of(data, [name.strip() for name in self.attributes.split(",") if name.strip()])

    def lessons(self, data: DataSet) -> Lessons:
        """What is taught, by what, and what is held out. Raises BadInput where the data cannot give it."""
        vocabulary = self._without_synonyms(data)
        worded = tuple((name, vocabulary.of(name)) for name in vocabulary.named)
        how = (self.concepts, self.examples, self.held_out, self.seed)
        return _lessons(vocabulary.space, vocabulary.named, worded, self.synonyms, how)

    def words(self, data: DataSet) -> tuple[int, ...]:
        """How many words each attribute has, and 1 for each synonym."""
        vocabulary = self.vocabulary(data)
        return (*map(vocabulary.size, vocabulary.named), *(1 for _ in vocabulary.synonyms))

    def sample(self, data: DataSet, size: int, rng: np.random.Generator) -> Batch:
        """`size` images and their symbols."""
        lessons = self.lessons(data)
        numbers = rng.integers(len(lessons.taught), size=size)
        rows = lessons.vocabulary.space.index(lessons.examples(numbers, rng))
        return Batch(data.images(rows), len(data), symbols=lessons.spoken(numbers, rng))

    def example(self, images: Draw, facts: Facts, size: int, rng: torch.Generator) -> Batch:
        """Images with symbols of any concepts of so many words."""
        return Batch(images(size), facts.images, symbols=made_up(facts.words, size, rng))


@functools.lru_cache(maxsize=8)  # a step asks anew, and so does whoever judges the same lessons
def _lessons(
    space: Any, named: tuple[str, ...], worded: Any, synonyms: str, how: tuple[int, int, int, int]
) -> Lessons:
    return plan_lessons(with_synonyms(Vocabulary(space, named, dict(worded)), synonyms), *how)


def made_up(words: tuple[int, ...], size: int, rng: torch.Generator) -> torch.Tensor:
    """Symbols (size, m) that say something of about half of the attributes."""
    parts = []
    for count in words:
        value = torch.randint(count, (size,), generator=rng)
        said = torch.rand((size, 1), generator=rng) < 0.5
        parts.append(torch.nn.functional.one_hot(value, count) * said)
    return torch.cat(parts, dim=1).float()
