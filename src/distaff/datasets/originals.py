"""Published files: found, checked, memory-mapped, and unpacked once where they are compressed."""

import errno
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from distaff.errors import BadInput
from distaff.files import check_file, read_header, read_json, replacing, write_json
from distaff.progress import progress, say
from distaff.tables.readers import hdf5
from distaff.tables.readers.matlab import by_scipy

PIECE = 2**26  # bytes unpacked at once


def present(data_dir: Path | None, places: Sequence[str]) -> Path | None:
    """The first of `places` that exists in the data folder, or None."""
    paths = [data_dir / place for place in places] if data_dir else []
    return next((path for path in paths if path.exists()), None)


def find(data_dir: Path | None, places: Sequence[str], name: str, where: str) -> Path:
    """The first of `places` that exists in the data folder, or an error that says where to get it."""
    found = present(data_dir, places)
    if found:
        return found
    folder = f"{data_dir} holds none" if data_dir else "no data folder was given"
    raise BadInput(
        f"{name} needs {' or '.join(places)} in the data folder (--data-dir or DISTAFF_DATA), and {folder}; "
        f"the file is published at {where}"
    )


def map_npz(path: Path, key: str, cache: Path) -> NDArray[Any]:
    """The array `key` of an .npz as read-only memory map. A compressed one is unpacked to `cache` first."""
    with opened(path) as archive:
        if f"{key}.npy" not in archive.namelist():
            held = ", ".join(name.removesuffix(".npy") for name in archive.namelist())
            raise BadInput(f"{path} has no array '{key}'; it holds: {held or 'nothing'}")
        member = archive.getinfo(f"{key}.npy")
        if member.compress_type == zipfile.ZIP_STORED:
            return _map_stored(path, member)
        with archive.open(member) as stream:
            shape, _, dtype = read_header(stream)
        if not shape:
            raise ValueError("its array is a single number")
    return kept(cache, [path], shape, npz_pieces(path, key), f"unpacking {path.name} once", dtype)


def npz_pieces(path: Path, key: str) -> Iterator[NDArray[Any]]:
    """The array `key` of an .npz in row order, unpacked some rows at a time."""
    with opened(path) as archive, archive.open(f"{key}.npy") as stream:
        shape, by_column, dtype = read_header(stream)
        if by_column:
            raise ValueError("its array is in column order")
        row = max(1, int(np.prod(shape[1:], dtype=np.int64)) * dtype.itemsize)
        most = max(1, PIECE // row)
        for start in range(0, shape[0], most):
            count = min(most, shape[0] - start)
            data = stream.read(count * row)
            if len(data) != count * row:
                raise ValueError("it is cut short")
            yield np.frombuffer(data, dtype=dtype).reshape(count, *shape[1:])


@contextmanager
def opened(path: Path) -> Iterator[zipfile.ZipFile]:
    """An archive to read from, and one clear error where it is damaged."""
    check_file(path)
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive
    except Exception as error:  # zipfile raises many kinds on damaged files
        # places out of range and broken streams come as errors of the system: EINVAL and without a number
        told = isinstance(error, OSError) and error.errno not in (None, errno.EINVAL)
        if told or isinstance(error, BadInput):
            raise
        raise BadInput(f"{path} is damaged or no .npz file: {error}") from None


def h5_header(path: Path, key: str) -> tuple[tuple[int, ...], np.dtype[Any]] | None:
    """Shape and type of an array of an HDF5 file, or None where there is none under this name."""
    with hdf5.opened(path) as file:
        found = hdf5.child(file, key)
        return (found.shape, found.dtype) if hdf5.is_array(found) else None


def map_h5(path: Path, key: str, shape: tuple[int, ...], cache: Path) -> NDArray[np.uint8]:
    """The uint8 array `key` of an HDF5 file as read-only memory map. Chunks go to `cache` first."""
    with hdf5.opened(path) as file:
        images = hdf5.child(file, key)
        if not hdf5.is_array(images):
            raise BadInput(f"{path} holds no data set '{key}'")
        if images.shape != shape or images.dtype != np.uint8:
            raise BadInput(f"{path}: {key} must be uint8 {shape}, got {images.dtype} {images.shape}")
        hdf5.check_inside(images, path)
        if images.chunks is None and images.id.get_offset() is not None:
            return np.memmap(path, dtype=np.uint8, mode="r", offset=images.id.get_offset(), shape=shape)
    return kept(cache, [path], shape, _pieces(path, key), f"unpacking {path.name} once")


def _pieces(path: Path, key: str) -> Iterator[NDArray[np.uint8]]:
    """The images of an HDF5 file, whole chunks at a time."""
    with hdf5.opened(path) as file:
        images = file[key]
        step = images.chunks[0] if images.chunks else 1
        step *= max(1, PIECE // (step * int(np.prod(images.shape[1:]))))
        for start in range(0, len(images), step):
            yield images[start : start + step]


def map_npy(path: Path, shape: tuple[int, ...] | None = None, dtype: Any = np.uint8) -> NDArray[Any]:
    """An .npy as read-only memory map, of `shape` and `dtype` if a shape is given."""
    check_file(path)
    try:
        found: NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
    except Exception as error:  # and so does NumPy
        raise BadInput(f"{path} is damaged: {error}; remove it and it is made again") from None
    if shape is not None and (found.shape != shape or found.dtype != dtype):
        raise BadInput(f"{path} has shape {found.shape}, not {shape}; remove it and it is made again")
    return found


def read_mat(path: Path, key: str) -> NDArray[Any]:
    """One array of a MATLAB file, version 4 to 7.2."""
    found = by_scipy("loadmat", path, variable_names=[key])
    if key not in found:
        raise BadInput(f"{path} has no array '{key}'")
    return np.asarray(found[key])


def kept(
    cache: Path,
    sources: Sequence[Path],
    shape: tuple[int, ...],
    pieces: Iterable[NDArray[Any]],
    task: str,
    dtype: Any = np.uint8,
) -> NDArray[Any]:
    """The array that `pieces` make one after the other, memory-mapped from `cache`.

    It is written there unless it was made from just these files, as their sizes and dates tell.
    """
    stamp, fresh = cache.with_suffix(".json"), False
    facts = [[path.name, path.stat().st_size, path.stat().st_mtime_ns] for path in sources]
    with suppress(BadInput):  # no stamp, or a damaged one
        fresh = cache.exists() and read_json(stamp) == facts
    if not fresh:
        write_npy(cache, shape, dtype, pieces, task)
        write_json(stamp, facts)
    return map_npy(cache, shape, dtype)


def write_npy(
    path: Path,
    shape: tuple[int, ...],
    dtype: Any,
    pieces: Iterable[NDArray[Any]],
    task: str,
    show: bool = True,
) -> None:
    """Write pieces of an array, in order along its first axis, as .npy, replacing `path` at the end."""
    size = int(np.prod(shape, dtype=np.int64)) * np.dtype(dtype).itemsize
    if show:
        say(f"{task}: {size / 1e6:,.0f} MB to {path}")
    done = 0
    with (
        replacing(path) as partial,
        partial.open("wb") as file,
        progress(task, shape[0], show=show) as report,
    ):
        header = {"descr": npy.dtype_to_descr(np.dtype(dtype)), "fortran_order": False, "shape": shape}
        npy.write_array_header_1_0(file, header)
        for piece in pieces:
            file.write(np.ascontiguousarray(piece, dtype=dtype).data)
            done += len(piece)
            report(done)
        if done != shape[0]:
            raise BadInput(f"{path}: {done} rows were made where {shape[0]} are expected")


def _map_stored(path: Path, member: zipfile.ZipInfo) -> NDArray[Any]:
    """An array that lies uncompressed in an archive, mapped where it lies."""
    with path.open("rb") as file:
        file.seek(member.header_offset)
        local = file.read(30)
        if local[:4] != b"PK\x03\x04":
            raise ValueError("a member is not where the archive says")
        names = int.from_bytes(local[26:28], "little") + int.from_bytes(local[28:30], "little")
        first = member.header_offset + 30 + names
        file.seek(first)
        shape, by_column, dtype = read_header(file)
        start = file.tell()
    if int(np.prod(shape, dtype=np.int64)) * dtype.itemsize != member.file_size - (start - first):
        raise ValueError("it is cut short")
    return np.memmap(path, dtype=dtype, mode="r", offset=start, shape=shape, order="F" if by_column else "C")
