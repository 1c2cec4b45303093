"""How well factors are linear in the codes, and codes in the factors."""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from distaff.metrics.arrays import Codes, Factors, Floats, Test, standardised, varying
from distaff.metrics.declare import by_field, metric, truths
from distaff.metrics.exact import Exact, Settings, Sums
from distaff.metrics.held_out import Rows, learn_and_score
from distaff.metrics.moments import held_out_r2
from distaff.metrics.sparse_regression import apart, code_r2, predicted_factors
from distaff.tables import Continuous, Sparse

NEGLIGIBLE = 1e-10  # singular values below this part of the largest are those of columns that repeat others


class LinearR2(NamedTuple):
    """The two scores, 0..1, higher is better."""

    factors_from_codes: float
    codes_from_factors: float


_both = partial(by_field, LinearR2._fields)


def _of_sums(sums: Sums, settings: Settings) -> LinearR2:
    there = sums.learn, sums.score
    return LinearR2(
        held_out_r2(*there, sums.codes, sums.factors), held_out_r2(*there, sums.factors, sums.codes)
    )


_WORSE = frozenset({"noise", "bent", "missing"})


@metric(
    source="Zimmermann et al. 2021, arXiv:2102.08850, section 4; held out, and the second direction, ours",
    needs_order_above=2,
    invariant_to=frozenset({"permutation", "sign", "scale"}),
    truth=truths(
        _both((0.999, 1.0), (0.999, 1.0)),
        _both((0.999, 1.0), (0.999, 1.0)),
        _both((0.0, 0.0), (0.0, 0.0)),
        _both((0.999, 1.0), (0.999, 1.0)),
        _both((0.0, 0.01), (0.0, 0.01)),
        _both((0.74, 0.76), (0.999, 1.0)),
    ),
    exact=Exact("moments", _of_sums),
    worse_with={"factors_from_codes": _WORSE, "codes_from_factors": _WORSE},
    only_dense="",
)
def linear_r2(
    codes: Codes, factors: Factors, *, continuous: Continuous = False, test: Test = None, seed: int = 0
) -> LinearR2:
    """Linear R2: are factors linear in the codes, and codes in the factors?

    Least squares with an intercept, learned on some rows and scored on others: per column predicted, 1 minus
    its squared error over its squared deviation from the mean of those rows, but at least 0; the mean over
    columns, constant ones left out (0 where none is left). 0..1, higher is better. `factors_from_codes` is
    the same for every invertible affine map of the codes and falls where a factor is missing;
    `codes_from_factors` falls where codes hold anything else, and is the same for codes in another order,
    with other signs or scales.

    Predictors are standardised: without an intercept codes that are shifted score less, and unscaled loud
    codes drown the others in rounding. Factors count as numbers; make words without an order one-hot before.
    Chance is about 0 (in sample it is d / (n - 1)).

    `codes` (n, d), `factors` (n, k) whole numbers, or `continuous` ones. It learns from two thirds of the
    rows (10,000 at most) and scores on the others (5,000 at most), or on `test`, a pair of arrays. Sparse
    codes stay so: least squares are found in steps, to rounding but where a code differs from a combination
    of others by less than a ten-millionth of it. Raises NotApplicable where 5,000 steps are too few for them.

    The first code is the sum of both factors, the second holds nothing of them:

        >>> codes, factors = [[0, 5], [1, 5], [1, 5], [2, 5]], [[0, 0], [0, 1], [1, 0], [1, 1]]
        >>> [round(value, 3) for value in linear_r2(codes, factors, test=(codes, factors))]
        [0.5, 1.0]
    """
    learn, score = learn_and_score(codes, factors, test, seed)
    if isinstance(codes, Sparse):
        return _of_sparse(learn, score)
    return LinearR2(
        mean_r2(score.factors, predicted(learn.codes, learn.factors, score.codes), learn.factors),
        mean_r2(score.codes, predicted(learn.factors, learn.codes, score.factors), learn.codes),
    )


def _of_sparse(learn: Rows, score: Rows) -> LinearR2:
    """The same of sparse codes."""
    codes: tuple[Any, Any] = learn.codes, score.codes
    factors = predicted_factors(codes[0], learn.factors, codes[1])
    inverse: Any = np.linalg.pinv(standardised(learn.factors), rcond=NEGLIGIBLE)
    (known, unknown), (seen, truth) = apart(*codes)
    found = [
        code_r2(known, unknown, inverse, standardised(score.factors, like=learn.factors)),
        column_r2(truth, predicted(learn.factors, seen, score.factors), seen),
    ]
    return LinearR2(mean_r2(score.factors, factors, learn.factors), _mean(np.concatenate(found)))


def fitted(known: Floats, target: Floats) -> Callable[[Floats], Floats]:
    """What least squares of targets (n, k) on known columns (n, d) say of any rows (m, d): (m, k)."""
    mean = target.mean(axis=0)
    weights = np.linalg.lstsq(standardised(known), target - mean, rcond=NEGLIGIBLE)[0]
    return lambda rows: np.asarray(mean + standardised(rows, like=known) @ weights)


def predicted(known: Floats, target: Floats, unseen: Floats) -> Floats:
    """What they say of other rows (m, d)."""
    return fitted(known, target)(unseen)


def mean_r2(truth: Floats, prediction: Floats, learned: Floats) -> float:
    """The mean of `column_r2`, 0 where no column is left."""
    return _mean(column_r2(truth, prediction, learned))


def column_r2(truth: Floats, prediction: Floats, learned: Floats) -> Floats:
    """Of each column (n, k) 1 - squared error / squared deviation, at least 0.

    Columns that are constant, or were where they were `learned`, are left out.
    """
    alive = varying(truth) & varying(learned)
    truth, prediction = truth[:, alive], prediction[:, alive]
    scale = np.abs(truth).max(axis=0)  # squares of codes of any size stay finite
    error = np.square((truth - prediction) / scale).sum(axis=0)
    spread = np.square((truth - truth.mean(axis=0)) / scale).sum(axis=0)
    return np.asarray(np.clip(1 - error / spread, 0.0, 1.0))


def _mean(found: Floats) -> float:
    return float(found.mean()) if len(found) else 0.0
