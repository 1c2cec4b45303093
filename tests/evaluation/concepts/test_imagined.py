"""What a model makes of concepts and finds in images, against plain statements of it."""

from __future__ import annotations

import dataclasses
import json
import math
import shutil
from pathlib import Path

import numpy as np
import pytest

import distaff
from distaff.concepts import Value, shows
from distaff.errors import BadInput
from distaff.evaluation.concepts.imagined import (
    MOST_IMAGES,
    certainty,
    combine,
    has_operators,
    imagine,
    lessons_of,
    read_back,
    recognise,
    result,
)
from distaff.methods.base import Codes
from distaff.randomness import derived
from distaff.training.run import Run

WORDS = ["white wall", "yellow wall", "blue wall", "white floor", "yellow floor", "blue floor"]
WORDS += ["hat", "ice lolly", "suitcase"]


@pytest.fixture(scope="module")
def scan(worded: Path) -> Run:
    return distaff.load_run(worded / "scan")


@dataclasses.dataclass(frozen=True)
class Told(Run):
    """A run that is told what words to say: `low` where the first latent is below 0, else `high`."""

    low: tuple[float, ...] = ()
    high: tuple[float, ...] = ()
    deviation: float = 1.0

    def encode(self, images, seed=0):  # type: ignore[no-untyped-def]
        mean = np.zeros((len(images), 4), np.float32)
        return Codes(mean, np.full_like(mean, 2 * math.log(self.deviation)), mean)

    def decode_symbols(self, codes):  # type: ignore[no-untyped-def]
        return np.where(codes[:, :1] < 0, self.low, self.high).astype(np.float32)


def told(scan: Run, low: list[float], high: list[float]) -> Told:
    return Told(scan.folder, scan.config, scan.method, low=tuple(low), high=tuple(high))


def test_the_vocabulary_is_that_of_the_data(scan: Run) -> None:
    vocabulary = lessons_of(scan).vocabulary
    assert [vocabulary.describe([value]) for value in vocabulary.values] == WORDS
    assert len(lessons_of(scan).taught) == 40


def test_an_imagined_concept_is_the_posterior_of_its_symbol(scan: Run) -> None:
    symbol = np.zeros((1, 9), dtype=np.float32)
    symbol[0, [1, 8]] = 1
    codes = scan.encode_symbols(symbol)
    made = imagine(scan, "suitcase, yellow wall", 7)
    np.testing.assert_array_equal(made.mean, codes.mean[0])
    np.testing.assert_allclose(made.sigma, np.sqrt(np.exp(codes.logvar[0])), rtol=1e-6)
    assert made.images.shape == (7, 3, 16, 16)
    same = imagine(scan, frozenset({Value(0, 1), Value(2, 2)}), 7)
    np.testing.assert_array_equal(same.images, made.images)
    assert not np.array_equal(imagine(scan, "suitcase, yellow wall", 7, seed=1).images, made.images)


def test_its_images_are_decoded_from_samples_of_the_posterior(
    scan: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    decoded: list[np.ndarray] = []
    decode = Run.decode
    monkeypatch.setattr(Run, "decode", lambda run, codes: decoded.append(codes) or decode(run, codes))
    made = imagine(scan, "blue floor", MOST_IMAGES)
    (samples,) = decoded
    error = made.sigma / math.sqrt(MOST_IMAGES)
    assert (np.abs(samples.mean(axis=0) - made.mean) < 5 * error).all()
    assert (np.abs(samples.std(axis=0) - made.sigma) < 5 * error).all()
    np.testing.assert_array_equal(decode(scan, samples), made.images)
    np.testing.assert_allclose(made.words, certainty(scan, samples).mean(axis=0))


def test_certainty_is_a_share_of_what_is_said_of_an_attribute(scan: Run) -> None:
    said = [0.6, 0.1, 0.1, 0.0, 0.0, 0.0, 0.3, 0.2, 0.1]
    (found,) = certainty(told(scan, said, said), np.zeros((1, 4), np.float32))
    wanted = [0.75, 0.125, 0.125, 1 / 3, 1 / 3, 1 / 3, 0.5, 1 / 3, 1 / 6]
    np.testing.assert_allclose(found, wanted, rtol=1e-6)


def test_a_concept_is_as_certain_as_all_its_words_at_once(scan: Run) -> None:
    """Either white wall and a hat or yellow wall and a suitcase: never white wall and a suitcase."""
    low = [1, 0, 0, 1, 1, 2, 1, 0, 0]
    high = [0, 1, 0, 1, 1, 2, 0, 0, 1]
    seen = recognise(told(scan, low, high), scan.data.images([0])[0])
    share = seen.words[0]
    assert 0.3 < share < 0.7
    assert seen.words[6] == pytest.approx(share)
    found = dict(seen.concepts)
    wanted = {}
    for concept in lessons_of(scan).taught:
        each = []
        for said, of in ((low, share), (high, 1 - share)):
            parts = [np.array(said[start:stop]) for start, stop in ((0, 3), (3, 6), (6, 9))]
            shares = [part / part.sum() for part in parts]
            each.append(of * math.prod(shares[value.attribute][value.value] for value in concept))
        wanted[concept] = sum(each)
    assert found == pytest.approx(wanted, abs=1e-6)
    assert [each.certainty for each in seen.concepts] == sorted(found.values(), reverse=True)


def test_what_a_trained_run_is_certain_of_is_shown_more_often_than_what_it_doubts(scan: Run) -> None:
    right: list[bool] = []
    wrong: list[bool] = []
    for number in range(0, len(scan.data), 3):
        row = scan.data.factors.rows([number])
        shown = [
            bool(shows(concept, row)[0])
            for concept, _ in recognise(scan, scan.data.images([number])[0]).concepts
        ]
        right, wrong = right + shown[:3], wrong + shown[-20:]
    assert np.mean(right) > np.mean(wrong) + 0.3


@pytest.fixture(scope="module")
def knows_synonyms(synonymous: Path) -> Run:
    return distaff.load_run(synonymous / "scan")


def test_runs_from_before_there_were_synonyms_are_read(scan: Run, tmp_path: Path) -> None:
    shutil.copytree(scan.folder, tmp_path / "scan")
    config = json.loads((tmp_path / "scan" / "config.json").read_text())
    assert config["settings"].pop("synonyms") == ""
    (tmp_path / "scan" / "config.json").write_text(json.dumps(config))
    run = distaff.load_run(tmp_path / "scan")
    np.testing.assert_array_equal(imagine(run, "hat").images, imagine(scan, "hat").images)
    seen, same = (recognise(each, each.data.images([5])[0]) for each in (run, scan))
    assert seen.concepts == same.concepts
    assert seen.synonyms == same.synonyms == []


def test_a_synonym_is_imagined_by_its_own_word(knows_synonyms: Run) -> None:
    symbol = np.zeros((1, 11), dtype=np.float32)
    symbol[0, [9, 4]] = 1  # dub, yellow floor
    codes = knows_synonyms.encode_symbols(symbol)
    made = imagine(knows_synonyms, "yellow floor, dub", 3)
    np.testing.assert_array_equal(made.mean, codes.mean[0])
    meant = imagine(knows_synonyms, lessons_of(knows_synonyms).vocabulary.read("yellow floor, dub"), 3)
    said = imagine(knows_synonyms, "yellow floor, white wall, hat", 3)
    np.testing.assert_array_equal(meant.mean, said.mean)
    assert not np.array_equal(meant.mean, made.mean), "the network is asked, not the dictionary"
    assert made.words.shape == (9,)


def test_synonyms_have_no_part_in_certainty(knows_synonyms: Run) -> None:
    said = [0.6, 0.1, 0.1, 0.0, 0.0, 0.0, 0.3, 0.2, 0.1]
    for more in ([0.9, 0.9], [0.0, 0.1]):
        (found,) = certainty(told(knows_synonyms, said + more, said + more), np.zeros((1, 4), np.float32))
        wanted = [0.75, 0.125, 0.125, 1 / 3, 1 / 3, 1 / 3, 0.5, 1 / 3, 1 / 6]
        np.testing.assert_allclose(found, wanted, rtol=1e-6)


@dataclasses.dataclass(frozen=True)
class Reading(Told):
    """A run that takes dub for a code below 0, where it says `low`, woog above, and any image for both."""

    def encode_symbols(self, symbols, seed=0):  # type: ignore[no-untyped-def]
        mean = np.full((len(symbols), 4), 10.0, np.float32) * np.where(symbols[:, 9:10] > 0, -1, 1)
        return Codes(mean.astype(np.float32), np.zeros_like(mean), mean)


def test_a_synonym_is_as_certain_as_what_it_is_read_as(knows_synonyms: Run) -> None:
    """dub as blue wall and yellow floor, whatever it was to mean; woog as nothing, which no image shows."""
    low = [0.1, 0.1, 0.8, 0.2, 0.6, 0.2, 0.4, 0.3, 0.3, 0.5, 0.5]
    high = [0.5, 0.0, 0.5, 0.3, 0.3, 0.4, 0.5, 0.1, 0.4, 0.9, 0.9]
    run = Reading(knows_synonyms.folder, knows_synonyms.config, knows_synonyms.method, low=low, high=high)
    vocabulary, image = lessons_of(run).vocabulary, run.data.images([0])[0]
    assert vocabulary.describe(read_back(run, "dub")) == "blue wall, yellow floor"
    assert read_back(run, "woog") == frozenset()
    seen = recognise(run, image)
    samples = run.encode(image[None])
    rng = np.random.default_rng(derived(0, "imagined"))
    below = (rng.standard_normal((100, 4))[:, 0] < 0).mean()
    wanted = below * 0.8 * 0.6 + (1 - below) * 0.5 * 0.3
    assert samples.mean[0, 0] == 0
    assert [each.word for each in seen.synonyms] == ["dub", "woog"]
    assert seen.synonyms[0].read_as == vocabulary.read("blue wall, yellow floor")
    assert [each.certainty for each in seen.synonyms] == pytest.approx([wanted, 0], rel=1e-5)
    assert {vocabulary.read("dub"), vocabulary.read("woog")} <= {each.concept for each in seen.concepts}
    assert len(seen.concepts) == len(lessons_of(run).taught)


def test_a_learned_operator_and_the_exact_one(scan: Run, worded: Path) -> None:
    run = distaff.load_run(worded / "operators")
    assert [has_operators(each) for each in (scan, run)] == [False, True]
    vocabulary = lessons_of(run).vocabulary
    one, other = vocabulary.read("white wall, hat"), vocabulary.read("hat")
    codes = run.combine(vocabulary.symbols([one]), vocabulary.symbols([other]), "ignore")
    made = combine(run, one, "ignore", "hat", 3)
    np.testing.assert_array_equal(made.mean, codes.mean[0])
    assert result(vocabulary, one, "ignore", other) == vocabulary.read("white wall")
    assert result(vocabulary, one, "in_common", other) == other
    assert result(vocabulary, one, "and", other) == one
    with pytest.raises(BadInput, match="has no operators"):
        combine(scan, one, "ignore", other)


def test_what_cannot_be_asked_is_one_line(scan: Run, trained: Path) -> None:
    vocabulary = lessons_of(scan).vocabulary
    with pytest.raises(BadInput, match="white wall, yellow wall contradicts itself"):
        result(vocabulary, vocabulary.read("white wall"), "and", vocabulary.read("yellow wall"))
    with pytest.raises(BadInput, match="unknown operator 'ad'; did you mean 'and'"):
        result(vocabulary, frozenset(), "ad", frozenset())
    with pytest.raises(BadInput, match="is a run of beta_vae, which knows no symbols"):
        lessons_of(distaff.load_run(trained))
    for count in (0, MOST_IMAGES + 1):
        with pytest.raises(BadInput, match=f"count={count} is not allowed"):
            imagine(scan, "hat", count)
