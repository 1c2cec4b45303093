"""The separated attribute predictability score."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from distaff.metrics.arrays import check_pair, need_codes, real_columns, standardised
from distaff.metrics.declare import metric
from distaff.metrics.held_out import Rows, learn_and_score
from distaff.metrics.information import gap
from distaff.metrics.threads import quiet
from distaff.tables import Continuous

LEAST_VARIANCE = 1e-12  # of a code, as in disentanglement_lib; below it predicts nothing


@metric(
    low=0.0,
    high=1.0,
    higher_is_better=True,
    source="Kumar et al. 2018, section 3; settings as in Locatello et al. 2019, appendix C",
    cost="fitted",
    continuous=True,
    invariant_to=frozenset({"permutation", "sign"}),
    truth={
        "identity": (0.1, 0.6),
        "rotated": (0.0, 0.05),
        "constant": (0.0, 0.0),
        "duplicated": (0.0, 0.01),
        "noise": (0.0, 0.03),
        "one_missing": (0.05, 0.5),
    },
    worse_with=frozenset({"noise", "holistic", "spread"}),
)
def sap(
    codes: ArrayLike,
    factors: ArrayLike,
    *,
    continuous: Continuous = False,
    test: tuple[ArrayLike, ArrayLike] | None = None,
    seed: int = 0,
) -> float:
    """SAP: how much better the best single code predicts a factor than the second best.

    For every code and factor, the accuracy of a linear support vector machine (C = .01, classes weighted to
    balance, the code unscaled) that sees this code only; for every factor, largest minus second largest; the
    mean over factors. 0..1, higher is better. One number and linear boundaries part few of a factor's values,
    so perfect codes score well below 1. With `continuous`, the squared correlation of code and factor takes
    the accuracy's place, over all rows.

    `codes` (n, d) with d >= 2, `factors` (n, k). It learns from two thirds of the rows (10,000 at most) and
    scores on the others (5,000 at most), or on `test`, a pair of arrays. The matrix behind it:
    `distaff.metrics.predictability_matrix`. Raises NotApplicable for a single code.
    """
    matrix = predictability_matrix(codes, factors, continuous=continuous, test=test, seed=seed)
    need_codes(len(matrix), "sap")
    return float(np.mean(gap(matrix)))


def predictability_matrix(
    codes: ArrayLike,
    factors: ArrayLike,
    *,
    continuous: Continuous = False,
    test: tuple[ArrayLike, ArrayLike] | None = None,
    seed: int = 0,
) -> NDArray[np.float64]:
    """How well each code alone predicts each factor, (d, k): accuracy, or squared correlation; see `sap`."""
    real = real_columns(factors, continuous)
    if not real:
        return _accuracy_matrix(*learn_and_score(codes, factors, test, seed), seed)
    all_codes, all_factors = check_pair(codes, factors, continuous)
    found = _squared_correlation(all_codes, all_factors)
    rest = [j for j in range(found.shape[1]) if j not in real]
    if rest:
        learn, score = (
            Rows(part.codes, part.factors[:, rest].astype(np.int64))
            for part in learn_and_score(codes, factors, test, seed, continuous)
        )
        found[:, rest] = _accuracy_matrix(learn, score, seed)
    return found


def _squared_correlation(codes: NDArray[np.float64], factors: NDArray[Any]) -> NDArray[np.float64]:
    correlation = standardised(codes).T @ standardised(factors) / len(codes)
    live = np.var(codes, axis=0, ddof=1) > LEAST_VARIANCE
    return np.where(live[:, None], correlation**2, 0.0)


def _accuracy_matrix(learn: Rows, score: Rows, seed: int) -> NDArray[np.float64]:
    return np.array([_accuracies(learn, score, j, seed) for j in range(learn.codes.shape[1])])


def _accuracies(learn: Rows, score: Rows, code: int, seed: int) -> list[float]:
    """The accuracy of one code for each factor."""
    from sklearn.svm import LinearSVC

    seen, unseen = learn.codes[:, code : code + 1], score.codes[:, code : code + 1]
    found: list[float] = []
    for known, truth in zip(learn.factors.T, score.factors.T, strict=True):
        if len(np.unique(known)) < 2:
            found.append(float(np.mean(truth == known[0])))
            continue
        with quiet():  # codes of very different sizes converge slowly
            model: Any = LinearSVC(C=0.01, class_weight="balanced", random_state=seed).fit(seen, known)
        found.append(float(np.mean(model.predict(unseen) == truth)))
    return found
