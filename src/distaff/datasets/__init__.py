"""Data sets: images by index, drawn or read, with their ground-truth factors."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np

from distaff import registry
from distaff.datasets.base import DataSet
from distaff.datasets.folder import read_folder
from distaff.datasets.images import ArrayImages, read_npz
from distaff.datasets.subgrid import SubGrid
from distaff.errors import BadInput, unknown
from distaff.settings import build

__all__ = ["ArrayImages", "DataSet", "SubGrid", "data_folder", "load_dataset"]


def data_folder(given: str | os.PathLike[str] | None = None) -> Path | None:
    """The folder with original files and caches: as given, else DISTAFF_DATA, else none."""
    chosen = given or os.environ.get("DISTAFF_DATA")
    return Path(chosen) if chosen else None


def load_dataset(
    name: str | os.PathLike[str], /, *, data_dir: str | os.PathLike[str] | None = None, **options: Any
) -> DataSet:
    """A registered data set by its name, or your own by the path of an .npz file or a folder of images.

    `options` are the data set's settings, and for a grid data set also its factors: `x=16` keeps 16 evenly
    spaced values, `x=[0, 5]` those two. Raises BadInput (a ValueError) with the names that are allowed.
    """
    options = {key: _plain(value) for key, value in options.items()}
    if isinstance(name, str) and name in registry.names("datasets"):
        location, data = name, _registered(name, data_folder(data_dir), options)
    else:
        location, data = str(Path(name).resolve()), _path(Path(name), options)
    data.spec = {"name": location, "options": options}
    return data


def _plain(value: Any) -> Any:
    """NumPy numbers, arrays and ranges as what JSON takes."""
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    return list(value) if isinstance(value, range | tuple) else value


def _registered(name: str, folder: Path | None, options: dict[str, Any]) -> DataSet:
    kind = registry.get("datasets", name)
    factors = kind.factors.names if kind.factors else ()
    keep = {key: value for key, value in options.items() if key in factors}
    rest = {key: value for key, value in options.items() if key not in factors}
    allowed = [key for key in kind.__dataclass_fields__ if key != "data_dir"]
    for key in rest:
        if key not in allowed:
            raise unknown(f"setting of {name}", key, [*allowed, *factors])
    if "data_dir" in kind.__dataclass_fields__:
        rest["data_dir"] = folder
    data: DataSet = build(kind, rest, name)
    return SubGrid(data, keep) if keep else data


def _path(path: Path, options: dict[str, Any]) -> DataSet:
    for key in options:
        if key != "pixel_range":
            raise unknown(f"setting of {path.name}", key, ["pixel_range"])
    if path.is_dir():
        return read_folder(path, **options)
    if path.suffix.lower() == ".npz":
        return read_npz(path, **options)
    if path.exists():
        raise BadInput(f"{path} is neither a folder of images nor an .npz file")
    error = unknown("data set", str(path), registry.names("datasets"))
    raise BadInput(f"{error} Or give the path of an .npz file or a folder of images.")
