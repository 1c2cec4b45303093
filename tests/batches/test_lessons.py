"""Symbols and operators as data: what is taught, what is held out, and that images show what is said."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch

import distaff
from distaff.batches.feed import Feed
from distaff.batches.lessons import Lessons, plan_lessons, shares, vocabulary_of
from distaff.batches.operators import Operators, result
from distaff.batches.symbols import Symbols
from distaff.concepts import OPERATORS, Concept, Vocabulary, attributes, both, ignoring, in_common, shows
from distaff.datasets import ArrayImages, DataSet
from distaff.errors import BadInput
from distaff.factors import FactorSpace
from distaff.methods.beta_vae import BetaVAE

SPACE = FactorSpace(("wall", "turn", "floor", "object"), (4, 3, 4, 3))
SCENES = SPACE.rows(np.arange(len(SPACE)))
VOCABULARY = Vocabulary(SPACE, ("wall", "floor", "object"))


def rooms() -> DataSet:
    """Rooms of 4 x 4 x 4 colours and 3 objects, seen from 2 sides, at 16 pixels."""
    colours = dict.fromkeys(("wall_colour", "floor_colour", "object_colour"), 4)
    return distaff.load_dataset("rooms", resolution=16, camera_yaw=1, object_yaw=2, **colours)


class Rows(ArrayImages):
    """A grid whose images are their own rows, so that a batch tells what it shows."""

    def __init__(self) -> None:
        quarters = SCENES.astype(np.uint8).reshape(len(SCENES), 2, 2)
        super().__init__(quarters.repeat(8, axis=1).repeat(8, axis=2), SCENES, names=SPACE.names)


def rows_of(images: object) -> np.ndarray:
    return np.asarray(images)[:, 0, ::8, ::8].reshape(-1, 4).astype(np.int64)


def test_parts_are_as_even_as_they_can_be() -> None:
    assert shares(133, np.array([27, 264, 1088, 1536])) == [27, 35, 35, 36]
    assert shares(10, np.array([100, 3, 100])) == [3, 3, 4]
    for most in ([1, 2, 3], [5, 1, 1], [4, 4, 4]):
        for total in range(sum(most) + 3):
            found = np.array(shares(total, np.array(most)))
            assert found.sum() == min(total, sum(most))
            assert (found <= most).all()
            unfilled = found[found < most]
            assert not len(unfilled) or found.max() - unfilled.min() <= 1


def test_taught_concepts_are_of_all_levels_and_none_is_held_out() -> None:
    lessons = plan_lessons(VOCABULARY, concepts=60, held_out=20, seed=3)
    assert len(set(lessons.taught)) == 60
    assert [sum(len(each) == level for each in lessons.taught) for level in (1, 2, 3)] == [11, 25, 24]
    assert len(set(lessons.held_out)) == 20
    assert {len(concept) for concept in lessons.held_out} == {3}
    assert not set(lessons.held_out) & set(lessons.taught)
    assert all(attributes(concept) <= {0, 2, 3} for concept in lessons.taught), "the turn has no words"
    np.testing.assert_array_equal(lessons.symbols, VOCABULARY.symbols(lessons.taught))


def test_all_concepts_may_be_taught() -> None:
    every = {concept for size in (1, 2, 3) for concept in VOCABULARY.concepts(size)}
    lessons = plan_lessons(VOCABULARY, concepts=0, held_out=40)
    seen = [row for row in SCENES if not any(shows(each, row[None])[0] for each in lessons.held_out)]
    shown = {concept for concept in every if shows(concept, np.array(seen)).any()}
    assert set(lessons.taught) == shown
    assert lessons.hidden == every - shown
    assert len(lessons.hidden) > 40, "with all their scenes some concepts above are held out"
    assert len(plan_lessons(VOCABULARY, concepts=0).taught) == len(every) == 99


@pytest.mark.parametrize("examples", [0, 4])
def test_examples_show_their_concept_and_none_that_is_held_out(examples: int) -> None:
    lessons = plan_lessons(VOCABULARY, concepts=60, examples=examples, held_out=24, seed=1)
    numbers = np.repeat(np.arange(60), 200)
    rows = lessons.examples(numbers, np.random.default_rng(0))
    for number, concept in enumerate(lessons.taught):
        mine = rows[numbers == number]
        assert shows(concept, mine).all()
        assert not any(shows(hidden, mine).any() for hidden in lessons.held_out)
        allowed = shows(concept, SCENES) & ~np.any([shows(each, SCENES) for each in lessons.held_out], axis=0)
        seen = len(np.unique(mine, axis=0))
        assert seen <= examples if examples else seen > 0.8 * min(allowed.sum(), 100)


def test_scenes_are_uniform_over_what_is_left() -> None:
    lessons = plan_lessons(VOCABULARY, concepts=10, held_out=20, seed=1)
    rows = lessons.scenes([frozenset()] * 20_000, np.random.default_rng(0))
    counts = np.bincount(SPACE.index(rows), minlength=len(SPACE))
    assert (counts == 0).sum() == 20 * 3, "each is held out from every side"
    expected = 20_000 / (len(SPACE) - 60)
    assert abs(counts[counts > 0] - expected).max() < 5 * np.sqrt(expected)


def test_untaught_concepts_are_any_others() -> None:
    lessons = plan_lessons(VOCABULARY, concepts=40, held_out=20)
    others = lessons.untaught(50, np.random.default_rng(0))
    assert len(set(others)) == 50
    assert not set(others) & set(lessons.taught)
    assert set(lessons.held_out) & set(others)
    every = lessons.untaught(1000, np.random.default_rng(0))
    assert len(set(every)) == len(every) == 99 - 40


def test_the_seed_decides_and_nothing_else() -> None:
    def made(seed: int) -> Lessons:
        return plan_lessons(VOCABULARY, concepts=40, held_out=5, seed=seed)

    first, same, other = made(4), made(4), made(5)
    assert (first.taught, first.held_out) == (same.taught, same.held_out)
    np.testing.assert_array_equal(first.rows, same.rows)
    assert set(first.taught) != set(other.taught)


def test_a_batch_holds_images_of_its_symbols_by_seed_and_step() -> None:
    kind = Symbols("wall,floor, object", concepts=50, examples=3, held_out=5, seed=2)
    data = Rows()
    batch = kind.sample(data, 400, np.random.default_rng(0))
    lessons = kind.lessons(data)
    assert batch.symbols.dtype == np.float32
    assert batch.symbols.shape == (400, sum(kind.words(data))) == (400, 11)
    said = [lessons.vocabulary.concept(symbol) for symbol in batch.symbols]
    assert all(shows(concept, row[None])[0] for concept, row in zip(said, rows_of(batch.images), strict=True))
    assert set(said) == set(lessons.taught), "every concept comes"
    assert kind.lessons(data) is kind.lessons(Rows()), "they are planned once"


def test_rooms_have_words_and_nuisances() -> None:
    data = rooms()
    vocabulary = vocabulary_of(data)
    assert vocabulary.named == ("wall_colour", "floor_colour", "object_colour", "object")
    concept = vocabulary.read("hat, white wall")
    assert vocabulary.describe(concept) == "white wall, hat"
    batch = Symbols(concepts=100).sample(data, 8, np.random.default_rng(0))
    assert (batch.images.shape, batch.symbols.shape) == ((8, 3, 16, 16), (8, 15))
    faces = vocabulary_of(distaff.load_dataset("cartoon_faces", resolution=16))
    assert faces.read("glasses, no cap") == faces.read("no cap, glasses")
    assert "azimuth" not in faces.named
    assert len(faces.read("glasses, smiling, blond")) == 3


def meaningful(operator: str, first: Concept, second: Concept) -> bool:
    """Whether an operator is taught of two concepts, as the paper has it."""
    if operator == "and":
        return not attributes(first) & attributes(second)
    if operator == "in_common":
        return first != second and bool(first & second)
    return bool(attributes(first) & attributes(second)) and bool(attributes(first) - attributes(second))


@pytest.mark.parametrize("held_out", [0, 10])
def test_all_pairs_of_an_operator_are_taught_or_held_out(held_out: int) -> None:
    kind = Operators("wall,floor,object", concepts=30, held_out=held_out, pairs=12)
    lessons, pairs = kind.lessons(Rows()), kind.paired(Rows())
    for number, name in enumerate(OPERATORS):
        taught, hidden = ({(int(i), int(j)) for i, j in each[number]} for each in pairs)
        assert len(taught) == len(pairs.taught[number])
        every = itertools.product(range(30), repeat=2)
        expected = {
            (i, j) for i, j in every if meaningful(name, *(lessons.taught[number] for number in (i, j)))
        }
        assert taught | hidden == expected
        assert len({frozenset(pair) for pair in taught}) == 12
        assert not {frozenset(pair) for pair in taught} & {frozenset(pair) for pair in hidden}
        made = {OPERATORS[name](lessons.taught[i], lessons.taught[j]) for i, j in taught}
        assert not made & set(lessons.held_out)


def test_images_show_what_becomes_of_two_concepts() -> None:
    kind = Operators("wall,floor,object", concepts=40, held_out=5, pairs=20)
    batch, lessons = kind.sample(Rows(), 300, np.random.default_rng(0)), kind.lessons(Rows())
    oracle = (both, in_common, ignoring)
    for row, *symbols, operator in zip(
        rows_of(batch.images), batch.symbols, batch.other_symbols, batch.operators, strict=True
    ):
        concept = oracle[operator](*map(lessons.vocabulary.concept, symbols))
        assert concept
        assert shows(concept, row[None])[0]
        assert not any(shows(hidden, row[None])[0] for hidden in lessons.held_out)
    assert np.bincount(batch.operators).min() > 70
    pair = kind.paired(Rows()).taught[1][0]
    assert result(lessons, pair, 1) == lessons.taught[pair[0]] & lessons.taught[pair[1]]


def test_a_method_is_told_the_numbers_of_words() -> None:
    class OfSymbols(BetaVAE):
        batches = "symbols"
        batch_options = {"attributes": "floor,object", "concepts": 10}  # noqa: RUF012

    feed = Feed(OfSymbols(), Rows(), 0)
    assert feed.facts.words == (4, 3)
    assert Feed(BetaVAE(), Rows(), 0).facts.words == ()
    batch, _ = feed.at(3)
    again, _ = feed.at(3)
    assert torch.equal(batch.symbols, again.symbols)
    assert torch.equal(batch.images, again.images)
    assert not torch.equal(batch.symbols, feed.at(4)[0].symbols)


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        (Symbols("wall, celing"), "unknown factor 'celing'"),
        (Symbols("wall,floor,object", concepts=100), r"concepts=100 is not allowed; there are 99 to teach"),
        (Symbols("wall,floor,object", concepts=99, held_out=1), "there are 98 to teach"),
        (Symbols("wall", held_out=4), "held_out=4 is not allowed; 4 concepts name every attribute"),
        (Operators("wall", concepts=4), "pairs=0 is not allowed; 0 pairs of concepts suit 'and'"),
        (Operators("wall,floor", concepts=8, pairs=1000), r"pairs=1000 is not allowed; \d+ pairs"),
    ],
)
def test_what_cannot_be_taught_is_one_line(kind: Symbols, message: str) -> None:
    with pytest.raises(BadInput, match=message):
        kind.sample(Rows(), 8, np.random.default_rng(0))


def test_a_concept_whose_images_are_all_held_out_is_one_line() -> None:
    lessons = plan_lessons(VOCABULARY, concepts=20, held_out=20)
    with pytest.raises(BadInput, match=r"hardly an image is left that shows .*: it is held out"):
        lessons.scenes(lessons.held_out[:1], np.random.default_rng(0))


def test_data_without_a_grid_has_no_concepts() -> None:
    data = distaff.load_dataset("dsprites", resolution=16, x=4, y=4, held_out={"x": 1})
    with pytest.raises(BadInput, match="dsprites has no grid of factors whose values concepts could name"):
        Symbols().sample(data, 8, np.random.default_rng(0))


def test_too_many_concepts_to_pair_are_one_line() -> None:
    data = distaff.load_dataset("rooms", resolution=16)
    with pytest.raises(BadInput, match="operators take pairs of at most 4000"):
        Operators(concepts=5000, examples=0).sample(data, 8, np.random.default_rng(0))
