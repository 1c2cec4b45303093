"""Tables in what torch.save and pickle write: arrays and tensors, alone or in lists and dicts."""

from __future__ import annotations

import io
import math
import zipfile
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any

from numpy.typing import NDArray

from distaff.errors import BadInput
from distaff.files import check_unpacked, reading
from distaff.tables.memory import listed
from distaff.tables.readers.named_arrays import choose
from distaff.tables.readers.pickled_frames import is_frame, of_frame
from distaff.tables.readers.pickles import Held, Shut, numbers, taken_apart
from distaff.tables.table import Table

MOST_OBJECTS, MOST_LETTERS = 10_000, 1_000  # in a file, and in a name: lists may hold themselves
MOST_CELLS = 10**8  # of a list of lists, which may be one row many times
PARTS = (Held, Shut, list, tuple, dict)
Scalar = str | int | float | bool | None


def read_pickle(path: Path, wanted: Sequence[str] | None = None) -> Table:
    """The table in an array or tensor of a .pt or .pkl file, or in several side by side.

    What stands in dicts and lists is named by its keys and places, outer/inner. Nothing that the file says is
    run: of what is no array, list, dict, number or text only the name is seen.
    """
    with _content(path) as content:
        if is_frame(content):
            return of_frame(content, path.name).with_aside(wanted)
        shut: list[str] = []
        arrays = dict(_arrays(content, "", shut))
        if not arrays:
            names = ", ".join(dict.fromkeys(shut)) or type(content).__name__
            raise BadInput(
                f"{path} holds no arrays or tensors, only {names}, which is not opened; save arrays by "
                "np.save, frames by to_csv or to_parquet"
            )
        shapes = {name: held.shape for name, held in arrays.items()}
        usable = [name for name, shape in shapes.items() if len(shape) in (1, 2) and math.prod(shape) > 1]

        def load(asked: list[str]) -> dict[str, NDArray[Any]]:
            return {name: held.read() for name in asked if (held := arrays[name]).read}

        return choose(path, shapes, usable, load, wanted)


@contextmanager
def _content(path: Path) -> Iterator[Any]:
    """What a file holds, taken apart; its arrays can be read until the end of the block."""
    with reading(path, "a pickle"), path.open("rb") as file:
        if not zipfile.is_zipfile(file):
            file.seek(0)
            yield taken_apart(file)
            return
        with zipfile.ZipFile(file) as archive:
            check_unpacked(archive.infolist(), path)
            names = archive.namelist()
            pickle = next((name for name in names if PurePosixPath(name).name == "data.pkl"), None)
            if pickle is None:
                raise BadInput(f"{path} is a .zip without what torch.save writes; unpack it")
            folder = PurePosixPath(pickle).parent
            if f"{folder}/byteorder" in names and archive.read(f"{folder}/byteorder") == b"big":
                raise BadInput(f"{path} was written on a big-endian machine, which is not read")

            def storage(key: str, kind: str, count: int) -> NDArray[Any]:
                return numbers(archive.read(f"{folder}/data/{key}"), kind, count)

            yield taken_apart(io.BytesIO(archive.read(pickle)), storage)


def _arrays(content: Any, name: str, shut: list[str]) -> Iterator[tuple[str, Held]]:
    """Every array in lists and dicts, however deep, by its name; what is shut is told by its own."""
    waiting, count = deque([(name, content)]), 0
    while waiting:
        name, part = waiting.popleft()
        count += 1
        if count > MOST_OBJECTS or len(name) > MOST_LETTERS:
            raise ValueError(f"it holds over {MOST_OBJECTS:,} arrays and lists")
        match part:
            case Held() if part.read is not None:
                yield name or "array", part
            case Shut():
                shut.append(str(part))
            case list() | tuple() if (held := _of_list(part)) is not None:
                yield name or "array", held
            case list() | tuple():
                waiting += _named(name, enumerate(part))
            case dict():
                waiting += _named(name, part.items())


def _named(name: str, parts: Iterable[tuple[Any, Any]]) -> list[tuple[str, Any]]:
    return [(f"{name}/{key}" if name else f"{key}", each) for key, each in parts if isinstance(each, PARTS)]


def _of_list(cells: Sequence[Any]) -> Held | None:
    """Numbers and words, or rows of them, as an array; None of what holds anything else."""
    widths = {len(row) if isinstance(row, list | tuple) else 0 for row in cells}
    if len(widths) != 1 or not cells:
        return None
    width = widths.pop()
    if len(cells) * width > MOST_CELLS:
        raise ValueError(f"it holds a list of {len(cells)} lists of {width}; save it by np.save")
    flat = [cell for row in cells for cell in row] if width else cells
    if not all(isinstance(cell, Scalar) for cell in flat):
        return None
    made = listed(flat)
    shape = (len(cells), width) if width else (len(cells),)
    return Held(shape, lambda: made.reshape(shape))
