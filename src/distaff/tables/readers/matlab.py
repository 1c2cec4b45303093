"""Tables in MATLAB files: numbers and texts, by scipy; version 7.3 is HDF5. Objects stay shut."""

import math
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from distaff.errors import BadInput
from distaff.files import LARGEST, check_file, reading
from distaff.tables.readers.hdf5 import is_hdf5, read_hdf5
from distaff.tables.readers.named_arrays import choose
from distaff.tables.table import Table

SHUT = {"struct", "object", "function", "opaque", "sparse", "unknown"}


def read_matlab(path: Path, wanted: Sequence[str] | None = None) -> Table:
    """The table in a variable of a .mat file, or in several side by side. A row vector becomes a column."""
    check_file(path)
    if is_hdf5(path):
        return read_hdf5(path, wanted)
    held = by_scipy("whosmat", path)
    for name, shape, kind in held:
        if name in (wanted or ()) and kind in SHUT:
            instead = "full(...) of it" if kind == "sparse" else "numbers, or words by char(...)"
            raise BadInput(f"{path}: '{name}' is of class {kind}, which is not read; save {instead}")
        if 8 * math.prod(shape) > max(LARGEST, 20 * path.stat().st_size):
            raise BadInput(f"{path}: '{name}' has shape {shape}, larger than the file can hold")
    names = [name for name, _, kind in held if kind not in SHUT]
    usable = [name for name, shape, kind in held if name in names and len(shape) < 3 and math.prod(shape) > 1]
    if not names:
        kinds = ", ".join(f"{name} ({kind})" for name, _, kind in held)
        raise BadInput(f"{path} holds no variable of numbers or text: {kinds}")

    def load(asked: list[str]) -> dict[str, NDArray[Any]]:
        found = by_scipy("loadmat", path, variable_names=asked)
        return {name: _upright(_opened(path, name, np.asarray(found[name]))) for name in asked}

    shapes = {name: (max(shape),) if min(shape) == 1 else shape for name, shape, _ in held if name in names}
    return choose(path, shapes, usable, load, wanted)


def _opened(path: Path, name: str, array: NDArray[Any]) -> NDArray[Any]:
    """A cell array of texts and numbers as an array of them; others as they are."""
    if array.dtype != object:
        return array
    cells = np.empty(array.shape, dtype=object)
    for place, cell in np.ndenumerate(array):
        if not isinstance(cell, np.ndarray) or cell.size > 1 or cell.dtype.kind not in "biufU":
            raise BadInput(f"{path}: '{name}' is of class cell, and not all of it are texts or numbers")
        cells[place] = cell.item() if cell.size else None
    return cells


def _upright(array: NDArray[Any]) -> NDArray[Any]:
    return array[0] if array.ndim == 2 and len(array) == 1 and array.shape[1] > 1 else array


def by_scipy(name: str, path: Path, **settings: Any) -> Any:
    """A function of scipy.io on a file, its many errors and warnings as one."""
    import scipy.io

    with reading(path, "a MATLAB file"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return getattr(scipy.io, name)(path, **settings)
