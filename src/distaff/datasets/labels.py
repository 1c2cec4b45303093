"""Labels of one's own images as one array of numbers, with the words that numbers stand for."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from distaff.errors import BadInput
from distaff.tables import Table, as_table, holds_words

EXACT = 2**53  # whole numbers from here on are not all told apart by a float64


class Labels(NamedTuple):
    """Labels (n, k), int64 if all are whole numbers, else float64; and what is known about them."""

    values: NDArray[Any]
    names: tuple[str, ...]
    #: by name, what the numbers 0..m-1 of a label of words stand for
    words: dict[str, tuple[str, ...]]
    notes: list[str]


def as_labels(factors: Any, names: Sequence[str] | None, n: int, where: str) -> Labels:
    """Labels of `n` images from an array, a list, a data frame, or a mapping of names to columns."""
    table = _table(factors, f"{where}: factors")
    if len(table) != n:
        shape = (len(table), len(table.names))
        raise BadInput(f"{where}: factors must have a row for each of the {n} images, got shape {shape}")
    if names is not None and len(names) != len(table.names):
        raise BadInput(f"{where}: {len(names)} names for {len(table.names)} factors")
    own = table.names if table.named else [f"factor_{j}" for j in range(len(table.names))]
    return of_table(replace(table, names=list(own if names is None else names), named=True, drop="", keep=""))


def of_table(table: Table, words: Sequence[str] = ()) -> Labels:
    """Labels from a table; numbers stay as they are, words are numbered as they sort."""
    for place, name in enumerate(table.names):
        if name in table.names[:place]:
            raise BadInput(f"{table.what}: two factors are named '{name}'; give each a name of its own")
    known: dict[str, tuple[str, ...]] = {}
    notes: list[str] = []
    numbers: list[NDArray[Any]] = []
    for j, (name, column) in enumerate(zip(table.names, table.columns(words), strict=True)):
        is_words = holds_words(table, j, column, name in words)
        number, distinct = column.classes(is_words)
        if is_words:
            known[name] = tuple(distinct)
            numbers.append(number)
            continue
        values, note = _numbers(table, j, distinct)
        numbers.append(values[number])
        notes += note
    return Labels(np.stack(numbers, axis=1), tuple(table.names), known, notes)


def _table(factors: Any, what: str) -> Table:
    if not isinstance(factors, Mapping):
        return as_table(factors, what)
    columns = {str(name): as_table(column, f"{what}, '{name}'") for name, column in factors.items()}
    if not columns:
        raise BadInput(f"{what} have no column; leave them out")
    if len({len(column) for column in columns.values()}) > 1:
        raise BadInput(f"{what} have columns of different lengths")
    return Table(what, list(columns), [column.cells[0] for column in columns.values()])


def _numbers(table: Table, j: int, distinct: list[Any]) -> tuple[NDArray[Any], list[str]]:
    """The distinct numbers of a column, as int64 if they are whole, else as float64; and a note."""
    if max(abs(value) for value in distinct) < EXACT:
        whole = all(value == int(value) for value in distinct)
        return np.array(distinct, dtype=np.int64 if whole else np.float64), []
    if any(isinstance(value, float) for value in distinct):
        raise BadInput(
            f"{table.column(j)} holds numbers beyond 2^53, which cannot be told apart as floats; give "
            "integers, or leave it out"
        )
    note = f"values of '{table.names[j]}' beyond 2^53 are numbered in order, 0 to {len(distinct) - 1}"
    return np.arange(len(distinct)), [note]
