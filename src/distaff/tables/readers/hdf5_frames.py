"""Frames of pandas in HDF5 files, as to_hdf writes them in either of its formats, "fixed" and "table"."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from distaff.errors import BadInput
from distaff.tables.keys import counts_rows
from distaff.tables.memory import columns_of
from distaff.tables.readers.hdf5 import arrays_in, check_inside, child, opened, read_hdf5, values
from distaff.tables.readers.pickles import Held, taken_apart
from distaff.tables.table import Table

FIXED = (b"frame", b"series")  # with an array for each type of columns; the others are one table
FRAMES = (*FIXED, b"frame_table", b"series_table")


class _Column(NamedTuple):
    """A column, or an index; `is_read` says whether its cells are what they stand for."""

    name: str
    cells: NDArray[Any]
    is_read: bool = True  # not periods, nor times of a zone
    order: tuple[str, ...] | None = None  # of an ordered category


def read_hdf5_frame(path: Path, wanted: Sequence[str] | None = None) -> Table:
    """The table of a frame of pandas in an HDF5 file, rows labelled by its index; else that of its arrays.

    Of several frames that is read which has the columns `wanted`, or is called so.
    """
    with opened(path) as file:
        arrays = [name for name, _ in arrays_in(file)]
        places = {name.rpartition("/")[0] for name in arrays} - {""}
        found = {name: child(file, name) for name in sorted(places)}
        frames = {name: group for name, group in found.items() if group.attrs.get("pandas_type") in FRAMES}
        inner = {name for name in frames for other in frames if name.startswith(f"{other}/")}  # of categories
        frames = {name: group for name, group in frames.items() if name not in inner}
        if frames and not set(wanted or [""]) <= set(arrays):
            return _of_frames(frames, path, wanted)
    return read_hdf5(path, wanted)


def _of_frames(frames: Mapping[str, Any], path: Path, wanted: Sequence[str] | None) -> Table:
    if wanted is not None and len(wanted) == 1 and wanted[0] in frames:
        return _frame(frames[wanted[0]], path)
    tables = {name: _frame(group, path) for name, group in frames.items()}
    having = [name for name, table in tables.items() if wanted is None or set(wanted) <= set(table.names)]
    if len(tables) == 1:
        having = list(tables)
    if len(having) != 1:
        held = "; ".join(f"{name} ({', '.join(table.names[:8])})" for name, table in tables.items())
        ways = "--code-columns or --factor-columns"
        raise BadInput(f"{path} holds {len(tables)} frames; pick one, or columns of one, with {ways}: {held}")
    table = tables[having[0]].with_aside(wanted)
    note = f"{path.name}: only its frame '{having[0]}' is read, of {len(tables)}"
    return replace(table, notes=(note,)) if len(tables) > 1 else table


def _frame(group: Any, path: Path) -> Table:
    is_fixed = group.attrs["pandas_type"] in FIXED
    columns, index = _fixed(group, path) if is_fixed else _appended(group, path)
    names = [column.name for column in columns]
    if len(set(names)) < len(names):
        raise BadInput(f"{path} holds a frame with columns of the same name: {', '.join(names)}")
    read = [column for column in columns if column.is_read]
    if not read:
        raise BadInput(f"{path} holds a frame of which no column is read; save it by to_csv or to_parquet")
    parts = [(column, columns_of(column.name, column.cells, str(path))) for column in read]
    orders = [column.order for column, part in parts for _ in part]
    labels = columns_of("", index.cells, str(path))[0][1].tolist() if index.is_read else None
    gone = [column.name for column in columns if not column.is_read]
    notes = [f"columns that cannot be read are left out: {', '.join(gone)}"] if gone else []
    notes += [] if index.is_read else ["its index cannot be read; rows go by position"]
    table = Table(
        path.name,
        [name for _, part in parts for name, _ in part],
        [cells for _, part in parts for _, cells in part],
        labels=labels,
        orders={n: order for n, order in enumerate(orders) if order is not None},
        notes=tuple(f"{path.name}: {note}" for note in notes),
    )
    return replace(table, labels=None) if counts_rows(table) else table


def _fixed(group: Any, path: Path) -> tuple[list[_Column], _Column]:
    """The columns of a frame in their order, of a series its values; and its index."""
    if group.attrs["pandas_type"] == b"series":
        name = _text(group.attrs.get("name", b"")) or "0"
        return [_column(group["values"], path, name)], _axis(group, "index", path)
    found: dict[str, _Column] = {}
    for block in range(int(group.attrs["nblocks"])):
        held = _column(group[f"block{block}_values"], path)
        rows = held.cells.T if held.cells.ndim == 2 else [held.cells]
        for name, cells in zip(_names(group, f"block{block}_items", path), rows, strict=True):
            found[name] = held._replace(name=name, cells=cells)
    return [found[name] for name in _names(group, "axis0", path)], _axis(group, "axis1", path)


def _appended(group: Any, path: Path) -> tuple[list[_Column], _Column]:
    """The columns of a table that can be appended to in their order, and its index."""
    encoding = _text(group.attrs.get("encoding", b"")) or "UTF-8"
    table, attributes = values(group["table"], path), group["table"].attrs
    told, none = _taken(group.attrs["info"]), _text(group.attrs.get("nan_rep", b"nan"))
    found: dict[str, _Column] = {}
    index = _Column("", table["index"])
    for field in table.dtype.names or ():
        is_index = field == "index"
        kind = _text(attributes.get(f"{field}_{'kind' if is_index else 'dtype'}", b""))
        cells, of = (
            _typed(table[field], kind, encoding),
            told.get(field, {}) if isinstance(told, dict) else {},
        )
        is_read = not of.get("tz") and not (kind == "integer" and of.get("freq"))  # which periods have
        column = _Column("", cells, is_read)
        if is_index:
            index = column
            continue
        if attributes.get(f"{field}_meta") == b"category":
            column = _category(group[f"meta/{field}/meta/table"], cells, bool(of.get("ordered")), path)
        elif cells.dtype == object:
            column = column._replace(cells=np.where(cells == none, None, cells))  # type: ignore[call-overload]
        rows = column.cells.T if column.cells.ndim == 2 else [column.cells]
        for name, each in zip(_texts_of(attributes[f"{field}_kind"]), rows, strict=True):
            if name in found:
                raise BadInput(f"{path} holds a frame with columns of the same name: {name}")
            found[name] = column._replace(name=name, cells=each)
    levels = group.attrs["levels"]  # their number, which is 1, or names
    if isinstance(levels, bytes):
        index = _Column("", _tuples([found.pop(name).cells for name in _texts_of(levels)]))
    order = [str(name) for name in _taken(group.attrs["non_index_axes"])[0][1]]
    return sorted(found.values(), key=lambda column: order.index(column.name)), index


def _category(kept: Any, codes: NDArray[Any], ordered: bool, path: Path) -> _Column:
    """The words of a category, which stand in a table of their own, where its numbers say; None for -1."""
    kind = _text(kept.attrs.get("values_dtype", b""))
    words = _typed(values(kept, path)["values"], kind).ravel()
    if words.dtype.kind in "Mm":
        words = columns_of("", words, str(path))[0][1]
    if codes.size and not -1 <= codes.min() <= codes.max() < len(words):
        raise ValueError("the numbers of a category do not fit its words")
    cells = np.array([*words.tolist(), None], dtype=object)[codes.astype(np.int64).ravel()]
    return _Column("", cells, order=tuple(map(str, words)) if ordered else None)


def _axis(group: Any, name: str, path: Path) -> _Column:
    """The labels of an axis; of several levels as tuples."""
    if group.attrs.get(f"{name}_variety") != b"multi":
        return _column(group[name], path)
    levels = range(int(group.attrs[f"{name}_nlevels"]))
    places = [values(group[f"{name}_label{n}"], path) for n in levels]
    held = [_column(group[f"{name}_level{n}"], path) for n in levels]
    for part, level in zip(places, held, strict=True):
        if part.size and not -1 <= part.min() <= part.max() < len(level.cells):
            raise ValueError("the numbers of an index do not fit its levels")
    parts = [np.array([*level.cells.tolist(), None], dtype=object) for level in held]
    rows = _tuples([part[place] for part, place in zip(parts, places, strict=True)])
    return _Column("", rows, all(level.is_read for level in held))


def _names(group: Any, axis: str, path: Path) -> list[str]:
    """The names of columns as texts, which must tell them apart."""
    held = _axis(group, axis, path)
    names = list(map(str, columns_of("", held.cells, str(path))[0][1].tolist()))
    if len(set(names)) < len(names) or not held.is_read:
        raise BadInput(f"{path} holds a frame with columns of the same name: {', '.join(names)}")
    return names


def _tuples(parts: Sequence[NDArray[Any]]) -> NDArray[Any]:
    return np.array([str(row) for row in zip(*(part.tolist() for part in parts), strict=True)], dtype=object)


def _column(array: Any, path: Path, name: str = "") -> _Column:
    """The cells of an array; objects, which PyTables pickles in one piece, taken apart."""
    told = array.attrs
    if told.get("PSEUDOATOM") == b"object":
        check_inside(array, path)
        held = taken_apart(io.BytesIO(np.asarray(array[0], np.uint8).tobytes()))
        if not isinstance(held, Held) or held.read is None:
            raise ValueError(f"{array.name} holds objects that are not read")
        return _Column(name, held.read())
    kind = _text(told.get("value_type", told.get("kind", b"")))
    encoding = _text(array.parent.attrs.get("encoding", b"")) or "UTF-8"
    is_read = "tz" not in told and told.get("index_class") != b"period"
    return _Column(name, _typed(values(array, path, encoding), kind, encoding), is_read)


def _typed(cells: NDArray[Any], kind: str, encoding: str = "UTF-8") -> NDArray[Any]:
    """Cells as what they stand for: dates and times of numbers, texts of bytes."""
    if kind.startswith(("datetime64", "timedelta64")):
        return cells.astype(np.int64).view(kind if "[" in kind else f"{kind}[ns]")
    if kind == "date":
        return np.array([str(date.fromordinal(int(cell))) for cell in cells], dtype=object)
    if cells.dtype.kind == "S":
        texts = [cell.decode(encoding, errors="backslashreplace") for cell in cells.ravel().tolist()]
        return np.array(texts, dtype=object).reshape(cells.shape)
    return cells


def _taken(pickled: Any) -> Any:
    """What PyTables pickled into an attribute, taken apart."""
    return taken_apart(io.BytesIO(bytes(pickled)))


def _texts_of(pickled: Any) -> list[str]:
    """Names that are pickled in an attribute."""
    names = _taken(pickled)
    if not isinstance(names, list) or not all(isinstance(name, str | int | float | tuple) for name in names):
        raise ValueError("it holds a frame whose columns have names that are no texts")
    return list(map(str, names))


def _text(value: Any) -> str:
    """An attribute as text: bytes, or what is pickled in them; empty where that is None."""
    if not isinstance(value, bytes):
        return str(value)
    if value.endswith(b".") and value[:1] in (b"N", b"(", b"I"):
        held = _taken(value)
        return "" if held is None else str(held)
    return bytes(value).decode("utf-8", errors="backslashreplace")
