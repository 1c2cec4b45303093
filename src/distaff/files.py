"""Files: replaced atomically when written, never unpickled when read."""

from __future__ import annotations

import csv
import glob
import json
import lzma
import os
import re
import signal
import struct
import threading
import tokenize
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from distaff.errors import BadInput, unknown

LARGEST = 2**32  # bytes that an archive may unpack to, unless it is as large itself


@contextmanager
def unbroken() -> Iterator[None]:
    """Let Ctrl-C and SIGTERM wait until the block has ended, so that a write that was begun is finished."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[int] = []
    before = {
        number: signal.signal(number, lambda number, _: came.append(number))
        for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        if came:
            signal.raise_signal(came[0])


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a path to write to; if the block ends well it replaces `path` in one step, else it goes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if os.path.isdir(path):
        raise BadInput(f"{path} is a folder, and a file is to be written there; remove it")
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    partial.unlink(missing_ok=True)  # a link that waits there could lead anywhere
    try:
        yield partial
        with partial.open("rb") as file:
            os.fsync(file.fileno())
        os.replace(partial, path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


def write_text(path: Path, text: str) -> None:
    """Replace `path` by `text`."""
    with unbroken(), replacing(path) as partial:
        partial.write_text(text, encoding="utf-8", errors="replace")


def write_json(path: Path, value: Any) -> None:
    """Replace `path` by `value` as JSON."""
    write_text(path, json.dumps(value, indent=2, allow_nan=False) + "\n")


def read_json(path: Path) -> Any:
    """The JSON value of a file, or one clear error."""
    check_file(path)
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise BadInput(f"{path} is not JSON: {error}") from None


def check_own(path: Path) -> None:
    """An error where there is something to append to that is no file of this folder, such as a link."""
    if os.path.lexists(path) and (os.path.islink(path) or not os.path.isfile(path)):
        raise BadInput(f"{path} is not a file; remove it")


def check_file(path: Path) -> None:
    """An error where there is no file, or a folder, or what would never end, such as a pipe."""
    if os.path.isdir(path):
        raise BadInput(f"{path} is a folder, not a file")
    if not os.path.isfile(path):
        raise BadInput(f"{path} is not a file" if os.path.exists(path) else f"{path} does not exist")


def write_arrays(path: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Replace `path` by an .npz of `arrays`."""
    with unbroken(), replacing(path) as partial, partial.open("wb") as file:
        np.savez(file, **arrays)  # type: ignore[arg-type]


#: what NumPy and zipfile raise on a file that is not what it seems
UNREADABLE = (
    ValueError,
    EOFError,
    OSError,
    KeyError,
    TypeError,
    SyntaxError,
    OverflowError,
    MemoryError,
    RuntimeError,  # encrypted archives, and NotImplementedError for unknown compression
    RecursionError,
    tokenize.TokenError,
    IndexError,
    struct.error,
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
)


def read_arrays(path: Path, names: Sequence[str] | None = None) -> dict[str, NDArray[Any]]:
    """The arrays of a .npy (under the name "array") or .npz file, all or those of these `names`.

    Pickled objects are refused. What is not asked for is not read.
    """
    with _opened(path) as loaded:
        if isinstance(loaded, np.ndarray):
            return {"array": loaded}
        wanted = loaded.files if names is None else list(names)
        _check_members(loaded, wanted, path)
        arrays = {name: loaded[name] for name in wanted}
    for name, array in arrays.items():
        if not isinstance(array, np.ndarray):
            raise BadInput(f"{path} cannot be read as {path.suffix}: '{name}' in it is no array")
    return arrays


def array_headers(path: Path) -> dict[str, tuple[tuple[int, ...], np.dtype[Any]] | None]:
    """The shape and type of every array of a .npy or .npz file, unread; None for what is no plain array."""
    found: dict[str, tuple[tuple[int, ...], np.dtype[Any]] | None] = {}
    with _opened(path) as loaded:
        if isinstance(loaded, np.ndarray):
            return {"array": (loaded.shape, loaded.dtype)}
        for name in loaded.files:
            member = name if name in loaded.zip.namelist() else f"{name}.npy"
            with loaded.zip.open(member) as stream:
                found[name] = _header(stream)
    return found


def _header(stream: IO[bytes]) -> tuple[tuple[int, ...], np.dtype[Any]] | None:
    """Shape and type from the header of an .npy, or None where it holds objects or is none."""
    try:
        version = npy.read_magic(stream)
        read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
        shape, _, dtype = read(stream)
    except ValueError:
        return None
    return None if dtype.hasobject else (shape, dtype)


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    """A .npy as an array, or an .npz whose members are read when they are asked for; one clear error."""
    check_file(path)
    try:
        with path.open("rb") as file:
            if file.read(4) not in (b"\x93NUM", b"PK\x03\x04", b"PK\x05\x06"):
                raise BadInput(f"{path} cannot be read: it is neither a .npy nor an .npz file")
            file.seek(0)
            yield np.load(file, allow_pickle=False)
    except BadInput:
        raise
    except UNREADABLE as error:
        reason = "it holds pickled objects, which are never loaded" if "pickle" in str(error) else error
        raise BadInput(f"{path} cannot be read as {path.suffix or 'an array'}: {reason}") from None


def _check_members(loaded: Any, names: Sequence[str], path: Path) -> None:
    """An error where a name is not in the archive, or a small archive would fill the memory."""
    for name in names:
        if name not in loaded.files:
            raise unknown(f"array of {path.name}", name, loaded.files)
    members = {f"{name}.npy" for name in names} | set(names)
    check_unpacked([member for member in loaded.zip.infolist() if member.filename in members], path)


def check_unpacked(members: Sequence[zipfile.ZipInfo], path: Path, most: int = LARGEST) -> None:
    """An error where members of a small archive would fill the memory."""
    size = sum(member.file_size for member in members)
    if size > max(most, 2 * path.stat().st_size):
        raise BadInput(f"{path} cannot be read: it unpacks to {size / 1e9:.1f} GB, more than is allowed")


def read_table(
    path: Path, words: bool = False, columns: Sequence[str] | None = None
) -> tuple[NDArray[Any], list[str]]:
    """A table (n, columns) from .npy, .npz, .csv or .parquet, with its column names.

    A .csv may have a header line. `columns` picks some by name: of a .npy by number, of a .npz with several
    arrays by the arrays' names. With `words`, columns of words become whole numbers in the order of the
    sorted words; without, they are an error.
    """
    suffix = path.suffix.lower()
    if suffix in (".npy", ".npz"):
        table, names = _read_numpy(path, columns)
        if words and table.dtype.kind in "US":
            table = side_by_side(list(table.T), names, path, words)
        return table, names
    if suffix not in (".csv", ".parquet"):
        raise BadInput(f"{path}: unknown kind of file '{suffix}'. Allowed: .npy, .npz, .csv, .parquet")
    check_file(path)
    names, found = (read_csv if suffix == ".csv" else _read_parquet)(path)
    picked = _pick(columns, names, path, "column")
    return side_by_side([found[j] for j in picked], [names[j] for j in picked], path, words), [
        names[j] for j in picked
    ]


def _read_numpy(path: Path, columns: Sequence[str] | None) -> tuple[NDArray[Any], list[str]]:
    arrays = read_arrays(path)
    if len(arrays) == 1:
        (name, array), *_ = arrays.items()
        table = _upright(array, path)
        columns = None if columns is not None and list(columns) == [name] else columns
        picked = _pick(columns, [str(j) for j in range(table.shape[1])], path, "column")
        return table[:, picked], [str(j) for j in picked]
    if columns is None:
        ways = "--code-columns or --factor-columns"
        raise BadInput(f"{path} holds {len(arrays)} arrays; pick some with {ways}: {', '.join(arrays)}")
    names = list(arrays)
    tables = {names[i]: _upright(arrays[names[i]], path) for i in _pick(columns, names, path, "array")}
    if len({len(table) for table in tables.values()}) > 1:
        lengths = ", ".join(f"{name} {len(table)}" for name, table in tables.items())
        raise BadInput(f"{path}: arrays of different lengths cannot be put side by side: {lengths}")
    labels = [
        name if table.shape[1] == 1 else f"{name}.{j}"
        for name, table in tables.items()
        for j in range(table.shape[1])
    ]
    return np.concatenate(list(tables.values()), axis=1), labels


def _upright(table: NDArray[Any], path: Path) -> NDArray[Any]:
    table = table[:, None] if table.ndim == 1 else table
    if table.ndim != 2:
        raise BadInput(f"{path}: an array must have shape (rows, columns), got {table.shape}")
    return table


def _pick(wanted: Sequence[str] | None, names: list[str], path: Path, what: str) -> list[int]:
    """The places of the wanted names, or of all."""
    if wanted is None:
        return list(range(len(names)))
    for name in wanted:
        if name not in names:
            raise unknown(f"{what} of {path.name}", name, names)
    return [names.index(name) for name in wanted]


def read_csv(path: Path, headed: bool | None = None) -> tuple[list[str], list[NDArray[Any]]]:
    """The names and columns of a CSV file, cells as text.

    Unless `headed` says so, the first line is a header if no cell of it is a number, or if it is 0,1,2...
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            lines = [[cell.strip() for cell in line] for line in csv.reader(file) if line]
    except (UnicodeDecodeError, csv.Error) as error:
        raise BadInput(f"{path} is not a CSV file: {error}") from None
    if not lines:
        raise BadInput(f"{path} is empty")
    if headed is None:
        numbered = lines[0] == [str(j) for j in range(len(lines[0]))]  # as pandas names columns by itself
        headed = any(lines[0]) and (numbered or not any(_is_number(cell) for cell in lines[0]))
    names = lines.pop(0) if headed else [str(j) for j in range(len(lines[0]))]
    if "" in names:
        raise BadInput(f"{path}, column {names.index('')} has no name; if it is a row number, leave it out")
    if len(names) == 1 and re.search(r"[;\t]", names[0]):
        raise BadInput(f"{path} has a single column '{names[0]}'; separate its columns by commas")
    for number, line in enumerate(lines, start=2 if headed else 1):
        if len(line) != len(names):
            raise BadInput(f"{path}, line {number}: {len(line)} values where {len(names)} are expected")
        if "" in line:
            raise BadInput(f"{path}, line {number}: no value for '{names[line.index('')]}'")
    columns = [np.array(column, dtype=object) for column in zip(*lines, strict=True)]
    return names, columns or [np.empty(0) for _ in names]


def _read_parquet(path: Path) -> tuple[list[str], list[NDArray[Any]]]:
    import duckdb

    try:
        with duckdb.connect() as connection:
            found = connection.from_parquet([glob.escape(str(path))]).fetchnumpy()
    except (duckdb.Error, *UNREADABLE) as error:
        raise BadInput(f"{path} is not a Parquet file: {str(error).partition(chr(10))[0]}") from None
    found = {name: column for name, column in found.items() if not re.fullmatch(r"__index_level_\d+__", name)}
    for name, column in found.items():
        if isinstance(column, np.ma.MaskedArray) and column.mask.any():
            raise BadInput(f"{path}, row {int(column.mask.argmax())}: no value for '{name}'")
    return list(found), [np.asarray(column) for column in found.values()]


def _numbers(column: NDArray[Any], name: str, path: Path, words: bool) -> NDArray[Any]:
    """A column as numbers. Words become whole numbers; a mixture of words and numbers is an error."""
    if column.dtype.kind in "biuf":
        return column
    cells = [str(cell) for cell in column]
    strange = [cell for cell in cells if not _is_number(cell)]
    if strange and (not words or len(strange) < len(cells)):
        raise BadInput(f"{path}, column '{name}': '{strange[0][:40]}' is not a number")
    if strange:
        number = {word: n for n, word in enumerate(sorted(set(cells)))}
        return np.array([number[cell] for cell in cells], dtype=np.int64)
    try:
        return np.array([int(cell) for cell in cells], dtype=np.int64)
    except (ValueError, OverflowError):
        return np.array([float(cell) for cell in cells], dtype=np.float64)


def side_by_side(columns: list[NDArray[Any]], names: list[str], path: Path, words: bool) -> NDArray[Any]:
    """Columns as one table of numbers (n, columns); with `words`, words are numbered as they sort."""
    if not columns:
        raise BadInput(f"{path} holds no columns")
    return np.stack([_numbers(c, n, path, words) for c, n in zip(columns, names, strict=True)], axis=1)


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True
