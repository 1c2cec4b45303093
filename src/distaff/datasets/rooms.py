"""Rooms with one object, after the DeepMind Lab scenes of SCAN and DARLA, drawn on demand."""

import functools
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np
from numpy.typing import ArrayLike, NDArray

from distaff.datasets.grid import Grid
from distaff.drawing import raycast, shapes, vectors
from distaff.drawing.kept import Floats
from distaff.drawing.masks import Masks
from distaff.drawing.raycast import ENDLESS, Camera, EmptyRoom, Solid
from distaff.drawing.vectors import Triple, Vectors
from distaff.factors import FactorSpace

_COLOUR_TABLE = {
    "white": (250, 250, 250),
    "grey": (140, 140, 140),
    "brown": (135, 75, 30),
    "red": (225, 25, 35),
    "orange": (250, 135, 25),
    "yellow": (255, 230, 40),
    "lime": (165, 240, 30),
    "green": (30, 150, 50),
    "cyan": (50, 225, 240),
    "teal": (10, 125, 125),
    "blue": (35, 80, 235),
    "navy": (20, 20, 110),
    "purple": (125, 40, 175),
    "magenta": (240, 45, 225),
    "pink": (255, 170, 190),
    "black": (40, 40, 40),
}
#: the names of the colours of wall, floor and object, in the order of their factors' values
COLOURS = tuple(_COLOUR_TABLE)
#: the same as RGB (16, 3) of 0..255
RGB = np.array(list(_COLOUR_TABLE.values()), dtype=np.float32)
OBJECTS = ("hat", "ice_lolly", "suitcase")
CAMERA_YAWS = np.linspace(-9, 9, 5)  # degrees
#: degrees; within half a turn and never mirrored, so that no two views of an object are alike
OBJECT_YAWS = np.linspace(-80, 70, 6)

FLOOR, WALL, OBJECT, DARK, WOOD, FEATHER = range(6)  # surfaces
#: RGB of the surfaces that always have the same colour
PAINT = np.array([[75, 58, 50], [225, 190, 135], [235, 225, 200]], dtype=np.float32) / 255
CENTRE, REACH = (0.0, 0.0, 0.65), 1.02  # a ball that holds any object
EYE, AHEAD, VIEW = (0.0, -3.6, 1.5), (0.0, 0.0, 0.7), 45.0
HALF_WIDTH, BACK = 2.75, 2.5  # of the room
TILE = 0.8


@dataclass(eq=False)
class Rooms(Grid):
    """A hat, an ice lolly or a suitcase in a room: three colours, the object, and two nuisances.

    All 368,640 images, RGB. Wall, floor and object have any of the 16 COLOURS; the object is one of OBJECTS.
    The nuisances: the camera looks 9 degrees to the right up to 9 to the left, so that object and room move
    sideways, and the object is turned by -80 to 70 degrees. Every factor shows for all values of the others.
    """

    name = "rooms"
    licence = "drawn here; nothing of DeepMind Lab is used"
    citation = "after Higgins et al.: SCAN, ICLR 2018, and Higgins et al.: DARLA, ICML 2017"
    factors = FactorSpace(
        ("wall_colour", "floor_colour", "object_colour", "object", "camera_yaw", "object_yaw"),
        (len(COLOURS), len(COLOURS), len(COLOURS), len(OBJECTS), len(CAMERA_YAWS), len(OBJECT_YAWS)),
    )

    words = MappingProxyType(
        {"wall_colour": COLOURS, "floor_colour": COLOURS, "object_colour": COLOURS, "object": OBJECTS}
    )

    def images(self, index: ArrayLike) -> NDArray[np.uint8]:
        rows = self.factors.rows(self.check(index))
        colours = RGB[rows[:, [1, 0, 2]]]  # the order of FLOOR, WALL, OBJECT
        return _MASKS.images(rows[:, 3:], colours, self.resolution)


def _draw(thing: int, camera: int, turn: int) -> Floats:
    """Masks (6, 64, 64) of one geometry: floor, wall, object, then light that is red, green, blue."""
    parts = {"hat": _hat, "ice_lolly": _ice_lolly, "suitcase": _suitcase}[OBJECTS[thing]]()
    turned = [_turned(part, float(OBJECT_YAWS[turn])) for part in parts]
    masks = raycast.draw(_room(float(CAMERA_YAWS[camera])), turned, CENTRE, REACH, surfaces=6)
    light = np.repeat(masks[6:], 3, axis=0)
    for mask, paint in zip(masks[DARK:6], PAINT, strict=True):
        light += mask * paint[:, None, None]
    return np.concatenate([masks[:DARK], light])


_MASKS = Masks(Rooms.factors.sizes[3:], 6, _draw)


def _turned(part: Solid, degrees: float) -> Solid:
    """A part of an object, turned about the upright axis."""
    turn = vectors.yaw(degrees)
    x, y, z = (float(vectors.dot(row, np.array(part.centre))) for row in turn)
    return replace(part, centre=(x, y, z), turn=vectors.one_turn(turn, part.turn))


def _hat() -> list[Solid]:
    """An oval hat on its brim, with a band and a feather."""
    crown = functools.partial(shapes.cylinder, top=0.84)
    feather = functools.partial(shapes.capsule, half=1.5)
    lean = vectors.one_turn(vectors.pitch(-14), vectors.roll(18))
    return [
        Solid(OBJECT, shapes.cylinder, (0.8, 0.66, 0.035), (0, 0, 0.06)),
        Solid(OBJECT, crown, (0.54, 0.42, 0.3), (0, 0, 0.37)),
        Solid(OBJECT, shapes.ball, (0.4536, 0.3528, 0.19), (0, 0, 0.66)),
        Solid(DARK, shapes.cylinder, (0.547, 0.428, 0.075), (0, 0, 0.17)),
        Solid(FEATHER, feather, (0.11, 0.035, 0.16), (0.32, -0.38, 0.53), lean, reach=(1, 1, 2.5)),
    ]


def _ice_lolly() -> list[Solid]:
    """A flat bar with a round top on a stick."""
    disc = vectors.pitch(90)
    return [
        Solid(OBJECT, shapes.box, (0.38, 0.17, 0.36), (0, 0, 0.8)),
        Solid(OBJECT, shapes.cylinder, (0.38, 0.38, 0.17), (0, 0, 1.16), disc),
        Solid(WOOD, shapes.box, (0.085, 0.05, 0.25), (0, 0, 0.25)),
    ]


def _suitcase() -> list[Solid]:
    """A box with two straps and a handle."""

    def bar(size: Triple, centre: Triple) -> Solid:
        return Solid(DARK, shapes.box, size, centre)

    return [
        Solid(OBJECT, shapes.box, (0.63, 0.22, 0.43), (0, 0, 0.45)),
        *(bar((0.055, 0.23, 0.44), (x, 0, 0.45)) for x in (-0.37, 0.37)),
        *(bar((0.035, 0.045, 0.09), (x, 0, 0.96)) for x in (-0.17, 0.17)),
        bar((0.205, 0.045, 0.035), (0, 0, 1.07)),
    ]


@functools.cache
def _room(camera_yaw: float) -> EmptyRoom:
    """The floor, the wall at the back and those at the sides, from a camera turned about itself."""
    eye = np.array(EYE)
    x, y, z = (float(vectors.dot(row, np.array(AHEAD) - eye)) for row in vectors.yaw(camera_yaw))
    target = (EYE[0] + x, EYE[1] + y, EYE[2] + z)
    places: dict[Triple, float] = {(0, BACK, 0): 0, (-HALF_WIDTH, 0, 0): 90, (HALF_WIDTH, 0, 0): -90}
    walls = [
        Solid(WALL, shapes.plane, centre=place, turn=vectors.upright(degrees), reach=ENDLESS)
        for place, degrees in places.items()
    ]
    floor = Solid(FLOOR, shapes.plane, reach=ENDLESS)
    return EmptyRoom(Camera(EYE, target, VIEW), [floor, *walls], _texture)


def _texture(points: Vectors, surface: NDArray[np.int64]) -> Vectors:
    """How bright floor and walls are painted: faint tiles, and a darker skirting."""
    odd = (np.floor(points[:, 0] / TILE) + np.floor(points[:, 1] / TILE)) % 2 == 1
    skirting = points[:, 2] < 0.16
    return np.where(surface == FLOOR, np.where(odd, 0.9, 1.0), np.where(skirting, 0.72, 1.0))
