"""Rows to learn from and rows to score on."""

from typing import NamedTuple

import numpy as np

from distaff.metrics.arrays import Codes, Factors, Ints, Test

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
    learn, score = places(len(codes), seed, most)
    return Rows(codes[learn], factors[learn]), Rows(codes[score], factors[score])


def few_to_learn(codes: Codes, factors: Factors, test: Test, seed: int, most: int) -> tuple[Rows, Rows]:
    """The same with `most` rows to learn from at most, at random beside a `test` too.

    In a data set's own order the first rows have few of the values of its first factor.
    """
    learn, score = learn_and_score(codes, factors, test, seed, (most, MOST[1]))
    if len(learn.codes) > most:
        some = np.random.default_rng(seed).permutation(len(learn.codes))[:most]
        learn = Rows(learn.codes[some], learn.factors[some])
    return learn, score


def places(rows: int, seed: int, most: tuple[int, int] = MOST) -> tuple[Ints, Ints]:
    """The numbers of rows to learn from and of a random third to score on, `most` of each."""
    order, held = np.random.default_rng(seed).permutation(rows), max(1, rows // 3)
    return order[held:][: most[0]], order[:held][: most[1]]
