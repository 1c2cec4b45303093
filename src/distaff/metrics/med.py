"""MED: entropy disentanglement of mutual information."""

from functools import partial
from typing import Any, NamedTuple

import numpy as np

from distaff.metrics.arrays import Codes, Factors, Floats, Test, standardised, varying
from distaff.metrics.dci import completeness, disentanglement, of_rows
from distaff.metrics.declare import by_field, metric
from distaff.metrics.held_out import Rows, learn_and_score
from distaff.metrics.information import Bins, binned_information
from distaff.metrics.threads import one_thread, quiet
from distaff.settings import whole_number


class MED(NamedTuple):
    """The three scores, 0..1, higher is better."""

    disentanglement: float
    completeness: float
    informativeness: float


_bounds = partial(by_field, MED._fields)


_WORSE = frozenset({"noise", "holistic", "blurred", "missing"})


@metric(
    source="Cao et al. 2022, arXiv:2206.04756; informativeness as in their code",
    cost="slow",
    least_codes=2,
    least_factors=2,
    invariant_to=frozenset({"permutation", "sign", "scale"}),
    truth={
        "identity": _bounds((0.85, 1.0), (0.85, 1.0), (0.85, 1.0)),
        "rotated": _bounds((0.0, 0.05), (0.0, 0.05), (0.85, 1.0)),
        "constant": _bounds((0.0, 0.0), (0.0, 0.0), (0.05, 0.25)),
        "duplicated": _bounds((0.85, 1.0), (0.5, 0.7), (0.85, 1.0)),
        "noise": _bounds((0.0, 0.02), (0.0, 0.03), (0.05, 0.25)),
        "one_missing": _bounds((0.5, 0.7), (0.6, 0.8), (0.65, 0.85)),
    },
    worse_with={
        "disentanglement": _WORSE,
        "completeness": _WORSE | {"spread"},
        "informativeness": frozenset({"noise", "missing"}),
    },
    only_dense="its regression standardises codes, which makes an array of them",
)
def med(
    codes: Codes,
    factors: Factors,
    *,
    bins: Bins = 20,
    top: int | None = None,
    test: Test = None,
    seed: int = 0,
) -> MED:
    """MED: DCI's disentanglement and completeness, of mutual information in the place of importances.

    The importance of a code for a factor is their mutual information (from `bins` equal bins of the code's
    range), divided by the sum over codes, so that a factor's importances sum to 1 (0 where no code knows of
    it; the authors' code has NaN there). Disentanglement and completeness are those of `dci` of this matrix.
    Informativeness is the accuracy on held-out rows of logistic regression from all codes, standardised,
    averaged over factors; its chance is the share of the commonest value. All 0..1, higher is better. No
    learner is random, and none is behind the first two.

    With `top` (top-k MED) each factor keeps, of the codes that know most of it, the `top` with the highest
    disentanglement of their own, and the scores are those of their rows: spare codes cost nothing.

    `codes` (n, d) with d >= 2, `factors` (n, k) with k >= 2, whole numbers. It learns from two thirds of the
    rows (10,000 at most) and scores on the others (5,000 at most), or on `test`, a pair of arrays.
    `bins` may be "zero_quantile", as for `mig`.

    The first code holds both factors, the second none:

        >>> found = med([[0, 5], [1, 5], [2, 5], [3, 5]] * 20, [[0, 0], [0, 1], [1, 0], [1, 1]] * 20)
        >>> [round(value, 3) for value in found[:2]]
        [0.0, 1.0]
    """
    learn, score = learn_and_score(codes, factors, test, seed)
    information = binned_information(learn.codes, learn.factors, bins, False).shared
    information[~varying(learn.codes)] = 0.0
    matrix = shares(information)
    if top is not None:
        matrix = best_rows(matrix, whole_number("top", top, 1))
    return MED(disentanglement(matrix), completeness(matrix), _accuracy(learn, score))


def shares(information: Floats) -> Floats:
    """A matrix (d, k) whose columns sum to 1, or to 0 where they are empty."""
    total = information.sum(axis=0)
    return np.asarray(information / np.where(total > 0, total, 1.0))


def best_rows(matrix: Floats, top: int) -> Floats:
    """The rows of a matrix (d, k) that are kept, `top` at most for each column that is their largest.

    Empty rows are not.
    """
    matrix = matrix[matrix.sum(axis=1) > 0]
    own, column = of_rows(matrix), matrix.argmax(axis=1)
    order = np.argsort(-own, kind="stable")
    kept = [i for j in range(matrix.shape[1]) for i in [i for i in order if column[i] == j][:top]]
    return np.asarray(matrix[np.sort(kept)])


def _accuracy(learn: Rows, score: Rows) -> float:
    from sklearn.linear_model import LogisticRegression

    known, unseen = standardised(learn.codes), standardised(score.codes, like=learn.codes)
    found = []
    for factor, truth in zip(learn.factors.T, score.factors.T, strict=True):
        if (factor == factor[0]).all():
            predicted: Any = factor[0]
        else:
            with quiet(), one_thread():
                predicted = LogisticRegression(max_iter=1000).fit(known, factor).predict(unseen)
        found.append(np.mean(predicted == truth))
    return float(np.mean(found))
