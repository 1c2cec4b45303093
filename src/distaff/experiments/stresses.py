"""Constructions with one stress each: codes and factors of which it is known what scores should say."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy.stats import ortho_group

Pair = tuple[NDArray[np.float64], NDArray[np.float64]]

CONDITION = 10  # of a mixing: the largest of its singular values over the smallest
BEND, TIMES, FAR = 1.5, 4, 1e4  # the exponent of bent codes, how often rows repeat, the codes of the far row
HEARD = 0.2  # the weight of a factor in a weak code, beside noise of a deviation of 1


class Made(NamedTuple):
    """A construction: how many rows it has, and codes (n, d) and factors (n, k) of n rows by a generator."""

    rows: int
    pair: Callable[[Generator, int], Pair]


class Stress(NamedTuple):
    """What is stressed, the twin without stress, the finding made for it, and the share of the twin's
    scores that is due."""

    made: Made
    twin: Made
    warning: str = ""
    due: float = 1.0


def perfect(rng: Generator, n: int, k: int = 5, rho: float = 0.0) -> Pair:
    """Codes that are the factors, normal ones of which any two correlate by `rho`."""
    z = rng.standard_normal((n, k)) @ np.linalg.cholesky((1 - rho) * np.eye(k) + rho).T
    return z, z


def mixed(rng: Generator, n: int, rho: float = 0.0) -> Pair:
    """Such factors, mixed by a random matrix with a condition number of 10."""
    left, right = ortho_group.rvs(5, size=2, random_state=rng)
    _, z = perfect(rng, n, rho=rho)
    return z @ (left * np.geomspace(1, 1 / CONDITION, 5)) @ right, z


def copied(rng: Generator, n: int) -> Pair:
    """Perfect codes of five factors, the first of which copies the second."""
    _, z = perfect(rng, n)
    z[:, 0] = z[:, 1]
    return z, z


def kept(rng: Generator, n: int, codes: int) -> Pair:
    """Perfect codes of the first of ten factors."""
    _, z = perfect(rng, n, k=10)
    return z[:, :codes], z


def noise(rng: Generator, n: int, d: int = 5) -> Pair:
    """Codes and factors that know nothing of each other."""
    return rng.standard_normal((n, d)), rng.standard_normal((n, 5))


def constant(rng: Generator, n: int) -> Pair:
    """Codes that never change."""
    return np.ones((n, 5)), rng.standard_normal((n, 5))


def mixture(rng: Generator, n: int, codes: int) -> Pair:
    """The first of six random sums of the five factors."""
    weights = rng.standard_normal((5, 6))
    _, z = perfect(rng, n)
    return z @ weights[:, :codes], z


def halved(rng: Generator, n: int) -> Pair:
    """The sine and the cosine of every factor."""
    _, z = perfect(rng, n)
    return np.c_[np.sin(z), np.cos(z)], z


def angles(rng: Generator, n: int, halves: bool) -> Pair:
    """Factors that are angles all round, as they are or as sine and cosine."""
    z = rng.uniform(-np.pi, np.pi, (n, 5))
    return np.c_[np.sin(z), np.cos(z)] if halves else z, z


def bent(rng: Generator, n: int) -> Pair:
    """Exponentials of the factors."""
    _, z = perfect(rng, n)
    return np.exp(BEND * z), z


def repeated(rng: Generator, n: int) -> Pair:
    """Twenty codes of noise, and every row four times."""
    codes, z = noise(rng, n // TIMES, 20)
    return np.repeat(codes, TIMES, axis=0), np.repeat(z, TIMES, axis=0)


def far_row(rng: Generator, n: int) -> Pair:
    """Perfect codes but for one row, in which all are far out."""
    _, z = perfect(rng, n)
    codes = z.copy()
    codes[rng.integers(n)] = FAR
    return codes, z


def weak(rng: Generator, n: int) -> Pair:
    """Twenty codes that hear all factors, and noise more."""
    weights = rng.standard_normal((5, 20))
    _, z = perfect(rng, n)
    return HEARD * z @ weights + rng.standard_normal((n, 20)), z


TWO, FIVE = Made(100, partial(perfect, k=2)), Made(1000, perfect)
TEN, TURNED = Made(1000, partial(kept, codes=10)), Made(1000, mixed)

STRESSES = {
    "two factors correlate by .5": Stress(Made(100, partial(perfect, k=2, rho=0.5)), TWO, "W01"),
    "two factors correlate by .9": Stress(Made(100, partial(perfect, k=2, rho=0.9)), TWO, "W01"),
    "two factors correlate by .99": Stress(Made(100, partial(perfect, k=2, rho=0.99)), TWO, "W01"),
    "five factors correlate by .5": Stress(Made(1000, partial(perfect, rho=0.5)), FIVE, "W01"),
    "mixed codes, factors correlate by .5": Stress(Made(1000, partial(mixed, rho=0.5)), TURNED, "W01"),
    "mixed codes, factors correlate by .9": Stress(Made(1000, partial(mixed, rho=0.9)), TURNED, "W01"),
    "one factor copies another": Stress(Made(1000, copied), FIVE, "W02"),
    "codes of 5 of 10 factors": Stress(Made(1000, partial(kept, codes=5)), TEN, "W03", 0.5),
    "a code of 1 of 10 factors": Stress(Made(1000, partial(kept, codes=1)), TEN, "W03", 0.1),
    "noise, 50 codes, 500 rows": Stress(
        Made(500, partial(noise, d=50)), Made(1000, partial(noise, d=50)), "W04", 0
    ),
    "noise, 50 codes, 100 rows": Stress(
        Made(100, partial(noise, d=50)), Made(1000, partial(noise, d=50)), "W04", 0
    ),
    "sine and cosine of each factor": Stress(Made(1000, halved), FIVE, "W05"),
    "angles as sine and cosine": Stress(
        Made(1000, partial(angles, halves=True)), Made(1000, partial(angles, halves=False)), "W05"
    ),
    "bent codes": Stress(Made(1000, bent), FIVE, "W06"),
    "noise, every row four times": Stress(Made(1000, repeated), Made(1000, partial(noise, d=20)), "W07", 0),
    "noise, 5 codes": Stress(Made(1000, noise), FIVE, "W08", 0),
    "constant codes": Stress(Made(1000, constant), FIVE, "H02", 0),
    "one row far out": Stress(Made(3000, far_row), Made(3000, perfect), "W09"),
    "20 weak codes, 150 rows": Stress(Made(150, weak), Made(3000, weak), "W10"),
    "mixed into 6 codes, not 5": Stress(
        Made(1000, partial(mixture, codes=6)), Made(1000, partial(mixture, codes=5))
    ),
}
