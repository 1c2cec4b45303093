"""Frames of pandas in pickles, as to_pickle writes them: their blocks of columns, put together again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from distaff.errors import BadInput
from distaff.tables.keys import counts_rows
from distaff.tables.memory import columns_of
from distaff.tables.readers.pickles import Held, Name, Shut, Type
from distaff.tables.table import Table

FRAMES = ("DataFrame", "Series")
MOST_COLUMNS = 1_000_000
PLAIN = ("StringDtype", "NumpyEADtype", "PandasDtype")  # pandas' own arrays that are a plain one inside


class _Column(NamedTuple):
    cells: NDArray[Any]
    order: tuple[str, ...] | None = None  # of an ordered category


def is_frame(found: Any) -> bool:
    """Whether a pickle holds a frame or a series of pandas."""
    match found:
        case Shut(name=Name(module, name), state=dict()):
            return module.startswith("pandas") and name in FRAMES
    return False


def of_frame(frame: Shut, what: str) -> Table:
    """The table of a frame or series from pandas 1.3 on, rows labelled by its index, unless that counts them.

    Columns that cannot be read, as periods, are left out, and noted. BadInput where nothing is left.
    """
    blocks, axes = _parts(frame.state.get("_mgr", frame.state.get("_data")), what)
    is_series = str(frame.name).endswith("Series")
    said = _index(axes[0]) if not is_series else [frame.state.get("_name", frame.state.get("name"))]
    if said is None or len(said) > MOST_COLUMNS:
        raise BadInput(f"{what} holds a frame whose columns are not read; save it by to_csv or to_parquet")
    found = {place: column for block in blocks for place, column in _columns(*block, len(said))}
    gone = [str(name) for place, name in enumerate(said) if place not in found]
    if not found:
        raise BadInput(f"{what} holds a frame of which no column is read; save it by to_csv or to_parquet")
    places = sorted(found)
    names = ["0" if said[place] is None else str(said[place]) for place in places]
    parts = [columns_of(name, found[place].cells, what) for name, place in zip(names, places, strict=True)]
    orders = [found[place].order for place, part in zip(places, parts, strict=True) for _ in part]
    index = _index(axes[-1])
    notes = [f"columns that cannot be read are left out: {', '.join(gone)}"] if gone else []
    notes += ["its index cannot be read; rows go by position"] if index is None else []
    if index is not None and len(index) != len(found[places[0]].cells):
        raise BadInput(f"{what} holds a frame whose index has other rows than its columns")
    table = Table(
        what,
        [name for part in parts for name, _ in part],
        [cells for part in parts for _, cells in part],
        named=said != [None],
        labels=None if index is None else list(index),
        orders={n: order for n, order in enumerate(orders) if order is not None},
        notes=tuple(f"{what}: {note}" for note in notes),
    )
    return replace(table, labels=None) if counts_rows(table) else table


def _parts(manager: Any, what: str) -> tuple[list[tuple[Any, Any]], list[Any]]:
    """The blocks of a frame, each with the places of its columns, and its axes: of columns and of rows."""
    match manager:
        case Shut(given=(tuple(blocks), list(axes))):
            return [(values, placed) for values, placed, *_ in (block.given for block in blocks)], axes
        case Shut(state=(*_, {"0.14.1": {"axes": list(axes), "blocks": list(blocks)}})):
            return [(block["values"], block["mgr_locs"]) for block in blocks], axes
    raise BadInput(f"{what} holds a frame of a pandas that is not known; save it by to_csv or to_parquet")


def _columns(values: Any, placed: Any, count: int) -> Iterator[tuple[int, _Column]]:
    """The columns of a block with their places: an array (columns, rows), or one of pandas' own kinds."""
    if isinstance(placed, Shut):  # a slice
        places: Sequence[int] = range(count)[slice(*placed.given)]
    else:
        places = placed.read().tolist() if isinstance(placed, Held) and placed.read else []
    column = _cells(values)
    if column is None:
        return
    rows = column.cells if column.cells.ndim == 2 else [column.cells]
    for place, cells in zip(places, rows, strict=True):
        yield place, _Column(cells, column.order)


def _cells(values: Any) -> _Column | None:
    """The cells of an array of NumPy or of one of pandas' own: of texts, categories, or with gaps."""
    match values:
        case Held() if values.read is not None:
            return _Column(values.read())
        case Shut(state=(Shut(name=Name(name="CategoricalDtype"), state=dict(kind)), Held() as codes, *_)):
            words, numbers = _index(kind.get("categories")), codes.read() if codes.read else None
            if words is None or numbers is None or not _are_places(numbers, len(words)):
                return None
            cells = np.empty(len(words) + 1, dtype=object)
            cells[:] = [*words, None]
            order = tuple(map(str, words)) if kind.get("ordered") else None
            return _Column(cells[numbers.astype(np.int64)], order)
        case Shut(state={"_pa_array": Shut() as texts}):
            with suppress(Exception):  # of what is no text
                return _Column(_arrow_texts(texts))
        case Shut(state=(kind, Held() as held, *_)) if held.read is not None:
            inside = isinstance(kind, Type) or (isinstance(kind, Shut) and str(kind).endswith(PLAIN))
            return _Column(held.read()) if inside else None  # not of periods, or times of a zone
        case Shut(state={"_data": Held() as held, "_mask": Held() as mask}) if held.read and mask.read:
            return _Column(np.ma.MaskedArray(held.read(), mask.read()))
    return None


def _arrow_texts(array: Shut) -> NDArray[Any]:
    """The texts of an array of Arrow: where each ends among all letters, and bits of which are there."""
    match array.given:
        case (list(parts), *_):  # in several pieces
            return np.concatenate([_arrow_texts(part) for part in parts])
        case ((Shut(given=(str(kind),)), int(count), _, int(start), [there, ends, letters], *_),):
            if kind not in ("string", "large_string"):
                raise ValueError("it is no array of texts")
            raw = b"" if letters is None else bytes(letters.given[0])
            places = np.frombuffer(ends.given[0], "<i8" if kind == "large_string" else "<i4")[start:]
            places = places[: count + 1]
            if len(places) != count + 1 or places[0] < 0 or (np.diff(places) < 0).any():
                raise ValueError("its texts do not follow each other")
            bits = b"" if there is None else bytes(there.given[0])
            held = np.unpackbits(np.frombuffer(bits, np.uint8), bitorder="little")[start:].astype(bool)
            made = np.array([raw[a:b].decode() for a, b in pairwise(places)], dtype=object)
            made[: len(held)][~held[:count]] = None
            return made
    raise ValueError("it holds an array of Arrow that is not read; save it by to_csv or to_parquet")


def _are_places(numbers: NDArray[Any], count: int) -> bool:
    """Whether numbers are places among so many words, or -1, which has none."""
    whole = numbers.dtype.kind in "iu"
    return whole and (not numbers.size or -1 <= int(numbers.min()) <= int(numbers.max()) < count)


def _index(index: Any) -> Sequence[Any] | None:
    """The labels of an index: of any values, of a range, or of several levels as tuples. None of others."""
    told = index.given[1] if isinstance(index, Shut) and len(index.given) == 2 else None
    match told:
        case {"data": data}:
            column = _cells(data)
            if column is not None and column.cells.dtype.kind in "Mm":  # times as words
                return columns_of("", column.cells, "an index")[0][1].tolist()
            labels = [] if column is None else column.cells.tolist()
            return None if column is None or any(isinstance(each, dict) for each in labels) else labels
        case {"start": int(start), "stop": int(stop), "step": int(step)} if step:
            return range(start, stop, step)
        case {"levels": levels, "codes": codes}:
            return _of_levels(list(map(_index, levels)), [_cells(part) for part in codes])
    return None


def _of_levels(levels: list[Sequence[Any] | None], codes: Sequence[_Column | None]) -> list[Any] | None:
    parts = [
        [level[place] if place >= 0 else None for place in part.cells.tolist()]
        for level, part in zip(levels, codes, strict=True)
        if level is not None and part is not None and _are_places(part.cells, len(level))
    ]
    return list(zip(*parts, strict=True)) if len(parts) == len(levels) else None
