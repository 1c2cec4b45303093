"""What a model makes of concepts, and which concepts it finds in images: sym2img and img2sym of SCAN.

Higgins et al. 2018 (arXiv:1707.03389, sections 3 and 4). It goes for any run that knows symbols.
"""

from __future__ import annotations

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
SAMPLES = 100  # of an image's posterior


class Imagined(NamedTuple):
    """What a model makes of a concept.

    `mean` and `sigma` (d,) of its latents, 0 and 1 where it says nothing; `images` (n, C, H, W) in 0..1, each
    decoded from a sample of them; `words` (m,), how certain every word is, see `certainty`.
    """

    mean: NDArray[np.float32]
    sigma: NDArray[np.float32]
    images: NDArray[np.float32]
    words: NDArray[np.float64]


class Found(NamedTuple):
    """A concept that was taught, and how certain it is, 0..1, in the light of an image."""

    concept: Concept
    certainty: float


class Recognised(NamedTuple):
    """What a model finds in an image: how certain every word is (m,), and all concepts that were taught."""

    words: NDArray[np.float64]
    concepts: list[Found]


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
    """`count` images of a concept, which may be words such as "red wall, hat" (sym2img)."""
    vocabulary = lessons_of(run).vocabulary
    return _imagined(run, run.encode_symbols(vocabulary.symbols([_read(vocabulary, concept)])), count, seed)


def combine(
    run: Run, first: Concept | str, operator: str, second: Concept | str, count: int = 10, seed: int = 0
) -> Imagined:
    """`count` images of what a learned operator makes of two concepts; BadInput without operators."""
    vocabulary = lessons_of(run).vocabulary
    one, other = (vocabulary.symbols([_read(vocabulary, each)]) for each in (first, second))
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
    Concepts come by falling certainty.
    """
    lessons = lessons_of(run)
    certain = certainty(run, _samples(run.encode(np.asarray(image)[None]), SAMPLES, seed))
    each = np.array([certain[:, symbol > 0].prod(axis=1).mean() for symbol in lessons.symbols])
    order = np.argsort(-each, kind="stable")
    found = [Found(lessons.taught[number], float(each[number])) for number in order]
    return Recognised(certain.mean(axis=0), found)


def certainty(run: Run, samples: NDArray[np.float32]) -> NDArray[np.float64]:
    """How certain every word (n, m) is at samples of latents (n, d), 0..1, of an attribute's words in all 1.

    A word's probability by the symbol decoder, as a share of what it says of the word's attribute. For taught
    symbols leave most attributes open, so that a word is not said of every image that shows it.
    """
    vocabulary = lessons_of(run).vocabulary
    ends = np.cumsum([vocabulary.size(name) for name in vocabulary.named])[:-1]
    words = np.maximum(run.decode_symbols(samples), np.finfo(np.float32).tiny).astype(np.float64)
    parts = np.split(words, ends, axis=1)
    return np.concatenate([part / part.sum(axis=1, keepdims=True) for part in parts], axis=1)


def _read(vocabulary: Vocabulary, concept: Concept | str) -> Concept:
    return vocabulary.read(concept) if isinstance(concept, str) else concept


def _imagined(run: Run, codes: Codes, count: int, seed: int) -> Imagined:
    samples = _samples(codes, whole_number("count", count, 1, MOST_IMAGES), seed)
    assert codes.logvar is not None
    words = certainty(run, samples).mean(axis=0)
    return Imagined(codes.mean[0], np.exp(codes.logvar[0] / 2), run.decode(samples), words)


def _samples(codes: Codes, count: int, seed: int) -> NDArray[np.float32]:
    """Samples (count, d) of the posterior of the one row that codes have."""
    rng = np.random.default_rng(derived(whole_number("seed", seed, 0), "imagined"))
    return samples_of(codes.mean[0], codes.logvar[0], count, rng)
