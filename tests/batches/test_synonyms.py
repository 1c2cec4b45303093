"""Synonyms: symbols with a number for each, when they are said, and that what they mean is taught."""

from __future__ import annotations

import hashlib
import itertools
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

import distaff
from distaff.batches.feed import Feed
from distaff.batches.lessons import plan_lessons
from distaff.batches.operators import Operators
from distaff.batches.symbols import Symbols
from distaff.batches.synonyms import say_synonyms, with_synonyms
from distaff.concepts import OPERATORS, Value, Vocabulary, shows
from distaff.datasets import ArrayImages, DataSet
from distaff.errors import BadInput
from distaff.factors import FactorSpace
from distaff.methods.scan import Scan

SPACE = FactorSpace(("wall", "turn", "floor", "object"), (4, 3, 4, 3))
SCENES = SPACE.rows(np.arange(len(SPACE)))
PLAIN = Vocabulary(SPACE, ("wall", "floor", "object"))
TEXT = "dub = 1 object, 0 wall; woog=2 floor ,wall=0;"
DUB, WOOG = frozenset({Value(0, 0), Value(3, 1)}), frozenset({Value(0, 0), Value(2, 2)})
VOCABULARY = with_synonyms(PLAIN, TEXT)
EVERY = [concept for size in range(4) for concept in PLAIN.concepts(size)]


def grid() -> DataSet:
    """A grid whose images are their own rows."""
    quarters = SCENES.astype(np.uint8).reshape(len(SCENES), 2, 2)
    return ArrayImages(quarters.repeat(8, axis=1).repeat(8, axis=2), SCENES, names=SPACE.names)


def rows_of(images: object) -> np.ndarray:
    return np.asarray(images)[:, 0, ::8, ::8].reshape(-1, 4).astype(np.int64)


def test_synonyms_are_read_with_their_meanings() -> None:
    assert dict(VOCABULARY.synonyms) == {"dub": DUB, "woog": WOOG}
    assert [*VOCABULARY.synonyms] == ["dub", "woog"]
    assert with_synonyms(PLAIN, "") == with_synonyms(PLAIN, " ; ") == PLAIN


def test_a_symbol_has_a_number_for_each_synonym_after_those_of_values() -> None:
    values = [
        f"{value} {name}"
        for name, size in (("wall", 4), ("floor", 4), ("object", 3))
        for value in range(size)
    ]
    names = [*values, "dub", "woog"]
    assert VOCABULARY.symbol_size == len(names) == 13
    for words in (["dub"], ["woog", "2 object"], ["1 object", "dub", "woog"], ["3 wall"], []):
        symbol = VOCABULARY.symbol(", ".join(words))
        assert symbol.tolist() == [float(name in words) for name in names]
        assert VOCABULARY.describe_symbol(symbol) == (", ".join(sorted(words, key=names.index)) or "anything")
    np.testing.assert_array_equal(VOCABULARY.symbols(EVERY)[:, :11], PLAIN.symbols(EVERY))
    assert not VOCABULARY.symbols(EVERY)[:, 11:].any(), "a concept is said by its values"


def test_what_is_meant_is_what_synonyms_stand_for() -> None:
    assert VOCABULARY.read("dub") == DUB
    assert VOCABULARY.read("3 floor, dub") == DUB | {Value(2, 3)}
    assert VOCABULARY.read("woog, dub") == DUB | WOOG
    assert VOCABULARY.concept(VOCABULARY.symbol("dub, 0 wall")) == DUB
    assert VOCABULARY.describe(VOCABULARY.read("dub")) == "0 wall, 1 object"


def test_synonyms_are_said_by_the_coins_of_the_batch() -> None:
    symbols = VOCABULARY.symbols(EVERY * 20)
    found = say_synonyms(symbols, VOCABULARY, np.random.default_rng(5))
    coins = np.random.default_rng(5).random((len(symbols), 2))
    for symbol, coin, concept in zip(found, coins, EVERY * 20, strict=True):
        words = [word for word, flip in zip(("dub", "woog"), coin, strict=True) if flip < 0.5]
        words = [word for word in words if {"dub": DUB, "woog": WOOG}[word] <= concept]
        rest = concept - {value for word in words for value in {"dub": DUB, "woog": WOOG}[word]}
        wanted = ", ".join([*(PLAIN.describe([value]) for value in rest), *words])
        np.testing.assert_array_equal(symbol, VOCABULARY.symbol(wanted))
        assert VOCABULARY.concept(symbol) == concept, "whatever is said, the same is meant"
    assert found.dtype == np.float32


def test_half_of_the_times_each_synonym_is_said() -> None:
    """Of 10,000, five deviations of a fair coin are 250; of two coins, each pair comes in a quarter."""
    rng = np.random.default_rng(0)
    dub, woog = say_synonyms(VOCABULARY.symbols([DUB | WOOG] * 10_000), VOCABULARY, rng)[:, 11:].T > 0.5
    assert abs(dub.sum() - 5000) < 250
    assert abs(woog.sum() - 5000) < 250
    for one, other in itertools.product((dub, ~dub), (woog, ~woog)):
        assert abs((one & other).sum() - 2500) < 5 * np.sqrt(10_000 * 3 / 16)


@pytest.mark.parametrize("examples", [0, 4])
def test_what_synonyms_mean_is_taught_beside_the_others(examples: int) -> None:
    without = plan_lessons(PLAIN, 20, examples, held_out=15, seed=3)
    left = (each for each in PLAIN.concepts(2) if each not in {*without.taught, *without.hidden})
    meanings = dict(zip(("dub", "woog", "bud"), left, strict=False))
    vocabulary = replace(PLAIN, synonyms=meanings | {"dab": meanings["dub"], "tab": without.taught[0]})
    lessons = plan_lessons(vocabulary, 20, examples, held_out=15, seed=3)
    assert lessons.taught == (*without.taught, *meanings.values())
    assert lessons.held_out == without.held_out
    if without.rows is not None:
        np.testing.assert_array_equal(lessons.rows[:20], without.rows)
        assert lessons.rows.shape == (23, examples, 4)
    hidden = np.any([shows(each, SCENES) for each in lessons.held_out], axis=0)
    for number, meaning in enumerate(meanings.values(), 20):
        rows = lessons.examples(np.full(300, number), np.random.default_rng(0))
        allowed = {*map(tuple, SCENES[shows(meaning, SCENES) & ~hidden].tolist())}
        seen = {*map(tuple, rows.tolist())}
        assert seen <= allowed
        assert len(seen) <= examples if examples else seen == allowed


def test_a_meaning_that_is_taught_anyhow_is_taught_once() -> None:
    lessons = plan_lessons(VOCABULARY, concepts=0)
    assert lessons.taught == plan_lessons(PLAIN, concepts=0).taught
    both = with_synonyms(PLAIN, "dub = 0 wall; bud = 0 wall")
    assert plan_lessons(both, 1, seed=1).taught.count(frozenset({Value(0, 0)})) == 1


def test_a_batch_says_synonyms_and_its_images_show_them() -> None:
    kind = Symbols("wall,floor,object", 20, held_out=5, synonyms=TEXT)
    batch, lessons = kind.sample(grid(), 2000, np.random.default_rng(0)), kind.lessons(grid())
    assert batch.symbols.shape == (2000, sum(kind.words(grid()))) == (2000, 13)
    assert kind.words(grid()) == (4, 4, 3, 1, 1)
    meant = [lessons.vocabulary.concept(symbol) for symbol in batch.symbols]
    assert all(shows(each, row[None])[0] for each, row in zip(meant, rows_of(batch.images), strict=True))
    assert set(meant) == set(lessons.taught)
    assert (batch.symbols[:, 11:].sum(axis=0) > 20).all()
    assert Feed(Scan(**SAID), grid(), 0).facts.words == (4, 4, 3, 1, 1)


SAID = {"attributes": "wall,floor,object", "concepts": 20, "synonyms": TEXT}


def test_operators_are_taught_of_synonyms_too() -> None:
    kind = Operators("wall,floor,object", 20, held_out=5, synonyms=TEXT)
    batch, lessons = kind.sample(grid(), 1000, np.random.default_rng(0)), kind.lessons(grid())
    read, made = lessons.vocabulary.concept, [*OPERATORS.values()]
    each = zip(rows_of(batch.images), batch.symbols, batch.other_symbols, batch.operators, strict=True)
    for row, first, second, operator in each:
        assert shows(made[operator](read(first), read(second)), row[None])[0]
    assert (batch.symbols[:, 11:].sum(axis=0) > 10).all()
    assert (batch.other_symbols[:, 11:].sum(axis=0) > 10).all()
    pairs, without = kind.paired(grid()), replace(kind, synonyms="").paired(grid())
    for ours, theirs in zip(pairs.taught, without.taught, strict=True):
        assert {*map(tuple, theirs.tolist())} <= {*map(tuple, ours.tolist())}


def test_without_synonyms_all_is_as_it_was() -> None:
    """The lessons to the last bit as they were before there were synonyms, and no coin is tossed."""
    lessons = plan_lessons(PLAIN, concepts=60, examples=4, held_out=20, seed=3)
    made = lessons.rows.astype("<i8").tobytes() + lessons.symbols.astype("<f4").tobytes()
    known = "b472fc2db0d713018af908e26ef15fd595bbd88906d7c9b9a3742675fae65f8e"
    assert hashlib.sha256(made).hexdigest() == known
    kind, rng, same = (
        Symbols("wall,floor,object", 60, 4, 20, 3),
        *(np.random.default_rng(1) for _ in range(2)),
    )
    batch = kind.sample(grid(), 50, rng)
    numbers = same.integers(60, size=50)
    rows = lessons.rows[numbers, same.integers(4, size=50)]
    np.testing.assert_array_equal(rows_of(batch.images), rows)
    np.testing.assert_array_equal(batch.symbols, PLAIN.symbols([lessons.taught[n] for n in numbers]))
    assert rng.bit_generator.state == same.bit_generator.state


def test_the_example_of_a_batch_has_synonyms() -> None:
    feed = Feed(Scan(**SAID), grid(), 0)
    made = Symbols(synonyms=TEXT).example(torch.zeros, feed.facts, 40, torch.Generator().manual_seed(0))
    assert made.symbols.shape == (40, 13)
    assert 0 < made.symbols[:, 11:].mean() < 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("dub", "the synonym 'dub' has no meaning; say 'dub = VALUE, VALUE'"),
        ("dub = , ", "the synonym 'dub' has no meaning"),
        ("dub = hat; dub = white wall", "the synonym 'dub' is given twice"),
        ("hat = white wall", "the synonym 'hat' is not allowed; it is a word of the data already"),
        ("wall = hat", "the synonym 'wall' is not allowed; it is a word of the data already"),
        ("lolly = hat", "the synonym 'lolly' is not allowed; it is a word of the data already"),
        ("my dub = hat", "the synonym 'my dub' is not allowed; it must be one word"),
        ("dub, bud = hat", "the synonym 'dub, bud' is not allowed; it must be one word"),
        ("= hat", "the synonym '' is not allowed; it must be one word"),
        ("dub = hatt", "the synonym 'dub' is not allowed; unknown value 'hatt'; did you mean 'hat'?"),
        ("dub = hat; woog = dub", "the synonym 'woog' is not allowed; unknown value 'dub'"),
        ("dub = white", "the synonym 'dub' is not allowed; 'white' can be meant of several attributes"),
        (
            "dub = white wall, blue wall",
            "the synonym 'dub' is not allowed; white wall, blue wall contradicts",
        ),
    ],
)
def test_what_cannot_be_a_synonym_is_one_line(text: str, message: str, tmp_path: Path) -> None:
    data = distaff.load_dataset("rooms", resolution=16, wall_colour=3, floor_colour=3, object_colour=[3])
    with pytest.raises(BadInput) as error:
        distaff.train("jmvae", data, concepts=10, synonyms=text, steps=1, out=tmp_path / "run", show=False)
    assert message in str(error.value)
    assert "\n" not in str(error.value)
    assert not (tmp_path / "run").exists()


def test_a_meaning_of_which_no_image_is_left_is_one_line() -> None:
    lessons = plan_lessons(PLAIN, 20, held_out=30, seed=0)
    above = min(lessons.hidden, key=len)
    assert len(above) < 3, "one that is held out with all its scenes"
    for concept in (lessons.held_out[0], above):
        told = PLAIN.describe(concept)
        kind = Symbols("wall,floor,object", 20, held_out=30, synonyms=f"dub = {told}")
        with pytest.raises(
            BadInput, match=f"synonym 'dub' is not allowed; all images of {told} are held out"
        ):
            kind.sample(grid(), 8, np.random.default_rng(0))


def test_a_word_that_is_near_a_synonym_is_told() -> None:
    with pytest.raises(BadInput, match="unknown value 'dubb'; did you mean 'dub'"):
        VOCABULARY.read("dubb, 1 wall")
    with pytest.raises(BadInput, match="contradicts itself"):
        VOCABULARY.read("dub, 1 wall")
    with pytest.raises(BadInput, match="contradicts itself"):
        VOCABULARY.symbol("2 object, dub")
