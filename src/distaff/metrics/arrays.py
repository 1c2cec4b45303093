"""Codes and factors as every metric takes them, checked once, with errors that name the column."""

import math
import numbers
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from distaff.errors import BadInput, NotApplicable
from distaff.settings import whole_number
from distaff.tables import (
    Continuous,
    Sparse,
    SparseTable,
    Table,
    as_table,
    codes_of,
    counts_rows,
    factors_of,
    in_order_of,
    of_as_many_rows,
    rows_of_both,
    turned_to_fit,
    with_keys,
)
from distaff.tables.columns import shown

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Codes = Floats  # (n, d)
Factors = NDArray[Any]  # (n, k), int64, or float64 where some are real numbers
Test = tuple[Codes, Factors] | None  # rows to score on, where they are given

LARGEST = 1e30  # larger codes overflow in some learners
SMALLEST = 1e-60  # a range below this counts as none, for its powers underflow
EDGE = 1e-9  # of a column's range: closer below an edge of a bin is on it
SEEDS = 2**32  # what scikit-learn takes


def check_codes(codes: Any) -> Floats:
    """Codes (n, d) as float64, from any array, frame or tensor; a vector becomes one column."""
    array = codes_of(as_table(codes, "codes"))
    if float(np.abs(array).max(initial=0)) > LARGEST:
        raise BadInput(f"codes hold values beyond {LARGEST:g}; rescale them")
    return array


def check_sparse(table: SparseTable) -> Sparse:
    """Sparse codes (n, d) of a table; they stay so."""
    codes = table.codes
    if float(np.abs(codes.values).max(initial=0)) > LARGEST:
        raise BadInput(f"codes hold values beyond {LARGEST:g}; rescale them")
    return codes


def check_factors(factors: Any, continuous: Continuous = False) -> NDArray[Any]:
    """Factors (n, k) as whole numbers 0..m-1 in the order of their values, or of their words.

    Columns that are `continuous` (all, or some by name or number) stay real numbers; the whole is then
    float64.
    """
    table = as_table(factors, "factors")
    values = factors_of(table, continuous).values
    for j in single_valued(values):
        value = shown(table.cells[j][0])
        raise BadInput(f"{factor_name(table, j)} has a single value, {value}; drop that column")
    return values


def single_valued(factors: NDArray[Any]) -> list[int]:
    """The columns of factors (n, k) that do not vary."""
    return [j for j, column in enumerate(factors.T) if (column == column[:1]).all()]


def renumbered(factors: NDArray[Any], continuous: Sequence[int] = ()) -> NDArray[Any]:
    """Checked factors of some of the rows, whole numbers without gaps again; BadInput where one is single.

    Columns that are `continuous` stay as they are.
    """
    for j in single_valued(factors):
        raise BadInput(f"factor column {j} has a single value, {factors[0, j]:g}; drop that column")
    found = factors.copy()
    for j in set(range(factors.shape[1])).difference(continuous):
        column = factors[:, j].astype(np.int64, copy=False)
        found[:, j] = (np.cumsum(np.bincount(column) > 0) - 1)[column]
    return found


def factor_name(table: Table, j: int) -> str:
    """A factor as messages name it."""
    return f"factor '{table.names[j]}'" if table.named else f"factor column {j}"


def check_pair(codes: Any, factors: Any, continuous: Continuous = False) -> tuple[Floats, NDArray[Any]]:
    """Codes (n, d) and factors (n, k) with as many rows, at least two."""
    codes, factors = same_rows(codes, factors)
    if len(codes) < 2:
        raise BadInput(f"at least 2 rows are needed, got {len(codes)}")
    return check_codes(codes), check_factors(factors, continuous)


def same_rows(codes: Any, other: Any, what: str = "factors", drop: bool = False) -> tuple[Table, Table]:
    """Codes and something else that describes the same rows, both as tables, in the same order of rows.

    With `drop` rows that one of them alone names are left out.
    """
    first, second = as_table(codes, "codes"), as_table(other, what)
    if what == "factors":  # log-variances stand as the codes do
        first, second = turned_to_fit(first, second)
    if drop:
        first, second = rows_of_both(first, second)
    first, second = with_keys(*of_as_many_rows(first, second))
    if len(first) == len(second) or (first.labels is not None and not counts_rows(first)):
        second = in_order_of(second, first)  # of labels it says how many are the same
    if len(first) != len(second):
        if first.block is None and first.cells:
            codes_of(first)  # a line that is no row is the likelier fault
        raise _other_rows(first, second, what)
    return first, second


def _other_rows(codes: Table, other: Table, what: str) -> BadInput:
    """The error where two tables have other numbers of rows."""
    read = f": {codes.what}{codes.read_as()}, {other.what}{other.read_as()}" if codes.how or other.how else ""
    turned = [a.what for a, b in ((codes, other), (other, codes)) if len(a.names) == len(b) > len(a)]
    hint = f"; are rows and columns of {turned[0]} exchanged?" if turned else ""
    said = "".join(f" ({note})" for note in (*codes.notes, *other.notes))
    return BadInput(
        f"codes have {len(codes)} rows and {what} {len(other)}; they must describe the same rows"
        f"{read}{hint}{said}"
    )


def real_columns(continuous: Continuous) -> tuple[int, ...]:
    """The numbers of the factors that are real numbers, of what the door or a default gives."""
    return () if isinstance(continuous, bool) else tuple(int(j) for j in continuous)


def check_order(factors: Table, continuous: Continuous, above: int, metric: str) -> None:
    """NotApplicable where factors of more than so many values are words without an order."""
    if factors.block is not None:
        return
    found = factors_of(factors, continuous)
    for j in found.unordered:
        if found.values[:, j].max() >= above:
            name = factor_name(factors, j)
            raise NotApplicable(f"{metric} reads factors as numbers, and the words of {name} have no order")


def is_whole(column: NDArray[Any]) -> bool:
    """Whether a column of factors holds whole numbers only."""
    return not np.issubdtype(column.dtype, np.floating) or bool((column == np.round(column)).all())


def usable_factors(factors: NDArray[Any], names: Sequence[str]) -> tuple[list[int], dict[str, str]]:
    """The columns that metrics can take, and why the others cannot, by name."""
    usable, left_out = [], {}
    for j, name in enumerate(names):
        column = factors[:, j]
        if not is_whole(column):
            left_out[name] = "not whole numbers"
        elif (column == column[0]).all():
            left_out[name] = "a single value"
        else:
            usable.append(j)
    return usable, left_out


def varying(codes: NDArray[Any] | Sparse) -> Bools:
    """Which columns of codes (n, d) take more than one value."""
    if isinstance(codes, Sparse):
        low, high = codes.ranges()
        return np.asarray(high - low > SMALLEST)
    return np.asarray(np.ptp(codes.astype(np.float64, copy=False), axis=0) > SMALLEST)


def standardised(codes: NDArray[Any], like: NDArray[Any] | None = None) -> Floats:
    """Codes with the mean 0 and deviation 1 that the columns of `like` (default: they themselves) then have.

    Constant columns become 0.
    """
    like = codes if like is None else like
    mean, spread = like.mean(axis=0, dtype=np.float64), like.std(axis=0, dtype=np.float64)
    alive = varying(like) & (spread > 0)
    return np.where(alive, codes - mean, 0.0) / np.where(alive, spread, 1.0)


def check_seed(seed: Any) -> int:
    """A seed as a whole number that every learner takes."""
    whole = whole_number("seed", seed, 0)
    if whole >= SEEDS:
        raise BadInput(f"seed={seed} is not allowed; it must be below {SEEDS}")
    return whole


def check_number(name: str, value: Any, low: float, high: float = math.inf) -> None:
    """An error where `value` is not a number from `low` to `high`."""
    if isinstance(value, bool) or not isinstance(value, numbers.Real) or not low <= float(value) <= high:
        allowed = f"{low:g} to {high:g}" if math.isfinite(high) else f"a number of at least {low:g}"
        raise BadInput(f"{name}={value!r} is not allowed; it must be {allowed}")


def check_votes(votes: Any) -> tuple[int, int]:
    """Two whole numbers: votes to learn from and votes to score on."""
    try:
        train, test = votes
    except (TypeError, ValueError):
        raise BadInput(f"votes={votes!r} is not allowed; it must be two whole numbers") from None
    return whole_number("votes", train, 1), whole_number("votes", test, 1)
