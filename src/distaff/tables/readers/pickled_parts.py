"""What stands for the objects of a pickle: arrays and tensors, made of their bytes, and what stays shut."""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

#: torch's classes of storages, and the types of their numbers; bfloat16 is the upper half of float32
STORAGES = {
    "DoubleStorage": "f8",
    "FloatStorage": "f4",
    "HalfStorage": "f2",
    "BFloat16Storage": "bfloat16",
    "LongStorage": "i8",
    "IntStorage": "i4",
    "ShortStorage": "i2",
    "CharStorage": "i1",
    "ByteStorage": "u1",
    "BoolStorage": "?",
}
#: the types of NumPy's arrays that are read; dates have a unit, which is told after the rest
TYPES = re.compile(r"(?:b1|[iuf][1248]|[SU]\d{1,6}|[Mm]8(\[(as|fs|ps|ns|us|ms|s|m|h|D|W|M|Y)\])?|O8?)")
MOST_AXES, MOST_SIZE = 64, 2**48  # of an array
MOST_REPEATED = 2**25  # numbers of a tensor that has some of them many times
MISSING = (".NA", "._nat_unpickle", ".NaT")  # pandas' own values for none

Scalar = str | bytes | int | float | bool | None


@dataclass(frozen=True)
class Name:
    """What a pickle calls by a module and a name. It is never looked up."""

    module: str
    name: str

    def __str__(self) -> str:
        return f"{self.module}.{self.name}"


@dataclass
class Shut:
    """What a pickle would make by calling `name`, and which is not made."""

    name: Name | str
    given: tuple[Any, ...] = ()
    state: Any = None

    def __str__(self) -> str:
        return str(self.name)


@dataclass
class Held:
    """An array that is read when it is asked for. NumPy's have their shape only after they were made."""

    shape: tuple[int, ...] = ()
    read: Callable[[], NDArray[Any]] | None = None


@dataclass
class Type:
    """The type of a NumPy array; of one with fields, which is not read, its size is kept."""

    code: str
    order: str = "="
    size_of_fields: int = 0
    has_objects: bool = False

    def of_numpy(self) -> np.dtype[Any]:
        return np.dtype(f"{self.order if self.order in '<>' else '='}{self.code}")

    @property
    def size(self) -> int:
        return self.size_of_fields or self.of_numpy().itemsize


@dataclass(frozen=True)
class Storage:
    """Numbers of tensors, in one row."""

    read: Callable[[], NDArray[Any]]


def numbers(raw: bytes, kind: str, count: int) -> NDArray[Any]:
    """The numbers (count,) of a storage from its bytes."""
    if len(raw) < count * width(kind):
        raise ValueError(f"a storage of {count} numbers has {len(raw)} bytes")
    if kind == "bfloat16":
        return (np.frombuffer(raw, "<u2", count).astype(np.uint32) << 16).view(np.float32)
    return np.frombuffer(raw, np.dtype(kind).newbyteorder("<"), count)


def width(kind: str) -> int:
    """The bytes of a number of this type."""
    return 2 if kind == "bfloat16" else np.dtype(kind).itemsize


def are_sizes(given: tuple[Any, ...]) -> bool:
    """Whether these are whole numbers that can be sizes of an array."""
    return len(given) <= MOST_AXES and all(isinstance(n, int) and 0 <= n < MOST_SIZE for n in given)


def of_bytes(
    made: Held, shape: Any, kind: Type, by_columns: bool, cells: bytes | bytearray | list[Any]
) -> Held:
    """A NumPy array from its bytes, or, of objects, from their list, which goes by rows in any case."""
    if not isinstance(shape, tuple) or not are_sizes(shape):
        raise ValueError("an array has a shape that is none")
    count, order = math.prod(shape), "F" if by_columns and not isinstance(cells, list) else "C"
    if isinstance(cells, list):
        flat = np.empty(len(cells), dtype=object)
        flat[:] = cells
    elif TYPES.fullmatch(kind.code) and not kind.code.startswith("O"):
        type_ = kind.of_numpy()
        if len(cells) != count * type_.itemsize:
            raise ValueError(f"an array of {count} cells has {len(cells)} bytes")
        flat = np.frombuffer(cells, type_) if count else np.empty(0, type_)
        if (
            type_.kind == "U"
            and count
            and np.frombuffer(cells, f"{type_.byteorder}u4").max() > sys.maxunicode
        ):
            raise ValueError("an array of texts holds what is no letter")
    else:
        return made
    if flat.size != count:
        raise ValueError(f"an array of {count} cells has {flat.size}")

    def read() -> NDArray[Any]:
        whole = flat.reshape(shape, order=order)  # type: ignore[call-overload]
        return whole if whole.dtype != object else _plain(whole)

    made.shape, made.read = shape, read
    return made


def _plain(cells: NDArray[Any]) -> NDArray[Any]:
    """Objects as texts, numbers, lists and arrays; what is shut as dicts, which are refused where used."""
    made = np.empty(cells.shape, dtype=object)
    for place, cell in np.ndenumerate(cells):
        if isinstance(cell, Held) and cell.read is not None:
            array = cell.read()
            made[place] = array if array.ndim else array.item()
        elif isinstance(cell, Scalar) or (
            isinstance(cell, list | tuple) and all(isinstance(each, Scalar) for each in cell)
        ):
            made[place] = cell
        elif not isinstance(cell, Name | Shut) or not str(cell).endswith(MISSING):
            made[place] = {"not opened": str(cell) if isinstance(cell, Name | Shut) else type(cell).__name__}
    return made


def of_storage(storage: Storage, start: int, size: tuple[Any, ...], steps: tuple[Any, ...]) -> Held:
    """A tensor from its storage: where it starts there, and by how many numbers each axis steps."""
    if len(size) != len(steps) or not (are_sizes(size) and are_sizes((start, *steps))):
        raise ValueError("a tensor has a shape that is none")
    count, last = math.prod(size), start + sum((n - 1) * step for n, step in zip(size, steps, strict=True))

    def read() -> NDArray[Any]:
        held = storage.read()
        if count and (last >= len(held) or count > max(MOST_REPEATED, len(held))):  # by steps of 0
            raise ValueError(f"a tensor of {count} numbers is larger than its storage")
        strides = [step * held.itemsize for step in steps]
        if not count:
            return np.empty(size, held.dtype)
        return np.lib.stride_tricks.as_strided(held[start:], size, strides, writeable=False).copy()

    return Held(size, read)
