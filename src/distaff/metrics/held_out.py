"""Rows to learn from and rows to score on."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from distaff.errors import BadInput
from distaff.metrics.arrays import check_pair, check_seed, same_rows
from distaff.tables import Continuous, below

#: rows to learn from and rows to score on, at most: the sizes of Locatello et al. 2019
MOST = (10_000, 5_000)


class Rows(NamedTuple):
    """Codes (n, d) and the factors (n, k) of the same rows."""

    codes: NDArray[Any]
    factors: NDArray[Any]


def learn_and_score(
    codes: ArrayLike,
    factors: ArrayLike,
    test: tuple[ArrayLike, ArrayLike] | None,
    seed: int,
    continuous: Continuous = False,
    most: tuple[int, int] = MOST,
) -> tuple[Rows, Rows]:
    """The rows to learn from and those to score on: `test`, or a random third of the rows held out.

    Without `test`, no more than `most` rows are taken: a predictor's fit would cost more and gain little.
    """
    seed = check_seed(seed)
    if test is not None:
        return _given(codes, factors, test, continuous)
    codes, factors = check_pair(codes, factors, continuous)
    order = np.random.default_rng(seed).permutation(len(codes))
    held = max(1, len(codes) // 3)
    score, learn = order[:held][: most[1]], order[held:][: most[0]]
    return Rows(codes[learn], factors[learn]), Rows(codes[score], factors[score])


def _given(
    codes: ArrayLike, factors: ArrayLike, test: tuple[ArrayLike, ArrayLike], continuous: Continuous
) -> tuple[Rows, Rows]:
    """Both parts as given, their factor values numbered together."""
    try:
        test_codes, test_factors = test
    except (TypeError, ValueError):
        raise BadInput("test must be two arrays, codes and factors") from None
    learn, score = same_rows(codes, factors), same_rows(test_codes, test_factors)
    for what, a, b in zip(("codes", "factors"), learn, score, strict=True):
        if len(a.names) != len(b.names):
            raise BadInput(f"{what} to learn from have {len(a.names)} columns, those of test {len(b.names)}")
    if not len(learn[0]) or not len(score[0]):
        raise BadInput(
            f"rows to learn from: {len(learn[0])}, rows to score on: {len(score[0])}; both are needed"
        )
    both = check_pair(below(learn[0], score[0]), below(learn[1], score[1]), continuous)
    n = len(learn[0])
    return Rows(both[0][:n], both[1][:n]), Rows(both[0][n:], both[1][n:])
