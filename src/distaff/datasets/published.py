"""Published files that are given by their path, recognised by what they hold."""

import io
import os
from pathlib import Path
from typing import Any

import numpy as np

from distaff.datasets import dsprites, mpi3d, shapes3d
from distaff.datasets.base import DataSet
from distaff.datasets.originals import h5_header
from distaff.errors import BadInput
from distaff.files import array_headers

ZIP, HDF5 = b"PK\x03\x04", b"\x89HDF\r\n\x1a\n"

Kind = type[DataSet]


def recognise(path: Path) -> Kind | None:
    """The data set that a file is the published original of, or None."""
    try:
        with path.open("rb") if os.path.isfile(path) else io.BytesIO() as file:
            start = file.read(len(HDF5))
    except OSError:  # the reader that comes next says why
        return None
    if start == HDF5:
        return _of_hdf5(path)
    return _of_npz(path) if start.startswith(ZIP) and path.suffix.lower() in (".npz", ".zip", "") else None


def _of_hdf5(path: Path) -> Kind:
    kind = shapes3d.Shapes3D
    if path.name == shapes3d.ORIGINAL:
        return kind  # its own error says the most
    shape = (len(kind.factors), shapes3d.SIZE, shapes3d.SIZE, 3)
    if not _holds(h5_header(path, "images"), shape):
        raise BadInput(
            f"{path}: the only HDF5 file of images that is read is {shapes3d.ORIGINAL}, with 'images' uint8 "
            f"{shape}; save yours as an .npz with 'images' and 'factors'"
        )
    return kind


def _of_npz(path: Path) -> Kind | None:
    headers = array_headers(path)
    sprites = dsprites.DSprites
    known = path.name == dsprites.ORIGINAL or "latents_classes" in headers
    if known and _holds(headers.get("imgs"), (len(sprites.factors), 64, 64)):
        return sprites
    images = headers.get("images")
    if images and "factors" not in headers and images[1] == np.uint8 and mpi3d.grid_of(images[0]):
        return mpi3d.kind_of(path.stem, images[0])
    return None


def _holds(header: Any, shape: tuple[int, ...]) -> bool:
    return header is not None and header == (shape, np.dtype(np.uint8))
