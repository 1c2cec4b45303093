"""Rows to learn from and rows to score on."""

from typing import NamedTuple

import numpy as np

from distaff.metrics.arrays import Codes, Factors, Test

#: rows to learn from and rows to score on, at most: the sizes of Locatello et al. 2019
MOST = (10_000, 5_000)


class Rows(NamedTuple):
    """Codes (n, d) and the factors (n, k) of the same rows."""

    codes: Codes
    factors: Factors


def learn_and_score(
    codes: Codes, factors: Factors, test: Test, seed: int, most: tuple[int, int] = MOST
) -> tuple[Rows, Rows]:
    """The rows to learn from and those to score on: `test`, or a random third of the rows held out.

    Without `test`, no more than `most` rows are taken: a predictor's fit would cost more and gain little.
    """
    if test is not None:
        return Rows(codes, factors), Rows(*test)
    order = np.random.default_rng(seed).permutation(len(codes))
    held = max(1, len(codes) // 3)
    score, learn = order[:held][: most[1]], order[held:][: most[0]]
    return Rows(codes[learn], factors[learn]), Rows(codes[score], factors[score])
