"""Codes and factors as every metric takes them, checked once, with errors that name the column."""

from __future__ import annotations

import math
import numbers
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from distaff.errors import BadInput, NotApplicable
from distaff.settings import whole_number

LARGEST = 1e30  # larger codes overflow in some learners
SMALLEST = 1e-60  # a range below this counts as none, for its powers underflow
SEEDS = 2**32  # what scikit-learn takes


def check_codes(codes: ArrayLike) -> NDArray[np.floating[Any]]:
    """Codes (n, d) as floats of their own precision; a vector becomes one column."""
    array = _matrix(codes, "codes")
    if not np.issubdtype(array.dtype, np.floating):
        array = array.astype(np.float64)
    bad = ~np.isfinite(array).all(axis=0)
    if bad.any():
        raise BadInput(f"codes hold NaN or infinite values, first in column {int(bad.argmax())}")
    if float(np.abs(array).max(initial=0)) > LARGEST:
        raise BadInput(f"codes hold values beyond {LARGEST:g}; rescale them")
    return array


def check_factors(factors: ArrayLike, continuous: bool = False) -> NDArray[Any]:
    """Factors (n, k) as whole numbers 0..m-1 in the order of their values; integral floats are accepted.

    With `continuous` they stay real numbers, as float64.
    """
    array = _matrix(factors, "factors")
    if not np.isfinite(array).all():
        raise BadInput("factors hold NaN or infinite values")
    for j, column in enumerate(array.T):
        if (column == column[:1]).all():
            raise BadInput(f"factor column {j} has a single value, {column[0]:g}; drop that column")
        if not continuous and not is_whole(column):
            raise BadInput(
                f"factor column {j} holds values such as {column[column != np.round(column)][0]:g}; "
                "whole numbers are needed. Give class numbers, or ask for continuous=True (--continuous)."
            )
    if continuous:
        return array.astype(np.float64)
    return np.stack([np.unique(c, return_inverse=True)[1] for c in array.T], axis=1).astype(np.int64)


def check_pair(
    codes: ArrayLike, factors: ArrayLike, continuous: bool = False
) -> tuple[NDArray[np.floating[Any]], NDArray[Any]]:
    """Codes (n, d) and factors (n, k) with as many rows, at least two."""
    codes, factors = same_rows(codes, factors)
    if len(codes) < 2:
        raise BadInput(f"at least 2 rows are needed, got {len(codes)}")
    return check_codes(codes), check_factors(factors, continuous)


def same_rows(
    codes: ArrayLike, factors: ArrayLike, what: str = "factors"
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Codes and something else that describes the same rows, both as tables of numbers."""
    codes, other = _matrix(codes, "codes"), _matrix(factors, what)
    if len(codes) != len(other):
        raise BadInput(
            f"codes have {len(codes)} rows and {what} {len(other)}; they must describe the same rows"
        )
    return codes, other


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


def varying(codes: NDArray[Any]) -> NDArray[np.bool_]:
    """Which columns of codes (n, d) take more than one value."""
    return np.ptp(codes.astype(np.float64, copy=False), axis=0) > SMALLEST


def standardised(codes: NDArray[Any], like: NDArray[Any] | None = None) -> NDArray[np.float64]:
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


def need_factors(count: int, metric: str, least: int = 2) -> None:
    """NotApplicable where there are too few factors for a metric."""
    if count < least:
        raise NotApplicable(f"{metric} needs at least {least} factors, got {count}")


def need_codes(count: int, metric: str, least: int = 2) -> None:
    """NotApplicable where there are too few codes for a metric."""
    if count < least:
        raise NotApplicable(f"{metric} needs at least {least} codes, got {count}")


def _matrix(values: ArrayLike, what: str) -> NDArray[Any]:
    """A table of numbers (rows, columns) from an array, a list, a DataFrame or a tensor."""
    if hasattr(values, "detach"):  # a tensor that is still part of a graph
        values = values.detach()
    if isinstance(values, np.ma.MaskedArray) and np.ma.is_masked(values):
        raise BadInput(f"{what} have masked entries; leave those rows out")
    try:
        array = _numbers(np.asarray(values))
    except (TypeError, ValueError, RuntimeError) as error:
        raise BadInput(f"{what} must be numbers, and cannot be read as such: {error}") from None
    if array.dtype.kind not in "iuf":  # spans of time count as integers elsewhere in NumPy
        raise BadInput(f"{what} must be numbers, got {array.dtype}")
    array = array[:, None] if array.ndim == 1 else array
    if array.ndim != 2 or array.shape[1] == 0:
        raise BadInput(f"{what} must have shape (rows, columns), got {array.shape}")
    return array


def _numbers(array: NDArray[Any]) -> NDArray[Any]:
    """Booleans as 0 and 1, and Python numbers (as of a DataFrame with mixed columns) as floats."""
    if array.dtype == object:
        array = np.array([[float(cell) for cell in np.atleast_1d(row)] for row in array])
    return array.astype(np.int64) if array.dtype == bool else array
