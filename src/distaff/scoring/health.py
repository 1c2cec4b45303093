"""Health checks: what to beware of before a score is believed."""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from distaff.metrics.arrays import varying
from distaff.metrics.information import discretise, entropy, equal_parts, mutual_information
from distaff.metrics.mcc import absolute_correlation
from distaff.metrics.posterior import active_latents
from distaff.scoring.card import Finding, Score
from distaff.scoring.health_range import BINS, declared, numbered, outliers, scale
from distaff.scoring.inputs import Inputs
from distaff.tables import Sparse

#: stable code -> what the check looks for
CHECKS = {
    "H01": "posterior collapse: fewer active latents (a KL above .05 nats) than factors",
    "H02": "dead codes: columns with a single value",
    "H03": "duplicated codes: two columns with an absolute rank correlation above .999",
    "H04": "too few rows for a factor's values: shuffled, codes still know a tenth of its entropy",
    "H05": "scores inside noise: the 95 % interval reaches what noise codes score",
    "H06": "a metric that cannot see what is missing: at least .95, though no code knows more of a factor "
    "than of that factor shuffled",
    "H07": "scores that hang on the scale of codes: they move by more than .05 when codes are standardised",
    "H08": "as many codes as rows, or more: predictors can learn any factor by heart",
    "H09": "outlying rows or a heavy tail: nearly all of a code lies in one of its 20 bins",
    "H10": "copied factors: two that part the rows alike",
}
MOST_ROWS, MOST_CODES = 2000, 500  # that are searched for copies
SHUFFLES = 5
MOST_TOLD = 5  # factors, of each of which a line is said
MOST_JUDGED = 50  # codes behind a mean over codes
UPPER = 0.75  # the quantile over codes, for those that are mostly off hardly overestimate
TOO_HIGH = 0.1  # shares of a factor's entropy
FAR = 0.1  # of TOO_HIGH: what shuffled values tell would have to be ten times what is expected
UNKNOWN = 0.05
LEAST_IN_BIN = 5  # rows
BLUR = 0.5  # where shuffled factors give more, nothing can be said of what codes know


def check_health(
    inputs: Inputs, names: Sequence[str], scores: Mapping[str, Score], seed: int = 0
) -> list[Finding]:
    """What the health checks find in inputs and their scores, made with `seed`; `names` are the factors'.

    Factors that are real numbers are not judged, and of sparse codes only H02, H05, H08 and H10 are looked
    for. What else needs a random choice makes it with a seed of its own, so that the same arrays have the
    same findings.
    """
    if isinstance(inputs.codes, Sparse):
        return sorted([*_of_sparse(inputs, names), *_noise(scores)])
    found = [*_codes(inputs), *_noise(scores)]
    found += [Finding("H07", message) for message in scale(inputs, scores, seed)]
    found += [Finding("H09", message) for message in outliers(inputs, scores, seed)]
    columns, whole = _whole(inputs, names)
    if whole:
        found += _factors(inputs.codes, columns, whole, scores)
    return sorted(found)


def _whole(inputs: Inputs, names: Sequence[str]) -> tuple[NDArray[np.int64], list[str]]:
    """The factors (n, k) that are whole numbers, and their names; there may be none."""
    whole = {j: name for j, name in enumerate(names) if j not in inputs.continuous}
    if inputs.factors is None or not whole:
        return np.empty((len(inputs), 0), dtype=np.int64), []
    return inputs.factors[:, list(whole)].astype(np.int64), list(whole.values())


def _of_sparse(inputs: Inputs, names: Sequence[str]) -> Iterator[Finding]:
    """What can be said of sparse codes without making an array of them."""
    yield from _counts(inputs.codes, varying(inputs.codes))
    yield from _copied(*_whole(inputs, names))


def _codes(inputs: Inputs) -> Iterator[Finding]:
    codes, live = inputs.codes, varying(inputs.codes)
    if inputs.factors is not None and "logvar" in inputs.given:
        active, factors = int(active_latents(codes, inputs.given["logvar"]).sum()), inputs.factors.shape[1]
        if active < factors:
            yield Finding("H01", f"{active} active latents for {factors} factors: posterior collapse")
    for a, b in _copies(codes, live):
        yield Finding("H03", f"codes {a} and {b} are copies of each other")
    yield from _counts(codes, live)


def _counts(codes: Any, live: NDArray[np.bool_]) -> Iterator[Finding]:
    """What the numbers of rows, of codes and of those that vary say."""
    if not live.all():
        yield Finding(
            "H02",
            f"{int((~live).sum())} of {len(live)} codes are constant: {numbered(np.flatnonzero(~live))}",
        )
    if codes.shape[1] >= len(codes):
        yield Finding(
            "H08", f"{codes.shape[1]} codes for {len(codes)} rows: predictors can learn them by heart"
        )


def _copies(codes: NDArray[np.floating], live: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """The first pair of codes that are copies, by ranks, which no outlying row can fool."""
    columns = np.flatnonzero(live)[:MOST_CODES]
    rows = np.random.default_rng(0).permutation(len(codes))[:MOST_ROWS]
    part = codes[np.ix_(rows, columns)]
    alike = np.triu(absolute_correlation(part, part, "spearman") > 0.999, 1)
    return [(int(columns[a]), int(columns[b])) for a, b in np.argwhere(alike)[:1]]


def _noise(scores: Mapping[str, Score]) -> Iterator[Finding]:
    inside = []
    for name, s in scores.items():
        if s.chance is None or s.low is None or s.high is None or s.scaled is None or not s.higher_is_better:
            continue
        if s.low <= s.chance:
            inside.append(name)
    if inside:
        yield Finding("H05", f"not to be told from noise: {', '.join(inside)}")


def _factors(
    codes: NDArray[np.floating], factors: NDArray[np.int64], names: list[str], scores: Mapping[str, Score]
) -> Iterator[Finding]:
    """What is to be said of codes and factors, of which none are real numbers."""
    few = list(few_rows(codes, factors, names))
    if len(few) > MOST_TOLD:
        few[MOST_TOLD - 1 :] = [f"{few[MOST_TOLD - 1]}; {len(few) - MOST_TOLD} more factors likewise"]
    for message in few:
        yield Finding("H04", message)
    high = [name for name, s in scores.items() if (s.value or 0.0) >= 0.95 and name in declared(name).blind]
    lost = lost_factors(codes, factors, names) if high else []
    if lost:
        yield Finding(
            "H06", f"no code knows of {', '.join(lost)}, which these scores cannot see: {', '.join(high)}"
        )
    yield from _copied(factors, names)


def _copied(factors: NDArray[np.int64], names: list[str]) -> Iterator[Finding]:
    for first, second in _copied_factors(factors, names):
        yield Finding("H10", f"factors {first} and {second} are copies of each other; drop one")


def _copied_factors(factors: NDArray[np.int64], names: list[str]) -> list[tuple[str, str]]:
    """The pairs of a factor and an earlier one that part the rows alike, whatever they call the parts."""
    seen: dict[bytes, str] = {}
    pairs = []
    for name, column in zip(names, factors.T, strict=True):
        _, first, number = np.unique(column, return_index=True, return_inverse=True)
        parts = first[number].tobytes()  # each row's part, by its first row
        if parts in seen:
            pairs.append((seen[parts], name))
        seen.setdefault(parts, name)
    return pairs


# Mutual information, by what codes know of the same factors shuffled: a formula for the bias on few rows may
# exceed the entropy that there is to know, and is silent about rare values.


def few_rows(codes: NDArray[np.floating], factors: NDArray[np.int64], names: list[str]) -> Iterator[str]:
    """A line for each factor of which codes know too much when it is shuffled, in the metrics' own bins.

    Information is at most ln(1 + chi2 / n), and chi2 of shuffled values is (bins - 1)(values - 1) n / (n - 1)
    in the mean, however rare some are. Where that is far below what is too much, nothing is shuffled.
    """
    live = np.flatnonzero(varying(codes))
    chosen = live[np.linspace(0, len(live) - 1, min(len(live), MOST_JUDGED)).astype(np.int64)]
    if not len(chosen):
        return
    binned = discretise(codes[:, chosen], BINS)
    for name, column, most in zip(names, factors.T, entropy(factors), strict=True):
        cells = (BINS - 1) * (len(np.unique(column)) - 1)
        if math.log1p(cells / max(len(column) - 1, 1)) < FAR * TOO_HIGH * most:
            continue
        share = np.quantile(mutual_information(binned, shuffled(column)).mean(axis=1), UPPER) / most
        if share > TOO_HIGH:
            yield (
                f"factor {name} has {len(np.unique(column))} values in {len(column)} rows: mutual "
                f"information is too high, {share:.0%} of the entropy with the factor shuffled"
            )


def lost_factors(codes: NDArray[np.floating], factors: NDArray[np.int64], names: list[str]) -> list[str]:
    """The factors of which no code knows more than .05 of what is left to know beyond shuffled ones.

    A code counts by the best of equal bins, bins of equal mass, and whether it is 0: an outlying row or a
    heavy tail spoils the first, a rare value the second. A view in which shuffling leaves little to know is
    not judged.
    """
    views = [discretise(codes, BINS), equal_mass(codes, BINS), (codes != 0).astype(np.int64)]
    lost = []
    for name, column, most in zip(names, factors.T, entropy(factors), strict=True):
        tried = np.concatenate([column[:, None], shuffled(column)], axis=1)
        judged = []
        for view in views:
            best = mutual_information(view, tried).max(axis=0)
            chance = float(best[1:].mean())
            if chance <= BLUR * most:
                judged.append(best[0] - chance >= UNKNOWN * (most - chance))
        if judged and not any(judged):
            lost.append(name)
    return lost


def beyond_chance(binned: NDArray[np.int64], factors: NDArray[np.int64]) -> NDArray[np.float64]:
    """The information (d, k) of binned codes with factors, without what they have of shuffled ones; nats."""
    found = mutual_information(binned, factors)
    bias = [mutual_information(binned, shuffled(column)).mean(axis=1) for column in factors.T]
    return np.asarray(np.maximum(found - np.stack(bias, axis=1), 0.0))


def shuffled(column: NDArray[np.int64]) -> NDArray[np.int64]:
    """A factor (n,) in random orders (n, 5)."""
    rng = np.random.default_rng(0)
    return np.stack([rng.permutation(column) for _ in range(SHUFFLES)], axis=1)


def equal_mass(codes: NDArray[np.floating], bins: int) -> NDArray[np.int64]:
    """Each column of codes (n, d) in bins of about as many rows: equal values stay together.

    0 has a bin of its own, the last: of codes that are mostly off it would crowd the others.
    """
    binned = np.full(codes.shape, bins, dtype=np.int64, order="F")
    for j, column in enumerate(codes.T):
        on = np.flatnonzero(column)
        if len(on):
            binned[on, j] = equal_parts(column[on], min(bins, 1 + len(on) // LEAST_IN_BIN))
    return binned
