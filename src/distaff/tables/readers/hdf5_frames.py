"""Frames of pandas in HDF5 files, as to_hdf writes them in either of its formats, "fixed" and "table"."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from distaff.errors import BadInput
from distaff.tables.memory import columns_of
from distaff.tables.readers.frames import Column, pick_frame, table_of_frame, words_at
from distaff.tables.readers.hdf5 import arrays_in, check_inside, child, of_arrays, opened, values
from distaff.tables.readers.pickled_parts import Held
from distaff.tables.readers.pickles import taken_apart
from distaff.tables.table import Table

FIXED = (b"frame", b"series")  # with an array for each type of columns; the others are one table
FRAMES = (*FIXED, b"frame_table", b"series_table")

#: cells as what they stand for, or None where they are not read
Cells: TypeAlias = NDArray[Any] | None


def read_hdf5_frame(path: Path, wanted: Sequence[str] | None = None) -> Table:
    """The table of a frame of pandas in an HDF5 file, rows labelled by its index; else that of its arrays.

    Of several frames that is read which has the columns `wanted`, or is called so.
    """
    with opened(path) as file:
        arrays = dict(arrays_in(file))
        places = {name.rpartition("/")[0] for name in arrays} - {""}
        found = {name: child(file, name) for name in sorted(places)}
        frames = {name: group for name, group in found.items() if group.attrs.get("pandas_type") in FRAMES}
        inner = {name for name in frames for other in frames if name.startswith(f"{other}/meta/")}
        frames = {name: group for name, group in frames.items() if name not in inner}  # not of categories
        if frames and not set(wanted or [""]) <= arrays.keys():
            names = {name: _column_names(group, path) for name, group in frames.items()}
            beside = [name for name in arrays if not name.startswith(tuple(f"{frame}/" for frame in frames))]
            return pick_frame(path, names, lambda name: _frame(frames[name], path), wanted, beside)
        return of_arrays(arrays, path, wanted)


def _frame(group: Any, path: Path) -> Table:
    columns, index = _fixed(group, path) if _is_fixed(group) else _appended(group, path)
    labels = None if index is None else columns_of("", index, str(path))[0][1].tolist()
    return table_of_frame(path.name, columns, labels)


def _is_fixed(group: Any) -> bool:
    return group.attrs["pandas_type"] in FIXED


def _column_names(group: Any, path: Path) -> list[str]:
    """The names of a frame's columns in their order, of a series its own."""
    if group.attrs["pandas_type"] == b"series":
        return [_text(group.attrs.get("name", b"")) or "0"]
    if _is_fixed(group):
        return _names(group, "axis0", path)
    levels = _levels(group)
    return [name for name in map(str, _unpacked(group.attrs["non_index_axes"])[0][1]) if name not in levels]


def _levels(group: Any) -> list[str]:
    """The columns of a table that are levels of its index, where it has several."""
    levels = group.attrs["levels"]  # their names, or their number, which is 1
    return _texts_of(levels) if isinstance(levels, bytes) else []


def _fixed(group: Any, path: Path) -> tuple[list[Column], Cells]:
    """The columns of a frame in their order, of a series its values; and its index."""
    names = _column_names(group, path)
    if group.attrs["pandas_type"] == b"series":
        return [Column(names[0], _cells(group["values"], path))], _axis(group, "index", path)
    if len(set(names)) < len(names):
        raise BadInput(f"{path} holds a frame with columns of the same name: {', '.join(names)}")
    found: dict[str, Cells] = {}
    for block in range(int(group.attrs["nblocks"])):
        inside = _names(group, f"block{block}_items", path)
        held = _cells(group[f"block{block}_values"], path)
        found |= zip(inside, _by_column(held, len(inside)), strict=True)
    return [Column(name, found[name]) for name in names], _axis(group, "axis1", path)


def _appended(group: Any, path: Path) -> tuple[list[Column], Cells]:
    """The columns of a table that can be appended to in their order, and its index."""
    table, attributes = values(group["table"], path), group["table"].attrs
    found: dict[str, Column] = {}
    for field in table.dtype.names or ():
        if field == "index":
            continue
        column = Column("", _of_field(group, field, table[field]))
        if attributes.get(f"{field}_meta") == b"category" and column.cells is not None:
            column = _category(group, field, column.cells, path)
        elif column.cells is not None and column.cells.dtype == object:
            none = _text(group.attrs.get("nan_rep", b"nan"))
            column = Column("", np.where(column.cells == none, None, column.cells))  # type: ignore[call-overload]
        names = _texts_of(attributes[f"{field}_kind"])
        for name, cells in zip(names, _by_column(column.cells, len(names)), strict=True):
            if name in found:
                raise BadInput(f"{path} holds a frame with columns of the same name: {name}")
            found[name] = Column(name, cells, column.order)
    levels = [found[name].cells for name in _levels(group)]
    index = _tuples(levels) if levels else _of_field(group, "index", table["index"])
    return [found[name] for name in _column_names(group, path)], index


def _by_column(cells: Cells, count: int) -> Sequence[Cells]:
    """The cells of each of so many columns that stand in one array."""
    if cells is None:
        return [None] * count
    return list(cells.T) if cells.ndim == 2 else [cells]


def _of_field(group: Any, field: str, cells: NDArray[Any]) -> Cells:
    """The cells of a field of a table as what they stand for; None of periods, and of times of a zone."""
    info = _told(group, field)
    kind = _text(group["table"].attrs.get(f"{field}_{'kind' if field == 'index' else 'dtype'}", b""))
    if info.get("tz") or (kind == "integer" and info.get("freq")):
        return None
    return _typed(cells, kind, _text(group.attrs.get("encoding", b"")) or "UTF-8")


def _told(group: Any, field: str) -> Mapping[str, Any]:
    """What is told of a field of a table beside its type: a zone of times, whether categories are ordered."""
    info = _unpacked(group.attrs["info"])
    return info.get(field, {}) if isinstance(info, dict) else {}


def _category(group: Any, field: str, places: NDArray[Any], path: Path) -> Column:
    """The words of a category, which stand in a table of their own, where its numbers say; None for -1."""
    kept = group[f"meta/{field}/meta"]
    words = _of_field(kept, "values", values(kept["table"], path)["values"].ravel())
    if words is None:
        return Column("", None)
    labels = columns_of("", words, str(path))[0][1].tolist()
    order = tuple(map(str, labels)) if _told(group, field).get("ordered") else ()
    return Column("", _at(labels, places), order)


def _axis(group: Any, name: str, path: Path) -> Cells:
    """The labels of an axis, of several levels as tuples; None of what is not read."""
    if group.attrs.get(f"{name}_variety") != b"multi":
        return _cells(group[name], path)
    parts: list[Cells] = []
    for n in range(int(group.attrs[f"{name}_nlevels"])):
        level = _cells(group[f"{name}_level{n}"], path)
        parts.append(None if level is None else _at(level.tolist(), values(group[f"{name}_label{n}"], path)))
    return _tuples(parts)


def _at(words: Sequence[Any], places: NDArray[Any]) -> NDArray[Any]:
    found = words_at(words, places)
    if found is None:
        raise ValueError("the numbers of a category do not fit its words")
    return found


def _names(group: Any, axis: str, path: Path) -> list[str]:
    """The names of columns as texts."""
    held = _axis(group, axis, path)
    if held is None:
        raise BadInput(f"{path} holds a frame whose columns are called by periods or times of a zone")
    return list(map(str, columns_of("", held, str(path))[0][1].tolist()))


def _tuples(parts: Sequence[Cells]) -> Cells:
    read = [part.tolist() for part in parts if part is not None]
    if len(read) < len(parts):
        return None
    return np.array([str(row) for row in zip(*read, strict=True)], dtype=object)


def _cells(array: Any, path: Path) -> Cells:
    """The cells of an array as what they stand for; None of periods, and of times of a zone.

    Objects, which PyTables pickles in one piece, are taken apart.
    """
    told = array.attrs
    if told.get("PSEUDOATOM") == b"object":
        check_inside(array, path)
        held = taken_apart(io.BytesIO(np.asarray(array[0], np.uint8).tobytes()))
        if not isinstance(held, Held) or held.read is None:
            raise ValueError(f"{array.name} holds objects that are not read")
        return held.read()
    if "tz" in told or told.get("index_class") == b"period":
        return None
    kind = _text(told.get("value_type", told.get("kind", b"")))
    encoding = _text(array.parent.attrs.get("encoding", b"")) or "UTF-8"
    return _typed(values(array, path, encoding), kind, encoding)


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


def _unpacked(pickled: Any) -> Any:
    """What PyTables pickled into an attribute, taken apart."""
    return taken_apart(io.BytesIO(bytes(pickled)))


def _texts_of(pickled: Any) -> list[str]:
    """Names that are pickled in an attribute."""
    names = _unpacked(pickled)
    if not isinstance(names, list) or not all(isinstance(name, str | int | float | tuple) for name in names):
        raise ValueError("it holds a frame whose columns have names that are no texts")
    return list(map(str, names))


def _text(value: Any) -> str:
    """An attribute as text: bytes, or what is pickled in them; empty where that is None."""
    if not isinstance(value, bytes):
        return str(value)
    if value.endswith(b".") and value[:1] in (b"N", b"(", b"I"):
        with suppress(Exception):  # of a name that ends so
            held = _unpacked(value)
            return "" if held is None else str(held)
    return bytes(value).decode("utf-8", errors="backslashreplace")
