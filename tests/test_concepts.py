"""Concepts against sets of scenes: what a concept says is which scenes it leaves."""

from __future__ import annotations

import functools
import itertools

import numpy as np
import pytest

from distaff.concepts import (
    Concept,
    Value,
    Vocabulary,
    are_orthogonal,
    attributes,
    both,
    ignoring,
    in_common,
    is_subordinate,
    shows,
)
from distaff.errors import BadInput
from distaff.factors import FactorSpace

SPACE = FactorSpace(("wall", "floor", "object", "yaw"), (2, 3, 2, 2))
WORDS = {"wall": ("red", "blue"), "floor": ("red", "grey", "blue"), "object": ("hat", "ice_lolly")}
ALL = Vocabulary(SPACE)
SCENES = SPACE.rows(np.arange(len(SPACE)))
CONCEPTS = [concept for size in range(5) for concept in ALL.concepts(size)]
PAIRS = list(itertools.product(CONCEPTS, repeat=2))


@functools.cache
def scenes(concept: Concept) -> frozenset[int]:
    """The scenes that show a concept, one by one."""
    return frozenset(n for n, row in enumerate(SCENES) if all(row[a] == value for a, value in concept))


def test_concepts_are_counted_as_choices_of_a_value_or_none() -> None:
    assert len(CONCEPTS) == len(set(CONCEPTS)) == 3 * 4 * 3 * 3
    rooms = Vocabulary(FactorSpace(("w", "f", "c", "o"), (16, 16, 16, 3)))
    assert [sum(1 for _ in rooms.concepts(size)) for size in (1, 2, 3)] == [51, 912, 6400]


def test_concepts_are_numbered_as_they_are_counted() -> None:
    some = Vocabulary(SPACE, ("yaw", "floor", "wall"))
    for vocabulary, size in itertools.product((ALL, some), range(4)):
        every = list(vocabulary.concepts(size))
        assert vocabulary.count(size) == len(every)
        assert [vocabulary.numbered(size, number) for number in range(len(every))] == every
    with pytest.raises(IndexError, match="there are 9 concepts of 1 attributes"):
        ALL.numbered(1, 9)


def test_a_concept_is_shown_by_the_scenes_that_have_its_values() -> None:
    for concept in CONCEPTS:
        assert frozenset(np.flatnonzero(shows(concept, SCENES))) == scenes(concept)


def test_and_leaves_the_scenes_that_show_both() -> None:
    for first, second in PAIRS:
        common = scenes(first) & scenes(second)
        if common:
            assert scenes(both(first, second)) == common
        else:
            with pytest.raises(BadInput, match="contradict each other"):
                both(first, second)


def test_in_common_is_the_narrowest_concept_above_two() -> None:
    """The most that can be said of all scenes of either."""
    for first, second in PAIRS:
        found, either = in_common(first, second), scenes(first) | scenes(second)
        assert either <= scenes(found)
        above = [concept for concept in CONCEPTS if either <= scenes(concept)]
        assert min(above, key=lambda concept: len(scenes(concept))) == found


def test_ignore_forgets_what_the_second_speaks_of() -> None:
    """Its scenes are those of the first with anything in the places of the second's attributes."""
    for first, second in PAIRS:
        open_places = list(attributes(second))
        changed = {
            n
            for n, row in enumerate(SCENES)
            if any(
                (np.delete(row, open_places) == np.delete(SCENES[m], open_places)).all()
                for m in scenes(first)
            )
        }
        assert scenes(ignoring(first, second)) == changed


def test_subordinate_and_orthogonal() -> None:
    for first, second in PAIRS:
        assert is_subordinate(first, second) == (scenes(first) < scenes(second))
        independent = len(scenes(first) & scenes(second)) * len(SCENES) == len(scenes(first)) * len(
            scenes(second)
        )
        if are_orthogonal(first, second):
            assert independent, "neither tells anything of the other"
        elif first != second:
            assert not independent


def test_symbols_are_k_hot_and_read_back() -> None:
    symbols = ALL.symbols(CONCEPTS)
    assert symbols.shape == (108, 2 + 3 + 2 + 2)
    assert {*symbols.ravel()} == {0.0, 1.0}
    assert [ALL.concept(symbol) for symbol in symbols] == CONCEPTS
    assert symbols.sum(axis=1).tolist() == [len(concept) for concept in CONCEPTS]
    twice = np.array([1, 1, 0, 0, 0, 0, 0, 0, 0])
    with pytest.raises(BadInput, match=r"0 wall, 1 wall contradicts itself"):
        ALL.concept(twice)


NAMED = Vocabulary(SPACE, ("object", "wall", "floor"), WORDS)


@pytest.mark.parametrize(
    ("words", "concept"),
    [
        ("red wall, hat", {Value(0, 0), Value(2, 0)}),
        ("wall=red,object = ice_lolly", {Value(0, 0), Value(2, 1)}),
        ("ice lolly, grey, blue wall", {Value(0, 1), Value(1, 1), Value(2, 1)}),
        ("", set()),
    ],
)
def test_words_are_read(words: str, concept: set[Value]) -> None:
    assert NAMED.read(words) == concept


def test_every_concept_is_read_as_it_is_described() -> None:
    assert NAMED.named == ("wall", "floor", "object"), "in the order of the factors; the yaw is a nuisance"
    for size in (1, 2, 3):
        for concept in NAMED.concepts(size):
            assert NAMED.read(NAMED.describe(concept)) == concept
    assert NAMED.describe(frozenset()) == "anything"


def test_a_concept_is_described_in_as_few_words_as_are_read() -> None:
    full = frozenset({Value(0, 0), Value(1, 1), Value(2, 1)})
    assert NAMED.describe(full) == "red wall, grey, ice lolly"
    rooms = Vocabulary(
        FactorSpace(("wall_colour", "object_colour", "object"), (2, 2, 2)),
        words={"wall_colour": ("red", "blue"), "object_colour": ("blue", "red"), "object": ("hat", "case")},
    )
    assert rooms.describe(map(Value, range(3), (1, 0, 0))) == "blue wall, blue object, hat"
    assert ALL.describe([Value(1, 2)]) == "2 floor", "a number alone says little, though only floors have it"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("red", "'red' can be meant of several attributes; say 'red wall' or 'red floor'"),
        ("hatt", "unknown value 'hatt'; did you mean 'hat'"),
        ("hat wall", "unknown value 'hat wall'"),
        ("rad wall", "unknown value 'rad'; did you mean 'red'"),
        ("red wal", "unknown attribute 'wal'; did you mean 'wall'"),
        ("ceiling=ice_lolly", "unknown attribute 'ceiling'. Allowed: wall, floor, object"),
        ("red wall, blue wall", "red wall, blue wall contradicts itself"),
    ],
)
def test_what_cannot_be_meant_is_one_line(words: str, message: str) -> None:
    with pytest.raises(BadInput, match=message):
        NAMED.read(words)


def test_words_that_do_not_fit_are_refused() -> None:
    with pytest.raises(BadInput, match="wall has 2 values and 1 words"):
        Vocabulary(SPACE, words={"wall": ("red", "red")})
    with pytest.raises(BadInput, match="unknown factor 'walls'"):
        Vocabulary(SPACE, ("walls",))
