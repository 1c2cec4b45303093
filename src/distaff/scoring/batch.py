"""A batch of a stream: codes and factors of some rows, checked, with factors as the numbers they came as."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from distaff.errors import BadInput
from distaff.metrics.arrays import Floats, check_codes
from distaff.metrics.needs import NEEDS, paired
from distaff.scoring.sample import Arrays
from distaff.tables import Continuous, SparseTable, Table, continuous_columns, factors_of, holds_words


@dataclass(frozen=True)
class Batch:
    """Codes (n, d), factors (n, k), which may be none, the columns of those that are real, and the rest."""

    codes: Floats
    factors: Floats
    real: tuple[int, ...]
    others: Arrays

    @property
    def shape(self) -> tuple[int, int]:
        """The numbers of codes and of factors."""
        return self.codes.shape[1], self.factors.shape[1]

    @property
    def arrays(self) -> Arrays:
        """All arrays by name."""
        return {"codes": (self.codes,), "factors": (self.factors,), **self.others}


def batch_of(codes: Any, given: Mapping[str, Any], continuous: Continuous) -> Batch:
    """Check what callers give of a batch; BadInput where factors are words, or not whole and not said to."""
    there = {need: value for need, value in given.items() if value is not None}
    tables = paired(codes, there)
    if isinstance(tables["codes"][0], SparseTable):
        raise BadInput("a stream takes codes as an array; make one of each batch, codes.toarray()")
    found = check_codes(tables["codes"][0])
    real: tuple[int, ...] = ()
    factors = np.empty((len(found), 0))
    if "factors" in tables:
        table = tables["factors"][0]
        real = continuous_columns(table, continuous)
        factors = _numbers(table, real)
    others = {
        need: tuple(NEEDS[need].check(each, found, real) for each in parts)
        for need, parts in tables.items()
        if need not in ("codes", "factors")
    }
    return Batch(found, factors, real, others)


def _numbers(table: Table, real: tuple[int, ...]) -> Floats:
    """Factors (n, k) as they came."""
    columns = table.columns()
    for j, column in enumerate(columns):
        if holds_words(table, j, column, False):
            raise BadInput(
                f"{table.column(j)} holds words, which each batch would number otherwise; give whole numbers"
            )
    found = np.stack([column.reals() for column in columns], axis=1)
    whole = np.delete(found, real, axis=1)
    if (whole != np.round(whole)).any():
        factors_of(table, real)  # says which
    return found
