"""Downstream accuracy and statistical efficiency."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from distaff.errors import BadInput, unknown
from distaff.metrics.arrays import Codes, Factors, Ints, Test
from distaff.metrics.declare import Sizes, metric, truths
from distaff.metrics.held_out import Rows, learn_and_score
from distaff.metrics.learned import learned
from distaff.metrics.learners import fit
from distaff.metrics.threads import one_thread, quiet

SIZES = (10, 100, 1000, 10_000)
#: what learns -> the short name of its accuracies
LEARNERS = {"logistic_regression": "lr", "gradient_boosting": "gbt", "lightgbm": "gbt"}


class Downstream(NamedTuple):
    """Accuracies by learner (lr, gbt) and number of labels; efficiency is that at 100 over that at 10,000.

    None where there are too few rows, or the learner was not asked for.
    """

    lr10: float | None
    lr100: float | None
    lr1000: float | None
    lr10000: float | None
    lr_efficiency: float | None
    gbt10: float | None
    gbt100: float | None
    gbt1000: float | None
    gbt10000: float | None
    gbt_efficiency: float | None


_ANY = (0.0, 1.0)


def _truth(lr100: tuple[float, float]) -> dict[str, tuple[float, float]]:
    return {"lr10": _ANY, "lr100": lr100}


@metric(
    high=np.inf,  # an efficiency may exceed 1 where labels do not help
    source="Locatello et al. 2019, arXiv:1811.12359, section 5.6",
    cost="slow",
    protocols={"locatello2019": Sizes(10_000, 5_000)},
    invariant_to=frozenset({"permutation"}),
    truth=truths(*map(_truth, [(0.5, 1), (0.4, 1), (0.05, 0.2), (0.5, 1), (0.05, 0.2), (0.4, 0.9)])),
    worse_with={"lr100": frozenset({"noise", "missing"})},
    check_with={"learners": ("logistic_regression",), "sizes": (10, 100)},
    role="downstream",
    only_dense="its learners need an array",
    edition=2,  # all rows in their order, where the first drew another
)
def downstream(
    codes: Codes,
    factors: Factors,
    *,
    learners: Sequence[str] = ("logistic_regression", "gradient_boosting"),
    sizes: Sequence[int] = SIZES,
    test: Test = None,
    seed: int = 0,
) -> Downstream:
    """Downstream accuracy: how well simple learners predict factors from codes, given 10 to 10,000 labels.

    For every factor and number of labels (fresh random rows each), the accuracy on held-out rows of a
    multinomial logistic regression whose penalty is chosen by 5-fold cross-validation (lr), and of gradient
    boosting with its defaults (gbt; scikit-learn's, or LightGBM's where `learners` say so); averaged over
    factors. Efficiency is the accuracy at 100 labels over that at 10,000. Accuracies are 0..1, higher is
    better; chance is the share of the commonest value.

    `codes` (n, d), `factors` (n, k) whole numbers. A third of the rows is held out (5,000 at most), or
    `test`, a pair of arrays. `learners` and `sizes` may be fewer: "gradient_boosting" at 10,000 labels takes
    minutes, "lightgbm" in its place (with the extra `boost`) seconds. What needs more rows than there are is
    None. Where a fold is left with a single value of the factor the penalty is not chosen but 1.

    Each factor has a code:

        >>> factors = [[0, 0], [0, 1], [1, 0], [1, 1]] * 40
        >>> downstream(factors, factors, learners="logistic_regression", sizes=(100,)).lr100
        1.0
    """
    learners = [learners] if isinstance(learners, str) else learners
    for learner in learners:
        if learner not in LEARNERS:
            raise unknown("learner", str(learner), LEARNERS)
    if {"gradient_boosting", "lightgbm"} <= {*learners}:
        raise BadInput("learners gradient_boosting and lightgbm both give gbt; name one of them")
    for size in sizes:
        if size not in SIZES:
            raise unknown("number of labels", str(size), map(str, SIZES))
    learn, score = learn_and_score(codes, factors, test, seed, most=(10**9, 5_000))
    found: dict[str, float | None] = dict.fromkeys(Downstream._fields)
    for learner in learners:
        short = LEARNERS[learner]
        for size in sizes:
            if size <= len(learn.codes):
                rows = np.random.default_rng([seed, size]).permutation(len(learn.codes))[:size]
                found[f"{short}{size}"] = _accuracy(learner, learn, rows, score, seed)
        few, many = found[f"{short}100"], found[f"{short}10000"]
        found[f"{short}_efficiency"] = few / many if few is not None and many else None
    return Downstream(**found)


def _accuracy(learner: str, learn: Rows, rows: Ints, score: Rows, seed: int) -> float:
    """The mean over factors of a learner's accuracy, learned from some rows."""
    if learner == "logistic_regression":
        models = [_logistic_regression(learn.codes[rows], each, seed) for each in learn.factors[rows].T]
        predicted = [model.predict(score.codes) for model in models]
    else:
        whole = len(rows) == len(learn.codes)  # in order, as what else asks has learned from them
        part = learn if whole else Rows(learn.codes[rows], learn.factors[rows])
        predicted = learned(learner, part, score, seed).predicted
    return float(np.mean([each == truth for each, truth in zip(predicted, score.factors.T, strict=True)]))


def _logistic_regression(codes: NDArray[Any], factor: Ints, seed: int) -> Any:
    from sklearn.linear_model import LogisticRegression, LogisticRegressionCV
    from sklearn.model_selection import KFold

    if len(np.unique(factor)) < 2:
        return fit("gradient_boosting", codes, factor, seed)
    folds = KFold(5)  # rows are in random order already
    enough = all(len(np.unique(factor[part])) > 1 for part, _ in folds.split(codes))
    model = LogisticRegressionCV(Cs=10, cv=folds) if enough else LogisticRegression()
    with quiet(), one_thread():
        return model.fit(codes, factor)
