"""Labels of one's own images as one array of numbers, with the words that numbers stand for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from distaff.errors import BadInput
from distaff.files import side_by_side

EXACT = 2**53  # whole numbers from here on are not all told apart by a float64

Column = tuple[NDArray[Any], tuple[str, ...]]


class Labels(NamedTuple):
    """Labels (n, k), int64 if all are whole numbers, else float64; and what is known about them."""

    values: NDArray[Any]
    names: tuple[str, ...]
    #: by name, what the numbers 0..m-1 of a label of words stand for
    words: dict[str, tuple[str, ...]]
    notes: list[str]


def as_labels(factors: Any, names: Sequence[str] | None, n: int, where: str) -> Labels:
    """Labels of `n` images from an array, a list, a data frame, or a mapping of names to columns."""
    columns, own = _columns(factors, n, where)
    names = tuple(own if names is None else names)
    if len(names) != len(columns):
        raise BadInput(f"{where}: {len(names)} names for {len(columns)} factors")
    return of_columns(dict(zip(_told_apart(names, where), columns, strict=True)), where)


def of_columns(columns: Mapping[str, NDArray[Any]], where: str) -> Labels:
    """Labels from columns of numbers or words, each of its own type."""
    words, notes, numbers = {}, [], []
    for name, cells in columns.items():
        column, known = read_column(cells, name, where)
        if known:
            words[name] = known
        values, note = _safe(column, name, where)
        numbers.append(values)
        notes += note
    return Labels(np.stack(numbers, axis=1), tuple(columns), words, notes)


def read_column(cells: NDArray[Any], name: str, where: str) -> Column:
    """A column as numbers, and the words that they stand for, if it is one of words."""
    text = _text(cells, name, where)
    if text is None:
        return _plain(cells, name, where), ()
    numbers = side_by_side([text], [name], Path(where), words=True)[:, 0]
    distinct = sorted({str(cell) for cell in text})
    return numbers, () if _is_number(distinct[0]) else tuple(distinct)


def _told_apart(names: tuple[str, ...], where: str) -> tuple[str, ...]:
    for place, name in enumerate(names):
        if name in names[:place]:
            raise BadInput(f"{where}: two factors are named '{name}'; give each a name of its own")
    return names


def _columns(factors: Any, n: int, where: str) -> tuple[list[NDArray[Any]], list[str]]:
    """Columns (n,) and their names."""
    if isinstance(factors, Mapping) or hasattr(factors, "columns"):
        names = [str(name) for name in (factors if isinstance(factors, Mapping) else factors.columns)]
        keys = list(factors if isinstance(factors, Mapping) else factors.columns)
        _told_apart(tuple(names), where)
        columns = [_array(factors[key], where) for key in keys]
    else:
        table = _array(factors, where)
        if table.dtype.names and table.ndim == 1:
            names = list(table.dtype.names)
            columns = [table[name] for name in names]
        else:
            table = table[:, None] if table.ndim == 1 else table
            columns = list(table.T) if table.ndim == 2 and len(table) == n else [table]
            names = [f"factor_{j}" for j in range(len(columns))]
    for column in columns:
        if column.shape != (n,):
            raise BadInput(
                f"{where}: factors must have a row for each of the {n} images, got shape {column.shape}"
            )
    if not columns:
        raise BadInput(f"{where}: factors have no column; leave them out")
    return columns, names


def _array(values: Any, where: str) -> NDArray[Any]:
    """An array in which no column has taken the type of another."""
    try:
        return np.asarray(values, dtype=object if isinstance(values, list | tuple) else None)
    except (ValueError, TypeError, RuntimeError):
        kind = type(values).__name__
        raise BadInput(f"{where}: factors must be a table (n, k) of numbers or text, got a {kind}") from None


def _text(cells: NDArray[Any], name: str, where: str) -> NDArray[Any] | None:
    """The cells as text, or None where they are numbers."""
    if cells.dtype.kind == "S":
        try:
            return np.char.decode(cells, "utf-8").astype(object)
        except UnicodeDecodeError:
            raise BadInput(f"{where}: factor '{name}' holds text that is not UTF-8") from None
    if cells.dtype.kind == "O" and any(isinstance(cell, str) for cell in cells):
        missing = [row for row, cell in enumerate(cells) if cell is None or cell != cell]
        if missing:
            raise BadInput(f"{where}: factor '{name}' has no value in row {missing[0]}")
        return cells
    return cells.astype(object) if cells.dtype.kind == "U" else None


def _plain(cells: NDArray[Any], name: str, where: str) -> NDArray[Any]:
    """A column of numbers as an array of numbers; of objects only where whole numbers exceed 64 bits."""
    if cells.dtype.kind == "O":
        whole = all(isinstance(cell, int | np.integer) for cell in cells)
        try:
            return np.array(cells.tolist(), dtype=np.int64 if whole else np.float64)
        except OverflowError:
            if whole:
                return cells
        except (ValueError, TypeError):
            pass
    if cells.dtype.kind not in "biuf":
        raise BadInput(f"{where}: factors must be numbers or text, and '{name}' is {cells.dtype}")
    return cells


def _safe(column: NDArray[Any], name: str, where: str) -> tuple[NDArray[Any], list[str]]:
    """A column as int64 if it is whole, else as float64, no two of its values made one; and a note."""
    if column.dtype.kind == "f":
        if not np.isfinite(column).all():
            raise BadInput(f"{where}: factor '{name}' holds NaN or infinite values")
        if float(np.abs(column).max()) >= EXACT:
            raise BadInput(
                f"{where}: factor '{name}' holds numbers beyond 2^53, which cannot be told apart as floats; "
                "give integers, or leave it out"
            )
        whole = column.astype(np.int64)
        return whole if np.array_equal(whole, column) else column.astype(np.float64), []
    if int(column.min()) > -EXACT and int(column.max()) < EXACT:
        return column.astype(np.int64), []
    distinct, ranks = np.unique(column, return_inverse=True)
    note = f"values of '{name}' beyond 2^53 are numbered in order, 0 to {len(distinct) - 1}"
    return ranks.reshape(-1).astype(np.int64), [note]


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True
