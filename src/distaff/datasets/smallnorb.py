"""SmallNORB (LeCun et al. 2004, doi:10.1109/CVPR.2004.1315150), read from its published files."""

import math
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from distaff.datasets.grid import Grid
from distaff.datasets.originals import find, kept
from distaff.datasets.pixels import reduced
from distaff.datasets.squares import squares
from distaff.errors import BadInput
from distaff.factors import FactorSpace
from distaff.files import check_file

SIDE = 64
#: the magic number of a file, little-endian, and the type of its numbers
MAGIC = {507333717: "<u1", 507333716: "<i4", 507333713: "<f4", 507333715: "<f8"}
CHUNKS = ("smallnorb-5x46789x9x18x6x2x96x96-training", "smallnorb-5x01235x9x18x6x2x96x96-testing")
WHERE = "https://cs.nyu.edu/~ylclab/data/norb-v1.0-small/"


@dataclass(eq=False)
class SmallNORB(Grid):
    """Photographs of 50 toys in 5 categories under 6 lights, from 9 elevations and 18 azimuths.

    The left camera's 48,600 images, 64x64 grey, of the six published files (gunzipped, in the data folder or
    in `small_norb`); training and testing together, as in the study. They are made smaller from 96 pixels
    with Lanczos' filter, cut to 0..255, and kept in the data folder (199 MB). Which of the 10 instances of
    its category a toy is, is hidden: no label.
    """

    data_dir: Path | None = field(default=None, repr=False)

    name = "smallnorb"
    channels = 1
    places = (f"{CHUNKS[0]}-dat.mat", f"small_norb/{CHUNKS[0]}-dat.mat")
    licence = "for research; see the publication"
    citation = "LeCun, Huang, Bottou: Learning methods for generic object recognition, 2004"
    factors = FactorSpace(("category", "instance", "elevation", "azimuth", "lighting"), (5, 10, 9, 18, 6))
    hidden = ("instance",)

    def __post_init__(self) -> None:
        super().__post_init__()
        folder = find(self.data_dir, self.places, self.name, WHERE).parent
        cache = folder / "smallnorb.images.npy"
        files = [folder / f"{chunk}-{part}.mat" for chunk in CHUNKS for part in ("dat", "cat", "info")]
        for path in files:
            if not path.exists():
                raise BadInput(f"{path} does not exist; smallnorb needs it beside {files[0].name}")
        shape = (len(self.factors), SIDE, SIDE)
        self._images = kept(cache, files, shape, _toys(folder, self.factors), "reading toys once")
        self.source = "files smallnorb-*.mat"

    def images(self, index: ArrayLike) -> NDArray[np.uint8]:
        return reduced(self._images[self.check(index)][:, None], self.resolution)


def read_norb(path: Path, mapped: bool = False) -> NDArray[Any]:
    """The array of a NORB file: magic number, number of dimensions, at least three sizes, the numbers."""
    check_file(path)
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(8)
        magic, ndim = struct.unpack("<ii", head) if len(head) == 8 else (0, 0)
        if magic not in MAGIC or not 1 <= ndim <= 8:
            raise BadInput(f"{path} is no NORB file: magic number {magic}, {ndim} dimensions")
        sizes = file.read(4 * max(3, ndim))
        if len(sizes) != 4 * max(3, ndim):
            raise BadInput(f"{path} is cut short")
        shape = struct.unpack(f"<{max(3, ndim)}i", sizes)[:ndim]
        start, dtype = file.tell(), np.dtype(MAGIC[magic])
    if min(shape) < 1 or start + math.prod(shape) * dtype.itemsize != size:
        raise BadInput(f"{path} has {size} bytes, which does not fit its sizes {shape}")
    found = np.memmap(path, dtype=dtype, mode="r", offset=start, shape=shape)
    return found if mapped else np.array(found)


def _toys(folder: Path, space: FactorSpace) -> Iterator[NDArray[np.uint8]]:
    """The images (m, 64, 64) in the order of the grid."""
    images, rows = [], []
    for chunk in CHUNKS:
        parts = [read_norb(folder / f"{chunk}-{part}.mat", part == "dat") for part in ("dat", "cat", "info")]
        pixels, category, info = parts
        if pixels.ndim != 4 or pixels.shape[1:] != (2, 96, 96) or info.shape != (len(pixels), 4):
            raise BadInput(f"{chunk}: images have shape {pixels.shape}, info {info.shape}")
        if category.shape != (len(pixels),) or pixels.dtype != np.uint8:
            raise BadInput(f"{chunk}: {category.shape} categories for {len(pixels)} images of {pixels.dtype}")
        instance, elevation, azimuth, lighting = info.T
        rows.append(np.stack([category, instance, elevation, azimuth // 2, lighting], axis=1))
        images.append(pixels)
    index = space.index(np.concatenate(rows))
    if not np.array_equal(np.sort(index), np.arange(len(space))):
        raise BadInput(f"{folder}: the files do not hold each of the {len(space)} combinations once")
    place = np.argsort(index)
    split = len(images[0])
    for part in np.array_split(place, max(1, len(place) // 1000)):
        frames = [images[0][i, 0] if i < split else images[1][i - split, 0] for i in part]
        yield squares(np.stack(frames)[:, None], 0, 255, SIDE)[:, 0]
