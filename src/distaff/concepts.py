"""Concepts: some attributes of a scene and their values, what one is to another, and the logic of them.

After Higgins et al. 2018 (SCAN, arXiv:1707.03389): a concept says something of some factors and leaves the
others open. {wall: red} stands above {wall: red, object: hat}. What is said of concepts here is exact, from
their words alone: models that learn concepts from images are judged by it.
"""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import prod
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from distaff.errors import BadInput, unknown
from distaff.factors import FactorSpace


class Value(NamedTuple):
    """A value of an attribute, both by their places: column of the factors, number of the value."""

    attribute: int
    value: int


#: what a concept says; it has at most one value of each attribute, and may say nothing
Concept = frozenset[Value]


def both(first: Concept, second: Concept) -> Concept:
    """AND: what either says. BadInput where they contradict each other."""
    for (attribute, one), (other, two) in itertools.product(first, second):
        if attribute == other and one != two:
            raise BadInput(
                f"the two concepts contradict each other: attribute {attribute} is {one} and {two}"
            )
    return first | second


def in_common(first: Concept, second: Concept) -> Concept:
    """IN COMMON: what both say."""
    return first & second


def ignoring(first: Concept, second: Concept) -> Concept:
    """IGNORE: what the first says of attributes that the second says nothing of."""
    ignored = attributes(second)
    return frozenset(each for each in first if each.attribute not in ignored)


#: the operators by their names in the paper
OPERATORS = {"and": both, "in_common": in_common, "ignore": ignoring}


def in_words(first: str, operator: str, second: str) -> str:
    """Two concepts and an operator by name, as a title: "red wall IN COMMON red wall, hat"."""
    return f"{first} {operator.replace('_', ' ').upper()} {second}"


def attributes(concept: Concept) -> set[int]:
    """The attributes that a concept says something of."""
    return {each.attribute for each in concept}


def is_subordinate(concept: Concept, other: Concept) -> bool:
    """Whether a concept says all that the other says, and more: {red wall, hat} of {hat}."""
    return other < concept


def are_orthogonal(first: Concept, second: Concept) -> bool:
    """Whether two concepts speak of different attributes."""
    return not attributes(first) & attributes(second)


def shows(concept: Concept, rows: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which rows of factors (n, k) are examples of a concept (n,)."""
    found = np.ones(len(rows), dtype=bool)
    for attribute, value in concept:
        found &= rows[:, attribute] == value
    return found


@dataclass(frozen=True)
class Vocabulary:
    """What can be said of a grid of factors: the words of every attribute's values.

    Attributes are the factors that are `named`, in their order in `space`; nuisances are left out. Values
    without `words` are called by their numbers. `synonyms` are words that stand for a concept, as "dub" for
    {white wall, ice lolly}. A symbol is k-hot: m numbers, one for each value, attribute by attribute, and
    then one for each synonym. It says words, and a concept is what they mean.
    """

    space: FactorSpace
    named: tuple[str, ...] = ()
    words: Mapping[str, Sequence[str]] | None = None
    synonyms: Mapping[str, Concept] = field(default_factory=dict)

    def __post_init__(self) -> None:
        columns = sorted(self.space.position(name) for name in self.named or self.space.names)
        object.__setattr__(self, "named", tuple(self.space.names[column] for column in columns))
        for name in self.named:
            if len(set(self.of(name))) != self.size(name):
                raise BadInput(f"{name} has {self.size(name)} values and {len(set(self.of(name)))} words")
        if self.synonyms:
            self._check_synonyms()

    def _check_synonyms(self) -> None:
        """Errors for synonyms that could not be told from other words."""
        taken = set().union(*self._all_words())
        for word in self.synonyms:
            if not re.fullmatch(r"[^\s_=,;]+", word):
                raise BadInput(f"the synonym '{word}' is not allowed; it must be one word")
            if word in taken:
                raise BadInput(f"the synonym '{word}' is not allowed; it is a word of the data already")

    def size(self, attribute: str) -> int:
        """How many values an attribute has."""
        return self.space.sizes[self.space.position(attribute)]

    def of(self, attribute: str) -> tuple[str, ...]:
        """The words of an attribute's values."""
        found = (self.words or {}).get(attribute)
        return tuple(map(str, range(self.size(attribute)))) if found is None else tuple(found)

    @property
    def values(self) -> list[Value]:
        """Every value of every attribute, in the order of a symbol's first numbers."""
        places = [self.space.position(name) for name in self.named]
        return [Value(place, value) for place in places for value in range(self.space.sizes[place])]

    @property
    def symbol_size(self) -> int:
        """How many numbers a symbol has: m."""
        return len(self.values) + len(self.synonyms)

    def symbols(self, concepts: Sequence[Concept]) -> NDArray[np.float32]:
        """The k-hot symbols (n, m) of concepts, which say values and no synonym."""
        found = np.zeros((len(concepts), self.symbol_size), dtype=np.float32)
        places = {value: place for place, value in enumerate(self.values)}
        for row, concept in zip(found, concepts, strict=True):
            row[[places[value] for value in concept]] = 1
        return found

    def concept(self, symbol: NDArray[np.floating]) -> Concept:
        """What a k-hot symbol (m,) means: its values, and those that its synonyms stand for."""
        meanings = [*(frozenset([value]) for value in self.values), *self.synonyms.values()]
        return self.said(
            value for each, hot in zip(meanings, symbol, strict=True) if hot > 0.5 for value in each
        )

    def said(self, values: Iterable[Value]) -> Concept:
        """The concept of some values. BadInput where it says two things of one attribute."""
        concept = frozenset(values)
        if len(attributes(concept)) < len(concept):
            raise BadInput(f"{self.describe(concept)} contradicts itself: an attribute has one value")
        return concept

    def concepts(self, size: int) -> Iterator[Concept]:
        """Every concept of so many attributes, in a fixed order."""
        for chosen, sizes in self._choices(size):
            for values in itertools.product(*map(range, sizes)):
                yield frozenset(map(Value, chosen, values))

    def count(self, size: int) -> int:
        """How many concepts of so many attributes there are."""
        return sum(prod(sizes) for _, sizes in self._choices(size))

    def numbered(self, size: int, number: int) -> Concept:
        """One of `concepts(size)` by its place in that order, without going through those before it."""
        for chosen, sizes in self._choices(size):
            if number < prod(sizes):
                return frozenset(map(Value, chosen, map(int, np.unravel_index(number, sizes))))
            number -= prod(sizes)
        raise IndexError(f"there are {self.count(size)} concepts of {size} attributes")

    def _choices(self, size: int) -> Iterator[tuple[tuple[int, ...], tuple[int, ...]]]:
        """Every choice of so many attributes: their places, and their numbers of values."""
        places = [self.space.position(name) for name in self.named]
        for chosen in itertools.combinations(places, size):
            yield chosen, tuple(self.space.sizes[place] for place in chosen)

    def read(self, words: str) -> Concept:
        """The concept of a line such as "red wall, hat": values with commas between.

        A value may stand with words of its attribute ("red wall", "wall_colour=red"), and has to where
        several attributes have it. A synonym is read as what it stands for. BadInput where a value is
        unknown, could be several, or contradicts another.
        """
        return self.concept(self.symbol(words))

    def symbol(self, words: str) -> NDArray[np.float32]:
        """The symbol (m,) of a line as it is said, synonyms by their own words; errors as those of `read`."""
        found = np.zeros(self.symbol_size, dtype=np.float32)
        for part in filter(None, map(str.strip, words.split(","))):
            found[self._place(part)] = 1
        self.concept(found)  # which tells a contradiction
        return found

    def _place(self, part: str) -> int:
        """Which of a symbol's numbers a part of a line is."""
        if part in self.synonyms:
            return len(self.values) + [*self.synonyms].index(part)
        return self.values.index(self._read_one(part))

    def _read_one(self, part: str) -> Value:
        said = {*part.replace("=", " ").replace("_", " ").split()}
        found = [each for each in self.values if self._is_meant(each, said)]
        if not found:
            raise self._unknown(part, said)
        if len(found) > 1:
            which = " or ".join(f"'{self.describe({each})}'" for each in found)
            raise BadInput(f"'{part}' can be meant of several attributes; say {which}")
        return found[0]

    def _is_meant(self, each: Value, said: set[str]) -> bool:
        """Whether all words of a value are said, and no others but those of its attribute."""
        own, attribute = map(set, self._words(each))
        return own <= said <= own | attribute

    def _unknown(self, part: str, said: set[str]) -> BadInput:
        """The error for a part that no value is meant by; it names the words that stand for nothing."""
        own, of = self._all_words()
        own |= {*self.synonyms}
        strange = " ".join(sorted(said - own - of, key=part.index))
        if strange and any(said.issuperset(self._words(each)[0]) for each in self.values):
            attributes = dict.fromkeys(word for name in self.named for word in name.split("_"))
            return unknown("attribute", strange, attributes)
        words = dict.fromkeys(word for name in self.named for word in self.of(name))
        return unknown("value", strange or part, [*words, *self.synonyms])

    def _all_words(self) -> tuple[set[str], set[str]]:
        """The words of all values, and of all attributes."""
        pairs = [self._words(each) for each in self.values]
        return {word for own, _ in pairs for word in own}, {word for _, of in pairs for word in of}

    def _words(self, each: Value) -> tuple[list[str], list[str]]:
        """The words of a value, and of its attribute."""
        name = self.space.names[each.attribute]
        return self.of(name)[each.value].replace("_", " ").split(), name.replace("_", " ").split()

    def describe(self, concept: Iterable[Value]) -> str:
        """A concept in few words that `read` understands, such as "red wall, hat", or "anything"."""
        return ", ".join(self._shortest[value] for value in sorted(concept)) or "anything"

    def describe_symbol(self, symbol: NDArray[np.floating]) -> str:
        """A k-hot symbol (m,) in the few words that it says, such as "red wall, dub"."""
        words = [*(self.describe([value]) for value in self.values), *self.synonyms]
        return ", ".join(word for word, hot in zip(words, symbol, strict=True) if hot > 0.5) or "anything"

    @functools.cached_property
    def _shortest(self) -> dict[Value, str]:
        """Of each value the first that is meant of it alone: its words; these with one of its attribute; all.

        A number never stands alone.
        """
        found = {}
        for value in self.values:
            own, of = self._words(value)
            alone = [own] if self.space.names[value.attribute] in (self.words or {}) else []
            for said in (*alone, *([*own, word] for word in of), [*own, *of]):
                if [each for each in self.values if self._is_meant(each, set(said))] == [value]:
                    break
            found[value] = " ".join(said)
        return found
