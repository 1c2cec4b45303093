"""What is said of images and concepts, against plain statements of it and cases with known answers."""

import dataclasses
import math

import numpy as np
import pytest

from distaff.concepts import Vocabulary
from distaff.errors import BadInput
from distaff.evaluation.concepts.scores import accuracy, agreement, diversity, from_uniform, specificity
from distaff.factors import FactorSpace

SPACE = FactorSpace(("wall", "turn", "floor", "object"), (3, 2, 3, 2))
WORDS = {"wall": ("red", "green", "blue"), "object": ("hat", "case")}
VOCABULARY = Vocabulary(SPACE, ("wall", "floor", "object"), WORDS)  # turn is a nuisance


def every() -> np.ndarray:
    """Every combination of the three attributes, once."""
    return np.stack([each.ravel() for each in np.meshgrid(range(3), range(3), range(2))], axis=1)


def test_accuracy_is_the_share_of_what_is_asked_for() -> None:
    shown = np.array([[0, 1, 0], [0, 2, 1], [1, 1, 1], [2, 0, 1]])
    assert accuracy(shown, VOCABULARY.read("red wall"), VOCABULARY) == 2 / 4
    assert accuracy(shown, VOCABULARY.read("red wall, case"), VOCABULARY) == (2 + 3) / 8
    assert accuracy(shown, VOCABULARY.read("red wall, 1 floor, case"), VOCABULARY) == (2 + 2 + 3) / 12
    assert math.isnan(accuracy(shown, frozenset(), VOCABULARY))


def test_kl_from_the_uniform_distribution_with_one_more_of_every_value() -> None:
    for counts in ([3, 0, 1], [5, 5], [0, 0, 0, 7]):
        n, v = sum(counts), len(counts)
        plain = sum(1 / v * math.log((1 / v) / ((count + 1) / (n + v))) for count in counts)
        assert from_uniform(counts) == pytest.approx(plain)
    assert from_uniform([4, 4, 4]) == 0
    assert from_uniform([1, 2]) == from_uniform([2, 1]) > 0


def test_diversity_is_the_mean_over_what_a_concept_leaves_open() -> None:
    concept = VOCABULARY.read("red wall")
    assert diversity(every(), concept, VOCABULARY) == pytest.approx(0)
    alike = np.tile([0, 2, 1], (12, 1))
    most = [math.log(1 + 12 / v) - math.log(13) / v for v in (3, 2)]
    assert diversity(alike, concept, VOCABULARY) == pytest.approx(np.mean(most))
    assert [from_uniform([12, *[0] * (v - 1)]) for v in (3, 2)] == pytest.approx(most)
    half = np.stack([np.zeros(12, int), np.arange(12) % 3, np.ones(12, int)], axis=1)
    assert diversity(half, concept, VOCABULARY) == pytest.approx(most[1] / 2), "floors vary, objects do not"
    assert math.isnan(diversity(alike, VOCABULARY.read("red wall, 1 floor, hat"), VOCABULARY))


def test_what_the_concept_says_has_no_diversity() -> None:
    shown = every()
    shown[:, 0] = 0
    assert diversity(shown, VOCABULARY.read("red wall"), VOCABULARY) == pytest.approx(0)
    assert diversity(shown, VOCABULARY.read("hat"), VOCABULARY) > 0.3


def test_uniform_images_have_about_half_a_nat_a_value_over_their_number() -> None:
    rng = np.random.default_rng(100)
    many = [from_uniform(np.bincount(rng.integers(8, size=200), minlength=8)) for _ in range(300)]
    assert np.mean(many) == pytest.approx(7 / 400, rel=0.15)


def test_agreement_takes_the_likeliest_word_of_every_attribute() -> None:
    rows = np.array([[0, 1, 2, 1], [2, 0, 0, 0]])  # wall, turn, floor, object
    words = VOCABULARY.symbols([VOCABULARY.read("red, 2 floor, case"), VOCABULARY.read("blue, 0 floor, hat")])
    assert agreement(words, rows, VOCABULARY) == 1
    assert agreement(0.3 * words + 0.1, rows, VOCABULARY) == 1, "no word needs to be likelier than one half"
    assert agreement(words[::-1], rows, VOCABULARY) == 0
    words[0, :3] = [0.1, 0.4, 0.2]
    assert agreement(words, rows, VOCABULARY) == pytest.approx(5 / 6)
    more = dataclasses.replace(VOCABULARY, synonyms={"dub": VOCABULARY.read("red, case")})
    for synonym in (0, 1):
        assert agreement(np.insert(words, 8, synonym, axis=1), rows, more) == pytest.approx(5 / 6)


def test_specificity_is_one_at_the_prior() -> None:
    sigma = np.array([[1.0, 0.1], [0.5, 2.0]])
    assert specificity(np.log(sigma**2)) == pytest.approx(1 / sigma)


def test_what_cannot_be_judged_is_said_in_one_line() -> None:
    with pytest.raises(BadInput, match=r"must be \(n, 3\)"):
        accuracy(np.zeros((4, 2), dtype=int), frozenset(), VOCABULARY)
    with pytest.raises(BadInput, match="n at least 1"):
        diversity(np.zeros((0, 3), dtype=int), frozenset(), VOCABULARY)
    with pytest.raises(BadInput, match=r"below \[3, 3, 2\], got 0 to 3"):
        diversity(np.array([[0, 3, 1]]), frozenset(), VOCABULARY)
    with pytest.raises(BadInput, match=r"words must be \(1, 8\), got \(1, 9\)"):
        agreement(np.zeros((1, 9)), np.zeros((1, 4), dtype=int), VOCABULARY)
