"""3D Shapes (Burgess and Kim 2018), drawn on demand, or read where the published file is present.

github.com/google-deepmind/3d-shapes
"""

from __future__ import annotations

import colorsys
import functools
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from distaff.datasets.grid import Grid
from distaff.datasets.originals import map_h5, present
from distaff.datasets.pixels import reduced
from distaff.drawing import raycast, shapes, vectors
from distaff.drawing.kept import Floats
from distaff.drawing.masks import Masks
from distaff.drawing.raycast import ENDLESS, SIZE, Camera, EmptyRoom, Solid
from distaff.factors import FactorSpace

ORIGINAL = "3dshapes.h5"
SHAPES = ("cube", "cylinder", "sphere", "capsule")
SCALES = np.linspace(0.75, 1.25, 8)
ORIENTATIONS = np.linspace(-30, 30, 15)  # degrees
#: the ten hues as RGB (10, 3) of 0..255
HUES = np.array([colorsys.hsv_to_rgb(i / 10, 1, 1) for i in range(10)], dtype=np.float32) * 255
FLOOR, WALL, OBJECT = range(3)
DISTANCE, HEIGHT, VIEW = 5.0, 2.1, 34.0  # of the camera, and degrees
CORNER = 2.6  # from the object to the edge where the walls meet


@dataclass(eq=False)
class Shapes3D(Grid):
    """One object in the corner of a room: hues of floor, wall and object, scale, shape and orientation.

    All 480,000 images in the original order, RGB. Hues are i / 10 round the colour wheel, scales .75 to 1.25.
    Orientations are -30 to 30 degrees: the camera goes round the object, so that the room's corner moves
    sideways behind it. Cylinder, sphere and capsule look the same from all sides, but the room and the light
    in it do not. With the published 3dshapes.h5 in the data folder, its images are read instead (mapped where
    they lie, or unpacked once if compressed, 5.9 GB).
    """

    data_dir: Path | None = field(default=None, repr=False)
    original: Path | None = field(default=None, repr=False)  # the file, where it is given itself

    name = "shapes3d"
    licence = "drawn here; the original data set is Apache-2.0"
    citation = "Burgess, Kim: 3D Shapes Dataset, 2018"
    factors = FactorSpace(
        ("floor_hue", "wall_hue", "object_hue", "scale", "shape", "orientation"),
        (len(HUES), len(HUES), len(HUES), len(SCALES), len(SHAPES), len(ORIENTATIONS)),
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        self._images: NDArray[np.uint8] | None = None
        path = self.original or present(self.data_dir, (ORIGINAL, f"3dshapes/{ORIGINAL}"))
        if path:
            shape = (len(self), SIZE, SIZE, 3)
            self._images = map_h5(path, "images", shape, path.with_name("shapes3d.images.npy"))
            self.source = f"file {path.name}"

    def images(self, index: ArrayLike) -> NDArray[np.uint8]:
        index = self.check(index)
        if self._images is not None:
            return reduced(self._images[index].transpose(0, 3, 1, 2), self.resolution)
        rows = self.factors.rows(index)
        return _MASKS.images(rows[:, 3:], HUES[rows[:, :3]], self.resolution)


def _draw(scale: int, shape: int, orientation: int) -> Floats:
    """The masks (4, 64, 64) of floor, wall, object and highlights of one geometry."""
    solid, reach = _object(SHAPES[shape], SCALES[scale])
    room = _room(float(ORIENTATIONS[orientation]))
    return raycast.draw(room, [solid], solid.centre, SCALES[scale] * reach, surfaces=3)


_MASKS = Masks(Shapes3D.factors.sizes[3:], 4, _draw)


def _object(shape: str, scale: float) -> tuple[Solid, float]:
    """An object that stands on the floor, and the radius at scale 1 of a ball around it."""
    if shape == "cube":
        half = 0.47 * scale
        return Solid(OBJECT, shapes.box, (half,) * 3, (0, 0, half), vectors.yaw(45)), 0.82
    if shape == "cylinder":
        half = 0.52 * scale
        return Solid(OBJECT, shapes.cylinder, (half,) * 3, (0, 0, half)), 0.74
    if shape == "sphere":
        half = 0.59 * scale
        return Solid(OBJECT, shapes.ball, (half,) * 3, (0, 0, half)), 0.6
    half = 0.41 * scale
    pill = functools.partial(shapes.capsule, half=0.75)
    return Solid(OBJECT, pill, (half,) * 3, (0, 0, 1.75 * half), reach=(1, 1, 1.75)), 0.72


@functools.cache
def _room(orientation: float) -> EmptyRoom:
    """The floor and the two walls, seen from `orientation` degrees to the right of the corner's middle."""
    angle = np.radians(orientation)
    eye = (DISTANCE * float(np.sin(angle)), -DISTANCE * float(np.cos(angle)), HEIGHT)
    walls = [
        Solid(WALL, shapes.plane, centre=(0, CORNER, 0), turn=vectors.upright(degrees), reach=ENDLESS)
        for degrees in (45, -45)
    ]
    floor = Solid(FLOOR, shapes.plane, reach=ENDLESS)
    return EmptyRoom(Camera(eye, (0, 0, 0.66), VIEW), [floor, *walls])
