"""What models of concepts are asked to imagine: concepts taught, new ones, and operators' results."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from distaff.batches.kind import Kind
from distaff.batches.lessons import Lessons
from distaff.batches.operators import Operators, Pairs, result
from distaff.concepts import OPERATORS, Concept, Vocabulary
from distaff.datasets import DataSet
from distaff.errors import BadInput
from distaff.evaluation.concepts.classifier import FactorClassifier
from distaff.evaluation.concepts.images import image_scores, images_of
from distaff.evaluation.concepts.scores import agreement
from distaff.methods.base import Codes
from distaff.metrics.arrays import Ints
from distaff.randomness import derived
from distaff.training.run import Run

KINDS = ("train", "symbols", "operators")  # of concepts: taught, new, made by operators
READ = 1000  # images whose words are read; any of the grid, those of the lessons among them


class Asked(NamedTuple):
    """Concepts `taught` (some of them), `new` ones, those `made` by `operators` (n,) of `pairs` of others.

    None that are new or made were taught; new ones that name every attribute are, as far as there are such,
    held out, so that no image of any lesson shows them. What is made is new to the operators too: none was
    trained on these pairs, which are k-hot symbols (n, 2, m), nor on others of which any operator makes the
    same. Operators are numbers from 0.
    """

    vocabulary: Vocabulary
    taught: list[Concept]
    new: list[Concept]
    made: list[Concept]
    pairs: NDArray[np.float32]
    operators: NDArray[np.int64]


def asked(kind: Kind, data: DataSet, count: int, seed: int) -> Asked:
    """Up to `count` concepts that were taught, as many new ones, a third as many by every operator.

    `kind` is that of the batches of a run of operators. BadInput where all that they make was trained.
    """
    assert isinstance(kind, Operators)
    lessons, rng = kind.lessons(data), np.random.default_rng(derived(seed, "asked"))
    paired, triples = kind.paired(data), []
    known = frozenset(lessons.taught) | made_in_training(lessons, paired)
    for number, pairs in enumerate(paired.held_out):
        new = [pair for pair in rng.permutation(pairs) if result(lessons, pair, number) not in known]
        triples += [(pair, number) for pair in new[: -(-count // len(OPERATORS))]]
    if not triples:
        raise BadInput(f"pairs={kind.pairs} is not allowed; they leave nothing new for operators to make")
    taught = [lessons.taught[number] for number in rng.permutation(len(lessons.taught))[:count]]
    return Asked(
        lessons.vocabulary,
        taught,
        new_concepts(lessons, count, rng),
        [result(lessons, pair, number) for pair, number in triples],
        lessons.symbols[np.array([pair for pair, _ in triples])],
        np.array([number for _, number in triples]),
    )


def new_concepts(lessons: Lessons, count: int, rng: np.random.Generator) -> list[Concept]:
    """Up to `count` concepts of all levels that are not taught, of the last level first those held out."""
    drawn, every = lessons.untaught(count, rng), len(lessons.vocabulary.named)
    above = [concept for concept in drawn if len(concept) < every]
    held_out = [lessons.held_out[number] for number in rng.permutation(len(lessons.held_out))]
    others = [concept for concept in drawn if len(concept) == every and concept not in held_out]
    return above + [*held_out, *others][: len(drawn) - len(above)]


def made_in_training(lessons: Lessons, paired: Pairs) -> frozenset[Concept]:
    """The concepts of which operators were shown images: what any of them makes of a pair it was taught."""
    every = enumerate(paired.taught)
    return frozenset(result(lessons, pair, number) for number, pairs in every for pair in pairs)


def answers(run: Run, recombining: Run, about: Asked, seed: int) -> dict[str, tuple[Codes, list[Concept]]]:
    """What a model takes the concepts to be: posteriors (n, d) by kind, with the concepts themselves."""
    symbols = about.vocabulary.symbols
    made = recombined(recombining, about)
    taught, new = (run.encode_symbols(symbols(each), seed) for each in (about.taught, about.new))
    return dict(zip(KINDS, ((taught, about.taught), (new, about.new), (made, about.made)), strict=True))


def recombined(run: Run, about: Asked) -> Codes:
    """What a run of operators makes of the pairs: posteriors (n, d)."""
    mean = np.empty((len(about.pairs), run.code_size), dtype=np.float32)
    made = Codes(mean, np.empty_like(mean), np.empty_like(mean))
    for number, name in enumerate(OPERATORS):
        own = about.operators == number
        if own.any():
            first, second = about.pairs[own].swapaxes(0, 1)
            for whole, part in zip(made, run.combine(first, second, name), strict=True):
                whole[own] = part
    return made


def scores(
    run: Run, recombining: Run, about: Asked, classifier: FactorClassifier, images: int, seed: int
) -> dict[str, Any]:
    """Accuracy and diversity of each kind, means over concepts, and what else is said of a model.

    `agreement`: of the words that 1,000 images are read as. `sight`: the share of the values of attributes
    that the classifier finds in what the codes of these images are decoded to; where it is low, pictures are
    to blame and not concepts.
    """
    found: dict[str, Any] = {}
    for kind, (posteriors, concepts) in answers(run, recombining, about, seed).items():
        made = images_of(run, posteriors, images, derived(seed, kind))
        of_each: pd.DataFrame = image_scores(made, concepts, about.vocabulary, classifier)
        found |= {f"{number}, {kind}": float(of_each[number].mean()) for number in of_each}
    means, rows = read(run, about, seed)
    return found | {
        "agreement": agreement(run.decode_symbols(means), rows, about.vocabulary),
        "sight": float(np.mean([*sight(run, means, rows, about, classifier).values()])),
    }


def read(run: Run, about: Asked, seed: int) -> tuple[NDArray[np.float32], Ints]:
    """The mean codes (n, d) of some images, and their factors' values (n, k)."""
    index = np.random.default_rng(derived(seed, "read")).choice(len(run.data), READ)
    return run.encode(run.data.images(index), seed).mean, about.vocabulary.space.rows(index)


def sight(
    run: Run, means: NDArray[np.float32], rows: Ints, about: Asked, classifier: FactorClassifier
) -> dict[str, float]:
    """By attribute the share of values (n, k) that are found in what mean codes (n, d) are decoded to."""
    truth = rows[:, [about.vocabulary.space.position(name) for name in classifier.named]]
    right = (classifier.shown(run.decode(means)) == truth).mean(axis=0)
    return dict(zip(classifier.named, right.tolist(), strict=True))
