"""Drawn chairs in the place of the 3D Chairs: style, azimuth and elevation.

Aubry et al. 2014, doi:10.1109/CVPR.2014.487.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from distaff.datasets.grid import Grid
from distaff.drawing.polygons import Cameras, Drawings, Piece, Scene, Solid, box, frustum, on_white, prism
from distaff.factors import FactorSpace

LEGS = ("straight", "splayed", "star", "sled")
BACKS = ("solid", "slats", "rungs")
AZIMUTHS = np.radians(210) + 2 * np.pi * np.arange(31) / 31  # 0 would look at the front
ELEVATIONS = np.radians([20, 30])

# centimetres
SEAT_WIDTHS = (38.0, 49.0, 60.0)
BACK_HEIGHTS = (24.0, 35.0, 46.0, 57.0)  # from the seat
SEAT, SEAT_TOP = 41.0, 46.0  # heights of its lower and upper side
FRONT, REAR = 23.0, -21.0  # of the seat; positive x is the side one sits down from
BACK = 3.5  # thickness
LEAN = 0.17  # of the back: backwards for each upwards

# greys in full light
CLOTH, WOOD, DARK_WOOD, METAL, BLACK = (232,), (190,), (145,), (165,), (105,)


@dataclass(eq=False)
class Chairs3D(Grid):
    """Grey chairs on white: legs, back, armrests, seat width, back height, azimuth and elevation.

    Drawn here from flat-shaded solids, not the CAD renderings, in 288 styles instead of 1,393 models; the 31
    azimuths over the full turn and the two elevations of 20 and 30 degrees are those of the original. Legs
    are straight, splayed, a star foot or a sled; backs are solid, of slats or of rungs. A picture is drawn
    when it is first asked for, and then kept.
    """

    name = "chairs3d"
    channels = 1
    licence = "drawn here; none of the original renderings is used"
    citation = "Aubry, Maturana, Efros, Russell, Sivic: Seeing 3D chairs, CVPR 2014"
    factors = FactorSpace(
        ("legs", "back", "arms", "seat_width", "back_height", "azimuth", "elevation"),
        (len(LEGS), len(BACKS), 2, len(SEAT_WIDTHS), len(BACK_HEIGHTS), len(AZIMUTHS), len(ELEVATIONS)),
    )

    def images(self, index: ArrayLike) -> NDArray[np.uint8]:
        return on_white([_piece(i) for i in self.check(index).tolist()], self.image_shape)


def cameras() -> Cameras:
    """The 62 views, the elevation changing fastest."""
    azimuth, elevation = np.meshgrid(AZIMUTHS, ELEVATIONS, indexing="ij")
    return Cameras(azimuth.ravel(), elevation.ravel(), target=(-3.0, 0.0, 47.5), distance=320.0, scale=0.45)


@functools.cache
def _piece(index: int) -> Piece:
    style, view = divmod(index, len(AZIMUTHS) * len(ELEVATIONS))
    return _drawings(style).draw(view)


@functools.cache
def _drawings(style: int) -> Drawings:
    sizes = Chairs3D.factors.sizes[:5]
    legs, back, arms, width, height = (int(v) for v in np.unravel_index(style, sizes))
    solids = chair(LEGS[legs], BACKS[back], bool(arms), SEAT_WIDTHS[width], BACK_HEIGHTS[height])
    return Scene(solids).drawings(cameras())


def chair(legs: str, back: str, arms: bool, width: float, height: float) -> list[Solid]:
    """The solids of a chair that stands at z = 0 and looks along x."""
    seat = box(REAR, FRONT, -width / 2, width / 2, SEAT, SEAT_TOP, CLOTH)
    under = {"straight": _straight, "splayed": _splayed, "star": _star, "sled": _sled}[legs](width / 2)
    above = {"solid": _solid, "slats": _slats, "rungs": _rungs}[back](width / 2, SEAT_TOP + height)
    return [seat, *under, *above, *(_arms(width / 2) if arms else [])]


def _leg(
    x: float, y: float, at: float, foot_x: float, foot_y: float, foot: float, colour: tuple[int]
) -> Solid:
    """From a square of half-width `foot` on the floor to one of half-width `at` under the seat."""
    low = (foot_x - foot, foot_x + foot, foot_y - foot, foot_y + foot)
    return frustum(low, 0, (x - at, x + at, y - at, y + at), SEAT, colour)


def _straight(half: float) -> list[Solid]:
    y = half - 2.6
    return [_leg(x, s * y, 2.6, x, s * y, 2.0, WOOD) for x in (REAR + 2.6, FRONT - 2.6) for s in (-1, 1)]


def _splayed(half: float) -> list[Solid]:
    corners = [(-14.0, -27.0), (14.0, 27.0)]
    return [
        _leg(x, s * (half - 9), 2.3, foot, s * (half + 4), 1.4, DARK_WOOD)
        for x, foot in corners
        for s in (-1, 1)
    ]


def _star(half: float) -> list[Solid]:
    column = box(-2.5, 2.5, -2.5, 2.5, 11, SEAT - 3, METAL)
    plate = box(-12, 12, -half / 2, half / 2, SEAT - 3, SEAT, BLACK)
    hub = box(-3, 3, -3, 3, 4, 11, BLACK)
    return [column, plate, hub, *(_foot(2 * np.pi * k / 5) for k in range(5))]


def _foot(angle: float) -> Solid:
    """One of five feet: from the hub outwards, lower and narrower at its end."""
    c, s = np.cos(angle), np.sin(angle)
    inner, outer = (
        [[r * c - y * s, r * s + y * c, z] for y, z in ((-w, low), (w, low), (w, high), (-w, high))]
        for r, w, low, high in ((4.8, 2.6, 4, 10), (29, 1.8, 0, 4))
    )
    return prism(inner, outer, BLACK)


def _sled(half: float) -> list[Solid]:
    y0, y1 = half - 4.6, half - 1.6
    parts: list[Solid] = []
    for low, high in ((-y1, -y0), (y0, y1)):
        parts += [
            box(-22, 22, low, high, 0, 3, METAL),
            box(18, 21, low, high, 3, SEAT, METAL),
            frustum((-22, -19, low, high), 3, (-16, -13, low, high), SEAT, METAL),
        ]
    return [*parts, box(-22, -19, -y0, y0, 0, 3, METAL)]


def _upright(y0: float, y1: float, z0: float, z1: float, colour: tuple[int]) -> Solid:
    """A piece of the leaning back."""
    low, high = (REAR - LEAN * (z - SEAT_TOP) for z in (z0, z1))
    return frustum((low, low + BACK, y0, y1), z0, (high, high + BACK, y0, y1), z1, colour)


def _solid(half: float, top: float) -> list[Solid]:
    return [_upright(-half, half, SEAT_TOP, top, CLOTH)]


def _slats(half: float, top: float) -> list[Solid]:
    rail = _upright(-half, half, top - 6, top, WOOD)
    middles = np.linspace(-half + 2, half - 2, 5)
    return [rail, *(_upright(y - 2, y + 2, SEAT_TOP, top - 6, WOOD) for y in middles.tolist())]


def _rungs(half: float, top: float) -> list[Solid]:
    posts = [_upright(y, y + 4, SEAT_TOP, top, DARK_WOOD) for y in (-half, half - 4)]
    heights = np.linspace(top - 6, SEAT_TOP + 7, 3).tolist()
    return [*posts, *(_upright(4 - half, half - 4, z, z + 5, DARK_WOOD) for z in heights)]


def _arms(half: float) -> list[Solid]:
    rear = REAR + BACK - LEAN * 16 + 0.1  # where the pad meets the back
    parts = []
    for side in (-1, 1):  # the pads stand out, so that they show beside a solid back
        right, left = sorted((side * half, side * (half - 4)))
        parts.append(box(10, 13.5, right, left, SEAT_TOP, 62, BLACK))
        right, left = sorted((side * (half + 3), side * (half - 3)))
        parts.append(box(rear, 16, right, left, 62, 65.5, BLACK))
    return parts
