"""Validity warnings: when scores say something else than they seem to, for these factors, codes and rows.

Health checks look for what is broken; these for what is in order, and misleads. Each is a function of a case;
its docstring is its section in the documentation. The stresses and thresholds follow Joshi et al. 2026,
arXiv:2602.24278 ("Who guards the guardians?"), whose published numbers the docstrings repeat.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np

from distaff.metrics.arrays import Floats, Ints, standardised, varying
from distaff.metrics.information import entropy
from distaff.metrics.linear_r2 import mean_r2, predicted
from distaff.metrics.mcc import CROWDED, LEAST_ROWS, absolute_correlation
from distaff.scoring.card import Finding, Score
from distaff.scoring.case import Case
from distaff.scoring.health import beyond_chance, equal_mass, lost_factors, shuffled
from distaff.scoring.health_range import numbered
from distaff.scoring.inputs import Inputs
from distaff.tables import Sparse

CORRELATED = 0.3
REDUNDANT = 0.9  # R2
SPLIT = 0.1  # shares of a factor's entropy
BENT = 0.1  # Spearman's MCC above Pearson's
REPEATED = 0.1  # of the rows
FAR = 50  # deviations
OVERFIT = 0.05  # R2
CELLS = 6  # bins of each of two codes that are looked at together

#: scores, as the beginnings of their names, that correlated factors lower though codes are right
LOWERED_BY_CORRELATION = ("dci.disentanglement", "infomec.infom", "modularity", "mig")
#: scores that are a gap between the best code of a factor and the next
GAPS = ("mig", "sap", "jemmig", "dcimig", "infomec.infoc", "dci.completeness")
#: scores that read codes as they are, linearly
LINEAR = ("linear_r2", "sap", "explicitness", "downstream", "infomec.infoe")
#: shares of something of which there may be nothing
SHARES = ("modularity", "infomec.infom", "infomec.infoc", "dci.disentanglement", "dci.completeness")


def check_validity(inputs: Inputs, names: Sequence[str], scores: Mapping[str, Score]) -> list[Finding]:
    """The warnings for inputs and their scores; `names` are the factors'. None without factors.

    Of sparse codes only those that look at factors and at numbers of codes, W01 to W04.
    """
    if inputs.factors is None or not varying(inputs.codes).any():
        return []
    case = Case(inputs, names, scores)
    if isinstance(inputs.codes, Sparse):
        return [Finding(code, message) for code in OF_SPARSE for message in WARNINGS[code](case)]
    return [Finding(code, message) for code, check in WARNINGS.items() for message in check(case)]


def correlated_factors(case: Case) -> Iterator[str]:
    """Correlated factors: the ranks of two correlate by more than .3, and by more than chance has it.

    Codes that are right then know of both, so that dci.disentanglement, infomec.infom, modularity and mig
    understate them; and mcc overstates mixed codes, for each of them correlates with every factor. Published
    for perfect codes of two factors at a correlation of .5, .9 and .99: dci.disentanglement .846, .366, .009,
    mcc and R2 1. For mixed codes mcc .781, .873, .933.
    """
    affected = case.named((*LOWERED_BY_CORRELATION, "mcc"))
    if len(case.ordered) < 2 or not affected:
        return
    names, columns = list(case.ordered), np.stack(list(case.ordered.values()), axis=1)
    found = np.triu(absolute_correlation(columns, columns, "spearman"), 1)
    a, b = np.unravel_index(found.argmax(), found.shape)
    if found[a, b] > max(CORRELATED, 4 / np.sqrt(len(columns))):
        pair = f"factors {names[a]} and {names[b]} correlate by {found[a, b]:.2f}"
        yield f"{pair}: codes of either know of both, which moves {affected}"


def redundant_factors(case: Case) -> Iterator[str]:
    """Redundant factors: the others explain more than .9 of one linearly (R2, adjusted for their number).

    A code for it cannot be told from codes of the others, and no score can be what it is for independent
    factors. Published for a factor that copies another: dci.disentanglement .826, infomec.infom .742, mig
    .567.
    """
    names, n = list(case.ordered), len(case.rows)
    if len(names) < 2 or n < 10 * len(names):
        return
    columns = np.stack(list(case.ordered.values()), axis=1)
    for j, name in enumerate(names):
        others, own = np.delete(columns, j, axis=1), columns[:, [j]]
        explained = mean_r2(own, predicted(others, own, others), own)
        adjusted = 1 - (1 - explained) * (n - 1) / (n - len(names))
        if adjusted > REDUNDANT:
            yield f"factor {name} is redundant: the others explain {adjusted:.0%} of it"


def fewer_codes_than_factors(case: Case) -> Iterator[str]:
    """Fewer codes than factors: some factor has no code of its own, whatever the codes are.

    Scores that are averaged over codes cannot see it: with m of 10 factors kept, infomec.infom stays at .95,
    and an mcc that is divided by the smaller number (not ours) at 1 down to m = 1. Only scores averaged over
    factors count, such as mcc and linear_r2.factors_from_codes, which are at most m / 10 where factors are
    independent.
    """
    codes, factors = int(varying(case.inputs.codes).sum()), len(case.names)
    if codes < factors:
        yield (
            f"{codes} codes vary and there are {factors} factors: only scores averaged over factors count, "
            f"and a score that asks for a code for each is at most {codes / factors:.2f}"
        )


def crowded_rows(case: Case) -> Iterator[str]:
    """Many codes for the rows: more than one for 20, so that the best of them fits noise.

    In-sample mcc of 50 noise codes and a few factors is .035, .079, .11, .25, .35 and .49 at 5,000, 1,000,
    500, 100, 50 and 25 rows, which is .01, .05, .1, .5, 1 and 2 codes for a row: the mean of the largest of
    50 absolute correlations, of which the square has a beta distribution (1/2, n/2 - 1). Published are .08,
    .175, .25, .54, .74 and .93, which neither Pearson's nor ranks' correlation gives; published
    dci.disentanglement of 50 noise codes and 5,000, 1,000, 500 and 100 rows: .072, .168, .274, .741. Read
    scores beside their chance; mcc is cross-fitted here. At as many codes as rows this is the health check
    H08.
    """
    rows, codes = case.inputs.codes.shape
    if rows >= LEAST_ROWS and CROWDED * rows < codes < rows:
        yield (
            f"{codes} codes for {rows} rows, more than one for 20: the best of them fits noise; read scores "
            "beside their chance"
        )


def split_factors(case: Case) -> Iterator[str]:
    """A factor split over codes: two codes know of it and of nothing else, and of more together than alone.

    An angle as sine and cosine is such a factor. Gaps between the best code and the next take the second for
    a rival: published mig .158 where dci.disentanglement is .977. Told from mixing, where codes know of
    several factors, and from copies, which know no more together.
    """
    affected = case.named(GAPS)
    if not affected or not case.classes or len(case.columns) < 2:
        return
    names, factors = list(case.classes), np.stack(list(case.classes.values()), axis=1)
    binned = equal_mass(case.codes, CELLS)
    shares = beyond_chance(binned, factors) / entropy(factors)  # (d, k)
    second = np.sort(shares, axis=1)[:, -2] if len(names) > 1 else np.zeros(len(shares))
    for j, name in enumerate(names):
        own = (shares.argmax(axis=1) == j) & (shares[:, j] > SPLIT) & (second < 0.2 * shares[:, j])
        best = np.flatnonzero(own)[np.argsort(-shares[own, j])][:2]
        if len(best) < 2:
            continue
        both = binned[:, best[0]] * (CELLS + 1) + binned[:, best[1]]
        together = beyond_chance(both[:, None], factors[:, [j]])[0, 0] / entropy(factors[:, [j]])[0]
        if together > shares[best[0], j] + SPLIT:
            codes = numbered(np.sort(case.columns[best]))
            yield f"factor {name} is split over codes {codes}, which understates {affected}"


def bent_codes(case: Case) -> Iterator[str]:
    """Bent codes: mcc by ranks exceeds mcc by Pearson's correlation by more than .1.

    Codes follow factors in order but not along a line (or a few rows are far out: see the health check H09).
    Scores that read codes linearly understate them; those by ranks, bins or trees do not.
    """
    affected = case.named(LINEAR)
    if not affected or not case.ordered:
        return
    from scipy.optimize import linear_sum_assignment

    factors, means = np.stack(list(case.ordered.values()), axis=1), []
    for correlation in ("spearman", "pearson"):
        matrix = absolute_correlation(case.codes, factors, correlation)
        means.append(matrix[linear_sum_assignment(matrix, maximize=True)].sum() / factors.shape[1])
    if means[0] - means[1] > BENT:
        yield f"codes are bent: mcc {means[0]:.2f} by ranks, {means[1]:.2f} by lines; low by that: {affected}"


def repeated_rows(case: Case) -> Iterator[str]:
    """Rows that repeat: codes and factors of more than a tenth of the rows are those of an earlier row.

    So it is where a grid was sampled with replacement, or rows were copied. Rows held out were then learned
    from, nearest neighbours (infomec) and orders of rows see ties, and intervals are too narrow. Give each
    row once.
    """
    both = np.concatenate([case.inputs.codes, case.inputs.given["factors"]], axis=1)[case.rows]
    rows = np.ascontiguousarray(both + 0.0).view(np.dtype((np.void, both.shape[1] * 8)))  # -0 becomes 0
    share = 1 - len(np.unique(rows)) / len(rows)
    if share > REPEATED:
        many = f"{share:.0%} of {len(rows)} rows"
        yield f"{many} repeat others, so that rows held out were learned from: give each once"


def shares_of_nothing(case: Case) -> Iterator[str]:
    """Shares of nothing: no code knows of any factor, nor do all, and scores that divide are not low.

    modularity, infomec.infom and infomec.infoc are shares of what codes know, dci's of what a predictor used,
    however little that is: published infomec.infom of noise .56 to .70, at 500 rows and more. Read them
    beside a score of how much is known (explicitness, infomec.infoe, mcc). Of all codes together it is asked
    what least squares tell of a factor on rows held out: many weak codes know something, though each alone
    knows nothing.
    """
    high = [name for name, s in case.scores.items() if name in SHARES and (s.value or 0.0) > OVERFIT]
    if not high or not case.classes:
        return
    factors = np.stack(list(case.classes.values()), axis=1)
    if lost_factors(case.codes, factors, list(case.classes)) != list(case.classes) or known_together(case):
        return
    values = ", ".join(f"{name} {case.scores[name].value:.2f}" for name in high)
    yield f"no code knows of any factor, nor all by least squares; these are shares of nothing: {values}"


def known_together(case: Case) -> bool:
    """Whether least squares on all codes tell of a factor, on a third of the rows that is held out.

    Its R2 must be .05 above that of the same factor in random orders. Of factors without an order each value
    is asked for.
    """
    if len(case.rows) < LEAST_ROWS:
        return False
    learn, held = slice(len(case.rows) // 3, None), slice(len(case.rows) // 3)
    tried = [
        part for name, column in case.classes.items() for part in _with_shuffled(column, name in case.ordered)
    ]
    columns = np.concatenate(tried, axis=1)
    found = predicted(case.codes[learn], columns[learn], case.codes[held])
    ends = np.cumsum([part.shape[1] for part in tried])[:-1]
    told = [
        mean_r2(part[held], own, part[learn])
        for part, own in zip(tried, np.split(found, ends, axis=1), strict=True)
    ]
    own, *others = np.reshape(told, (len(case.classes), -1)).T
    return bool((own > np.max(others, axis=0) + OVERFIT).any())


def _with_shuffled(column: Ints, ordered: bool) -> list[Floats]:
    """A factor (n,) and the same in random orders: numbers (n, 1), or without an order its values (n, m)."""
    each = [column, *shuffled(column).T]
    values = np.unique(column)
    return [(one[:, None] if ordered else one[:, None] == values).astype(np.float64) for one in each]


def ill_conditioned(case: Case) -> Iterator[str]:
    """Far rows: a code that lies beyond 50 of its deviations somewhere.

    Least squares and linear classifiers then fit that row: a published encoder whose codes reached 2e26 had
    an R2 of .003, and .803 standardised. Clip or drop the row, or look at scores by ranks.
    """
    if not case.named((*LINEAR, "mcc", "gaussian_total_correlation")):
        return
    codes = case.inputs.codes[:, case.columns]
    far = np.abs(standardised(codes))
    row, column = np.unravel_index(far.argmax(), far.shape)
    if far[row, column] > FAR:
        yield (
            f"code {case.columns[column]} lies {far[row, column]:.0f} deviations out in row {row}: least "
            "squares fit that row"
        )


def learned_by_heart(case: Case) -> Iterator[str]:
    """Learned by heart: least squares explain more of the factors, by .05, on rows they saw than on others.

    Then every score that is fitted and judged on the same rows is too high by as much, those of other papers
    among them; ours hold rows out, and are what they are. Give more rows, or fewer codes.
    """
    n = len(case.rows)
    if not case.ordered or n < LEAST_ROWS:
        return
    factors, learn, held = np.stack(list(case.ordered.values()), axis=1), slice(n // 2), slice(n // 2, n)
    seen, target = case.codes[learn], factors[learn]
    inside = mean_r2(target, predicted(seen, target, seen), target)
    outside = mean_r2(factors[held], predicted(seen, target, case.codes[held]), target)
    if inside - outside > OVERFIT:
        yield (
            f"linear R2 is {inside:.2f} on {n // 2} rows learned from and {outside:.2f} on others: what is "
            "fitted and judged on the same rows is too high"
        )


#: stable code -> the check
WARNINGS: dict[str, Callable[[Case], Iterator[str]]] = {
    "W01": correlated_factors,
    "W02": redundant_factors,
    "W03": fewer_codes_than_factors,
    "W04": crowded_rows,
    "W05": split_factors,
    "W06": bent_codes,
    "W07": repeated_rows,
    "W08": shares_of_nothing,
    "W09": ill_conditioned,
    "W10": learned_by_heart,
}
#: those for which codes need not be an array
OF_SPARSE = ("W01", "W02", "W03", "W04")
