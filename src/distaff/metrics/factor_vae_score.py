"""The FactorVAE score."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from distaff.metrics.arrays import check_number, check_pair, check_seed, check_votes, need_factors, varying
from distaff.metrics.declare import metric
from distaff.metrics.rows import RowGroups, batches_at_once, gather
from distaff.settings import whole_number


@metric(
    low=0.0,
    high=1.0,
    higher_is_better=True,
    source="Kim and Mnih 2018, section 4; settings and pruning as in Locatello et al. 2019",
    invariant_to=frozenset({"permutation", "sign"}),
    truth={
        "identity": (0.99, 1.0),
        "rotated": (0.2, 0.35),
        "constant": (0.0, 0.0),
        "duplicated": (0.99, 1.0),
        "noise": (0.2, 0.3),
        "one_missing": (0.5, 0.8),
    },
    worse_with=frozenset({"noise", "missing"}),
)
def factor_vae_score(
    codes: ArrayLike,
    factors: ArrayLike,
    *,
    votes: tuple[int, int] = (10_000, 5_000),
    batch: int = 64,
    threshold: float = 0.05,
    seed: int = 0,
) -> float:
    """FactorVAE score: can the code that varies least tell which factor was held fixed?

    A vote: fix a random factor, draw `batch` rows that share its value, and name the code whose variance,
    relative to its variance over all rows, is smallest. A majority table from `votes[0]` votes is scored on
    `votes[1]` others. 0..1, higher is better; chance is about 1/k. Codes with a standard deviation below
    `threshold` are pruned, for a dead code would win every vote; with none left the score is 0.

    `codes` (n, d), `factors` (n, k) with k >= 2, whole numbers. Rows are drawn with replacement from those
    given. Raises NotApplicable for a single factor.
    """
    codes, factors = check_pair(codes, factors)
    need_factors(factors.shape[1], "factor_vae_score")
    train, test = check_votes(votes)
    check_number("threshold", threshold, 0)
    spread = codes.std(axis=0, ddof=1, dtype=np.float64)
    active = np.ascontiguousarray(codes[:, (spread >= threshold) & varying(codes)], dtype=np.float64)
    if not active.shape[1]:
        return 0.0
    rng = np.random.default_rng(check_seed(seed))
    groups = RowGroups(factors)
    table = _votes(active, groups, train, whole_number("batch", batch, 2), rng)
    fresh = _votes(active, groups, test, batch, rng)
    majority = table.argmax(axis=0)
    return float(fresh[majority, np.arange(active.shape[1])].sum() / test)


def _votes(
    codes: NDArray[np.float64], groups: RowGroups, count: int, batch: int, rng: np.random.Generator
) -> NDArray[np.int64]:
    """How often each code was the one that varied least with each factor fixed: (k, d)."""
    table = np.zeros((groups.factors.shape[1], codes.shape[1]), dtype=np.int64)
    variance = codes.var(axis=0, ddof=1)
    for factor, rows in _fixed_batches(groups, count, batch, batches_at_once(batch, codes.shape[1]), rng):
        local = np.concatenate([_variance(part) for part in gather(codes, rows)]) / variance  # (votes, d)
        local += 1e-12 * rng.random(local.shape)  # a value with a single row ties all codes at 0
        np.add.at(table[factor], local.argmin(axis=1), 1)
    return table


def _variance(batches: NDArray[np.float64]) -> NDArray[np.float64]:
    """The variance of the codes of some batches, without bias: (some, batch, d) give (some, d)."""
    rows = batches.shape[1]
    batches -= batches.sum(axis=1, keepdims=True) / rows
    return np.asarray(np.square(batches, out=batches).sum(axis=1) / (rows - 1))


def _fixed_batches(
    groups: RowGroups, count: int, batch: int, at_once: int, rng: np.random.Generator
) -> Iterator[tuple[int, NDArray[Any]]]:
    """Batches of rows (votes, batch) that share the value of a factor, the factors drawn uniformly."""
    n, k = groups.factors.shape
    for factor, share in enumerate(rng.multinomial(count, np.full(k, 1 / k))):
        for start in range(0, share, at_once):
            size = min(at_once, share - start)
            first = np.repeat(rng.integers(n, size=(size, 1)), batch, axis=1)
            yield factor, groups.partners(first, factor, rng)
