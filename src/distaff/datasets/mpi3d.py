"""MPI3D (Gondal et al. 2019, arXiv:1906.03292), read from its published files."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from distaff.datasets.grid import Grid
from distaff.datasets.originals import find, map_npz
from distaff.datasets.pixels import reduced
from distaff.errors import BadInput
from distaff.factors import FactorSpace

SIDE = 64
NAMES = ("colour", "shape", "size", "camera_height", "background", "horizontal", "vertical")
REST = (2, 3, 3, 40, 40)
WHERE = "https://github.com/rr-learning/disentanglement_dataset"


@dataclass(eq=False)
class MPI3D(Grid):
    """A robot arm that holds an object: seven factors, the last two the arm's joints.

    64x64 RGB, read from the published .npz (an uncompressed archive is mapped where it lies; a compressed one
    is unpacked once into the data folder, 6 or 13 GB). Files with 4 colours and 4 shapes (460,800 images) and
    with 6 and 6 (1,036,800) are told apart by their length.
    """

    data_dir: Path | None = field(default=None, repr=False)
    original: Path | None = field(default=None, repr=False)  # the file, where it is given itself

    name = "mpi3d"
    licence = "CC BY 4.0"
    citation = "Gondal et al.: On the transfer of inductive bias from simulation to the real world, 2019"
    factors = FactorSpace(NAMES, (6, 6, *REST))

    def __post_init__(self) -> None:
        super().__post_init__()
        path = self.original or find(self.data_dir, self.places, self.name, WHERE)
        self._images = map_npz(path, "images", path.with_name(f"{self.name}.images.npy"))
        space = grid_of(self._images.shape)
        if space is None or self._images.dtype != np.uint8:
            raise BadInput(
                f"{path}: images must be uint8 (460800 or 1036800, 64, 64, 3), "
                f"got {self._images.dtype} {self._images.shape}"
            )
        self.factors = space
        self.source = f"file {path.name}"

    def images(self, index: ArrayLike) -> NDArray[np.uint8]:
        return reduced(self._images[self.check(index)].transpose(0, 3, 1, 2), self.resolution)


class MPI3DToy(MPI3D):
    """MPI3D, simple renderings: a robot arm that holds an object, seven factors."""

    name = "mpi3d_toy"
    places = ("mpi3d_toy.npz", "mpi3d_toy/mpi3d_toy.npz")


class MPI3DRealistic(MPI3D):
    """MPI3D, realistic renderings: a robot arm that holds an object, seven factors."""

    name = "mpi3d_realistic"
    places = ("mpi3d_realistic.npz", "mpi3d_realistic/mpi3d_realistic.npz")


class MPI3DReal(MPI3D):
    """MPI3D, photographs: a robot arm that holds an object, seven factors."""

    name = "mpi3d_real"
    places = ("mpi3d_real.npz", "mpi3d_real/mpi3d_real.npz")


def grid_of(shape: tuple[int, ...]) -> FactorSpace | None:
    """The factors of a file whose images have this shape, by their number."""
    spaces = [FactorSpace(NAMES, (kinds, kinds, *REST)) for kinds in (4, 6)]
    return next((space for space in spaces if shape == (len(space), SIDE, SIDE, 3)), None)


def kind_of(stem: str, shape: tuple[int, ...]) -> type[MPI3D]:
    """Which of the published sets a file is, by its name; a file with 4 colours was only published real."""
    for word, kind in (("toy", MPI3DToy), ("realistic", MPI3DRealistic), ("real", MPI3DReal)):
        if word in stem.lower():
            return kind
    space = grid_of(shape)
    return MPI3DReal if space and space.sizes[0] == 4 else MPI3D
