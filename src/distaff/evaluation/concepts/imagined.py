"""What a model makes of concepts, and which concepts it finds in images: sym2img and img2sym of SCAN.

Higgins et al. 2018 (arXiv:1707.03389, sections 3 and 4). It goes for any run that knows symbols.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from distaff.batches.lessons import Lessons
from distaff.batches.symbols import Symbols
from distaff.concepts import OPERATORS, Concept, Vocabulary
from distaff.errors import BadInput, unknown
from distaff.evaluation.concepts.images import samples_of
from distaff.methods.base import Codes, Method
from distaff.randomness import derived
from distaff.settings import whole_number
from distaff.training.run import Run

MOST_IMAGES = 1000
SAMPLES = 100  # of a posterior
READ_BACK = 0.5  # a value more certain than this is read back, and so at most one of each attribute


class Imagined(NamedTuple):
    """What a model makes of a concept.

    `mean` and `sigma` (d,) of its latents, 0 and 1 where it says nothing; `images` (n, C, H, W) in 0..1, each
    decoded from a sample of them; `words` (v,), how certain the word of every value is, see `certainty`.
    """

    mean: NDArray[np.float32]
    sigma: NDArray[np.float32]
    images: NDArray[np.float32]
    words: NDArray[np.float64]


class Found(NamedTuple):
    """A concept that was taught, and how certain it is, 0..1, in the light of an image."""

    concept: Concept
    certainty: float


class FoundSynonym(NamedTuple):
    """A synonym, what the model itself reads the `word` as, and how certain that is in the light of an image.

    A word that it reads as nothing has certainty 0.
    """

    word: str
    read_as: Concept
    certainty: float


class Recognised(NamedTuple):
    """What a model finds in an image: how certain every value is (v,), taught concepts, and synonyms."""

    words: NDArray[np.float64]
    concepts: list[Found]
    synonyms: list[FoundSynonym]


def lessons_of(run: Run) -> Lessons:
    """What a run was taught, with its vocabulary. BadInput of a run that knows no symbols."""
    if not run.facts.words:
        raise BadInput(
            f"{run.folder} is a run of {run.config.method}, which knows no symbols; train scan on it"
        )
    kind = run.kind_of_batches
    assert isinstance(kind, Symbols)
    return kind.lessons(run.data)


def imagine(run: Run, concept: Concept | str, count: int = 10, seed: int = 0) -> Imagined:
    """`count` images of a concept, which may be words such as "red wall, hat" (sym2img).

    A synonym among the words is given to the model as it is said, by its own word.
    """
    symbols = _symbols(lessons_of(run).vocabulary, concept)
    return _imagined(run, run.encode_symbols(symbols), count, seed)


def combine(
    run: Run, first: Concept | str, operator: str, second: Concept | str, count: int = 10, seed: int = 0
) -> Imagined:
    """`count` images of what a learned operator makes of two concepts; BadInput without operators."""
    vocabulary = lessons_of(run).vocabulary
    one, other = (_symbols(vocabulary, each) for each in (first, second))
    return _imagined(run, run.combine(one, other, operator), count, seed)


def has_operators(run: Run) -> bool:
    """Whether a run has learned operators."""
    return type(run.method).combine is not Method.combine


def result(vocabulary: Vocabulary, first: Concept, operator: str, second: Concept) -> Concept:
    """What an operator makes of two concepts by their words. BadInput where they contradict each other."""
    if operator not in OPERATORS:
        raise unknown("operator", operator, OPERATORS)
    if operator == "and":
        vocabulary.said(first | second)  # which tells a contradiction in words
    return OPERATORS[operator](first, second)


def recognise(run: Run, image: ArrayLike, seed: int = 0) -> Recognised:
    """The words and the taught concepts of an image (C, H, W) as the data set gives it (img2sym).

    From 100 samples of q(z|x); a concept's certainty is the mean over them of the product of its words'.
    Concepts come by falling certainty. A synonym is as certain as what the model reads it as, whatever it was
    to mean; see `read_back`.
    """
    lessons = lessons_of(run)
    certain = certainty(run, _samples(run.encode(np.asarray(image)[None]), SAMPLES, seed))
    concepts = [*map(Found, lessons.taught, _together(certain, lessons.symbols))]
    words = lessons.vocabulary.synonyms
    read = [read_back(run, word, seed) for word in words]
    each = zip(words, read, _together(certain, lessons.vocabulary.symbols(read)), strict=True)
    synonyms = [FoundSynonym(word, read_as, sure if read_as else 0.0) for word, read_as, sure in each]
    return Recognised(
        certain.mean(axis=0),
        sorted(concepts, key=lambda each: -each.certainty),
        sorted(synonyms, key=lambda each: -each.certainty),
    )


def _together(certain: NDArray[np.float64], symbols: NDArray[np.float32]) -> Iterator[float]:
    """How certain all values of each symbol (c, m) are at once, the mean over samples, whose are (n, v)."""
    for symbol in symbols[:, : certain.shape[1]]:
        yield float(certain[:, symbol > 0].prod(axis=1).mean())


def read_back(run: Run, words: str, seed: int = 0) -> Concept:
    """What a model understands by words: the values more certain than half at 100 samples of q(z|y)."""
    vocabulary = lessons_of(run).vocabulary
    codes = run.encode_symbols(_symbols(vocabulary, words))
    certain = certainty(run, _samples(codes, SAMPLES, seed)).mean(axis=0)
    return vocabulary.said(itertools.compress(vocabulary.values, certain > READ_BACK))


def certainty(run: Run, samples: NDArray[np.float32]) -> NDArray[np.float64]:
    """How certain each value's word (n, v) is at samples of latents (n, d), 0..1, of an attribute's in all 1.

    A word's probability by the symbol decoder, as a share of what it says of the word's attribute. For taught
    symbols leave most attributes open, so that a word is not said of every image that shows it. Synonyms are
    words of no attribute and left aside.
    """
    vocabulary = lessons_of(run).vocabulary
    ends = np.cumsum([vocabulary.size(name) for name in vocabulary.named])
    words = np.maximum(run.decode_symbols(samples), np.finfo(np.float32).tiny).astype(np.float64)
    *parts, _ = np.split(words, ends, axis=1)
    return np.concatenate([part / part.sum(axis=1, keepdims=True) for part in parts], axis=1)


def _symbols(vocabulary: Vocabulary, concept: Concept | str) -> NDArray[np.float32]:
    """The one symbol (1, m) of a concept, or of words as they are said."""
    if isinstance(concept, str):
        return vocabulary.symbol(concept)[None]
    return vocabulary.symbols([concept])


def _imagined(run: Run, codes: Codes, count: int, seed: int) -> Imagined:
    samples = _samples(codes, whole_number("count", count, 1, MOST_IMAGES), seed)
    assert codes.logvar is not None
    words = certainty(run, samples).mean(axis=0)
    return Imagined(codes.mean[0], np.exp(codes.logvar[0] / 2), run.decode(samples), words)


def _samples(codes: Codes, count: int, seed: int) -> NDArray[np.float32]:
    """Samples (count, d) of the posterior of the one row that codes have."""
    rng = np.random.default_rng(derived(whole_number("seed", seed, 0), "imagined"))
    return samples_of(codes.mean[0], codes.logvar[0], count, rng)
