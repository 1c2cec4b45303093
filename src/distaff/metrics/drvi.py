"""The scores of DRVI's benchmark: does a code of its own mark each label, as a cell type?"""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from distaff.errors import NotApplicable
from distaff.metrics.arrays import Codes, Factors, Floats, Ints
from distaff.metrics.declare import metric
from distaff.metrics.information import ROUNDING, Bins, array_in_bins, gap, number_of_bins
from distaff.settings import whole_number

LEAST_ROWS = 10  # with a label, or it is left out; ours
NAMED = 8  # of the labels that are left out, in a note


class DRVI(NamedTuple):
    """Best one-to-one pairs (lms), best codes (msas) and gaps to the second best (msgs), by three measures.

    Each 0..1, higher is better.
    """

    lms_smi: float
    msas_smi: float
    msgs_smi: float
    lms_spn: float
    msas_spn: float
    msgs_spn: float
    lms_bmmi: float
    msas_bmmi: float
    msgs_bmmi: float


Range = tuple[float, float]


def _bounds(
    lms: Range, msas: tuple[Range, Range, Range], msgs: tuple[Range, Range, Range]
) -> dict[str, Range]:
    """One range for all three lms, and ranges of msas and msgs by SMI, SPN and BMMI."""
    ordered = [bound for by_measure in zip([lms] * 3, msas, msgs, strict=True) for bound in by_measure]
    return dict(zip(DRVI._fields, ordered, strict=True))


MEASURES = ("smi", "spn", "bmmi")
ZERO, NEARLY, HALF, ONE = (0.0, 0.0), (0.0, 0.03), (0.52, 0.56), (0.98, 1.0)


def _remarks(factors: Factors, values: Sequence[Sequence[str]]) -> Iterator[str]:
    """How many labels there are, and which are left out."""
    counts = [
        np.bincount(column, minlength=len(names)) for column, names in zip(factors.T, values, strict=True)
    ]
    asked = [(n, name) for rows, names in zip(counts, values, strict=True) for n, name in _asked(rows, names)]
    rare = [f"{name} ({n})" for n, name in asked if n < LEAST_ROWS]
    more = f" and {len(rare) - NAMED} more" if len(rare) > NAMED else ""
    out = f"; left out, with fewer than {LEAST_ROWS} rows: {', '.join(rare[:NAMED])}{more}" if rare else ""
    yield f"drvi is of {len(asked) - len(rare)} of {len(asked)} labels{out}"


def _asked(rows: Ints, names: Sequence[str]) -> list[tuple[int, str]]:
    """The values of a factor that are labels, with their rows: of two values the second tells both."""
    first = 1 if len(rows) == 2 else 0
    return list(zip(rows[first:].tolist(), names[first:], strict=True))


@metric(
    source="Moinfar and Theis 2024, doi:10.1101/2024.11.06.622266, benchmark v3_1; ties ours",
    cost="slow",  # nine numbers for those who ask: annotated data have them unasked
    least_codes=2,
    invariant_to=frozenset({"permutation", "sign", "scale"}),
    truth={
        "identity": _bounds((0.11, 0.12), ((0.86, 0.89), ONE, (0.5, 0.53)), ((0.86, 0.88), ONE, (0.5, 0.53))),
        "rotated": _bounds((0.0, 0.1), ((0.0, 0.1), (0.2, 0.7), (0.0, 0.1)), (NEARLY, NEARLY, NEARLY)),
        "constant": _bounds(ZERO, (ZERO, ZERO, ZERO), (ZERO, ZERO, ZERO)),
        "duplicated": _bounds((0.22, 0.23), ((0.86, 0.89), ONE, (0.5, 0.53)), (ZERO, ZERO, ZERO)),
        "noise": _bounds(NEARLY, (NEARLY, NEARLY, NEARLY), (NEARLY, NEARLY, NEARLY)),
        "one_missing": _bounds((0.08, 0.09), (HALF, HALF, (0.3, 0.33)), (HALF, HALF, (0.3, 0.33))),
    },
    worse_with={
        **{f"lms_{measure}": frozenset({"noise", "missing"}) for measure in MEASURES},
        **{f"msas_{measure}": frozenset({"noise", "missing"}) for measure in MEASURES},
        **{f"msgs_{measure}": frozenset({"noise", "missing", "spread", "holistic"}) for measure in MEASURES},
    },
    remarks=_remarks,
    only_dense="it sorts the rows of each code as an array",
    ideal=lambda factors, count: label_codes(factors)[:, :count],
)
def drvi(codes: Codes, factors: Factors, *, bins: Bins = 10, min_cells: int = LEAST_ROWS) -> DRVI:
    """DRVI's scores: does a code of its own mark each label?

    Every value of a factor is a label (of two values, the second); `min_cells` rows must carry it, or it is
    left out (ours). Three measures of a code and a label. SMI: the mutual information of label and code, in
    `bins` equal bins of its range, over the label's entropy. SPN: with rows in the order of the code, the
    share f of the N - 1 possible neighbours that both carry the label, above the share p of rows that do:
    max(0, f - p) / (1 - p). BMMI: the largest mutual information of the label with a threshold of the code,
    over the label's entropy. Where codes tie, SPN is the mean over all orders of the tied rows (the benchmark
    shuffles them once).

    Of each measure three scores: `lms`, the best pairing of labels with codes of their own, summed and
    divided by the number of labels; `msas`, the mean over labels of the best code; `msgs`, of how far the
    best code is above the second best. 0..1, higher is better. Labels that outnumber codes bound lms (the
    ceiling shows it), and rows that repeat raise SPN: equal rows stand together in any code's order.

    `codes` (n, d) with d >= 2, `factors` (n, k) whole numbers or words; `bins` may be "zero_quantile", as for
    `mig`. Raises NotApplicable for a single code, or where no label has enough rows.

    The first code parts the label, the second does not:

        >>> found = drvi([[0, 0], [1, 1], [2, 0], [3, 1]], [0, 0, 1, 1], min_cells=2)
        >>> [round(value, 3) for value in found[:6]]
        [1.0, 1.0, 1.0, 1.0, 1.0, 1.0]
    """
    matrices = label_matrices(codes, factors, bins, min_cells)
    return DRVI(*(value for matrix in matrices for value in _aggregates(matrix)))


def label_matrices(
    codes: Codes, factors: Factors, bins: Bins, min_cells: int
) -> tuple[Floats, Floats, Floats]:
    """SMI, SPN and BMMI of every code with every label, each (d, labels)."""
    number = number_of_bins(bins)
    whole_number("min_cells", min_cells, 2)
    classes = factors.astype(np.int64)
    kept = [_labels(column, min_cells) for column in classes.T]
    if not sum(map(len, kept)):
        raise NotApplicable(f"drvi needs a label that {min_cells} rows carry")
    logs = _multiples_of_logarithms(len(codes))
    binned = array_in_bins(codes, bins)
    found = [
        [
            np.stack([_smi(binned[:, i], column, number, logs), *_in_order(ranked, column, logs)])[:, labels]
            for column, labels in zip(classes.T, kept, strict=True)
        ]
        for i, ranked in enumerate(map(_Order.of, codes.T))
    ]
    smi, spn, bmmi = np.stack([np.concatenate(each, axis=1) for each in found], axis=1)
    return smi, spn, bmmi


def label_codes(factors: Factors) -> Floats:
    """A code for each label, 1 where a row carries it: codes with full marks, (n, labels)."""
    columns = factors.astype(np.int64).T
    marks = [column[:, None] == _labels(column, LEAST_ROWS) for column in columns]
    return np.concatenate(marks, axis=1).astype(np.float64)


def _labels(column: Ints, min_cells: int) -> Ints:
    """The values of a factor that are labels."""
    counts = np.bincount(column)
    enough = counts >= min_cells
    if len(counts) == 2:
        enough[0] = False
    return np.flatnonzero(enough)


def _aggregates(matrix: Floats) -> tuple[float, float, float]:
    """LMS, MSAS and MSGS of a matrix of codes by labels."""
    from scipy.optimize import linear_sum_assignment

    paired = matrix[linear_sum_assignment(matrix, maximize=True)].sum() / matrix.shape[1]
    return float(paired), float(matrix.max(axis=0).mean()), float(gap(matrix).mean())


def _multiples_of_logarithms(n: int) -> Floats:
    """x ln x of x = 0..n; sums of these are informations of counts, times n."""
    found = np.arange(n + 1, dtype=np.float64)
    found[1:] *= np.log(found[1:])
    return found


def _shares(parted: Floats, totals: Ints, logs: Floats) -> Floats:
    """Informations with labels over the labels' entropies, of sums of x ln x over the parts."""
    n = len(logs) - 1
    whole = logs[n] - logs[totals] - logs[n - totals]  # n times the entropies
    found = np.zeros_like(parted)
    np.divide(parted + whole, whole, out=found, where=whole > 0)
    return np.asarray(found.clip(0.0, 1.0))  # rounding may lead beyond


def _smi(binned: Ints, column: Ints, bins: int, logs: Floats) -> Floats:
    """SMI of a code in bins with each value of a factor, one against the rest."""
    values = int(column.max()) + 1
    both = np.bincount(binned * values + column, minlength=bins * values).reshape(bins, values)
    inside = both.sum(axis=1, keepdims=True)
    parted = (logs[both] + logs[inside - both] - logs[inside]).sum(axis=0)
    return _shares(parted, both.sum(axis=0), logs)


class _Order(NamedTuple):
    """The rows in the order of a code, the run of equal values that each is in, and where runs begin."""

    rows: NDArray[np.intp]
    run: Ints
    starts: Ints

    @classmethod
    def of(cls, code: NDArray[Any]) -> "_Order":
        rows = np.argsort(code, kind="stable")
        ordered = code[rows]
        first = np.concatenate([[True], ordered[1:] != ordered[:-1]])
        return cls(rows, np.cumsum(first) - 1, np.append(np.flatnonzero(first), len(code)))


def _in_order(order: _Order, column: Ints, logs: Floats) -> tuple[Floats, Floats]:
    """SPN and BMMI of a code with each value of a factor, from how many of each run carry it."""
    values = column[order.rows]
    by_value = np.argsort(values.astype(np.min_scalar_type(int(values.max()))), kind="stable")
    value, run = values[by_value], order.run[by_value]
    first = np.flatnonzero((np.diff(value, prepend=-1) != 0) | (np.diff(run, prepend=-1) != 0))
    carry = np.diff(np.append(first, len(column)))
    value, run = value[first], run[first]  # a value and a run in which `carry` rows have it
    totals = np.bincount(column)
    below = np.cumsum(carry) - (np.cumsum(totals) - totals)[value]  # rows with the value, up to the run's end
    return _spn(value, run, carry, np.diff(order.starts), totals), _bmmi(
        value, (order.starts[run], order.starts[run + 1]), (below - carry, below), totals, logs
    )


def _spn(value: Ints, run: Ints, carry: Ints, sizes: Ints, totals: Ints) -> Floats:
    """SPN, the expectation where rows tie."""
    share = carry / sizes[run]
    neighbours = np.bincount(value, weights=(carry - 1) * share, minlength=len(totals))
    beside = (value[1:] == value[:-1]) & (run[1:] == run[:-1] + 1)
    neighbours += np.bincount(
        value[1:], weights=np.where(beside, share[1:] * share[:-1], 0.0), minlength=len(totals)
    )
    p, pairs = totals / totals.sum(), np.maximum(totals - 1, 1)
    above = neighbours / pairs - p
    return np.where(above > ROUNDING, above, 0.0) / np.where(p < 1, 1 - p, 1.0)


def _bmmi(
    value: Ints, cuts: tuple[Ints, Ints], below: tuple[Ints, Ints], totals: Ints, logs: Floats
) -> Floats:
    """BMMI. The best threshold touches a run with the label (Fayyad and Irani 1992, doi:10.1007/BF00994007),
    so that none but those before and after such runs are tried."""
    n, all_ = len(logs) - 1, totals[value]
    tried = []
    for cut, carry in zip(cuts, below, strict=True):
        low = logs[carry] + logs[cut - carry] - logs[cut]
        high = logs[all_ - carry] + logs[n - cut - all_ + carry] - logs[n - cut]
        tried.append(low + high)
    best = np.full(len(totals), -np.inf)
    np.maximum.at(best, value, np.maximum(*tried))
    best[totals == 0] = 0.0
    return _shares(best, totals, logs)
