"""The FactorVAE score."""

import numpy as np

from distaff.metrics.arrays import Codes, Factors, Floats, Ints, check_number, check_votes, varying
from distaff.metrics.declare import Sizes, metric, truths
from distaff.metrics.rows import RowGroups, gather
from distaff.settings import whole_number


@metric(
    source="Kim and Mnih 2018, arXiv:1802.05983, section 4; settings and pruning as in Locatello et al. 2019",
    protocols={"locatello2019": Sizes(least=10_000)},  # its votes are the defaults
    least_factors=2,
    invariant_to=frozenset({"permutation", "sign"}),
    truth=truths((0.99, 1.0), (0.2, 0.35), (0.0, 0.0), (0.99, 1.0), (0.2, 0.3), (0.5, 0.8)),
    worse_with=frozenset({"noise", "missing"}),
    blind=("factor_vae_score",),
    least_deviation=0.05,
    probe_with=({"votes": (4000, 2000)}, {"votes": (1500, 750)}),
    headline={"factor_vae_score": 2},
    only_dense="it draws batches of rows as arrays",
)
def factor_vae_score(
    codes: Codes,
    factors: Factors,
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

    Each factor has a code:

        >>> factors = [[0, 0], [0, 1], [1, 0], [1, 1]]
        >>> factor_vae_score(factors, factors, votes=(200, 100))
        1.0
    """
    train, test = check_votes(votes)
    check_number("threshold", threshold, 0)
    spread = codes.std(axis=0, ddof=1, dtype=np.float64)
    active = np.ascontiguousarray(codes[:, (spread >= threshold) & varying(codes)], dtype=np.float64)
    if not active.shape[1]:
        return 0.0
    rng = np.random.default_rng(seed)
    groups = RowGroups(factors)
    table = _votes(active, groups, train, whole_number("batch", batch, 2), rng)
    fresh = _votes(active, groups, test, batch, rng)
    majority = table.argmax(axis=0)
    return float(fresh[majority, np.arange(active.shape[1])].sum() / test)


def _votes(codes: Codes, groups: RowGroups, count: int, batch: int, rng: np.random.Generator) -> Ints:
    """How often each code was the one that varied least with each factor fixed: (k, d)."""
    table = np.zeros((groups.factors.shape[1], codes.shape[1]), dtype=np.int64)
    variance = codes.var(axis=0, ddof=1)
    for factor, some in groups.chosen(count, codes.shape[1] * batch, rng):
        first = np.repeat(rng.integers(len(codes), size=(some, 1)), batch, axis=1)
        rows = groups.partners(first, factor, rng)
        local = np.concatenate([_variance(part) for part in gather(codes, rows)]) / variance  # (votes, d)
        local += 1e-12 * rng.random(local.shape)  # a value with a single row ties all codes at 0
        np.add.at(table[factor], local.argmin(axis=1), 1)
    return table


def _variance(batches: Floats) -> Floats:
    """The variance of the codes of some batches, without bias: (some, batch, d) give (some, d)."""
    rows = batches.shape[1]
    batches -= batches.sum(axis=1, keepdims=True) / rows
    return np.asarray(np.square(batches, out=batches).sum(axis=1) / (rows - 1))
