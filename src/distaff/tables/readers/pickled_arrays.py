"""Tables in what torch.save, pickle and joblib write: arrays and tensors, alone or in lists and dicts."""

from __future__ import annotations

import io
import math
import re
import zipfile
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path, PurePosixPath
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from distaff.errors import BadInput
from distaff.files import check_unpacked, reading
from distaff.tables.memory import listed
from distaff.tables.readers.decoding import is_packed, unpacked
from distaff.tables.readers.frames import pick_frame
from distaff.tables.readers.named_arrays import choose, of_labels
from distaff.tables.readers.pickled_frames import is_frame, of_frame
from distaff.tables.readers.pickled_parts import Held, Name, Scalar, Shut, numbers
from distaff.tables.readers.pickles import taken_apart
from distaff.tables.table import Table

MOST_OBJECTS, MOST_LETTERS = 200_000, 1_000  # in a file, and in a name: lists may hold themselves
MOST_PICKLES = 100_000  # in a file
PADDING = b"\0\n\r "  # between them and at the end
MOST_CELLS = 10**8  # of a list of lists, which may be one row many times
#: what may be the table that is looked for
LIKE = re.compile(r"(?i)array|tensor|reconstruct|frame|series|matrix")
PARTS = (Held, Shut, Name, list, tuple, dict)


def read_pickle(path: Path, wanted: Sequence[str] | None = None) -> Table:
    """The table in an array or tensor of a .pt, .pkl or .joblib file, or in several side by side.

    What stands in dicts and lists is named by its keys and places, outer/inner. Nothing that the file says is
    run: of what is no array, list, dict, number or text only the name is seen.
    """
    with _content(path) as content:
        if is_frame(content):
            return of_frame(content, path.name).with_aside(wanted)
        if (table := of_labels(path, content)) is not None:
            return table.pick(wanted)
        found = _found(content)
        arrays = found.arrays
        if found.frames and not (wanted and set(wanted) <= arrays.keys()):
            frame = cache(lambda name: of_frame(found.frames[name], path.name))
            columns = {name: _columns_of(frame, name) for name in found.frames}
            return pick_frame(path, columns, frame, wanted, list(arrays))
        if not arrays:
            names = ", ".join(dict.fromkeys(found.shut.values())) or type(content).__name__
            raise BadInput(
                f"{path} holds no arrays or tensors, only {names}, which is not opened; save arrays by "
                "np.save, sparse ones by scipy.sparse.save_npz, frames by to_csv or to_parquet"
            )
        shapes = {name: held.shape for name, held in arrays.items()}
        usable = [name for name, shape in shapes.items() if len(shape) in (1, 2) and math.prod(shape) > 1]

        lost = ", ".join(f"{name} ({each})" for name, each in found.shut.items() if LIKE.search(each))
        if wanted is None and lost:
            ways = "--code-columns or --factor-columns"
            raise BadInput(f"{path} holds {', '.join(arrays)}; not opened are {lost}; pick some with {ways}")

        def load(asked: list[str]) -> dict[str, NDArray[Any]]:
            return {name: held.read() for name in asked if (held := arrays[name]).read}

        return choose(path, shapes, usable, load, wanted, found.row_labels)


def _columns_of(frame: Callable[[str], Table], name: str) -> list[str]:
    """The names of a frame's columns, none where it cannot be read, which is said if it is picked."""
    with suppress(BadInput):
        return frame(name).names
    return []


@contextmanager
def _content(path: Path) -> Iterator[Any]:
    """What a file holds, taken apart; its arrays can be read until the end of the block."""
    with reading(path, "a pickle"), path.open("rb") as file:
        pickle = None
        if zipfile.is_zipfile(file):
            with zipfile.ZipFile(file) as archive:
                names = archive.namelist()
            pickle = next((name for name in names if PurePosixPath(name).name == "data.pkl"), None)
            if pickle is None and path.suffix.lower() != ".zip":
                raise BadInput(f"{path} is a .zip without what torch.save writes; call it .zip or unpack it")
        if pickle is None:
            file.seek(0)
            yield _all_pickles(io.BytesIO(unpacked(path)) if is_packed(path) else file)
            return
        with zipfile.ZipFile(file) as archive:
            check_unpacked(archive.infolist(), path)
            folder = PurePosixPath(pickle).parent
            if f"{folder}/byteorder" in names and archive.read(f"{folder}/byteorder") == b"big":
                raise BadInput(f"{path} was written on a big-endian machine, which is not read")

            def storage(key: str, kind: str, count: int) -> NDArray[Any]:
                return numbers(archive.read(f"{folder}/data/{key}"), kind, count)

            yield taken_apart(io.BytesIO(archive.read(pickle)), storage)


def _all_pickles(stream: IO[bytes]) -> Any:
    """What the pickles of a stream hold; of several, as of one for each batch, a list."""
    found = [taken_apart(stream)]
    while behind := stream.read(1):
        if behind in PADDING:
            continue
        stream.seek(-1, io.SEEK_CUR)
        if len(found) == MOST_PICKLES:
            raise ValueError(f"it holds over {MOST_PICKLES:,} pickles")
        try:
            found.append(taken_apart(stream))
        except Exception as error:
            raise ValueError(f"what follows its {len(found)} first objects is no pickle: {error}") from None
    return found if len(found) > 1 else found[0]


@dataclass
class _Found:
    """Every array in lists and dicts, however deep, by its name; so every frame; and what else is shut."""

    arrays: dict[str, Held] = field(default_factory=dict)
    frames: dict[str, Shut] = field(default_factory=dict)
    shut: dict[str, str] = field(default_factory=dict)
    holders: dict[int, Any] = field(default_factory=dict)  # the lists and dicts that arrays stand in

    def put(self, name: str, part: Any, holder: Any) -> None:
        match part:
            case Held() if part.read is not None:
                if (called := name or "array") in self.arrays:
                    raise ValueError(f"it holds two arrays '{called}'")
                self.arrays[called] = part
                self.holders[id(holder)] = holder
            case Held():
                self.shut[name] = "an array of a type that is not read"
            case Shut() if is_frame(part):
                self.frames[name] = part
            case Shut() | Name():
                self.shut[name] = str(part)

    @property
    def row_labels(self) -> list[str] | None:
        """What names the arrays that stand alone in one dict; of one list nothing; None of others."""
        if len(self.holders) != 1 or len(self.arrays) < 2 or self.frames or self.shut:
            return None
        (holder,) = self.holders.values()
        if len(holder) != len(self.arrays):
            return None
        return list(map(str, holder)) if isinstance(holder, dict) else []


def _found(content: Any) -> _Found:
    """What lists and dicts hold, however deep, those of numbers and words taken for arrays."""
    found = _Found()
    waiting: deque[tuple[str, Any, Any]] = deque([("", content, None)])
    count = cells = 0
    while waiting:
        name, part, holder = waiting.popleft()
        if len(name) > MOST_LETTERS:
            raise ValueError("it holds lists within lists without an end")
        if isinstance(part, list | tuple) and (held := _of_list(part)) is not None:
            cells += math.prod(held.shape)
            part = held
        if cells > MOST_CELLS:
            raise ValueError(f"it holds lists of over {MOST_CELLS:,} numbers; save them by np.save")
        found.put(name, part, holder)
        for key, each in _inside(part):
            if isinstance(each, PARTS):
                count += 1
                waiting.append((f"{name}/{key}" if name else f"{key}", each, part))
            if count > MOST_OBJECTS:
                raise ValueError(f"it holds over {MOST_OBJECTS:,} arrays and lists")
    return found


def _inside(part: Any) -> Iterable[tuple[Any, Any]]:
    if isinstance(part, list | tuple):
        return enumerate(part)
    return part.items() if isinstance(part, dict) else ()


def _of_list(cells: Sequence[Any]) -> Held | None:
    """Numbers and words, or rows of them, as an array; None of what holds anything else."""
    widths = {len(row) if isinstance(row, list | tuple) else 0 for row in cells}
    if len(widths) != 1 or not cells:
        return None
    width = widths.pop()
    shape = (len(cells), width) if width else (len(cells),)
    if math.prod(shape) > MOST_CELLS:
        raise ValueError(f"it holds lists of over {MOST_CELLS:,} numbers; save them by np.save")
    rows = cells if width else [cells]
    if not all(isinstance(cell, Scalar) for row in rows for cell in row):
        return None

    def read() -> NDArray[Any]:
        flat = [cell for row in rows for cell in row]
        made = np.empty(len(flat), dtype=object)
        made[:] = flat
        return (made if any(isinstance(cell, str | bytes) for cell in flat) else listed(flat)).reshape(shape)

    return Held(shape, read)
