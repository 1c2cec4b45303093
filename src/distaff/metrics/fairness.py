"""Fairness: do predictions of one factor change with another?"""

from typing import NamedTuple

import numpy as np

from distaff.metrics.arrays import Codes, Factors, Floats, Ints, Test
from distaff.metrics.declare import Sizes, metric, truths
from distaff.metrics.door import checked
from distaff.metrics.held_out import learn_and_score
from distaff.metrics.learned import learned


class Fairness(NamedTuple):
    """Unfairness on average and at its worst, each 0..1, lower is better, and the learner behind them."""

    mean_unfairness: float
    max_unfairness: float
    learner: str


#: not 0, for the predictions of few rows differ by chance
_LITTLE = {"mean_unfairness": (0.0, 0.12), "max_unfairness": (0.0, 0.2)}
_NONE = {"mean_unfairness": (0.0, 0.0), "max_unfairness": (0.0, 0.0)}
_MUCH = {"mean_unfairness": (0.05, 0.2), "max_unfairness": (0.2, 0.6)}


@metric(
    higher_is_better=False,
    source="Locatello et al. 2019b, arXiv:1905.13662, section 3",
    cost="slow",
    protocols={"locatello2019": Sizes(10_000, 5_000)},
    least_factors=2,
    invariant_to=frozenset({"permutation"}),
    truth=truths(_LITTLE, _LITTLE, _NONE, _LITTLE, _LITTLE, _MUCH),
    worse_with={"mean_unfairness": frozenset({"blurred"})},
    check_with={"learner": "random_forest"},
    only_dense="its trees need an array",
)
def fairness(
    codes: Codes, factors: Factors, *, learner: str = "gradient_boosting", test: Test = None, seed: int = 0
) -> Fairness:
    """Unfairness: how far do predictions of one factor from codes depend on another, sensitive factor?

    A model predicts every factor from codes. For every other factor: the total variation distance between the
    predictions at one of its values and all predictions, averaged over the values by their rows.
    `mean_unfairness` averages over all pairs of factors, `max_unfairness` is the largest. 0..1, lower is
    better: where factors are independent, a fair prediction does not change with the sensitive factor. Few
    rows of a value raise it: see where chance and the ceiling lie.

    `codes` (n, d), `factors` (n, k) with k >= 2, whole numbers. It learns from two thirds of the rows (10,000
    at most) with `learner` "gradient_boosting" (as in the paper; minutes), "random_forest" or "lightgbm", and
    compares the others (5,000 at most), or `test`, a pair of arrays. Difference: disentanglement_lib renders
    images in which only the sensitive factor is changed; here rows that have the value stand for them, which
    is the same in distribution where factors are independent. Raises NotApplicable for a single factor.

    Factors that are always alike, so that either tells which of two values the other has:

        >>> codes, factors = [[0], [1]], [[0, 0], [1, 1]]
        >>> fairness(codes * 9, factors * 9, learner="random_forest", test=(codes, factors)).max_unfairness
        0.5
    """
    matrix = unfairness_matrix.of_arrays(codes, factors, learner=learner, test=test, seed=seed)
    pairs = matrix[~np.eye(len(matrix), dtype=bool)]
    return Fairness(float(pairs.mean()), float(pairs.max()), learner)


@checked()
def unfairness_matrix(
    codes: Codes, factors: Factors, *, learner: str = "gradient_boosting", test: Test = None, seed: int = 0
) -> Floats:
    """How far the predictions of factor i depend on factor j, (k, k), 0 where i is j; see `fairness`."""
    learn, score = learn_and_score(codes, factors, test, seed)
    predictions = [each.astype(np.int64) for each in learned(learner, learn, score, seed).predicted]
    matrix = np.array([[_distance(each, factor) for factor in score.factors.T] for each in predictions])
    np.fill_diagonal(matrix, 0.0)
    return matrix


def _distance(predicted: Ints, sensitive: Ints) -> float:
    """The total variation distance of predictions at a sensitive value from all, averaged over rows."""
    counts = np.zeros((predicted.max() + 1, sensitive.max() + 1))
    np.add.at(counts, (predicted, sensitive), 1)
    rows = counts.sum(axis=0)
    met = rows > 0
    at_value = counts[:, met] / rows[met]
    everywhere = counts.sum(axis=1, keepdims=True) / len(predicted)
    distances = np.abs(at_value - everywhere).sum(axis=0) / 2
    return float(np.average(distances, weights=rows[met]))
