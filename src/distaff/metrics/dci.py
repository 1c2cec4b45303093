"""DCI: disentanglement, completeness and informativeness."""

from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from distaff.errors import unknown
from distaff.metrics.arrays import Codes, Factors, Floats, Test, real_columns
from distaff.metrics.blocks import Blocks, each_alone, summed
from distaff.metrics.declare import Sizes, by_field, metric
from distaff.metrics.door import checked
from distaff.metrics.held_out import Rows, learn_and_score
from distaff.metrics.learned import learned, models_of, told_by
from distaff.tables import Continuous

IMPORTANCES = ("summed", "permuted")


class DCI(NamedTuple):
    """The three scores, each 0..1, higher is better, and the learner behind them."""

    disentanglement: float
    completeness: float
    informativeness: float
    learner: str


_bounds = partial(by_field, DCI._fields[:3])  # the learner has none


@metric(
    source="Eastwood and Williams 2018, openreview:By-7dz-AZ, section 2; weights as in disentanglement_lib",
    cost="fitted",
    seconds=30.0,
    protocols={"locatello2019": Sizes(10_000, 5_000, settings={"learner": "gradient_boosting"})},
    least_codes=2,
    least_factors=2,
    invariant_to=frozenset({"permutation", "sign", "scale"}),
    truth={
        "identity": _bounds((0.98, 1.0), (0.98, 1.0), (0.98, 1.0)),
        "rotated": _bounds((0.0, 0.35), (0.0, 0.35), (0.2, 0.99)),
        "constant": _bounds((0.0, 0.0), (0.0, 0.0), (0.05, 0.25)),
        "duplicated": _bounds((0.98, 1.0), (0.5, 0.9), (0.98, 1.0)),
        "noise": _bounds((0.0, 0.1), (0.0, 0.1), (0.05, 0.25)),
        "one_missing": _bounds((0.5, 0.8), (0.6, 0.9), (0.7, 0.85)),
    },
    worse_with={
        "disentanglement": frozenset({"blurred", "missing"}),
        "completeness": frozenset({"blurred", "missing"}),
        "informativeness": frozenset({"noise", "missing"}),
    },
    headline={"dci.disentanglement": 4},
    only_dense="its trees need an array",
)
def dci(
    codes: Codes,
    factors: Factors,
    *,
    learner: str = "boosting",
    above_chance: bool = False,
    blocks: Blocks | None = None,
    importance: str = "summed",
    continuous: Continuous = False,
    test: Test = None,
    seed: int = 0,
) -> DCI:
    """DCI: does a code serve one factor, is a factor served by one code, and can factors be predicted at all?

    A model of each factor gives the importance of every code for it, which sum to 1. Disentanglement: 1 minus
    the entropy of a code's importances over factors (logarithm to base k), averaged over codes weighted by
    their total importance. Completeness: 1 minus the entropy of a factor's importances over codes (base d),
    averaged over factors. Informativeness: the accuracy on held-out rows (the squared error's R2, but at
    least 0, for `continuous` factors), averaged over factors. All 0..1, higher is better; informativeness has
    the share of the commonest value as its chance level.

    `learner` "boosting", the default: gradient boosting on bins of codes, in seconds; "gradient_boosting":
    scikit-learn's, as in Locatello et al. 2019, arXiv:1811.12359, which the former stands for, minutes;
    "random_forest": 10 trees as deep as has the least squared error on a held-out quarter, as in the paper
    (of 3 trees, above 500 codes); "lightgbm": with the extra `boost`. Values hang on the learner and on how
    many rows it sees (docs/dci_learners.md), so compare none across either. It learns from two thirds of the
    rows (10,000 at most) and scores on the others (5,000 at most), or on `test`, a pair of arrays. The matrix
    behind it: `distaff.metrics.importance_matrix`.

    A factor that nothing predicts counts like any other, though its importances are those of noise. With
    `above_chance` (ours) a factor's importances are weighed by how far above chance it is predicted: its
    informativeness less the share of its commonest value, over what is left to 1 (R2 for real numbers).

    With `blocks`, lists of columns, a block's importance is the sum of its columns', and d the number of
    blocks. Sums grow with the width of a block, be it noise: with `importance` "permuted" it is how far the
    held-out accuracy (or R2) falls where the rows of the whole block are shuffled, at least 0.

    `codes` (n, d) with d >= 2, `factors` (n, k) with k >= 2. Raises NotApplicable for fewer.

    The first code holds both factors, the second none:

        >>> found = dci([[0, 5], [1, 5], [2, 5], [3, 5]] * 20, [[0, 0], [0, 1], [1, 0], [1, 1]] * 20)
        >>> [round(value, 3) for value in found[:3]]
        [0.0, 1.0, 1.0]
    """
    learn, score = learn_and_score(codes, factors, test, seed)
    real = real_columns(continuous)
    if importance not in IMPORTANCES:
        raise unknown("importance", str(importance), IMPORTANCES)
    models = models_of(learner, learn, seed, real) if importance == "permuted" else []
    of_codes, predicted = told_by(models, score) if models else learned(learner, learn, score, seed, real)
    told = [_right(each, score.factors, j, real) for j, each in enumerate(predicted)]
    found = summed(of_codes, blocks)
    if models:
        found = _permuted(score, models, blocks or each_alone(codes.shape[1]), told, real, seed)
    if above_chance:
        chance = [0.0 if j in real else _commonest(truth) for j, truth in enumerate(score.factors.T)]
        found = found * [_beyond(*each) for each in zip(told, chance, strict=True)]
    return DCI(disentanglement(found), completeness(found), float(np.mean(told)), learner)


def _right(predicted: NDArray[Any], factors: Factors, j: int, real: tuple[int, ...]) -> float:
    """How well factor j is predicted (n,): accuracy, or R2 of real numbers."""
    truth = factors[:, j]
    return _r2(truth, predicted) if j in real else float(np.mean(truth == predicted))


def _permuted(
    score: Rows, models: list[Any], blocks: Blocks, right: list[float], real: tuple[int, ...], seed: int
) -> Floats:
    """How far each factor is predicted worse with a block's rows shuffled (blocks, k); columns sum to 1."""
    rng, found = np.random.default_rng(seed), np.zeros((len(blocks), len(models)))
    for b, block in enumerate(blocks):
        shuffled = score.codes.copy()
        shuffled[:, block] = score.codes[rng.permutation(len(shuffled))][:, block]
        predicted = [model.predict(shuffled) for model in models]
        found[b] = [max(0.0, right[j] - _right(p, score.factors, j, real)) for j, p in enumerate(predicted)]
    total = found.sum(axis=0)
    return found / np.where(total > 0, total, 1.0)


def _commonest(factor: NDArray[Any]) -> float:
    """The share of a factor's commonest value."""
    return float(np.bincount(factor.astype(np.int64)).max() / len(factor))


def _beyond(value: float, chance: float) -> float:
    """How far a value is from chance (0) to 1, at least 0."""
    return max(0.0, (value - chance) / (1 - chance)) if chance < 1 else 0.0


@checked()
def importance_matrix(
    codes: Codes,
    factors: Factors,
    *,
    learner: str = "boosting",
    continuous: Continuous = False,
    test: Test = None,
    seed: int = 0,
) -> Floats:
    """The importance of every code for every factor, (d, k); each column sums to 1. See `dci`."""
    learn, score = learn_and_score(codes, factors, test, seed)
    return learned(learner, learn, score, seed, real_columns(continuous)).importances.copy()


def disentanglement(importance: Floats) -> float:
    """Disentanglement of an importance matrix (d, k), non-negative.

    The mean over rows, weighted by their sums, of 1 minus the entropy of a row (base: its length).
    """
    weights = importance.sum(axis=1)
    if not weights.sum() > 0:
        return 0.0
    return float(np.clip(np.average(of_rows(importance), weights=weights), 0.0, 1.0))


def of_rows(importance: Floats) -> Floats:
    """The disentanglement (d,) of every row: 1 minus its entropy, 0 where all entries are alike.

    A single entry is all there is: 1.
    """
    if importance.shape[1] < 2:
        return np.ones(len(importance))
    filled = importance + 1e-11  # an empty row counts as an even one
    shares = filled / filled.sum(axis=1, keepdims=True)
    return np.asarray(1 + (shares * np.log(shares)).sum(axis=1) / np.log(shares.shape[1]))


def completeness(importance: Floats) -> float:
    """Completeness of an importance matrix (d, k), non-negative: the same of its columns."""
    return disentanglement(importance.T)


def _r2(truth: NDArray[Any], predicted: NDArray[Any]) -> float:
    spread = np.var(truth)
    return max(0.0, float(1 - np.mean((truth - predicted) ** 2) / spread)) if spread > 0 else 0.0
