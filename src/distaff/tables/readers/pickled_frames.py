"""Frames of pandas in pickles, as to_pickle writes them: their blocks of columns, put together again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from distaff.errors import BadInput
from distaff.tables.memory import columns_of
from distaff.tables.readers.frames import Column, table_of_frame, words_at
from distaff.tables.readers.pickled_parts import Held, Name, Shut, Type
from distaff.tables.table import Table

FRAMES = ("DataFrame", "Series")
MOST_COLUMNS = 1_000_000
PLAIN = ("StringDtype", "NumpyEADtype", "PandasDtype")  # pandas' own arrays that are a plain one inside


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
    names = ["0" if name is None else str(name) for name in said]
    held = {place: column for block in blocks for place, column in _columns(*block, names)}
    columns = [held.get(place, Column(name, None)) for place, name in enumerate(names)]
    return table_of_frame(what, columns, _index(axes[-1]), named=said != [None])


def _parts(manager: Any, what: str) -> tuple[list[tuple[Any, Any]], list[Any]]:
    """The blocks of a frame, each with the places of its columns, and its axes: of columns and of rows."""
    match manager:
        case Shut(given=(tuple(blocks), list(axes))):
            return [(values, placed) for values, placed, *_ in (block.given for block in blocks)], axes
        case Shut(state=(*_, {"0.14.1": {"axes": list(axes), "blocks": list(blocks)}})):
            return [(block["values"], block["mgr_locs"]) for block in blocks], axes
    raise BadInput(f"{what} holds a frame of a pandas that is not known; save it by to_csv or to_parquet")


def _columns(values: Any, placed: Any, names: Sequence[str]) -> Iterator[tuple[int, Column]]:
    """The columns of a block with their places: an array (columns, rows), or one of pandas' own kinds."""
    if isinstance(placed, Shut):  # a slice
        places: Sequence[int] = range(len(names))[slice(*placed.given)]
    else:
        places = placed.read().tolist() if isinstance(placed, Held) and placed.read else []
    cells = _cells(values)
    if cells is None:
        return
    rows, order = cells if cells.ndim == 2 else [cells], _order(values)
    for place, row in zip(places, rows, strict=True):
        yield place, Column(names[place], row, order)


def _cells(values: Any) -> NDArray[Any] | None:
    """The cells of an array of NumPy or of one of pandas' own: of texts, categories, or with gaps."""
    match values:
        case Held() if values.read is not None:
            return values.read()
        case Shut(state=(Shut(name=Name(name="CategoricalDtype"), state=dict(kind)), Held() as codes, *_)):
            words, places = _index(kind.get("categories")), codes.read() if codes.read else None
            return None if words is None or places is None else words_at(words, places)
        case Shut(state={"_pa_array": Shut() as texts}):
            with suppress(Exception):  # of what is no text
                return _arrow_texts(texts)
        case Shut(state=(kind, Held() as held, *_)) if held.read is not None:
            inside = isinstance(kind, Type) or (isinstance(kind, Shut) and str(kind).endswith(PLAIN))
            return held.read() if inside else None  # not of periods, or times of a zone
        case Shut(state={"_data": Held() as held, "_mask": Held() as mask}) if held.read and mask.read:
            return np.ma.MaskedArray(held.read(), mask.read())
    return None


def _order(values: Any) -> tuple[str, ...] | None:
    """The words of a category in their order, () where it has none; None of what is no category."""
    match values:
        case Shut(state=(Shut(state={"ordered": True, "categories": categories}), *_)):
            words = _index(categories)
            return None if words is None else tuple(map(str, words))
        case Shut(state=(Shut(name=Name(name="CategoricalDtype")), *_)):
            return ()
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


def _index(index: Any) -> Sequence[Any] | None:
    """The labels of an index: of any values, of a range, or of several levels as tuples. None of others."""
    told = index.given[1] if isinstance(index, Shut) and len(index.given) == 2 else None
    match told:
        case {"data": data}:
            cells = _cells(data)
            if cells is not None and cells.dtype.kind in "Mm":  # times as words
                return columns_of("", cells, "an index")[0][1].tolist()
            labels = [] if cells is None else cells.tolist()
            return None if cells is None or any(isinstance(each, dict) for each in labels) else labels
        case {"start": int(start), "stop": int(stop), "step": int(step)} if step:
            return range(start, stop, step)
        case {"levels": levels, "codes": codes}:
            return _of_levels(list(map(_index, levels)), [_cells(part) for part in codes])
    return None


def _of_levels(levels: list[Sequence[Any] | None], codes: Sequence[NDArray[Any] | None]) -> list[Any] | None:
    parts = [
        words.tolist()
        for level, part in zip(levels, codes, strict=True)
        if level is not None and part is not None and (words := words_at(level, part)) is not None
    ]
    return list(zip(*parts, strict=True)) if len(parts) == len(levels) else None
