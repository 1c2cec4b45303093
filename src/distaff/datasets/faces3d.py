"""Faces3D: shaded heads that turn under a moving light, in place of the 3D Faces.

Paysan et al. 2009, doi:10.1109/AVSS.2009.58.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from distaff.datasets.grid import Grid
from distaff.datasets.pixels import reduced
from distaff.drawing.bodies import SIZE, geometries, lit, towards
from distaff.drawing.kept import Floats
from distaff.drawing.vectors import pitch, roll
from distaff.factors import FactorSpace

AZIMUTHS = np.linspace(-90, 90, 21)  # degrees; the face turns to the viewer's right
ELEVATIONS = np.linspace(-25, 25, 11)  # degrees; the viewer looks down on the face
LIGHTS = np.linspace(-80, 80, 11)  # degrees; the lamp moves to the viewer's right
_LAMPS = np.stack([towards(angle, 15, 0.95) for angle in LIGHTS])
_AMBIENT = 0.1
MIDDLE = len(AZIMUTHS) // 2
_GEOMETRIES = (50, MIDDLE + 1, len(ELEVATIONS))  # that are drawn: heads that turn to the right

#: what makes a face, each of -1..1
TRAITS = (
    "width", "depth", "length", "nose length", "nose width", "nose height", "brow", "eye distance",
    "cheekbones", "cheeks", "jaw", "chin", "mouth width", "lips", "skin", "brow shade",
)  # fmt: skip


@dataclass(eq=False)
class Faces3D(Grid):
    """Shaded heads on black: 50 identities, azimuth -90..90, elevation -25..25 and lighting -80..80 degrees.

    127,050 grey images, drawn. Heads are made of smooth bumps on an ellipsoid, mirrored left and right, with
    16 seeded traits each; they are not the Basel face model's scans, whose licence forbids to hand them on. A
    geometry is drawn when it is first asked for and kept, 16 KB each, 100 MB for all.
    """

    name = "faces3d"
    channels = 1
    licence = "drawn here; stands for images of the Basel face model, whose licence forbids to hand them on"
    citation = "Paysan, Knothe, Amberg, Romdhani, Vetter: A 3D face model for pose and illumination, 2009"
    factors = FactorSpace(
        ("identity", "azimuth", "elevation", "lighting"), (50, len(AZIMUTHS), len(ELEVATIONS), len(LIGHTS))
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        self._table = geometries(math.prod(_GEOMETRIES), _draw)

    def images(self, index: ArrayLike) -> NDArray[np.uint8]:
        identity, azimuth, elevation, light = self.factors.rows(self.check(index)).T
        left = azimuth < MIDDLE  # mirrors the right under the mirrored light
        light = np.where(left, len(LIGHTS) - 1 - light, light)
        geometry = np.ravel_multi_index((identity, abs(azimuth - MIDDLE), elevation), _GEOMETRIES)
        images = lit(self._table, geometry, _LAMPS[light], _AMBIENT, 0.0)
        images[left] = images[left, :, ::-1]
        return reduced(images[:, None], self.resolution)


# --- the shape of a head ---------------------------------------------------------------------------------
#
# A head is star-shaped: its surface lies `radius(d)` times as far out as an ellipsoid in each direction d.
# Axes are right, up, forwards; lengths are those of the space in which this ellipsoid is the unit sphere.
# Directions of the right half are tabulated on a square, u = up / (1 + right) and v = forwards / (1 + right),
# which is finest along the middle of the face; the left half mirrors them.

EYES, MOUTH = 0.08, -0.56  # how far up
_AXES = np.array([0.71, 0.99, 0.85], dtype=np.float32)  # half-axes of the ellipsoid
_TEXELS = 192
_REACH = 1.03  # u and v run from -1.03 to 1.03: a little over the middle of the face


class Head(NamedTuple):
    radius: Floats  # (192 * 192,)
    skin: NDArray[np.int8]  # (192 * 192, 4): albedo, and albedo times the normal, times 127


def traits(identity: int) -> dict[str, float]:
    """The traits of an identity, each uniform in -1..1."""
    values = np.random.default_rng([2009, identity]).uniform(-1, 1, size=len(TRAITS))
    return dict(zip(TRAITS, values.tolist(), strict=True))


@functools.cache
def heads() -> list[Head]:
    """All identities' radii, albedo and normals, 15 MB."""
    return [_head(traits(identity)) for identity in range(Faces3D.factors.sizes[0])]


def _head(t: dict[str, float]) -> Head:
    u, v = np.meshgrid(*[np.linspace(-_REACH, _REACH, _TEXELS, dtype=np.float32)] * 2, indexing="ij")
    square = u**2 + v**2
    way = np.stack([1 - square, 2 * u, 2 * v]) / (1 + square)
    stretch = np.array([1 + 0.085 * t["width"], 1 + 0.06 * t["length"], 1 + 0.06 * t["depth"]], np.float32)
    own = way / stretch[:, None, None]  # this direction before the head is stretched
    length = np.sqrt((own**2).sum(axis=0))
    right, up, front = own / length
    right = np.abs(right)
    radius = _radius(t, right, up, front) / length
    surface = _AXES[:, None, None] * radius * way
    normal = np.cross(np.gradient(surface, axis=1), np.gradient(surface, axis=2), axis=0)
    normal /= np.sqrt((normal**2).sum(axis=0))
    albedo = _albedo(t, right, up, front)
    skin = np.rint(127 * np.concatenate([albedo[None], albedo * normal])).astype(np.int8)
    return Head(radius.astype(np.float32).ravel(), np.ascontiguousarray(skin.reshape(4, -1).T))


def _bump(across: Floats, along: Floats, at: tuple[float, float], size: tuple[float, float]) -> Floats:
    return np.exp(-0.5 * (((across - at[0]) / size[0]) ** 2 + ((along - at[1]) / size[1]) ** 2))


def _eye_and_mouth(t: dict[str, float]) -> tuple[float, float]:
    """How far the eyes lie from the middle, and how far the mouth reaches."""
    return 0.30 + 0.03 * t["eye distance"], 0.17 + 0.04 * t["mouth width"]


def _radius(t: dict[str, float], right: Floats, up: Floats, front: Floats) -> Floats:
    """The radius in each direction; `right` is counted away from the middle on both sides."""
    face = 1 / (1 + np.exp(-12 * (front - 0.05)))  # bumps of the face stay off the back of the head

    def bump(height: float, x: float, y: float, width: float, tall: float) -> Floats:
        both = _bump(right, up, (x, y), (width, tall))
        if 0 < x < 2 * width:
            both = np.maximum(both, _bump(right, up, (-x, y), (width, tall)))
        return height * face * both

    eye, mouth = _eye_and_mouth(t)
    nose, wide = -0.27 - 0.05 * t["nose length"], 0.06 + 0.015 * t["nose width"]
    high, full = 1 + 0.3 * t["nose height"], 0.04 + 0.018 * t["lips"]
    radius = 1 + bump(0.13, 0, -0.62, 0.45, 0.28)  # the lower face comes forward
    radius += bump(-0.03, 0, 0.65, 0.5, 0.25)  # the forehead lies back
    radius -= 0.07 * _bump(right, up, (0, 1), (0.5, 0.3))  # the skull is flat on top
    radius -= 0.12 * _bump(front, up, (-0.75, -0.65), (0.3, 0.3))  # and hollow at the nape
    radius += bump(0.05 + 0.03 * t["brow"], 0.2, 0.235, 0.2, 0.05)
    radius += bump(-0.085, eye, EYES + 0.02, 0.12, 0.085) + bump(0.045, eye, EYES, 0.07, 0.045)
    radius += bump(0.05 + 0.03 * t["cheekbones"], 0.52, -0.10, 0.14, 0.10)
    radius += bump(0.05 * t["cheeks"], 0.42, -0.42, 0.14, 0.13)
    radius += bump(0.10 + 0.05 * t["jaw"], 0.55, -0.62, 0.18, 0.16)
    radius += bump(0.05 * high, 0, EYES + 0.06, wide, 0.10)
    radius += bump(0.10 * high, 0, 0.5 * (nose + EYES) + 0.03, 1.1 * wide, 0.10)
    radius += bump(0.17 * high, 0, nose, 1.3 * wide, 0.07)
    radius += bump(0.07, 1.9 * wide, nose - 0.03, 0.8 * wide, 0.04)  # nostrils
    radius += bump(full, 0, MOUTH + 0.06, mouth, 0.036) + bump(full, 0, MOUTH - 0.07, 0.85 * mouth, 0.042)
    radius += bump(-0.03, 0, MOUTH, mouth, 0.024) + bump(-0.03, 0, MOUTH - 0.15, mouth, 0.035)
    radius += bump(0.08 + 0.05 * t["chin"], 0, -0.84, 0.22, 0.09)
    ear = _bump(front, up, (-0.08, 0.0), (0.08, 0.17)) - 0.5 * _bump(front, up, (-0.05, 0.02), (0.035, 0.09))
    radius += 0.16 * ear * (right > 0.5)
    return radius


def _albedo(t: dict[str, float], right: Floats, up: Floats, front: Floats) -> Floats:
    """The albedo in each direction, in 0..1."""
    face = front > 0

    def patch(x: float, y: float, width: float, tall: float) -> Floats:
        square = ((right - x) / width) ** 2 + ((up - y) / tall) ** 2
        return face / (1 + np.exp(6 * (np.minimum(square, 9) - 1)))

    eye, mouth = _eye_and_mouth(t)
    albedo = np.full_like(right, 0.82 + 0.14 * t["skin"])
    brow = np.abs(up - 0.24 + 0.35 * (right - eye) ** 2)
    arch = patch(eye, 0.24, 0.17, 0.12) / (1 + np.exp(160 * (np.minimum(brow, 0.2) - 0.035)))
    albedo *= 1 - (0.45 + 0.2 * t["brow shade"]) * arch
    white, iris = patch(eye, EYES, 0.11, 0.05), patch(eye, EYES, 0.045, 0.048)
    albedo = albedo * (1 - white) + 0.95 * white
    albedo = albedo * (1 - iris) + 0.12 * iris
    albedo *= 1 - 0.25 * patch(0, MOUTH, 1.2 * mouth, 0.1)
    return albedo


# --- drawing ---------------------------------------------------------------------------------------------

_SCALE = 26.0  # pixels a unit
_PIVOT = 0.13  # the head turns about a point this far before its centre, so that profiles stay in the frame
_STEPS = 8


class Pose(NamedTuple):
    """Rays through those m pixels that some head may cover, each from a depth before any head to one inside.

    A ray is origin + depth * way, in units of the half-axes.
    """

    turn: Floats  # (3, 3), from the head's axes to the viewer's: right, up, towards the viewer
    pixel: NDArray[np.intp]  # (m,)
    origin: Floats  # (3, m)
    way: Floats  # (3,)
    first: Floats  # (m,)
    last: Floats  # (m,)


def _draw(geometry: int) -> Floats:
    """The planes (4, 64, 64) of a head: rays are walked to where they first enter the surface."""
    identity, azimuth, elevation = np.unravel_index(geometry, _GEOMETRIES)
    pose = _pose(int(azimuth), int(elevation))
    skin, cover = _hit(heads()[identity], pose)
    planes = np.zeros((4, SIZE * SIZE), dtype=np.float32)
    planes[0, pose.pixel] = cover * skin[0]
    for i, row in enumerate(pose.turn):
        planes[1 + i, pose.pixel] = cover * (row[0] * skin[1] + row[1] * skin[2] + row[2] * skin[3])
    return planes.reshape(4, SIZE, SIZE)


@functools.cache
def _pose(azimuth: int, elevation: int) -> Pose:
    """The rays of a pose, walked finely through the hull of all heads and to what is inside all of them."""
    nod, shake = pitch(ELEVATIONS[elevation]), roll(AZIMUTHS[MIDDLE + azimuth])  # y points up
    turn = (nod @ shake).astype(np.float32)
    way = turn[2] / _AXES
    place = ((np.arange(SIZE) - (SIZE - 1) / 2) / _SCALE).astype(np.float32)
    flat = turn[0][:, None, None] * place - turn[1][:, None, None] * place[:, None]  # (3, 64, 64)
    flat[2] += _PIVOT
    origin = (flat / _AXES[:, None, None]).reshape(3, -1)
    depth = np.linspace(1.4, -1.4, 50, dtype=np.float32)
    distance, texel = _points(origin, way, depth[:, None])
    hull, core = _hull_and_core()
    outer, inner = distance < hull[texel], distance < core[texel]
    first = depth[np.maximum(outer.argmax(axis=0) - 1, 0)]
    grazing = depth[(distance - 0.5 * (hull + core)[texel]).argmin(axis=0)] - np.float32(0.1)
    last = np.where(inner.any(axis=0), depth[inner.argmax(axis=0)], grazing)
    pixel = np.flatnonzero(outer.any(axis=0))
    return Pose(turn, pixel, np.ascontiguousarray(origin[:, pixel]), way, first[pixel], last[pixel])


@functools.cache
def _hull_and_core() -> tuple[Floats, Floats]:
    """Radii outside of all heads, by a pixel, and inside of all heads."""
    radii = np.stack([head.radius for head in heads()])
    return radii.max(axis=0) + np.float32(0.04), radii.min(axis=0) - np.float32(0.05)


def _hit(head: Head, pose: Pose) -> tuple[Floats, Floats]:
    """What rays see: albedo and albedo times normal (4, m), and how far each is covered (m,)."""
    steps = np.linspace(0, 1, _STEPS, dtype=np.float32)[:, None]
    depth = pose.first + steps * (pose.last - pose.first)
    gap = _gap(head.radius, pose.origin, pose.way, depth)  # (steps, m)
    lowest = gap.min(axis=0)
    step = np.where(gap < 0, np.arange(_STEPS, dtype=np.uint8)[:, None], _STEPS).min(axis=0)
    missed = np.flatnonzero(step == _STEPS)
    step[missed] = gap[:, missed].argmin(axis=0)
    ray, before = np.arange(len(step)), np.maximum(step, 1) - 1
    inside, in_gap = depth[step, ray], gap[step, ray]
    outside, out_gap = depth[before, ray], gap[before, ray]
    between = _crossing(inside, in_gap, outside, out_gap)
    new = _gap(head.radius, pose.origin, pose.way, between)
    inner = new < 0
    inside, in_gap = np.where(inner, between, inside), np.where(inner, new, in_gap)
    outside, out_gap = np.where(inner, outside, between), np.where(inner, out_gap, new)
    at = _crossing(inside, in_gap, outside, out_gap)
    skin = head.skin[_points(pose.origin, pose.way, at)[1]].T.astype(np.float32)
    skin /= 127
    left = pose.origin[0] + at * pose.way[0] < 0  # the left half mirrors the right
    skin[1] *= np.where(left, np.float32(-1), np.float32(1))
    return skin, np.clip(0.5 - 0.8 * _SCALE * lowest, 0, 1)


def _crossing(inside: Floats, in_gap: Floats, outside: Floats, out_gap: Floats) -> Floats:
    """The depth between two where the gap would be zero, were it linear."""
    return inside + (outside - inside) * np.clip(in_gap / (in_gap - out_gap - np.float32(1e-6)), 0, 1)


def _gap(radius: Floats, origin: Floats, way: Floats, depth: Floats) -> Floats:
    """How far the points at `depth` (..., m) of rays lie outside a surface; inside is negative."""
    distance, texel = _points(origin, way, depth)
    distance -= radius[texel]
    return distance


def _points(origin: Floats, way: Floats, depth: Floats) -> tuple[Floats, NDArray[np.int32]]:
    """How far points at `depth` (..., m) of rays lie from the centre, and the texels of their directions."""
    x, y, z = (depth * way[i] + origin[i] for i in range(3))
    distance = x * x
    distance += y * y
    distance += z * z
    np.sqrt(distance, out=distance)
    half = np.float32((_TEXELS - 1) / 2)
    scale = (half / np.float32(_REACH)) / (distance + np.abs(x))
    texel = (y * scale + (half + np.float32(0.5))).astype(np.int32)
    texel *= _TEXELS
    texel += (z * scale + (half + np.float32(0.5))).astype(np.int32)
    return distance, texel
