"""Images in IDX files, the format of MNIST."""

import gzip
import math
import os
import struct
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from distaff.datasets.images import ArrayImages
from distaff.errors import BadInput
from distaff.files import check_file

IMAGES = "images-idx3-ubyte"
LARGEST = 2**31  # bytes


def is_idx(path: Path) -> bool:
    """Whether a path is named as an IDX file of images."""
    return os.path.isfile(path) and IMAGES in path.name.replace(".idx3", "-idx3")


def read_idx_images(
    path: Path, pixel_range: Sequence[float] | None = None, resolution: int | None = None
) -> ArrayImages:
    """The data set in an IDX file of images, with the labels of the file beside it if there is one.

    MNIST's `train-images-idx3-ubyte` goes with `train-labels-idx1-ubyte`; both may be gzipped.
    """
    images = read_idx(path, 3)
    plain = path.name.removesuffix(".gz").replace("images", "labels").replace("idx3", "idx1")
    beside = [path.with_name(plain), path.with_name(f"{plain}.gz")]
    labels = next((read_idx(found, 1) for found in beside if found.exists()), None)
    if labels is not None and len(labels) != len(images):
        raise BadInput(f"{path} holds {len(images)} images, and the labels beside it are {len(labels)}")
    name = path.name.split(".")[0].removesuffix(f"-{IMAGES}")
    return ArrayImages(
        images,
        labels,
        names=["label"],
        pixel_range=pixel_range,
        resolution=resolution,
        name=name,
        source=f"file {path.name}",
    )


def read_idx(path: Path, dimensions: int) -> NDArray[np.uint8]:
    """The array of an IDX file: two zero bytes, the type (8: bytes), the number of dimensions, the sizes
    (big-endian), the bytes."""
    check_file(path)
    start = 4 + 4 * dimensions
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            head = file.read(start)
            if head[:4] != bytes([0, 0, 8, dimensions]):
                raise BadInput(
                    f"{path} is no IDX file of bytes with {dimensions} dimensions: "
                    f"it begins with {head[:4]!r}"
                )
            if len(head) < start:
                raise BadInput(f"{path} is cut short")
            shape = struct.unpack(f">{dimensions}I", head[4:])
            size = math.prod(shape)
            data = file.read(size + 1) if size <= LARGEST else b""  # a byte more, if there is one
    except (gzip.BadGzipFile, zlib.error, EOFError, MemoryError) as error:
        raise BadInput(f"{path} cannot be unpacked: {error}") from None
    if len(data) != size:
        raise BadInput(f"{path} holds {len(data)} bytes or more, which does not fit its sizes {shape}")
    return np.frombuffer(data, dtype=np.uint8).reshape(shape)
