"""Lessons: which concepts of a grid are taught, by which images, and which are held out."""

from __future__ import annotations

import functools
import itertools
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from math import prod

import numpy as np
from numpy.typing import NDArray

from distaff.batches.synonyms import say_synonyms
from distaff.concepts import Concept, Vocabulary, attributes
from distaff.datasets.base import DataSet
from distaff.errors import BadInput
from distaff.randomness import derived

MOST_DRAWS = 1000  # of a scene, before all that show a concept count as held out


@dataclass(frozen=True, eq=False)
class Lessons:
    """Concepts `taught`, each by its own example rows (examples, k) of factors, and those `held_out`.

    Higgins et al. 2018 (arXiv:1707.03389): a random subset of concepts from all levels of the hierarchy, ten
    images each; 300 concepts that name every attribute are held out, and no example shows one. Here every
    level, which is a number of attributes, has as nearly as many of the taught concepts as it can give, of
    those that images are left of. Where `rows` is None, any image that shows a concept is an example of it.
    What synonyms mean is taught beside them.
    """

    vocabulary: Vocabulary
    taught: tuple[Concept, ...]
    held_out: tuple[Concept, ...] = ()
    rows: NDArray[np.int64] | None = None

    @functools.cached_property
    def symbols(self) -> NDArray[np.float32]:
        """The k-hot symbols of the taught concepts, one a row, without synonyms."""
        return self.vocabulary.symbols(self.taught)

    def spoken(self, numbers: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.float32]:
        """The symbols (n, m) of these taught concepts (n,) as they are said, synonyms half of the time."""
        return say_synonyms(self.symbols[numbers], self.vocabulary, rng)

    @functools.cached_property
    def hidden(self) -> frozenset[Concept]:
        """The concepts of which no image is left: those held out, and those above nothing else."""
        space, named = self.vocabulary.space, set(map(self.vocabulary.space.position, self.vocabulary.named))
        of_each = Counter(part for concept in self.held_out for part in _parts(concept))
        open_places = {concept: named - attributes(concept) for concept in of_each}
        full = {concept: prod(space.sizes[place] for place in left) for concept, left in open_places.items()}
        return frozenset(concept for concept, count in of_each.items() if count == full[concept])

    def examples(self, numbers: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64]:
        """An example row (n, k) of each of these taught concepts (n,), by their numbers."""
        if self.rows is not None:
            return self.rows[numbers, rng.integers(self.rows.shape[1], size=len(numbers))]
        return self.scenes([self.taught[number] for number in numbers], rng)

    def scenes(self, concepts: Sequence[Concept], rng: np.random.Generator) -> NDArray[np.int64]:
        """A row (n, k) that shows each concept, drawn uniformly, and no concept that is held out."""
        rows = self._any_scenes(concepts, rng)
        for _ in range(MOST_DRAWS):
            hidden = np.flatnonzero(np.isin(self._descriptions(rows), self._held_out)).tolist()
            if not hidden:
                return rows
            rows[hidden] = self._any_scenes([concepts[n] for n in hidden], rng)
        said = self.vocabulary.describe(concepts[hidden[0]])
        raise BadInput(f"hardly an image is left that shows {said}: it is held out")

    def untaught(self, count: int, rng: np.random.Generator) -> list[Concept]:
        """So many concepts from all levels that are not taught, held-out ones among them; fewer if so few."""
        return [*_drawn(self.vocabulary, count, rng, frozenset(self.taught))]

    def _any_scenes(self, concepts: Sequence[Concept], rng: np.random.Generator) -> NDArray[np.int64]:
        rows = self.vocabulary.space.sample(len(concepts), rng)
        for row, concept in zip(rows, concepts, strict=True):
            for attribute, value in concept:
                row[attribute] = value
        return rows

    @functools.cached_property
    def _held_out(self) -> NDArray[np.int64]:
        """What `_descriptions` gives rows that show a concept that is held out."""
        rows = np.zeros((len(self.held_out), len(self.vocabulary.space.sizes)), dtype=np.int64)
        for row, concept in zip(rows, self.held_out, strict=True):
            for attribute, value in concept:
                row[attribute] = value
        return self._descriptions(rows)

    def _descriptions(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """A number (n,) for all that can be said of each row."""
        space = self.vocabulary.space
        named = [space.position(name) for name in self.vocabulary.named]
        sizes = [space.sizes[place] for place in named]
        return np.asarray(np.ravel_multi_index(tuple(rows[:, named].T), sizes), dtype=np.int64)


def vocabulary_of(data: DataSet, attributes: Sequence[str] = ()) -> Vocabulary:
    """What can be said of a data set's grid: of `attributes`, or all with words, or, without words, all."""
    if data.factors is None:
        raise BadInput(f"{data.name} has no grid of factors whose values concepts could name")
    if not data.evenly:
        raise BadInput(f"{data.name}: concepts are shown by images drawn equally often; leave out correlate")
    worded = [name for name in data.factors.names if name in data.words]
    return Vocabulary(data.factors, tuple(attributes or worded), data.words)


def plan_lessons(
    vocabulary: Vocabulary, concepts: int = 133, examples: int = 10, held_out: int = 0, seed: int = 0
) -> Lessons:
    """Lessons by a seed: so many `concepts` (0: all), `examples` each (0: any image), so many held out.

    What synonyms mean comes after them where it is not among them, and changes nothing of the others.
    """
    rng = np.random.default_rng(derived(seed, "lessons"))
    most = len(vocabulary.named)
    full = vocabulary.count(most)
    if held_out >= full:
        raise BadInput(f"held_out={held_out} is not allowed; {full} concepts name every attribute")
    numbers = rng.choice(full, held_out, replace=False)
    kept_back = tuple(vocabulary.numbered(most, int(number)) for number in numbers)
    hidden = Lessons(vocabulary, (), kept_back).hidden
    every = sum(_counts(vocabulary)) - len(hidden)
    if concepts > every:
        raise BadInput(f"concepts={concepts} is not allowed; there are {every} to teach")
    drawn = tuple(_drawn(vocabulary, concepts or every, rng, hidden))
    beside = tuple(each for each in _meanings(vocabulary, hidden) if each not in drawn)
    lessons = Lessons(vocabulary, drawn + beside, kept_back)
    if not examples:
        return lessons
    rows = [
        np.stack([lessons.scenes(part, rng) for _ in range(examples)], axis=1) for part in (drawn, beside)
    ]
    return replace(lessons, rows=np.concatenate(rows))


def _meanings(vocabulary: Vocabulary, hidden: frozenset[Concept]) -> Iterator[Concept]:
    """What synonyms mean, each once. BadInput where no image is left of one."""
    for word, meaning in vocabulary.synonyms.items():
        if meaning in hidden:
            told = vocabulary.describe(meaning)
            raise BadInput(f"the synonym '{word}' is not allowed; all images of {told} are held out")
    yield from dict.fromkeys(vocabulary.synonyms.values())


def _parts(concept: Concept) -> Iterator[Concept]:
    """The concept and all above it that say something."""
    for size in range(1, len(concept) + 1):
        yield from map(frozenset, itertools.combinations(sorted(concept), size))


def _counts(vocabulary: Vocabulary) -> list[int]:
    """How many concepts each level has, from those of one attribute."""
    return [vocabulary.count(level) for level in range(1, len(vocabulary.named) + 1)]


def _drawn(
    vocabulary: Vocabulary, count: int, rng: np.random.Generator, without: frozenset[Concept]
) -> Iterator[Concept]:
    """So many concepts that are not `without`, each at most once, as evenly from all levels as can be."""
    counts = _counts(vocabulary)
    left = np.array(counts)
    for concept in without:
        left[len(concept) - 1] -= 1
    for level, share in enumerate(shares(count, left), start=1):
        found = 0
        for number in rng.permutation(counts[level - 1]):
            if found == share:
                break
            concept = vocabulary.numbered(level, int(number))
            if concept not in without:
                found += 1
                yield concept


def shares(total: int, most: NDArray[np.int64]) -> list[int]:
    """`total` as evenly as can be in parts of at most `most`; less where that is all there is."""
    found = np.zeros(len(most), dtype=np.int64)
    order = np.argsort(most, kind="stable")
    for place, part in enumerate(order):
        found[part] = min(most[part], (total - found.sum()) // (len(most) - place))
    return [int(each) for each in found]
