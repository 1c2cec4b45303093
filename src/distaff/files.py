"""Files: replaced atomically when written, never unpickled when read."""

from __future__ import annotations

import csv
import json
import os
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from distaff.errors import BadInput


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a path to write to; if the block ends well it replaces `path` in one step, else it goes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.partial")
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
    with replacing(path) as partial:
        partial.write_text(text, encoding="utf-8")


def write_json(path: Path, value: Any) -> None:
    """Replace `path` by `value` as JSON."""
    write_text(path, json.dumps(value, indent=2, allow_nan=False) + "\n")


def read_json(path: Path) -> Any:
    """The JSON value of a file, or one clear error."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise BadInput(f"{path} does not exist") from None
    except (ValueError, RecursionError) as error:
        raise BadInput(f"{path} is not JSON: {error}") from None


def write_arrays(path: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Replace `path` by an .npz of `arrays`."""
    with replacing(path) as partial, partial.open("wb") as file:
        np.savez(file, **arrays)  # type: ignore[arg-type]


def read_arrays(path: Path) -> dict[str, NDArray[Any]]:
    """All arrays of a .npy (under the name "array") or .npz file; pickled objects are refused."""
    try:
        with path.open("rb") as file:
            loaded = np.load(file, allow_pickle=False)
            if isinstance(loaded, np.ndarray):
                return {"array": loaded}
            return {name: loaded[name] for name in loaded.files}
    except FileNotFoundError:
        raise BadInput(f"{path} does not exist") from None
    except IsADirectoryError:
        raise BadInput(f"{path} is a folder, not a file") from None
    except (ValueError, EOFError, OSError, KeyError, zipfile.BadZipFile, zlib.error, MemoryError) as error:
        reason = "it holds pickled objects, which are never loaded" if "pickle" in str(error) else error
        raise BadInput(f"{path} cannot be read as {path.suffix or 'an array'}: {reason}") from None


def read_table(path: Path) -> tuple[NDArray[Any], list[str]]:
    """A table (n, columns) from .npy, .npz with one array, .csv or .parquet, with its column names.

    A .csv may have a header line; columns of text become whole numbers in the order of the sorted words.
    """
    suffix = path.suffix.lower()
    if suffix in (".npy", ".npz"):
        arrays = read_arrays(path)
        if len(arrays) != 1:
            raise BadInput(f"{path} holds {len(arrays)} arrays ({', '.join(arrays)}); give a file with one")
        table = next(iter(arrays.values()))
        table = table[:, None] if table.ndim == 1 else table
        return table, [str(j) for j in range(table.shape[1] if table.ndim > 1 else 0)]
    if suffix == ".csv":
        return _read_csv(path)
    if suffix == ".parquet":
        return _read_parquet(path)
    raise BadInput(f"{path}: unknown kind of file '{suffix}'. Allowed: .npy, .npz, .csv, .parquet")


def _read_csv(path: Path) -> tuple[NDArray[Any], list[str]]:
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            lines = [line for line in csv.reader(file) if line]
    except FileNotFoundError:
        raise BadInput(f"{path} does not exist") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise BadInput(f"{path} is not a CSV file: {error}") from None
    if not lines:
        raise BadInput(f"{path} is empty")
    headed = not all(_is_number(word) for word in lines[0])
    names = lines.pop(0) if headed else [str(j) for j in range(len(lines[0]))]
    for number, line in enumerate(lines, start=2 if headed else 1):
        if len(line) != len(names):
            raise BadInput(f"{path}, line {number}: {len(line)} values where {len(names)} are expected")
    columns = list(zip(*lines, strict=True)) or [()] * len(names)
    return columns_to_table([np.array(column, dtype=str) for column in columns]), names


def _read_parquet(path: Path) -> tuple[NDArray[Any], list[str]]:
    import duckdb

    if not path.is_file():
        raise BadInput(f"{path} does not exist")
    try:
        with duckdb.connect() as connection:
            found = connection.from_parquet([str(path)]).fetchnumpy()
    except duckdb.Error as error:
        raise BadInput(f"{path} is not a Parquet file: {str(error).splitlines()[0]}") from None
    return columns_to_table([_filled(column) for column in found.values()]), list(found)


def _filled(column: Any) -> NDArray[Any]:
    if not isinstance(column, np.ma.MaskedArray):
        return np.asarray(column)
    if column.mask.any():
        return np.where(column.mask, np.nan, column.data.astype(np.float64))
    return np.asarray(column)


def columns_to_table(columns: list[NDArray[Any]]) -> NDArray[Any]:
    """Columns of numbers, or of text that is turned into whole numbers, side by side."""
    return np.stack([_numbers(column) for column in columns], axis=1)


def _numbers(column: NDArray[Any]) -> NDArray[Any]:
    if np.issubdtype(column.dtype, np.number) or column.dtype == bool:
        return column
    try:
        return column.astype(np.float64)
    except (ValueError, TypeError):
        return np.unique(column.astype(str), return_inverse=True)[1]


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True
