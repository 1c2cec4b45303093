"""Images in IDX files, the format of MNIST."""

from __future__ import annotations

import gzip
import struct
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from distaff.datasets.images import ArrayImages
from distaff.errors import BadInput

IMAGES = "images-idx3-ubyte"
LARGEST = 2**31  # bytes


def is_idx(path: Path) -> bool:
    """Whether a path is named as an IDX file of images."""
    return path.is_file() and IMAGES in path.name.replace(".idx3", "-idx3")


def read_idx_images(path: Path, pixel_range: Sequence[float] | None = None) -> ArrayImages:
    """The data set in an IDX file of images, with the labels of the file beside it if there is one.

    MNIST's `train-images-idx3-ubyte` goes with `train-labels-idx1-ubyte`; both may be gzipped.
    """
    images = read_idx(path, 3)
    beside = [path.with_name(name) for name in _label_names(path.name)]
    labels = next((read_idx(found, 1) for found in beside if found.exists()), None)
    if labels is not None and len(labels) != len(images):
        raise BadInput(f"{path} holds {len(images)} images, and the labels beside it are {len(labels)}")
    names = None if labels is None else ["label"]
    name = path.name.split(".")[0].removesuffix(f"-{IMAGES}")
    return ArrayImages(
        images, labels, names=names, pixel_range=pixel_range, name=name, source=f"file {path.name}"
    )


def _label_names(images: str) -> list[str]:
    plain = images.removesuffix(".gz").replace("images", "labels").replace("idx3", "idx1")
    return [plain, f"{plain}.gz"]


def read_idx(path: Path, dimensions: int) -> NDArray[np.uint8]:
    """The array of an IDX file: two zero bytes, the type (8: bytes), the number of dimensions, the sizes
    (big-endian), the bytes."""
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            data = file.read(LARGEST)
    except (gzip.BadGzipFile, zlib.error, EOFError) as error:
        raise BadInput(f"{path} cannot be unpacked: {error}") from None
    if len(data) < 4 or data[:2] != b"\0\0" or data[2] != 8 or data[3] != dimensions:
        raise BadInput(
            f"{path} is no IDX file of bytes with {dimensions} dimensions: it begins with {data[:4]!r}"
        )
    start = 4 + 4 * dimensions
    if len(data) < start:
        raise BadInput(f"{path} is cut short")
    shape = struct.unpack(f">{dimensions}I", data[4:start])
    if len(data) - start != int(np.prod(shape, dtype=np.int64)):
        raise BadInput(f"{path} holds {len(data) - start} bytes, which does not fit its sizes {shape}")
    return np.frombuffer(data, dtype=np.uint8, offset=start).reshape(shape)
