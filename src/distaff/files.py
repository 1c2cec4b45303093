"""Files: replaced atomically when written, never unpickled when read."""

import json
import os
import re
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any, TypeVar

import msgspec
import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from distaff.errors import BadInput, unknown
from distaff.interrupt import unbroken

T = TypeVar("T")
LARGEST = 2**32  # bytes that an archive may unpack to, unless it is as large itself


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
    """Replace `path` by `value`, which may be or hold a record, as JSON."""
    write_text(path, json.dumps(plain(value), indent=2, allow_nan=False) + "\n")


def plain(value: Any) -> Any:
    """A value as what JSON takes: records as dicts, ranges as lists, what is NumPy's as Python's."""
    return msgspec.to_builtins(value, enc_hook=_plain)


def _plain(value: Any) -> Any:
    if not isinstance(value, range | np.ndarray | np.generic):
        raise BadInput(f"{value!r} is not allowed; it must be numbers, text, or lists or tables of these")
    return list(value) if isinstance(value, range) else value.tolist()


def read_json(path: Path, kind: Any = Any) -> Any:
    """The JSON value of a file, as a record of its kind. BadInput says what is wrong in which file."""
    check_file(path)
    return as_record(_parsed(path.read_bytes(), path), kind, path)


def read_kept(path: Path, read: Callable[[Path], T], again: str = "") -> T | None:
    """What an earlier evaluation left in a file, None where there was none.

    Where it cannot be read BadInput says how to make it again: with the option `again`.
    """
    if not path.exists():
        return None
    try:
        return read(path)
    except BadInput as error:
        how = f" with {again}" if again else ""
        raise BadInput(f"{path} is damaged; remove it and evaluate again{how}: {error}") from None


def read_json_lines(path: Path, kind: Any = Any) -> list[Any]:
    """The values of a file with one in every line, as records of their kind."""
    check_file(path)
    return [as_record(_parsed(line, path), kind, path) for line in path.read_bytes().splitlines()]


def _parsed(text: bytes, path: Path) -> Any:
    try:
        return json.loads(text.decode())
    except (ValueError, RecursionError) as error:
        raise BadInput(f"{path} is not JSON: {error}") from None


def as_record(value: Any, kind: Any, path: Path) -> Any:
    """The JSON value of a file as a record of its kind, or BadInput that says what is wrong with it."""
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        if isinstance(error.__cause__, BadInput):  # not the file is damaged, but what it names is not there
            raise BadInput(f"{path}: {error.__cause__}") from None
        raise BadInput(f"{path} is damaged: {error}") from None
    except RecursionError as error:
        raise BadInput(f"{path} is damaged: {error}") from None


def natural(*parts: str) -> tuple[Any, ...]:
    """Sorts names, or paths by their parts, as people count: 2.png before 10.png."""
    return tuple(map(_counted, parts)), parts


def _counted(part: str) -> tuple[Any, ...]:
    pieces: list[Any] = re.split(r"([0-9]+)", part)
    pieces[1::2] = map(int, pieces[1::2])
    return tuple(pieces)


def check_own(path: Path) -> None:
    """An error where there is something to append to that is no file of this folder, such as a link."""
    if os.path.lexists(path) and (os.path.islink(path) or not os.path.isfile(path)):
        raise BadInput(f"{path} is not a file; remove it")


def check_output(path: Path, suffix: str, *inputs: str | os.PathLike[str] | None) -> None:
    """An error where a file to be written is of another kind, is an input, or is inside a folder of them."""
    if path.suffix.lower() != suffix:
        raise BadInput(f"{path} must end in {suffix}")
    real = path.resolve()
    for given in (each for each in inputs if each is not None):
        read = Path(given).resolve()
        if read.exists() and (read == real or read in real.parents):
            inside = "" if read == real else " is inside the folder that"
            raise BadInput(f"{path}{inside} is read here; name another file to write")


def check_file(path: Path) -> None:
    """An error where there is no file, or a folder, or what would never end, such as a pipe."""
    if os.path.isdir(path):
        raise BadInput(f"{path} is a folder, not a file")
    if not os.path.isfile(path):
        raise BadInput(f"{path} is not a file" if os.path.exists(path) else f"{path} does not exist")


@contextmanager
def reading(path: Path, kind: str) -> Iterator[None]:
    """One clear error where a file cannot be read as of this kind; libraries raise many on damaged ones."""
    check_file(path)
    try:
        yield
    except BadInput:
        raise
    except Exception as error:
        reason = " ".join((str(error) or type(error).__name__).split())
        if "allow_pickle" in reason or "pickled objects" in reason:
            instead = "save words by array.astype(str), and several arrays by np.savez"
            reason = f"it holds pickled objects, which are never loaded; {instead}"
        raise BadInput(f"{path} cannot be read as {kind}: {reason}") from None


def write_arrays(path: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Replace `path` by an .npz of `arrays`."""
    with unbroken(), replacing(path) as partial, partial.open("wb") as file:
        np.savez(file, **arrays)  # type: ignore[arg-type]


def read_arrays(path: Path, names: Sequence[str] | None = None) -> dict[str, NDArray[Any]]:
    """The arrays of a .npy (under the name "array") or .npz file, all or those of these `names`.

    Pickled objects are refused. What is not asked for is not read.
    """
    with _opened(path) as loaded:
        if isinstance(loaded, np.ndarray):
            return {"array": loaded}
        wanted, held = loaded.files if names is None else list(names), set(loaded.files)
        for name in wanted:
            if name not in held:
                raise unknown(f"array of {path.name}", name, loaded.files)
        members = {f"{name}.npy" for name in wanted} | set(wanted)
        check_unpacked([member for member in loaded.zip.infolist() if member.filename in members], path)
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
        members = set(loaded.zip.namelist())
        for name in loaded.files:
            member = name if name in members else f"{name}.npy"
            with loaded.zip.open(member) as stream:
                found[name] = None
                with suppress(Exception):  # NumPy raises many kinds on damaged files
                    shape, _, found_type = read_header(stream)
                    found[name] = shape, found_type
    return found


def read_header(stream: IO[bytes], objects: bool = False) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Shape, order and type from the header of an .npy. Pickled objects are refused unless asked for."""
    version = npy.read_magic(stream)
    read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
    shape, by_column, dtype = read(stream)
    if dtype.hasobject and not objects:
        raise ValueError("it holds pickled objects, which are never loaded")
    return shape, by_column, dtype


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    """A .npy as an array, or an .npz whose members are read when they are asked for."""
    with reading(path, path.suffix or "an array"), path.open("rb") as file:
        if file.read(4) not in (b"\x93NUM", b"PK\x03\x04", b"PK\x05\x06"):
            raise BadInput(f"{path} cannot be read: it is neither a .npy nor an .npz file")
        file.seek(0)
        yield np.load(file, allow_pickle=False)


def check_unpacked(members: Sequence[zipfile.ZipInfo], path: Path, most: int = LARGEST) -> None:
    """An error where members of a small archive would fill the memory."""
    size = sum(member.file_size for member in members)
    if size > max(most, 2 * path.stat().st_size):
        raise BadInput(f"{path} cannot be read: it unpacks to {size / 1e9:.1f} GB, more than is allowed")
