"""Codes and factors as every metric takes them, checked once, with errors that name the column."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from distaff.errors import BadInput, NotApplicable
from distaff.settings import whole_number

LARGEST = 1e100  # variances of larger codes overflow


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


def check_factors(factors: ArrayLike) -> NDArray[np.int64]:
    """Factors (n, k) as whole numbers 0..m-1 in the order of their values; integral floats are accepted."""
    array = _matrix(factors, "factors")
    if not np.isfinite(array).all():
        raise BadInput("factors hold NaN or infinite values")
    columns = []
    for j in range(array.shape[1]):
        column = array[:, j]
        if np.issubdtype(column.dtype, np.floating) and not (column == np.round(column)).all():
            raise BadInput(
                f"factor column {j} holds values such as {column[column != np.round(column)][0]:g}; "
                "whole numbers are needed. Give class numbers, or bins of the values."
            )
        values, whole = np.unique(column, return_inverse=True)
        if len(values) < 2:
            raise BadInput(f"factor column {j} has a single value, {values[0]}; drop that column")
        columns.append(whole)
    return np.stack(columns, axis=1).astype(np.int64)


def check_pair(codes: ArrayLike, factors: ArrayLike) -> tuple[NDArray[np.floating[Any]], NDArray[np.int64]]:
    """Codes (n, d) and factors (n, k) with as many rows, at least two."""
    codes, factors = _matrix(codes, "codes"), _matrix(factors, "factors")
    if len(codes) != len(factors):
        raise BadInput(
            f"codes have {len(codes)} rows and factors {len(factors)}; they must describe the same rows"
        )
    if len(codes) < 2:
        raise BadInput(f"at least 2 rows are needed, got {len(codes)}")
    return check_codes(codes), check_factors(factors)


def usable_factors(factors: NDArray[Any], names: Sequence[str]) -> tuple[list[int], dict[str, str]]:
    """The columns that metrics can take, and why the others cannot, by name."""
    usable, left_out = [], {}
    for j, name in enumerate(names):
        column = factors[:, j]
        if (column != np.round(column)).any():
            left_out[name] = "not whole numbers"
        elif (column == column[0]).all():
            left_out[name] = "a single value"
        else:
            usable.append(j)
    return usable, left_out


def check_votes(votes: Any) -> tuple[int, int]:
    """Two whole numbers: votes to learn from and votes to score on."""
    try:
        train, test = votes
    except (TypeError, ValueError):
        raise BadInput(f"votes={votes!r} is not allowed; it must be two whole numbers") from None
    return whole_number("votes", train, 1), whole_number("votes", test, 1)


def need_factors(factors: NDArray[Any], least: int, metric: str) -> None:
    """NotApplicable where there are too few factors for a metric."""
    if factors.shape[1] < least:
        raise NotApplicable(f"{metric} needs at least {least} factors, got {factors.shape[1]}")


def need_codes(codes: NDArray[Any], least: int, metric: str) -> None:
    """NotApplicable where there are too few codes for a metric."""
    if codes.shape[1] < least:
        raise NotApplicable(f"{metric} needs at least {least} codes, got {codes.shape[1]}")


def _matrix(values: ArrayLike, what: str) -> NDArray[Any]:
    array = np.asarray(values)
    if array.dtype == bool:
        array = array.astype(np.int64)
    if not (np.issubdtype(array.dtype, np.integer) or np.issubdtype(array.dtype, np.floating)):
        raise BadInput(f"{what} must be numbers, got {array.dtype}")
    array = array[:, None] if array.ndim == 1 else array
    if array.ndim != 2 or array.shape[1] == 0:
        raise BadInput(f"{what} must have shape (rows, columns), got {array.shape}")
    return array
