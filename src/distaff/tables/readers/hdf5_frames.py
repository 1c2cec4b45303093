"""Frames of pandas in HDF5 files, as to_hdf writes them in either of its formats, "fixed" and "table"."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

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

Columns = Iterator[tuple[str, NDArray[Any]]]


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
    columns = dict(_fixed(group, path) if is_fixed else _appended(group, path))
    index = columns_of("", columns.pop(""), str(path))[0][1]
    parts = [part for name, cells in columns.items() for part in columns_of(name, cells, str(path))]
    table = Table(
        path.name, [name for name, _ in parts], [cells for _, cells in parts], labels=index.tolist()
    )
    return replace(table, labels=None) if counts_rows(table) else table


def _fixed(group: Any, path: Path) -> Columns:
    """The columns of a frame in their order, and under "" its index; of a series its values."""
    if group.attrs["pandas_type"] == b"series":
        yield "", _axis(group, "index", path)
        yield _text(group.attrs.get("name", b"")) or "0", _cells(group["values"], path)
        return
    yield "", _axis(group, "axis1", path)
    found: dict[str, NDArray[Any]] = {}
    for block in range(int(group.attrs["nblocks"])):
        names = map(str, _axis(group, f"block{block}_items", path))
        found |= dict(zip(names, _cells(group[f"block{block}_values"], path).T, strict=True))
    for name in map(str, _axis(group, "axis0", path)):
        yield name, found[name]


def _appended(group: Any, path: Path) -> Columns:
    """The columns of a table that can be appended to in their order, and under "" its index."""
    table, attributes = values(group["table"], path), group["table"].attrs
    found: dict[str, NDArray[Any]] = {}
    for field in table.dtype.names or ():
        is_index = field == "index"
        cells = _typed(table[field], _text(attributes.get(f"{field}_{'kind' if is_index else 'dtype'}", b"")))
        if attributes.get(f"{field}_meta") == b"category":
            cells = _category(group[f"meta/{field}/meta/table"], cells, path)
        names = [""] if is_index else _listed(attributes[f"{field}_kind"])
        found |= dict(zip(map(str, names), cells.T if cells.ndim == 2 else [cells], strict=True))
    levels = group.attrs["levels"]  # their number, which is 1, or names
    if isinstance(levels, bytes):
        found[""] = _tuples([found.pop(str(name)) for name in _listed(levels)])
    order = [str(name) for name in _listed(group.attrs["non_index_axes"])[0][1]]
    yield "", found.pop("")
    yield from sorted(found.items(), key=lambda item: order.index(item[0]))


def _category(kept: Any, codes: NDArray[Any], path: Path) -> NDArray[Any]:
    """The words of a category, which stand in a table of their own, where its numbers say; None for -1."""
    words = _typed(values(kept, path)["values"], "").ravel().tolist()
    if codes.size and not -1 <= codes.min() <= codes.max() < len(words):
        raise ValueError(f"the numbers of a category do not fit its words {words[:8]}")
    return np.array([*words, None], dtype=object)[codes.astype(np.int64)]


def _axis(group: Any, name: str, path: Path) -> NDArray[Any]:
    """The labels of an axis; of several levels as tuples."""
    if group.attrs.get(f"{name}_variety") != b"multi":
        return _cells(group[name], path)
    levels = range(int(group.attrs[f"{name}_nlevels"]))
    places = [values(group[f"{name}_label{n}"], path) for n in levels]
    return _tuples([_cells(group[f"{name}_level{n}"], path)[places[n]] for n in levels])


def _tuples(parts: Sequence[NDArray[Any]]) -> NDArray[Any]:
    return np.array([str(row) for row in zip(*(part.tolist() for part in parts), strict=True)], dtype=object)


def _cells(array: Any, path: Path) -> NDArray[Any]:
    """The cells of an array; objects, which PyTables pickles in one piece, taken apart."""
    if array.attrs.get("PSEUDOATOM") == b"object":
        check_inside(array, path)
        held = taken_apart(io.BytesIO(np.asarray(array[0], np.uint8).tobytes()))
        if not isinstance(held, Held) or held.read is None:
            raise ValueError(f"{array.name} holds objects that are not read")
        return held.read()
    return _typed(values(array, path), _text(array.attrs.get("value_type", array.attrs.get("kind", b""))))


def _typed(cells: NDArray[Any], kind: str) -> NDArray[Any]:
    """Cells as what they stand for: dates of numbers, texts of bytes."""
    if kind.startswith("datetime64"):
        return cells.astype(np.int64).view(kind if "[" in kind else "datetime64[ns]")
    if cells.dtype.kind == "S":
        texts = [cell.decode("utf-8", errors="backslashreplace") for cell in cells.ravel().tolist()]
        return np.array(texts, dtype=object).reshape(cells.shape)
    return cells


def _listed(pickled: Any) -> Any:
    """What PyTables pickled into an attribute, taken apart."""
    return taken_apart(io.BytesIO(bytes(pickled)))


def _text(value: Any) -> str:
    """Bytes of an attribute as text, empty where None is pickled there."""
    return "" if value == b"N." else bytes(value).decode("utf-8", errors="backslashreplace")
