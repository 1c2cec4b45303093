"""Drawn cars in the place of Cars3D (Reed et al. 2015): elevation, azimuth and object."""

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from distaff.datasets.grid import Grid
from distaff.drawing.polygons import (
    Cameras,
    Colour,
    Drawings,
    Piece,
    Polygon,
    Scene,
    Solid,
    box,
    frustum,
    on_white,
    patch,
    prism,
)
from distaff.factors import FactorSpace

ELEVATIONS = np.radians([5, 16, 28, 40])
AZIMUTHS = np.radians(210 + 15 * np.arange(24))  # 0 would look at the front
OBJECTS = 183
SEED = 2015

RUBBER, DARK, GLASS, HUB = (48, 48, 52), (30, 30, 32), (62, 76, 96), (205, 205, 210)
HEADLIGHT, TAIL_LIGHT, GRILLE, PLATE = (255, 248, 205), (225, 25, 20), (45, 45, 48), (240, 240, 225)
CORNERS = 10  # of a wheel


class Car(NamedTuple):
    """Lengths in metres; x is 0 in the middle of the car and positive in front."""

    length: float
    width: float
    height: float
    belt: float  # height of the lower edge of the windows
    nose: float  # height of the front end of the hood
    tail: float  # height of the rear end
    clearance: float
    wheel: float  # radius
    axles: tuple[float, float]  # x of the front and the rear axle
    cabin: tuple[float, float, float, float]  # x of the rear and front end at the belt, and at the roof
    lights: float  # width of a light, as a share of the car's
    paint: Colour


#: least and greatest length, width, height, share of the hood, of the boot, run of windscreen, of rear window
BODIES = {
    "saloon": ((4.1, 4.8), (1.65, 1.85), (1.35, 1.5), (0.22, 0.28), (0.12, 0.20), (0.4, 0.75), (0.35, 0.65)),
    "hatchback": ((3.3, 4.1), (1.55, 1.75), (1.4, 1.6), (0.17, 0.24), (0.0, 0.03), (0.4, 0.8), (0.1, 0.5)),
    "coupe": ((3.9, 4.6), (1.7, 1.9), (1.12, 1.3), (0.28, 0.38), (0.06, 0.16), (0.5, 0.8), (0.5, 1.0)),
    "van": ((4.0, 4.9), (1.75, 1.95), (1.85, 2.2), (0.04, 0.12), (0.0, 0.01), (0.3, 0.7), (0.02, 0.12)),
    "off-roader": ((3.7, 4.6), (1.75, 1.95), (1.65, 1.9), (0.22, 0.3), (0.0, 0.04), (0.1, 0.4), (0.05, 0.3)),
    "pick-up": ((4.4, 4.9), (1.7, 1.9), (1.5, 1.75), (0.2, 0.26), (0.36, 0.44), (0.3, 0.6), (0.05, 0.15)),
}


@dataclass(eq=False)
class Cars3DDrawn(Grid):
    """Drawn cars on white, a stand-in for Cars3D (not its CAD renderings): elevation, azimuth, object.

    The grid is that of Cars3D: 4 elevations, 24 azimuths over the full turn, 183 objects, RGB. The objects
    are drawn here from flat-shaded solids whose proportions and paint are seeded by the object's number, in
    six kinds: saloon, hatchback, coupe, van, off-roader, pick-up. The elevations, 5 to 40 degrees, are ours.
    A picture is drawn when it is first asked for, and then kept. Smaller resolutions average blocks of the
    64-pixel image.
    """

    name = "cars3d_drawn"
    note = "drawn; not the CAD renderings of Cars3D"
    licence = "drawn here; none of the original renderings is used"
    citation = "in the place of Cars3D: Reed, Zhang, Zhang, Lee: Deep visual analogy-making, NIPS 2015"
    factors = FactorSpace(("elevation", "azimuth", "object"), (len(ELEVATIONS), len(AZIMUTHS), OBJECTS))

    def images(self, index: ArrayLike) -> NDArray[np.uint8]:
        return on_white([_piece(i) for i in self.check(index).tolist()], self.image_shape)


def cameras() -> Cameras:
    """The 96 views in the order of the data set, the azimuth changing fastest."""
    elevation, azimuth = np.meshgrid(ELEVATIONS, AZIMUTHS, indexing="ij")
    return Cameras(azimuth.ravel(), elevation.ravel(), target=(0.0, 0.0, 0.75), distance=14.0, scale=11.2)


@functools.cache
def _piece(index: int) -> Piece:
    view, number = divmod(index, OBJECTS)
    return _drawings(number).draw(view)


@functools.cache
def _drawings(number: int) -> Drawings:
    return Scene(solids(car(number))).drawings(cameras())


def car(number: int) -> Car:
    """Proportions and paint of object `number`, 0..182."""
    rng = np.random.default_rng((SEED, number))
    shares = rng.random(7).tolist()
    ranges = BODIES[tuple(BODIES)[int(rng.random() * len(BODIES))]]
    length, width, height, hood, boot, front, rear = (
        low + (high - low) * share for (low, high), share in zip(ranges, shares, strict=True)
    )
    a, b, c, d, e, f = rng.random(6).tolist()
    wheel = 0.28 + 0.09 * a + (0.05 if height > 1.55 else 0.0)
    belt = max(height * (0.6 + 0.06 * b), 2.35 * wheel)
    rear_end, front_end = (boot - 0.5) * length, (0.5 - hood) * length
    return Car(
        length=length,
        width=width,
        height=height,
        belt=belt,
        nose=max(belt - 0.06 - 0.14 * c, 2.25 * wheel),
        tail=max(belt - 0.01 - 0.08 * d, 2.25 * wheel),
        clearance=0.6 * wheel + 0.06 * e,
        wheel=wheel,
        axles=(length / 2 - wheel - 0.32 - 0.12 * f, -length / 2 + wheel + 0.34 + 0.12 * d),
        cabin=(rear_end + 0.04, front_end, rear_end + 0.04 + rear, front_end - front),
        lights=0.14 + 0.12 * c,
        paint=_paint(number, rng.random(2).tolist()),
    )


def _paint(number: int, chance: Sequence[float]) -> Colour:
    """Every fourth car is grey, from dark to light; the hues of the others go round by golden steps."""
    if number % 4 == 2:
        return (int(60 + 175 * chance[0]),) * 3
    hue = 6 * (number * 0.6180339887498949 % 1)
    strength, value = 0.55 + 0.4 * chance[0], 140 + 105 * chance[1]
    tones = [1 - strength * min(max(min((n + hue) % 6, 4 - (n + hue) % 6), 0), 1) for n in (5, 3, 1)]
    return tuple(int(value * tone) for tone in tones)


def solids(car: Car) -> list[Solid]:
    """The solids of a car that stands at z = 0."""
    end, half = car.length / 2, car.width / 2
    under = box(0.3 - end, end - 0.3, 0.25 - half, half - 0.25, 0.5 * car.clearance, car.clearance, DARK)
    return [_body(car), _cabin(car), under, *(_tyre(car, x, s) for x in car.axles for s in (-1, 1))]


def _body(car: Car) -> Solid:
    """Everything below the windows: a side view as wide as the car, with lights and wheel arches."""
    end, low, half = car.length / 2, car.clearance, car.width / 2
    rear, front = car.cabin[:2]
    outline = [  # (x, z), from below the tail forwards and back over the top
        (0.12 - end, low),
        (end - 0.12, low),
        (end, low + 0.14),
        (end, car.nose),
        (front, car.belt),
        (rear, car.belt),
        (-end, car.tail),
        (-end, low + 0.14),
    ]
    lower, upper = ([[x, y, z] for x, z in outline] for y in (half, -half))
    shell = prism(lower, upper, car.paint)
    # the sides of a prism begin along the outline, these upwards in front and downwards behind
    nose, tail = np.roll(shell.faces[4], 1, axis=0), np.roll(shell.faces[8], -1, axis=0)
    w = car.lights
    decals = [
        (patch(nose, (0.04, 0.04 + w), (0.45, 0.95)), HEADLIGHT),
        (patch(nose, (0.96 - w, 0.96), (0.45, 0.95)), HEADLIGHT),
        (patch(nose, (0.1 + w, 0.9 - w), (0.2, 0.8)), GRILLE),
        (patch(tail, (0.03, 0.03 + w), (0.45, 0.95)), TAIL_LIGHT),
        (patch(tail, (0.97 - w, 0.97), (0.45, 0.95)), TAIL_LIGHT),
        (patch(tail, (0.38, 0.62), (0.25, 0.5)), PLATE),
        *(decal for x in car.axles for side in (-1, 1) for decal in _wheel(car, x, side)),
    ]
    return shell._replace(decals=tuple(decals))


def _wheel(car: Car, x: float, side: int) -> list[tuple[Polygon, Colour]]:
    """Arch, tyre and hub, flat on a side of the body; the tyre hangs below it."""
    y, radius, clearance = side * car.width / 2, 1.2 * car.wheel, car.clearance
    arch = _round(x, y, radius, car.wheel, side)
    arch[:, 2] = np.maximum(arch[:, 2], clearance)
    tyre, hub = (_round(x, y, share * car.wheel, car.wheel, side) for share in (1, 0.58))
    return [(arch, DARK), (tyre, RUBBER), (hub, HUB)]


def _tyre(car: Car, x: float, side: int) -> Solid:
    """The part of a tyre that shows below the body, seen from the front or between the wheels."""
    y0, y1 = sorted((side * car.width / 2, side * (car.width / 2 - 0.2)))
    drop = car.wheel - car.clearance
    high, low = 0.98 * np.sqrt(car.wheel**2 - drop**2), 0.3 * car.wheel
    return frustum((x - low, x + low, y0, y1), 0, (x - high, x + high, y0, y1), car.clearance, RUBBER)


def _cabin(car: Car) -> Solid:
    half = car.width / 2
    rear, front, rear_top, front_top = car.cabin
    slope = 0.16 * (car.height - car.belt)
    low = (rear, front, 0.04 - half, half - 0.04)
    high = (rear_top, front_top, 0.06 + slope - half, half - 0.06 - slope)
    shell = frustum(low, car.belt, high, car.height, car.paint)
    right, front_side, left, rear_side = shell.faces[2:]
    panes = [patch(front_side, (0.06, 0.94), (0.1, 0.9)), patch(rear_side, (0.08, 0.92), (0.2, 0.88))]
    for side in (right, left):
        panes += [patch(side, (0.08, 0.5), (0.12, 0.86)), patch(side, (0.54, 0.93), (0.12, 0.86))]
    return shell._replace(decals=tuple((pane, GLASS) for pane in panes))


def _round(x: float, y: float, radius: float, height: float, side: int) -> Polygon:
    """A regular polygon in a plane of constant y, anticlockwise as seen from `side`."""
    angles = -side * 2 * np.pi * (np.arange(CORNERS) + 0.5) / CORNERS
    across, up = x + radius * np.cos(angles), height + radius * np.sin(angles)
    return np.stack([across, np.full(CORNERS, y), up], axis=1)
