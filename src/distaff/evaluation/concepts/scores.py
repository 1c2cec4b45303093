"""How well images match a concept, how freely they vary in the rest, and how well words match images.

After table 1 of Higgins et al. 2018 (SCAN, arXiv:1707.03389). What images show is said by a classifier of
factors (see `factor_classifier`) or, where there are no images, by whoever knows: `shown` (n, a) holds the
value of every attribute of the vocabulary that each of n images shows, in the order of its `named`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from distaff.concepts import Concept, Vocabulary, attributes
from distaff.errors import BadInput


def accuracy(shown: ArrayLike, concept: Concept, vocabulary: Vocabulary) -> float:
    """The share of the attribute values that a concept asks for which images show, 0..1.

    NaN of a concept that asks for nothing.
    """
    values, places = _checked(shown, vocabulary), _places(vocabulary)
    if not concept:
        return float("nan")
    return float(np.mean([values[:, places[each.attribute]] == each.value for each in concept]))


def diversity(shown: ArrayLike, concept: Concept, vocabulary: Vocabulary) -> float:
    """How far images are from showing all values of what a concept leaves open equally often; 0 is best.

    KL(uniform || p) in nats, the mean over the attributes that the concept says nothing of. The paper leaves
    open whether it takes their mean or their sum; by the mean, concepts of all levels compare. p are the
    frequencies over the n images and one more of every value, for a value that is never shown would make it
    infinite. So n matters: of v values n images all alike give ln(1 + n / v) - ln(1 + n) / v, the most there
    is, and n that are uniform and independent about (v - 1) / 2n. NaN of a concept that leaves nothing open.
    """
    values, said = _checked(shown, vocabulary), attributes(concept)
    open_ = {place: column for place, column in _places(vocabulary).items() if place not in said}
    each = [
        from_uniform(np.bincount(values[:, column], minlength=vocabulary.space.sizes[place]))
        for place, column in open_.items()
    ]
    return float(np.mean(each)) if each else float("nan")


def from_uniform(counts: ArrayLike) -> float:
    """KL(uniform || p) in nats of counts of v values (v,), each of which is counted once more."""
    more = np.asarray(counts, dtype=np.float64) + 1
    return float(-np.mean(np.log(len(more) * more / more.sum())))


def agreement(probabilities: ArrayLike, rows: ArrayLike, vocabulary: Vocabulary) -> float:
    """The share of attributes, over images, of which the likeliest word is the right one, 0..1.

    `probabilities` (n, m) of all words, as a model says them of n images, synonyms among them, which are left
    aside; `rows` (n, k) of the images on the vocabulary's grid, from which the words that are right follow.
    """
    said, truth = np.asarray(probabilities), vocabulary.space.check(rows)
    if said.shape != (len(truth), vocabulary.symbol_size):
        raise BadInput(f"words must be ({len(truth)}, {vocabulary.symbol_size}), got {said.shape}")
    right = []
    start = 0
    for name in vocabulary.named:
        stop = start + vocabulary.size(name)
        right.append(said[:, start:stop].argmax(axis=1) == truth[:, vocabulary.space.position(name)])
        start = stop
    return float(np.mean(right))


def specificity(logvar: ArrayLike) -> NDArray[np.float64]:
    """1 / sigma of latents (n, d): 1 at the prior, more where a concept says something of a latent."""
    return np.exp(-0.5 * np.asarray(logvar, dtype=np.float64))


def _places(vocabulary: Vocabulary) -> dict[int, int]:
    """Of every attribute, by its column of the factors, its column of what is shown."""
    return {vocabulary.space.position(name): column for column, name in enumerate(vocabulary.named)}


def _checked(shown: ArrayLike, vocabulary: Vocabulary) -> NDArray[np.int64]:
    """What is shown, as whole numbers that are values of the vocabulary."""
    values, sizes = np.asarray(shown), [vocabulary.size(name) for name in vocabulary.named]
    if values.ndim != 2 or values.shape[1] != len(sizes) or not len(values):
        raise BadInput(f"what images show must be (n, {len(sizes)}), n at least 1, got {values.shape}")
    if not np.issubdtype(values.dtype, np.integer) or (values < 0).any() or (values >= sizes).any():
        found = f"{values.min()} to {values.max()}"
        raise BadInput(f"what images show must be whole numbers below {sizes}, got {found}")
    return values.astype(np.int64)
