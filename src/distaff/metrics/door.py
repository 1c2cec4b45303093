"""The door of the score card: what callers give becomes what metrics take, and what was done is noted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from distaff.errors import BadInput, unknown
from distaff.metrics.arrays import check_codes, factor_name, same_rows
from distaff.metrics.inputs import Inputs
from distaff.tables import Continuous, Factors, Table, as_table, factors_of
from distaff.tables.columns import shown

MISSING = ("error", "drop")


@dataclass(frozen=True)
class Admitted:
    """Inputs, the names of their factors, why others are left out, the words of factors, and notes."""

    inputs: Inputs
    names: list[str] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)
    words: dict[str, list[str]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    @property
    def continuous(self) -> list[str]:
        """The names of the factors that are real numbers."""
        return [self.names[j] for j in self.inputs.continuous]


def admit(
    codes: Any,
    factors: Any,
    *,
    names: Sequence[str] | None = None,
    continuous: Continuous = False,
    words: Sequence[str] = (),
    order: Mapping[str, Sequence[str]] | None = None,
    missing: str = "error",
    logvar: Any = None,
    mates: Sequence[Any] | None = None,
    mates_logvar: Sequence[Any] | None = None,
) -> Admitted:
    """Check what is to be scored: rows that belong together, codes, factors, and what else there is.

    Tables whose rows have labels are put in the order of the codes. Factors with a single value are left out.
    The arguments are those of `distaff.score`.
    """
    if missing not in MISSING:
        raise unknown("way with missing values", str(missing), MISSING)
    tables = {"codes": as_table(codes, "codes")}
    given = {"factors": factors, "logvar": logvar}
    given |= {f"mate {i}'s codes": mate for i, mate in enumerate(mates or ())}
    given |= {f"mate {i}'s logvar": mate for i, mate in enumerate(mates_logvar or ())}
    for what, each in given.items():
        if each is not None:
            tables["codes"], tables[what] = same_rows(tables["codes"], each, what)
    if names is not None and "factors" in tables:
        tables["factors"] = _renamed(tables["factors"], names)
    notes = []
    if missing == "drop":
        tables, dropped = _without_missing(tables, [*words, *(order or {})])
        notes += dropped
    if len(tables["codes"]) < 2:
        raise BadInput(f"at least 2 rows are needed, got {len(tables['codes'])}")
    for table in tables.values():
        notes += [note for note in table.notes if note not in notes]
    found = factors_of(tables["factors"], continuous, words, order or {}) if "factors" in tables else None
    checked = check_codes(tables["codes"])
    notes += [*_counters(tables["codes"], checked), *(_all_different(found) if found else ())]
    inputs = Inputs(
        checked,
        None,
        logvar=check_codes(tables["logvar"]) if "logvar" in tables else None,
        mates=[check_codes(tables[f"mate {i}'s codes"]) for i in range(len(mates or ()))] or None,
        mates_logvar=[check_codes(tables[f"mate {i}'s logvar"]) for i in range(len(mates_logvar or ()))]
        or None,
    )
    if found is None:
        return Admitted(inputs, notes=notes)
    return _with_factors(inputs, found, tables["factors"], notes)


def _counters(table: Table, codes: NDArray[np.float64]) -> list[str]:
    """Notes of codes that merely count the rows."""
    if not table.named:
        return []
    rows = np.arange(len(codes))
    counting = [
        name for name, code in zip(table.names, codes.T, strict=True) if (code - code[0] == rows).all()
    ]
    return [
        f"the code '{name}' counts the rows; leave it out if it is none (--code-columns)" for name in counting
    ]


def _all_different(factors: Factors) -> list[str]:
    """Notes of factors that have another value in each row."""
    n = len(factors.values)
    found = [
        name
        for j, name in enumerate(factors.names)
        if j not in factors.continuous and n > 1 and factors.values[:, j].max() == n - 1
    ]
    return [
        f"the factor '{name}' has another value in each row; leave it out if it names them" for name in found
    ]


def _with_factors(inputs: Inputs, found: Factors, table: Table, notes: list[str]) -> Admitted:
    """Inputs with the factors that vary; the others are left out."""
    varies = [j for j, column in enumerate(found.values.T) if not (column == column[:1]).all()]
    left_out = {name: "a single value" for j, name in enumerate(found.names) if j not in varies}
    if not varies:
        raise BadInput(
            f"{factor_name(table, 0)} has a single value, {shown(table.cells[0][0])}, and no other factor is "
            "left; give one that varies"
        )
    kept = replace(
        inputs,
        factors=found.values[:, varies] if left_out else found.values,
        continuous=tuple(new for new, old in enumerate(varies) if old in found.continuous),
        unordered=tuple(new for new, old in enumerate(varies) if old in found.unordered),
    )
    names = [found.names[j] for j in varies]
    words = {name: [shown(word) for word in each] for name, each in found.words.items() if name in names}
    return Admitted(kept, names, left_out, words, notes)


def _renamed(table: Table, names: Sequence[str]) -> Table:
    if len(names) != len(table.names):
        raise BadInput(f"{len(names)} factor names for {len(table.names)} factors")
    return replace(table, names=[str(name) for name in names], named=True)


def _without_missing(tables: Mapping[str, Table], words: Sequence[str]) -> tuple[dict[str, Table], list[str]]:
    """The tables without the rows in which any of them has no value, and a note of how many there were."""
    rows = len(tables["codes"])
    gone = np.zeros(rows, dtype=bool)
    for table in tables.values():
        gone |= _missing(table, words)
    if not gone.any():
        return dict(tables), []
    note = f"{int(gone.sum())} of {rows} rows left out, in which a value is missing"
    return {what: table.take(~gone) for what, table in tables.items()}, [note]


def _missing(table: Table, words: Sequence[str]) -> NDArray[np.bool_]:
    """Which rows (n,) of a table have no value in some column."""
    if table.block is not None:
        return (
            np.isnan(table.block).any(axis=1) if table.block.dtype.kind == "f" else np.zeros(len(table), bool)
        )
    found = np.zeros(len(table), dtype=bool)
    for column in table.columns(words):
        found |= column.missing
    return found
