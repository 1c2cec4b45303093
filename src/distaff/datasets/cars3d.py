"""Cars3D (Reed et al. 2015), read from its published files."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from distaff.datasets.grid import Grid
from distaff.datasets.originals import find, kept, read_mat
from distaff.datasets.pixels import reduced
from distaff.datasets.squares import squares
from distaff.errors import BadInput
from distaff.factors import FactorSpace

SIDE = 64
FILES = 183
SHAPE = (128, 128, 3, 24, 4)  # of `im` in each file: height, width, channel, azimuth, elevation
WHERE = "http://www.scottreed.info/files/nips2015-analogy-data.tar.gz"


@dataclass(eq=False)
class Cars3D(Grid):
    """Renderings of 183 car models from 4 elevations and 24 azimuths, on white.

    64x64 RGB, read from the 183 published .mat files in the folder `cars`, in the order of their sorted names
    (disentanglement_lib takes the order of the folder, which differs between file systems). They are made
    smaller from 128 pixels with Lanczos' filter, and kept in the data folder (216 MB).
    """

    data_dir: Path | None = field(default=None, repr=False)

    name = "cars3d"
    places = ("cars",)
    licence = "for research; see the publication"
    citation = "Reed, Zhang, Zhang, Lee: Deep visual analogy-making, 2015"
    factors = FactorSpace(("elevation", "azimuth", "object"), (4, 24, FILES))

    def __post_init__(self) -> None:
        super().__post_init__()
        folder = find(self.data_dir, self.places, self.name, WHERE)
        files = sorted(path for path in folder.iterdir() if path.suffix == ".mat")
        if len(files) != FILES:
            raise BadInput(f"{folder} holds {len(files)} .mat files; Cars3D has {FILES}")
        cache = folder.parent / "cars3d.images.npy"
        shape = (FILES, 4, 24, 3, SIDE, SIDE)
        self._images = kept(cache, files, shape, _cars(files), "reading cars once")
        self.source = "files cars/*.mat"

    def images(self, index: ArrayLike) -> NDArray[np.uint8]:
        elevation, azimuth, car = self.factors.rows(self.check(index)).T
        return reduced(self._images[car, elevation, azimuth], self.resolution)


def _cars(files: list[Path]) -> Iterator[NDArray[np.uint8]]:
    """The images (1, 4, 24, 3, 64, 64) of one file after another."""
    for path in files:
        found = read_mat(path, "im")
        if found.shape != SHAPE or found.dtype != np.uint8:
            raise BadInput(f"{path}: im must be uint8 {SHAPE}, got {found.dtype} {found.shape}")
        frames = found.transpose(4, 3, 2, 0, 1)  # elevation, azimuth, channel, height, width
        small = squares(frames.reshape(-1, 3, *SHAPE[:2]), 0, 255, SIDE)
        yield small.reshape(1, 4, 24, 3, SIDE, SIDE)
