"""Dictionaries: sets of directions, as the decoder of a sparse autoencoder has one for each code.

They are compared by the cosine of directions, whatever their signs and sizes. No codes are needed for it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from distaff.errors import BadInput
from distaff.metrics.arrays import Bools, Floats, check_codes, check_seed
from distaff.metrics.best_latent import firing
from distaff.metrics.door import checked
from distaff.randomness import derived
from distaff.settings import whole_number
from distaff.tables import Sparse, as_table

SHORTEST = 1e-8  # norms below it count as this, as in SAELens


class DictionaryScore(NamedTuple):
    """A score, what random directions have in place of those learned, and the largest it can be.

    `chance` is None where no directions were drawn.
    """

    value: float
    chance: float | None
    ceiling: float


def dictionary_mcc(learned: Any, true: Any, *, draws: int = 3, seed: int = 0) -> DictionaryScore:
    """Dictionary MCC: how well do the directions that were learned match the true ones, or another run's?

    The absolute cosine of every learned direction with every true one; the pairing that makes the sum largest
    (the Hungarian method); the sum over the number of true directions, so that one without a partner counts
    0. 0..1, higher is better. Over `ceiling`, the share of true directions that can have a partner, it is the
    mean over pairs, as in SAELens. Between two runs of one method it is PW-MCC (Song et al. 2025,
    arXiv:2505.20254).

    Read it beside chance, the mean over `draws` of random learned directions: about sqrt(2 ln d / D), .21 of
    1,024 directions in 256 dimensions, and more where these are few.

    `learned` (d, D) and `true` (k, D) hold a direction in each row: of a decoder that is a layer of torch,
    give `weight.T`. It is the same in any order, with any signs and sizes, and falls where one side is
    turned. Memory is d k numbers. Raises BadInput where dimensions differ.

        >>> dictionary_mcc([[0, -2], [1, 1]], [[1, 0], [0, 1], [1, -1]], draws=0).value
        0.5690355937288492
    """
    return _beside_chance(learned, true, draws, seed, lambda d, k: min(d, k) / k, _paired)


def dictionary_uniqueness(learned: Any, true: Any, *, draws: int = 3, seed: int = 0) -> DictionaryScore:
    """Dictionary uniqueness: to how many different true directions are those learned nearest?

    Every learned direction goes to the true one with the largest absolute cosine; the number of true ones
    that get any, over the number of those learned (as in SAELens; Chanin and Garriga-Alonso 2026,
    arXiv:2602.14687). 0..1, higher is better, but it cannot exceed `ceiling`, k / d, where more were learned
    than there are. Random directions reach much of it: read it beside `chance`.

    `learned` (d, D) and `true` (k, D) hold a direction in each row, as in `dictionary_mcc`.

        >>> dictionary_uniqueness([[1, 0], [2, 0.1], [0, 1]], [[1, 0], [0, 1]], draws=0).value
        0.6666666666666666
    """
    return _beside_chance(learned, true, draws, seed, lambda d, k: min(k / d, 1.0), _different)


class DictionaryDetection(NamedTuple):
    """The three scores, each 0..1, higher is better."""

    precision: float
    recall: float
    f1: float


@checked(needs=(), only_dense="")
def dictionary_detection(codes: Floats | Sparse, active: Any, learned: Any, true: Any) -> DictionaryDetection:
    """Dictionary detection: does a code fire where the feature does whose direction is nearest to its own?

    Every code goes to the true direction with the largest absolute cosine, and is taken for a detector of
    that feature: precision, recall and F1 of its firing, each the mean over codes, those that never fire 0
    (as in SAELens). `best_latent` asks the other way round, by value, and needs no directions.

    `codes` (n, d), perhaps sparse, fire where they are not 0; `active` (n, k) likewise; `learned` (d, D) and
    `true` (k, D) are their directions.

        >>> same = [[1, 0], [0, 1]]
        >>> dictionary_detection([[1, 0], [1, 2]], [[1, 0], [0, 2]], same, same)
        DictionaryDetection(precision=0.75, recall=1.0, f1=0.8333333333333333)
    """
    there: Bools = check_codes(active) != 0
    cosine = cosines(learned, true)
    if cosine.shape != (codes.shape[1], there.shape[1]) or len(there) != len(codes):
        raise BadInput(
            f"codes {codes.shape} and active {there.shape} need the same rows, and a direction for each of "
            f"their columns, got {cosine.shape[0]} learned and {cosine.shape[1]} true ones"
        )
    nearest = cosine.argmax(axis=1)
    hits, fires, positives = firing(codes, there)
    own, positives = hits[np.arange(len(nearest)), nearest], positives[nearest]
    precision = np.divide(own, fires, out=np.zeros(len(own)), where=fires > 0)
    recall = np.divide(own, positives, out=np.zeros(len(own)), where=positives > 0)
    f1 = np.divide(2 * own, fires + positives, out=np.zeros(len(own)), where=fires + positives > 0)
    return DictionaryDetection(float(precision.mean()), float(recall.mean()), float(f1.mean()))


def cosines(learned: Any, true: Any) -> Floats:
    """The absolute cosine (d, k) of every row of (d, D) with every row of (k, D)."""
    first, second = (
        check_codes(as_table(each, what)) for each, what in ((learned, "learned"), (true, "true"))
    )
    if first.shape[1] != second.shape[1]:
        raise BadInput(
            f"learned directions have {first.shape[1]} dimensions and true ones {second.shape[1]}; "
            "give a direction in each row (of a layer of torch, weight.T)"
        )
    return np.abs(_unit(first) @ _unit(second).T)


def _unit(directions: Floats) -> Floats:
    norms = np.linalg.norm(directions, axis=1, keepdims=True)
    return np.asarray(directions / np.maximum(norms, SHORTEST))


def _paired(cosine: Floats) -> float:
    from scipy.optimize import linear_sum_assignment

    return float(cosine[linear_sum_assignment(cosine, maximize=True)].sum() / cosine.shape[1])


def _different(cosine: Floats) -> float:
    return float(len(np.unique(cosine.argmax(axis=1))) / len(cosine))


def _beside_chance(
    learned: Any,
    true: Any,
    draws: int,
    seed: int,
    ceiling: Callable[[int, int], float],
    score: Callable[[Floats], float],
) -> DictionaryScore:
    """A score of the cosines, and the mean of those that Gaussian directions have in place of the learned."""
    cosine = cosines(learned, true)
    (d, k), value = cosine.shape, score(cosine)
    rng = np.random.default_rng(derived(check_seed(seed), "directions"))
    size = (d, check_codes(true).shape[1])
    drawn = [score(cosines(rng.standard_normal(size), true)) for _ in range(whole_number("draws", draws, 0))]
    return DictionaryScore(value, float(np.mean(drawn)) if drawn else None, ceiling(d, k))
