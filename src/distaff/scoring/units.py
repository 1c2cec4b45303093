"""A column of units (episodes, donors, subjects) in the tables of codes or factors: found, and set apart."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from distaff.errors import BadInput, unknown
from distaff.tables import Table, as_table


def with_column(name: str, codes: Any, factors: Any) -> tuple[Table, Table | None]:
    """Codes and factors as tables, of which one has the column; BadInput where neither knows of it."""
    tables = [as_table(codes, "codes")] + ([] if factors is None else [as_table(factors, "factors")])
    if not any(_has(table, name) for table in tables):
        j = next((j for j, table in enumerate(tables) if name in (table.aside or ())), None)
        if j is None:
            named = dict.fromkeys(each for table in tables if table.named for each in table.names)
            raise unknown("column of units", name, named)
        tables[j] = _taken_up(tables[j], name)
    return tables[0], tables[1] if len(tables) > 1 else None


def apart(name: str, tables: Mapping[str, list[Table]]) -> dict[str, list[Table]]:
    """Paired tables without the column of units, and that as a table of its own."""
    found = dict(tables)
    for what in ("codes", "factors"):
        for table in tables.get(what, ()):
            if not _has(table, name):
                continue
            rest = [each for each in table.names if each != name]
            if not rest:
                raise BadInput(f"units='{name}' is the only column of {what}; give others to score")
            found |= {what: [table.pick(rest)], "units": [replace(table.pick([name]), what="units")]}
    return found


def _has(table: Table, name: str) -> bool:
    return table.named and name in table.names


def _taken_up(table: Table, name: str) -> Table:
    """A table with one of the columns that were set aside."""
    cells = (table.aside or {})[name]
    return replace(table, names=[*table.names, name], cells=[*table.cells, cells], whole=None)
