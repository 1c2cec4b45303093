"""How well the best single code detects each value of each factor: precision, recall, F1 and AUROC."""

from functools import partial
from typing import Any, NamedTuple

import numpy as np

from distaff.errors import NotApplicable
from distaff.metrics import sparse_codes
from distaff.metrics.arrays import Bools, Codes, Factors, Floats, Test
from distaff.metrics.declare import by_field, metric, truths
from distaff.metrics.held_out import learn_and_score
from distaff.tables import Sparse


class BestLatent(NamedTuple):
    """The four scores, each 0..1, higher is better."""

    precision: float
    recall: float
    f1: float
    auroc: float


class Ranks(NamedTuple):
    """The ranks of codes' rows: (n, d) less those of zeros (d,), which of an array are called 0."""

    above: Any
    of_zeros: Floats


_all = partial(by_field, BestLatent._fields)


#: what codes that always fire have of .25, .17, .11 and .06 of the rows, whatever they know
_ALWAYS = ((0.14, 0.155), (1.0, 1.0), (0.24, 0.26))


def indicators(factors: Factors) -> Floats:
    """A column for each value of each factor, 1 where a row has it, (n, values): codes with full marks."""
    return np.concatenate([_attributes(column).astype(np.float64) for column in factors.T], axis=1)


@metric(
    source="Chanin and Garriga-Alonso 2026, arXiv:2602.14687; chosen and scored on other rows is ours",
    invariant_to=frozenset({"permutation", "scale"}),
    truth=truths(
        _all(*_ALWAYS, (0.6, 0.7)),
        _all(*_ALWAYS, (0.6, 0.7)),  # each factor has codes of either sign
        _all(*_ALWAYS, (0.5, 0.5)),
        _all(*_ALWAYS, (0.6, 0.7)),
        _all(*_ALWAYS, (0.47, 0.53)),
        _all(*_ALWAYS, (0.55, 0.66)),
    ),
    worse_with={"auroc": frozenset({"noise", "missing"})},
    ideal=lambda factors, count: indicators(factors),
    asks_what_fires=True,
    only_dense="",
)
def best_latent(codes: Codes, factors: Factors, *, test: Test = None, seed: int = 0) -> BestLatent:
    """Best latent: how well does a single code, by firing, tell each value of a factor from the rest?

    A code fires where it is not 0. For every value of a factor, the code with the largest F1 = 2 tp / (rows
    in which it fires + rows that have the value) on the rows learned from; its precision, recall and F1 on
    the others; and the area under the curve there of the code for which it is largest on the first. The mean
    over values, then over factors; a factor of two values is one attribute, to have the larger of them. All
    0..1, higher is better. Accuracy is left out: it counts the many rows that neither have nor show a value.

    A code that always fires has the F1 2 p / (1 + p) of a share p of rows: so do all codes that are no sparse
    ones, and noise does hardly better. Chance is .5 for the area, as the code was chosen on other rows; the
    largest of d areas on the rows themselves exceeds it. A code that is smaller where the value is there does
    not detect it. The ceiling is that of one code for each value.

    `codes` (n, d), `factors` (n, k) whole numbers. A random third of the rows is held out, or `test`, a pair
    of arrays. Values without rows on both sides are left out.

    Of the first factor a code misses half the rows; the second always fires:

        >>> codes, factors = [[1, 2], [0, 2], [0, 2], [0, 2]], [[1], [1], [0], [0]]
        >>> [round(value, 3) for value in best_latent(codes, factors, test=(codes, factors))]
        [1.0, 0.5, 0.667, 0.75]
    """
    learn, score = learn_and_score(codes, factors, test, seed, most=(len(codes), len(codes)))
    order = ranks(learn.codes)
    found = [
        _detection(learn.codes, order, known, score.codes, truth)
        for known, truth in zip(learn.factors.T, score.factors.T, strict=True)
    ]
    return BestLatent(*(float(value) for value in np.mean(found, axis=0)))


def _detection(seen: Codes, order: Ranks, known: Factors, unseen: Codes, truth: Factors) -> Floats:
    """The four scores of one factor (n,), means over its values; `order` are the ranks of the codes seen."""
    values = np.arange(max(known.max(), truth.max()) + 1)
    here, there = _attributes(known, values), _attributes(truth, values)
    both = _varies(here) & _varies(there)
    if not both.any():
        raise NotApplicable("best_latent needs a value of every factor that rows on both sides have")
    here, there, which = here[:, both], there[:, both], np.arange(both.sum())
    chosen = f1_of(*firing(seen, here)).argmax(axis=0)
    by_area = areas(order, here).argmax(axis=0)
    hits, fires, positives = firing(unseen[:, chosen], there)
    hits, fires = hits[which, which], fires[which]
    precision = np.divide(hits, fires, out=np.zeros(len(hits)), where=fires > 0)
    area = areas(ranks(unseen[:, by_area]), there)[which, which]
    f1 = 2 * hits / (fires + positives)
    return np.asarray(np.mean([precision, hits / positives, f1, area], axis=1))


def _attributes(column: Factors, values: Factors | None = None) -> Bools:
    """Which rows have which of a factor's values (n, values); of two values only the larger."""
    values = np.unique(column) if values is None else values
    return np.asarray(column[:, None] == (values[1:] if len(values) == 2 else values))


def _varies(attributes: Bools) -> Bools:
    return np.asarray(attributes.any(axis=0) & ~attributes.all(axis=0))


def firing(codes: Codes | Sparse, attributes: Bools) -> tuple[Floats, Floats, Floats]:
    """Rows in which a code fires and an attribute is there (d, m), in which it fires (d,), and it is (m,)."""
    if isinstance(codes, Sparse):
        return sparse_codes.firing(codes, attributes)
    fires: Floats = (codes != 0).astype(np.float64)
    hits = np.asarray(fires.T @ attributes)
    return hits, np.asarray(fires.sum(axis=0)), attributes.sum(axis=0, dtype=np.float64)


def f1_of(hits: Floats, fires: Floats, positives: Floats) -> Floats:
    """F1 (d, m) of every code for every attribute; attributes have rows."""
    return np.asarray(2 * hits / (fires[:, None] + positives))


def ranks(codes: Codes | Sparse) -> Ranks:
    """The rank of every row among those of each code; ties have the mean."""
    if isinstance(codes, Sparse):
        above, of_zeros = sparse_codes.ranks(codes)
        return Ranks(above.matrix, of_zeros)
    from scipy.stats import rankdata

    return Ranks(rankdata(codes, axis=0), np.zeros(codes.shape[1]))


def areas(order: Ranks, attributes: Bools) -> Floats:
    """The area under the curve (d, m) of every code for every attribute: the share of pairs of a row that has
    it and one that lacks it in which the code is larger, ties counted half."""
    positives = attributes.sum(axis=0, dtype=np.float64)
    sums = np.asarray(order.above.T @ attributes.astype(np.float64)) + order.of_zeros[:, None] * positives
    pairs = positives * (len(attributes) - positives)
    return np.asarray((sums - positives * (positives + 1) / 2) / pairs)
