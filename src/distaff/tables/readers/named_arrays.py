"""A table from a file of named arrays, as .npz: which of them is meant, and how they stand side by side."""

import math
import zipfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from distaff.errors import NAMED, BadInput, unknown
from distaff.files import array_headers, check_file, check_unpacked, read_arrays, read_header
from distaff.tables.memory import listed, of_array, of_fields
from distaff.tables.readers.pickled_parts import Held
from distaff.tables.readers.pickles import taken_apart
from distaff.tables.sparse import of_saved
from distaff.tables.table import Table, aside_first

MOST_PICKLED = 2**28  # bytes of an array of objects
FEWEST_ROWS, FEWEST_BATCHES = 10, 4  # arrays that are told from columns, and from a few tables
Arrays = dict[str, NDArray[Any]]
Load = Callable[[list[str]], Arrays]  # arrays by their names


def read_numpy(path: Path, wanted: Sequence[str] | None = None) -> Table:
    """The table in a .npy file, or in an array of an .npz, or in several put side by side.

    Columns of a single array are picked by number, and those of several arrays by the arrays' names. What
    scipy.sparse.save_npz wrote stays sparse.
    """
    check_file(path)
    objects = _objects(path)
    headers = {} if objects.keys() == {"array"} else array_headers(path)
    headers |= {name: (held.shape, np.dtype(object)) for name, held in objects.items()}
    names = headers.keys()
    if names >= {"format", "shape", "data"} and (names >= {"indices", "indptr"} or names >= {"row", "col"}):
        return of_saved(path, read_arrays(path)).pick(wanted)
    usable = [name for name, header in headers.items() if header is not None and is_table(*header)]
    shapes = {name: header[0] if header else () for name, header in headers.items()}

    def load(asked: list[str]) -> Arrays:
        plain = [name for name in asked if name not in objects]
        return {
            **(read_arrays(path, plain) if plain else {}),
            **{name: held.read() for name in asked if (held := objects.get(name)) and held.read},
        }

    nameless = [*names] == [f"arr_{n}" for n in range(len(names))]  # of np.savez
    return choose(path, shapes, usable, load, wanted, [] if nameless else [*names])


def _objects(path: Path) -> dict[str, Held]:
    """The arrays of words and numbers that a .npy or .npz file holds as objects, which NumPy pickles."""
    found: dict[str, Held] = {}
    with path.open("rb") as file:
        if not zipfile.is_zipfile(file):
            file.seek(0)
            return _array_of_objects("array", file)
        with suppress(Exception), zipfile.ZipFile(file) as archive:  # what is damaged, others tell
            check_unpacked(archive.infolist(), path)
            for member in archive.infolist():
                if member.file_size <= MOST_PICKLED:
                    found |= _array_of_objects(member.filename.removesuffix(".npy"), archive.open(member))
    return found


def _array_of_objects(name: str, stream: IO[bytes]) -> dict[str, Held]:
    """An array of objects by its name, if it is one, and all its cells can be read."""
    with suppress(Exception):
        if read_header(stream, objects=True)[2].kind == "O":
            held = taken_apart(stream)
            cells = held.read() if isinstance(held, Held) and held.read else np.array({})
            return {} if any(isinstance(cell, dict) for cell in cells.flat) else {name: held}
    return {}


def choose(
    path: Path,
    shapes: Mapping[str, tuple[int, ...]],
    usable: Sequence[str],
    load: Load,
    wanted: Sequence[str] | None,
    labels: list[str] | None = None,
) -> Table:
    """The table in a file that holds arrays of these names and `shapes`, of which the `usable` are tables.

    `wanted` names arrays, or columns by number where there is a single table. Only what is used is loaded,
    and what may name its rows: other arrays (n,) of as many. Arrays may be pieces of one table where there
    are `labels`, which name them in one dict; a list gives them none.
    """
    names = list(shapes)
    if not names:
        raise BadInput(f"{path} holds no arrays")
    if labels is not None and not (labels and wanted and set(wanted) <= set(names)):
        width = width_of_pieces(list(shapes.values()), labels)
        if width and (wanted is None or set(wanted) <= {str(column) for column in range(width)}):
            loaded = load(names)
            parts = [loaded[name] for name in names]
            if all(part.dtype.kind in "biuf" for part in parts):
                return _joined(path, parts, labels).pick(wanted)
    if wanted is not None and set(wanted) <= set(names):
        table = _side_by_side(path, load(list(dict.fromkeys(wanted))))
        beside = [name for name in usable if shapes[name] == (len(table),) and name not in wanted]
        aside = {}
        for name in aside_first(beside):
            with suppress(BadInput):  # of what was not picked nothing is checked
                aside[name] = _of(load([name])[name], name).cells[0]
        return replace(table, aside=aside)
    if len(usable) == 1 or len(names) == 1:
        name = usable[0] if usable else names[0]
        table = _of(load([name])[name], path.name)
        if len(names) == 1:
            return table.pick(wanted)
        if wanted is None or set(wanted) <= set(table.names):
            return replace(table.pick(wanted), notes=(f"{path.name}: only the array '{name}' is read",))
    elif wanted is None:
        ways = "--code-columns or --factor-columns"
        shown = ", ".join(names[:NAMED]) + (" ..." if len(names) > NAMED else "")
        advice = "" if labels is None else "; rows in several are put together by np.concatenate or np.stack"
        raise BadInput(f"{path} holds {len(names)} arrays; pick some with {ways}: {shown}{advice}")
    raise unknown(f"array of {path.name}", next(name for name in wanted if name not in names), names)


def of_labels(path: Path, content: Any) -> Table | None:
    """The table of an object with a word or a number for each name, as of labels; None for another."""
    if not isinstance(content, dict) or len(content) < FEWEST_ROWS:
        return None
    cells, names = list(content.values()), [str(name) for name in content]
    if not (
        all(isinstance(cell, str) for cell in cells) or all(isinstance(cell, int | float) for cell in cells)
    ):
        return None
    note = f"{path.name}: its {len(cells)} values are taken for rows, called {', '.join(names[:3])} and so on"
    return Table(path.name, ["label"], [listed(cells)], labels=names, notes=(note,))


def width_of_pieces(sizes: Sequence[tuple[int, ...]], labels: list[str]) -> int:
    """The columns of the table that arrays of these shapes are pieces of, 0 where they are none.

    That is a row each, or, without labels, the batches of a list. Rows are many, and more than the numbers
    in each, as columns would not be; and the last of batches is shorter, as several arrays of the same rows
    are not.
    """
    first, *others = sizes
    if len(first) == 1 and len(sizes) >= max(FEWEST_ROWS, first[0] + 1) and {*others} == {first}:
        return first[0]
    if labels or len(first) > 2 or len(sizes) < FEWEST_BATCHES:
        return 0
    *others, last = others
    width = first[1] if len(first) == 2 else 1  # as of labels
    return width if {*others} == {first} and last[1:] == first[1:] and last[0] < first[0] else 0


def _joined(path: Path, parts: Sequence[NDArray[Any]], labels: list[str]) -> Table:
    """The arrays of a file below each other, as rows or batches of one table."""
    batches = parts[0].ndim == 2 or len(parts[0]) > len(parts[-1])
    whole = np.concatenate(parts if batches else [np.atleast_2d(part) for part in parts])
    table, taken = of_array(whole, path.name), f"{path.name}: its {len(parts)} arrays"
    if batches:
        return replace(table, notes=(f"{taken} are taken for batches, their rows put below each other",))
    note = f"{taken} of {whole.shape[1]} numbers are taken for rows"
    if not labels:
        return replace(table, notes=(note,))
    note += f", called {', '.join(labels[:3])} and so on"
    return replace(table, named=True, labels=labels, notes=(note,))


def is_table(shape: tuple[int, ...], dtype: np.dtype[Any]) -> bool:
    """Whether an array can be a table of its own."""
    holds_cells = dtype.names is not None or dtype.kind in "biufUSO"
    return holds_cells and len(shape) in (1, 2) and math.prod(shape) > 1


def _side_by_side(path: Path, arrays: Arrays) -> Table:
    """Arrays as one table, its columns named by the arrays."""
    tables = {name: _of(array, f"{path.name}, array '{name}'") for name, array in arrays.items()}
    if len({len(table) for table in tables.values()}) > 1:
        lengths = ", ".join(f"{name} {len(table)}" for name, table in tables.items())
        raise BadInput(f"{path}: arrays of different lengths cannot be put side by side: {lengths}")
    names = [label for name, table in tables.items() for label in _names(name, table)]
    only = next(iter(tables.values())) if len(tables) == 1 else None
    if only is not None:
        return replace(only, what=path.name, names=names, named=True)
    return Table(path.name, names, [column for table in tables.values() for column in table.cells])


def _of(array: NDArray[Any], what: str) -> Table:
    return of_fields(array, what) if array.dtype.names and array.ndim == 1 else of_array(array, what)


def _names(array: str, table: Table) -> list[str]:
    return [array] if len(table.names) == 1 else [f"{array}.{name}" for name in table.names]
