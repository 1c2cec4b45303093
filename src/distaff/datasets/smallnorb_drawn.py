"""SmallNORB drawn: grey toys made of ellipsoids and boxes, in place of SmallNORB's photographs (2004)."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from distaff.datasets.grid import Grid
from distaff.datasets.pixels import reduced
from distaff.drawing.bodies import geometries, lit, towards
from distaff.drawing.kept import Floats
from distaff.drawing.lumps import Lump, planes
from distaff.drawing.vectors import yaw
from distaff.factors import FactorSpace

CATEGORIES = ("animal", "human", "airplane", "truck", "car")  # in the order of the original
ELEVATIONS = np.arange(30, 71, 5)  # degrees above the table
AZIMUTHS = np.arange(0, 360, 20)  # degrees about the upright
#: azimuth, elevation (degrees as the viewer sees them) and strength of the lamp
_PLACES = ((-60, 35, 0.7), (60, 35, 0.7), (0, 70, 0.7), (-75, 10, 0.45), (75, 10, 0.45), (0, 20, 0.7))
_LAMPS = np.stack([towards(*place) for place in _PLACES])
_AMBIENT, _BACKGROUND = 0.2, 0.45  # the upper sides of toys are never as bright as the background


@dataclass(eq=False)
class SmallNORBDrawn(Grid):
    """Grey toys on grey: 5 categories, 10 instances of each, 9 elevations, 18 azimuths and 6 lightings.

    48,600 grey images, drawn: a stand-in with the grid of SmallNORB, not NORB's photographs. Toys are put
    together from ellipsoids and boxes, with seeded proportions. The instance is on the grid here; studies
    hide it, for "instance 3" of a car has nothing in common with instance 3 of an animal. A geometry is drawn
    when it is first asked for and kept, 16 KB each, 135 MB for all.
    """

    name = "smallnorb_drawn"
    channels = 1
    licence = "drawn here; has SmallNORB's factors but none of its photographs"
    citation = "LeCun, Huang, Bottou: Learning methods for generic object recognition, 2004 (the grid only)"
    factors = FactorSpace(
        ("category", "instance", "elevation", "azimuth", "lighting"),
        (len(CATEGORIES), 10, len(ELEVATIONS), len(AZIMUTHS), len(_LAMPS)),
    )
    hidden = ("instance",)

    def __post_init__(self) -> None:
        super().__post_init__()
        self._table = geometries(math.prod(self.factors.sizes[:4]), _draw)

    def images(self, index: ArrayLike) -> NDArray[np.uint8]:
        geometry, light = np.divmod(self.check(index), len(_LAMPS))
        images = lit(self._table, geometry, _LAMPS[light], _AMBIENT, _BACKGROUND)
        return reduced(images[:, None], self.resolution)


# --- toys ------------------------------------------------------------------------------------------------
#
# Axes of a toy: forwards, to its left, up. Angles in degrees.


Draw = Callable[[float, float], float]  # a proportion between two bounds


def _both(part: Lump) -> list[Lump]:
    """A part on the left and its mirror image on the right."""
    x, y, z = part.centre
    return [part, part._replace(centre=(x, -y, z), turned=-part.turned)]


def _animal(u: Draw) -> list[Lump]:
    long, thick, leg, neck = u(0.55, 0.8), u(0.2, 0.36), u(0.3, 0.55), u(0.15, 0.5)
    head, limb = u(0.16, 0.24), u(0.065, 0.1)
    reach, rise = long + 0.3 * neck, 0.4 * thick + neck
    parts = [
        Lump(False, (0, 0, 0), (long, 0.85 * thick, thick)),
        Lump(False, (0.8 * long, 0, 0.5 * rise), (0.6 * neck + 0.14, 0.13, 0.14), 60),
        Lump(False, (reach + 0.1, 0, rise), (1.5 * head, 0.8 * head, head), u(-35, 0)),
        Lump(False, (-long - 0.1, 0, u(-0.1, 0.15)), (u(0.15, 0.32), 0.05, 0.05), u(20, 75)),
    ]
    parts += _both(Lump(False, (reach - 0.08, 0.8 * head, rise + 0.9 * head), (0.05, 0.06, u(0.08, 0.2))))
    for x in (-0.65 * long, 0.65 * long):
        middle = (x, 0.55 * thick, -0.5 * thick - 0.5 * leg)
        parts += _both(Lump(False, middle, (limb, limb, 0.5 * leg + 0.15)))
    return parts


def _human(u: Draw) -> list[Lump]:
    wide, tall, leg, limb = u(0.2, 0.32), u(0.32, 0.42), u(0.4, 0.55), u(0.08, 0.11)
    arm, stride, swing = u(0.32, 0.45), u(5, 28), u(5, 50)
    hip, lift = 0.5 * wide, u(0, 60)
    parts = [
        Lump(False, (0, 0, 0.45), (0.17, wide, tall)),
        Lump(False, (0, 0, 0.08), (0.17, 0.85 * wide, 0.18)),
        Lump(False, (0.02, 0, 0.45 + tall + 0.14), (0.17, 0.15, 0.19)),
    ]
    if u(0, 1) < 0.5:  # a hat
        parts.append(Lump(False, (0.02, 0, 0.45 + tall + 0.24), (0.27, 0.25, 0.06)))
    for side in (1, -1):
        slope, angle = stride * side, -90 + (lift + 20 if side > 0 else swing)
        ahead, down = leg * np.sin(np.radians(slope)), leg * np.cos(np.radians(slope))
        out, up = arm * np.cos(np.radians(angle)), arm * np.sin(np.radians(angle))
        elbow = (out, side * (wide + 0.06), 0.42 + 0.6 * tall + up)
        parts += [
            Lump(False, (ahead, side * hip, -down), (leg + 0.05, limb, limb), -90 + slope),
            Lump(True, (2 * ahead + 0.07, side * hip, -2 * down), (0.15, 0.08, 0.05)),  # a foot
            Lump(False, elbow, (arm, 0.075, 0.075), angle),
        ]
    return parts


def _airplane(u: Draw) -> list[Lump]:
    long, thick, span, chord = u(0.8, 1.0), u(0.11, 0.18), u(0.75, 1.05), u(0.14, 0.24)
    sweep, height, at = u(-5, 35), u(-0.08, 0.14), u(0.0, 0.2)
    tail, fin = u(0.28, 0.42), u(0.16, 0.26)
    parts = [
        Lump(False, (0, 0, 0), (long, thick, thick)),
        Lump(False, (0.5 * long, 0, 0.7 * thick), (0.22, 0.6 * thick, 0.6 * thick)),
        Lump(True, (-0.85 * long, 0, 0.05 + fin), (0.14, 0.022, fin)),
    ]
    slope, half = np.radians(sweep), 0.5 * span
    wing = (at - half * np.sin(slope), half * np.cos(slope), height)
    parts += _both(Lump(True, wing, (chord, half, 0.03), 0, sweep))
    parts += _both(Lump(True, (-0.86 * long, 0.5 * tail, 0.06), (0.11, 0.5 * tail, 0.022), 0, 0.6 * sweep))
    out, engine = u(0.25, 0.55) * span, u(0, 1)
    if engine < 0.6:
        parts += _both(Lump(False, (at + 0.1, out, height - 0.08), (u(0.18, 0.28), 0.075, 0.075)))
    else:
        parts.append(Lump(True, (long, 0, 0), (0.02, 0.3, 0.05)))
    return parts


def _wheels(places: list[float], side: float, bottom: float, radius: float) -> list[Lump]:
    return [wheel for x in places for wheel in _both(Lump(False, (x, side, bottom), (radius, 0.09, radius)))]


def _truck(u: Draw) -> list[Lump]:
    long, wide, high = u(0.5, 0.68), u(0.26, 0.34), u(0.22, 0.42)
    cab, tall, wheel = u(0.17, 0.24), u(0.27, 0.36), u(0.13, 0.18)
    front = long + cab + 0.04
    parts = [Lump(True, (0.5 * cab, 0, -0.03), (long + cab, 0.8 * wide, 0.06))]
    parts.append(Lump(True, (front, 0, tall), (cab, 0.95 * wide, tall)))
    kind = u(0, 1)
    if kind < 0.5:  # a closed body
        parts.append(Lump(True, (-0.06, 0, high + 0.06), (long, wide, high)))
    elif kind < 0.8:  # a tank
        parts.append(Lump(False, (-0.08, 0, 0.3), (1.08 * long, wide, 0.27)))
    else:  # a tipper
        parts.append(Lump(True, (-0.08, 0, 0.28), (long, wide, 0.15), u(5, 18)))
    if u(0, 1) < 0.6:
        parts.append(Lump(True, (front + cab + 0.1, 0, 0.14), (0.13, 0.8 * wide, 0.15)))
    return parts + _wheels([-0.75 * long, -0.75 * long + 2.2 * wheel, front], 0.85 * wide, -0.12, wheel)


def _car(u: Draw) -> list[Lump]:
    long, wide, high = u(0.72, 0.92), u(0.32, 0.4), u(0.13, 0.18)
    cabin, roof, back = u(0.3, 0.48), u(0.15, 0.24), u(-0.3, -0.02)
    wheel = u(0.14, 0.19)
    parts = [
        Lump(True, (0, 0, 0), (0.94 * long, 0.93 * wide, 0.8 * high)),
        Lump(False, (0.25 * long, 0, 0.02), (0.82 * long, 0.98 * wide, 1.35 * high)),
    ]
    if u(0, 1) < 0.65:
        parts.append(Lump(False, (back, 0, high), (1.25 * cabin, 0.85 * wide, 1.5 * roof)))
    else:
        parts.append(Lump(True, (back, 0, high + 0.5 * roof), (cabin, 0.8 * wide, 0.7 * roof)))
    if u(0, 1) < 0.3:  # a spoiler
        parts.append(Lump(True, (-0.9 * long, 0, high + 0.14), (0.07, 0.85 * wide, 0.025)))
    return parts + _wheels([-0.6 * long, 0.6 * long], 0.88 * wide, -0.9 * high, wheel)


_MAKERS = (_animal, _human, _airplane, _truck, _car)


@functools.cache
def toy(category: int, instance: int) -> tuple[Lump, ...]:
    """The parts of a toy, moved and scaled into the unit ball."""
    rng = np.random.default_rng([2004, category, instance])
    parts = _MAKERS[category](lambda low, high: float(rng.uniform(low, high)))
    corners = np.concatenate([part.extremes() for part in parts])
    centre = 0.5 * (corners.min(axis=0) + corners.max(axis=0))
    size = np.sqrt(((corners - centre) ** 2).sum(axis=1).max())
    return tuple(
        part._replace(
            centre=tuple(((np.array(part.centre) - centre) / size).tolist()),
            half=tuple((np.array(part.half) / size).tolist()),
        )
        for part in parts
    )


def _draw(geometry: int) -> Floats:
    """The planes (4, 64, 64) of a toy as a camera sees it."""
    category, instance, elevation, azimuth = np.unravel_index(geometry, SmallNORBDrawn.factors.sizes[:4])
    view = _view(float(ELEVATIONS[elevation]), float(AZIMUTHS[azimuth]))
    return planes(toy(int(category), int(instance)), view)


def _view(elevation: float, azimuth: float) -> NDArray[np.float64]:
    """The matrix (3, 3) from a toy's axes to the viewer's: right, up, towards the viewer."""
    c, s = np.cos(np.radians(elevation)), np.sin(np.radians(elevation))
    return np.array([[0, 1, 0], [-s, 0, c], [c, 0, s]]) @ yaw(azimuth)
