"""Tables in HDF5 files, read by h5py: plain arrays by their path, and annotated data (.h5ad)."""

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from distaff.errors import BadInput
from distaff.files import LARGEST, natural, reading
from distaff.tables.readers.named_arrays import choose, is_table
from distaff.tables.table import Table

MOST_OBJECTS = 200_000  # in a file
TEXTS_AT_ONCE = 1000
#: attributes of netCDF: of values that stand for none, and what others are multiplied by and what is added
FILLS = ("_FillValue", "missing_value")
SCALING = {"scale_factor": 1.0, "add_offset": 0.0}


def is_hdf5(path: Path) -> bool:
    """Whether a file is HDF5, by its signature, which may stand behind a block of the user's."""
    with path.open("rb") as file:
        for start in (0, 512, 1024, 2048):
            file.seek(start)
            if file.read(8) == b"\x89HDF\r\n\x1a\n":
                return True
    return False


def read_hdf5(path: Path, wanted: Sequence[str] | None = None) -> Table:
    """The table in an array of an HDF5 file, or in several side by side; arrays are named by their path."""
    with opened(path) as file:
        return of_arrays(dict(arrays_in(file)), path, wanted)


def of_arrays(arrays: Mapping[str, Any], path: Path, wanted: Sequence[str] | None) -> Table:
    """The table in one of these arrays of an open file, or in several."""
    names = list(arrays)
    usable = [name for name in names if is_table(arrays[name].shape, arrays[name].dtype)]
    wanted = None if wanted is None else [_full_name(name, names, path) for name in wanted]

    def load(asked: list[str]) -> dict[str, NDArray[Any]]:
        return {name: values(arrays[name], path) for name in asked}

    in_one_group = len({name.rpartition("/")[0] for name in names}) == 1
    shapes, labels = {name: array.shape for name, array in arrays.items()}, names if in_one_group else None
    return choose(path, shapes, usable, load, wanted, labels)


def _full_name(name: str, names: list[str], path: Path) -> str:
    """The path of an array that is asked for by its last part."""
    ending = [each for each in names if each.rsplit("/", 1)[-1] == name]
    if name in names or not ending:
        return name
    if len(ending) > 1:
        raise BadInput(f"{path} holds several arrays '{name}'; say which: {', '.join(ending)}")
    return ending[0]


def _check_version(path: Path) -> None:
    """BadInput for netCDF of version 3, which is no HDF5."""
    with path.open("rb") as file:
        if file.read(3) == b"CDF":
            how = "to_netcdf(format='NETCDF4')"
            raise BadInput(f"{path} is netCDF of version 3; save it as version 4, by {how}")


@contextmanager
def opened(path: Path) -> Iterator[Any]:
    """An HDF5 file, and one clear error where it is damaged."""
    try:
        import h5py
    except ImportError:
        raise BadInput(f"{path.name} needs h5py to be read: pip install 'distaff[files]'") from None
    with reading(path, "HDF5"):
        _check_version(path)
        with h5py.File(path, "r") as file:
            yield file


def child(group: Any, name: str) -> Any:
    """What stands under a name in a group, or None; links could lead to other files and are not followed."""
    import h5py

    for part in name.split("/"):
        if not isinstance(group, h5py.Group) or not isinstance(group.get(part, getlink=True), h5py.HardLink):
            return None
        group = group[part]
    return group


def is_array(found: Any) -> bool:
    """Whether what stands under a name is an array."""
    import h5py

    return isinstance(found, h5py.Dataset)


def check_inside(array: Any, path: Path) -> None:
    """An error where the values of an array lie in other files."""
    if array.external or array.is_virtual:
        raise BadInput(f"{path}: {array.name.lstrip('/')} lies in other files, which are not opened")


def values(array: Any, path: Path, encoding: str = "utf-8") -> NDArray[Any]:
    """The values of an array in a file; texts as objects, MATLAB's turned upright, netCDF's unpacked."""
    import h5py

    check_inside(array, path)
    name = array.name.lstrip("/")
    if array.dtype.itemsize * array.size > max(LARGEST, 2 * path.stat().st_size):
        raise BadInput(f"{path}: {name} has shape {array.shape}, larger than is allowed")
    kind = array.attrs.get("MATLAB_class", b"")
    if kind in (b"cell", b"struct") or "ref" in (array.dtype.metadata or {}):
        raise BadInput(f"{path}: {name} holds references, which are not followed; save numbers or texts")
    if h5py.check_string_dtype(array.dtype):
        return _texts(array, path, encoding)
    if array.dtype.kind == "O":
        raise BadInput(f"{path}: {name} holds lists of different lengths; save a plain array")
    try:
        found = np.asarray(array[()])
    except OSError as error:
        if "plugin" not in str(error):
            raise
        raise BadInput(
            f"{path}: {name} is compressed as h5py cannot read; write it with zlib (gzip)"
        ) from None
    if kind:  # MATLAB counts by columns
        found = found.T
        if kind == b"char":
            found = np.array(["".join(map(chr, row)) for row in np.atleast_2d(found)], dtype=object)
        elif found.ndim == 2 and len(found) == 1:
            found = found[0]
    return _unpacked(found, array.attrs) if found.dtype.kind in "iuf" else found


def _unpacked(found: NDArray[Any], said: Mapping[str, Any]) -> NDArray[Any]:
    """Numbers with NaN for the values that stand for none, scaled, as netCDF's attributes say.

    NetCDF users' guide, appendix A: attribute conventions.
    """
    told = {name: np.asarray(said[name]).ravel() for name in (*FILLS, *SCALING) if name in said}
    told = {name: value for name, value in told.items() if value.size and value.dtype.kind in "iuf"}
    if not told:
        return found
    gaps = np.isin(found, [value for name in FILLS for value in told.get(name, ())])
    scale, offset = (told.get(name, (neutral,))[0] for name, neutral in SCALING.items())
    unpacked = found.astype(np.float64) * scale + offset if told.keys() & SCALING.keys() else found
    return np.where(gaps, np.nan, unpacked) if gaps.any() else unpacked


def _texts(array: Any, path: Path, encoding: str) -> NDArray[Any]:
    """Texts as objects, read a piece at a time, for a small file may hold long ones many times."""
    if array.ndim == 0:
        return np.array(array.asstr(encoding, errors="backslashreplace")[()], dtype=object)
    pieces, size = [], 0
    for start in range(0, len(array), TEXTS_AT_ONCE):
        piece = array.asstr(encoding, errors="backslashreplace")[start : start + TEXTS_AT_ONCE]
        size += sum(len(text) for text in piece.ravel())
        if size > LARGEST:
            raise BadInput(f"{path}: the texts of {array.name} are larger than is allowed")
        pieces.append(piece)
    return np.concatenate(pieces) if pieces else np.empty(0, dtype=object)


def arrays_in(file: Any) -> Iterator[tuple[str, Any]]:
    """Every array of a file with its path, groups gone through once each; sorted by numbers, not as words."""
    import h5py

    seen: set[Any] = set()
    waiting, count = deque([("", file)]), 0
    while waiting:
        prefix, group = waiting.popleft()
        names = list(group)
        for name in sorted(names, key=natural) if names == sorted(names) else names:
            count += 1
            if count > MOST_OBJECTS:
                raise BadInput(f"{file.filename} holds over {MOST_OBJECTS:,} arrays and groups")
            found = child(group, name) if "/" not in name else None
            if is_array(found):
                yield f"{prefix}{name}", found
            elif isinstance(found, h5py.Group) and name != "#refs#":
                place = h5py.h5o.get_info(found.id).addr
                if place not in seen:
                    seen.add(place)
                    waiting.append((f"{prefix}{name}/", found))
