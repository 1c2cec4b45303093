"""Rows to learn from and rows to score on."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from distaff.errors import NotApplicable
from distaff.metrics.arrays import Codes, Factors, Ints, Test, single_valued

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


def unit_places(units: Ints, seed: int, most: tuple[int, int] = MOST) -> tuple[Ints, Ints]:
    """The numbers of rows to learn from, and of those of a random third of the units, `most` of each."""
    rng, numbers = np.random.default_rng(seed), np.unique(units)
    held = np.isin(units, rng.permutation(numbers)[: max(1, len(numbers) // 3)])
    order = rng.permutation(len(units))
    return order[~held[order]][: most[0]], order[held[order]][: most[1]]


def whole_units(codes: Any, factors: NDArray[Any], units: Ints, seed: int) -> dict[str, Any]:
    """The rows as arguments of a metric that learns: those of a random third of the units are its `test`.

    NotApplicable where a factor has a single value in either part.
    """
    learn, score = unit_places(units, seed)
    for part, rows in (("learned from", learn), ("held out", score)):
        for j in single_valued(factors[rows]):
            raise NotApplicable(f"in the units that are {part} factor column {j} has a single value")
    return {"codes": codes[learn], "factors": factors[learn], "test": (codes[score], factors[score])}


def places(rows: int, seed: int, most: tuple[int, int] = MOST) -> tuple[Ints, Ints]:
    """The numbers of rows to learn from and of a random third to score on, `most` of each."""
    order, held = np.random.default_rng(seed).permutation(rows), max(1, rows // 3)
    return order[held:][: most[0]], order[:held][: most[1]]
