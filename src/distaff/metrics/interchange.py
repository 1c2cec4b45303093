"""Interchange interventions: does swapping a part of the codes change its factor, and no other?"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from distaff.errors import BadInput
from distaff.metrics.arrays import Codes, Floats, check_codes
from distaff.tables import as_table


class Interchange(NamedTuple):
    """The means over factors, 0..1, higher is better, and the same for every factor (k,)."""

    disentangle: float
    cause: float
    isolation: float
    causes: Floats
    isolations: Floats


def interchange(
    base: Any,
    source: Any,
    factors_base: Any,
    factors_source: Any,
    read: Callable[[Codes], Any],
    parts: Sequence[Sequence[int]],
) -> Interchange:
    """Swap a part of the codes of one row into another, and read all factors: as RAVEL does.

    `base` and `source` (n, d) are codes of rows that are paired, `factors_base` and `factors_source` (n, k)
    their factors. `parts[j]` are the columns said to hold factor j, and `read` gives the factors (n, k) that
    codes (n, d) stand for: decode and classify, or run the rest of a network. For each factor j its columns
    are copied from source into base. cause_j is the share of rows, among those where the two factors differ,
    that are read as the source's; isolation_j the share of all other factors that are still read as the
    base's, averaged over them. `disentangle` is the mean of both. All 0..1, higher is better.

    Swapping nothing has cause 0 and the reader's accuracy as isolation; swapping everything has its accuracy
    as cause and chance as isolation: both are at about one half, so that `disentangle` is to be read from
    there (Huang et al. 2024, arXiv:2402.17700, where values are averaged within an attribute
    first). With a single factor there is nothing to isolate, and isolation is NaN.

    Each code is a factor, and the reader reads it:

        >>> base, source = [[0, 0], [0, 1]], [[1, 1], [1, 0]]
        >>> interchange(base, source, base, source, lambda codes: codes, parts=[[0], [1]]).disentangle
        1.0
    """
    first, second = _pairs(base, factors_base), _pairs(source, factors_source)
    if first[0].shape != second[0].shape or first[1].shape != second[1].shape:
        shapes = f"{first[0].shape} and {first[1].shape}, source {second[0].shape} and {second[1].shape}"
        raise BadInput(f"base has codes and factors of {shapes}; rows are paired, so these must be the same")
    (codes, truth), (other, wanted) = first, second
    _check_parts(parts, codes.shape[1], truth.shape[1])
    causes, isolations = np.empty(len(parts)), np.empty(len(parts))
    for j, part in enumerate(parts):
        swapped = codes.copy()
        swapped[:, list(part)] = other[:, list(part)]
        seen = _read(read, swapped, truth.shape)
        differ = truth[:, j] != wanted[:, j]
        if not differ.any():
            raise BadInput(f"factor {j} is the same in all pairs of base and source; pair rows that differ")
        causes[j] = np.mean(seen[differ, j] == wanted[differ, j])
        kept = np.delete(seen == truth, j, axis=1)
        isolations[j] = kept.mean() if kept.size else np.nan
    cause, isolation = float(causes.mean()), float(isolations.mean())
    return Interchange((cause + isolation) / 2, cause, isolation, causes, isolations)


def _pairs(codes: Any, factors: Any) -> tuple[Codes, Floats]:
    """Codes and the numbers that stand for factors, with as many rows."""
    found, values = check_codes(codes), check_codes(as_table(factors, "factors"))
    if len(found) != len(values):
        raise BadInput(f"codes have {len(found)} rows and factors {len(values)}; they must be the same")
    return found, values


def _check_parts(parts: Sequence[Sequence[int]], d: int, k: int) -> None:
    if len(parts) != k:
        raise BadInput(f"parts has {len(parts)} lists of columns for {k} factors")
    for j, part in enumerate(parts):
        for column in part:
            if isinstance(column, bool) or not isinstance(column, int | np.integer) or not 0 <= column < d:
                raise BadInput(f"parts[{j}] names column {column!r}; codes have columns 0 to {d - 1}")


def _read(read: Callable[[Codes], Any], codes: Codes, shape: tuple[int, ...]) -> Floats:
    found = check_codes(as_table(read(codes), "what read gives"))
    if found.shape != shape:
        raise BadInput(f"read gives an array of shape {found.shape}; it must be that of factors, {shape}")
    return found
