"""Scenes by analytic ray casting: planes, boxes, balls, cylinders and capsules, with soft light.

A scene is drawn once per geometry, not once per image: what comes out are masks, one for each surface, that
say how much of the surface's colour each pixel shows. Coverage (anti-aliased), Lambert and ambient light,
contact shadows and highlights are in the masks, so an image of any colours is a sum of masks times colours.

The world has x to the right, y away from the reader and z up. Rays are (n, 3), distances (n,) in units of
the ray's direction, infinite where a ray misses.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from distaff.drawing.kept import Floats, Table

SIZE = 64  # pixels
OVERSAMPLE = 4  # rays along each side of a pixel
AMBIENT, DIRECT = 0.54, 0.46  # at most 1 together, so that no colour overflows
GLOSS, SHARPNESS = 0.35, 30.0  # of highlights
LIGHT = np.array([-0.36, -0.7, 1.0]) / np.linalg.norm([-0.36, -0.7, 1.0])  # towards the light
PENUMBRA = 0.16  # the light's radius, seen from afar
LIGHT_RAYS = 20
CHUNK = 16  # images composed at once, so that they stay in the cache

Vectors = NDArray[np.float64]
Triple = tuple[float, float, float]
#: (origins, directions) to (distances, normals of any length), in the shape's own coordinates
Shape = Callable[[Vectors, Vectors], tuple[Vectors, Vectors]]
ENDLESS: Triple = (np.inf, np.inf, np.inf)


def dot(a: Vectors, b: Vectors) -> Vectors:
    """The inner products of vectors along the last axis of length 3, written out so that no order varies."""
    return a[..., 0] * b[..., 0] + a[..., 1] * b[..., 1] + a[..., 2] * b[..., 2]


def plane(origin: Vectors, direction: Vectors) -> tuple[Vectors, Vectors]:
    """The plane z = 0, seen from above."""
    towards = direction[..., 2] < -1e-9
    t = np.where(towards, -origin[..., 2] / np.where(towards, direction[..., 2], 1), np.inf)
    return t, np.broadcast_to([0.0, 0.0, 1.0], direction.shape)


def box(origin: Vectors, direction: Vectors) -> tuple[Vectors, Vectors]:
    """The cube from -1 to 1 along each axis."""
    direction = np.where(np.abs(direction) < 1e-12, 1e-12, direction)
    sign = np.sign(direction)
    enter = (-sign - origin) / direction
    first, last = enter.max(axis=-1), ((sign - origin) / direction).min(axis=-1)
    normal = np.where(np.arange(3) == enter.argmax(axis=-1)[..., None], -sign, 0)
    return np.where((first <= last) & (first > 0), first, np.inf), normal


def ball(origin: Vectors, direction: Vectors) -> tuple[Vectors, Vectors]:
    """The ball of radius 1."""
    t = _roots(dot(direction, direction), dot(origin, direction), dot(origin, origin) - 1)[0]
    t = np.where(t > 0, t, np.inf)
    return t, origin + _finite(t)[:, None] * direction


def cylinder(origin: Vectors, direction: Vectors, top: float = 1.0) -> tuple[Vectors, Vectors]:
    """The upright cylinder of radius 1 from z = -1 to 1; `top` is its radius there, if another."""
    mean, slope = (top + 1) / 2, (top - 1) / 2
    flat = np.array([1.0, 1.0, 0.0])
    radius, growth = mean + slope * origin[..., 2], slope * direction[..., 2]
    roots = _roots(
        dot(direction * flat, direction) - growth**2,
        dot(origin * flat, direction) - growth * radius,
        dot(origin * flat, origin) - radius**2,
    )
    best, normal = np.full(len(direction), np.inf), np.zeros(direction.shape)
    for t in roots:
        p = origin + _finite(t)[:, None] * direction
        nearer = (np.abs(p[:, 2]) <= 1) & (t > 0) & (t < best)
        best = np.where(nearer, t, best)
        p[:, 2] = -slope * (mean + slope * p[:, 2])
        normal = np.where(nearer[:, None], p, normal)
    rise = np.where(np.abs(direction[:, 2]) < 1e-12, 1e-12, direction[:, 2])
    for z, size in ((1.0, top), (-1.0, 1.0)):
        t = (z - origin[..., 2]) / rise
        p = (origin + t[:, None] * direction) * flat
        nearer = (dot(p, p) <= size**2) & (t > 0) & (t < best)
        best = np.where(nearer, t, best)
        normal = np.where(nearer[:, None], [0.0, 0.0, z], normal)
    return best, normal


def capsule(origin: Vectors, direction: Vectors, half: float) -> tuple[Vectors, Vectors]:
    """All points within 1 of the upright line from z = -half to half."""
    flat = np.array([1.0, 1.0, 0.0])
    level = origin * flat
    t = _roots(dot(direction * flat, direction), dot(level, direction), dot(level, origin) - 1)[0]
    best = np.where((t > 0) & (np.abs(origin[..., 2] + _finite(t) * direction[:, 2]) <= half), t, np.inf)
    for z in (-half, half):
        best = np.minimum(best, ball(origin - [0.0, 0.0, z], direction)[0])
    normal = origin + _finite(best)[:, None] * direction
    normal[:, 2] -= np.clip(normal[:, 2], -half, half)
    return best, normal


def _roots(a: Vectors, b: Vectors, c: Vectors) -> tuple[Vectors, Vectors]:
    """Both solutions of a t^2 + 2 b t + c = 0, the smaller first if a > 0; infinite if there are none."""
    a = np.where(np.abs(a) < 1e-12, 1e-12, a)
    square = b * b - a * c
    root = np.sqrt(np.maximum(square, 0))
    return np.where(square >= 0, (-b - root) / a, np.inf), np.where(square >= 0, (-b + root) / a, np.inf)


def _finite(t: Vectors) -> Vectors:
    return np.where(np.isfinite(t), t, 0)


def yaw(degrees: float) -> Vectors:
    """The turn (3, 3) anticlockwise as seen from above."""
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])


def pitch(degrees: float) -> Vectors:
    """The turn (3, 3) about x that leans what points up towards the reader."""
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return np.array([[1, 0, 0], [0, c, -s], [0, s, c]])


def roll(degrees: float) -> Vectors:
    """The turn (3, 3) about y that leans what points up to the right."""
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]])


def upright(degrees: float) -> Vectors:
    """The turn (3, 3) of a plane into a wall that faces the reader, then turned by `degrees` of yaw."""
    return one_turn(yaw(degrees), pitch(90))


def one_turn(a: Vectors, b: Vectors) -> Vectors:
    """The turn (3, 3) that does `b`, then `a`."""
    return np.stack([dot(a[i], b.T) for i in range(3)])


@dataclass(frozen=True, eq=False)
class Solid:
    """A shape in its place: its point p is at turn (size * p) + centre. `surface` numbers its colour.

    `reach` is how far the shape goes along its own axes; rays that pass by all of that are not tried.
    """

    surface: int
    shape: Shape
    size: Triple = (1.0, 1.0, 1.0)
    centre: Triple = (0.0, 0.0, 0.0)
    turn: Vectors = field(default_factory=lambda: np.eye(3))
    reach: Triple = (1.0, 1.0, 1.0)

    def meet(self, origin: Vectors, direction: Vectors) -> tuple[Vectors, Vectors]:
        """Where rays from `origin` (n, 3) first enter: distances, and normals of length 1."""
        size = np.array(self.size)
        inward = [self._back(v) / size for v in (origin - np.array(self.centre), direction)]
        t, normal = self.shape(inward[0], inward[1])
        normal = normal / size
        outward = np.stack([dot(row, normal) for row in self.turn], axis=-1)
        return t, outward / np.maximum(np.sqrt(dot(outward, outward)), 1e-12)[:, None]

    def _back(self, vectors: Vectors) -> Vectors:
        return np.stack([dot(column, vectors) for column in self.turn.T], axis=-1)


class Hits(NamedTuple):
    """What rays meet first: distances (n,), normals (n, 3), and surfaces (n,), -1 for nothing."""

    distance: Vectors
    normal: Vectors
    surface: NDArray[np.int64]


def cast(solids: Sequence[Solid], origin: Vectors, direction: Vectors) -> Hits:
    """What rays from `origin` (n, 3) along `direction` (n, 3) of length 1 meet first."""
    n = len(direction)
    distance, normal, surface = np.full(n, np.inf), np.zeros((n, 3)), np.full(n, -1)
    for solid in solids:
        radius = float(np.linalg.norm(np.multiply(solid.size, solid.reach)))
        near = np.flatnonzero(_passes(origin, direction, solid.centre, radius))
        t, facing = solid.meet(origin[near], direction[near])
        nearer = t < distance[near]
        near = near[nearer]
        distance[near], normal[near], surface[near] = t[nearer], facing[nearer], solid.surface
    return Hits(distance, normal, surface)


@dataclass(frozen=True)
class Camera:
    """An eye at a point, looking at another; `view` is the angle in degrees that the picture spans."""

    eye: Triple
    target: Triple
    view: float

    def directions(self, oversample: int) -> Vectors:
        """Directions of length 1 (oversample^2 * 64 * 64, 3) of evenly spaced rays.

        First come the first rays of all pixels, row by row from the top, then their second rays, and so on.
        """
        ahead = np.subtract(self.target, self.eye)
        ahead = ahead / np.sqrt(dot(ahead, ahead))
        right = np.array([ahead[1], -ahead[0], 0]) / np.hypot(ahead[0], ahead[1])
        up = np.cross(right, ahead)
        steps = oversample * SIZE
        place = ((np.arange(steps) + 0.5) / steps * 2 - 1) * np.tan(np.radians(self.view / 2))
        rays = ahead + place[None, :, None] * right - place[:, None, None] * up
        rays = rays / np.sqrt(dot(rays, rays))[..., None]
        rays = rays.reshape(SIZE, oversample, SIZE, oversample, 3).transpose(1, 3, 0, 2, 4)
        return rays.reshape(-1, 3)


class EmptyRoom:
    """What a camera sees of a room's planes, kept for all objects that are then put into it.

    `texture(points (n, 3), surfaces (n,))` gives how bright a plane is painted at a point, 0..1.
    """

    def __init__(
        self,
        camera: Camera,
        planes: Sequence[Solid],
        texture: Callable[[Vectors, NDArray[np.int64]], Vectors] | None = None,
    ) -> None:
        self.planes, self.eye = planes, np.array(camera.eye)
        self.rays = camera.directions(OVERSAMPLE)
        hits = cast(planes, np.broadcast_to(self.eye, self.rays.shape), self.rays)
        points = self.eye + hits.distance[:, None] * self.rays
        paint = texture(points, hits.surface) if texture else np.ones(len(points))
        self.surface = hits.surface
        self.ambient = paint * AMBIENT * self.openness(points, hits.normal)
        self.direct = paint * DIRECT * np.maximum(dot(hits.normal, LIGHT), 0)
        #: both lights of each surface as pictures (64, 64), without what hides them
        self.pictures = {
            int(surface): [_pixels(which, part[which]) for part in (self.ambient, self.direct)]
            for surface in np.unique(hits.surface)
            for which in [np.flatnonzero(hits.surface == surface)]
        }
        #: the points and normals at the centres of the pixels, where shadows are cast
        rays = camera.directions(1)
        centres = cast(planes, np.broadcast_to(self.eye, rays.shape), rays)
        self.points, self.normals = self.eye + centres.distance[:, None] * rays, centres.normal

    def openness(self, points: Vectors, normals: Vectors, reach: float = 0.6, depth: float = 0.45) -> Vectors:
        """The share of ambient light at points (n, 3): less near planes that face another way."""
        share = np.ones(len(points))
        for solid in self.planes:
            facing = solid.turn[:, 2]
            gap = np.maximum(dot(points - np.array(solid.centre), facing), 0)
            other = 0.5 - 0.5 * dot(normals, facing)  # 0 for the plane that the point lies on
            share = share * (1 - depth * np.minimum(2 * other, 1) * np.exp(-gap / reach))
        return share


def draw(room: EmptyRoom, solids: Sequence[Solid], centre: Triple, radius: float, surfaces: int) -> Floats:
    """The masks (surfaces + 1, 64, 64), 0..1, of `solids` in a room; the last one is white highlights.

    All solids lie in the ball of `radius` about `centre`; a ball of six tenths of it keeps the sky's light
    from the room around it.
    """
    near = np.flatnonzero(_passes(room.eye, room.rays, centre, radius))
    hits = cast(solids, np.broadcast_to(room.eye, (len(near), 3)), room.rays[near])
    met = hits.surface >= 0
    near, hits = near[met], Hits(hits.distance[met], hits.normal[met], hits.surface[met])
    light, gloss = _lit(room, room.rays[near], hits)
    lit, sky = _unshadowed(room, solids, centre, radius), _open_sky(room, centre, 0.6 * radius)
    masks = np.zeros((surfaces + 1, SIZE, SIZE))
    for surface, (ambient, direct) in room.pictures.items():
        behind = near[room.surface[near] == surface]
        masks[surface] = (ambient - _pixels(behind, room.ambient[behind])) * sky
        masks[surface] += (direct - _pixels(behind, room.direct[behind])) * lit
    for surface in range(surfaces):
        own = hits.surface == surface
        masks[surface] += _pixels(near[own], (light * (1 - gloss))[own])
    masks[-1] = _pixels(near, gloss)
    return np.where(masks > 1e-9, masks, 0).astype(np.float32)  # without what subtraction leaves


def _lit(room: EmptyRoom, rays: Vectors, hits: Hits) -> tuple[Vectors, Vectors]:
    """Lambert with ambient light, and highlights, where rays meet solids."""
    points = room.eye + hits.distance[:, None] * rays
    facing = np.maximum(dot(hits.normal, LIGHT), 0)
    from_sky = 0.85 + 0.15 * hits.normal[:, 2]
    open_ = room.openness(points, hits.normal, reach=0.2)
    halfway = LIGHT - rays
    halfway = halfway / np.sqrt(dot(halfway, halfway))[:, None]
    shine = np.maximum(dot(hits.normal, halfway), 0) ** SHARPNESS
    return AMBIENT * from_sky * open_ + DIRECT * facing, GLOSS * shine * (facing > 0)


def _passes(origin: Vectors, direction: Vectors, centre: Triple, radius: float) -> NDArray[np.bool_]:
    """Which rays, with directions of length 1, pass through a ball ahead of them."""
    to = np.array(centre) - origin
    along = dot(to, direction)
    return (along > -radius) & (dot(to, to) - along * along < radius * radius)


def _unshadowed(room: EmptyRoom, solids: Sequence[Solid], centre: Triple, radius: float) -> Vectors:
    """The share (64, 64) of the light's disc that the room's points see past the solids."""
    count = np.arange(LIGHT_RAYS) + 0.5
    turn, out = 2.399963 * count, PENUMBRA * np.sqrt(count / LIGHT_RAYS)  # a sunflower's seeds
    side = np.cross(LIGHT, [0.0, 0.0, 1.0])
    side = side / np.sqrt(dot(side, side))
    other = np.cross(LIGHT, side)
    rays = LIGHT + out[:, None] * (np.cos(turn)[:, None] * side + np.sin(turn)[:, None] * other)
    rays = rays / np.sqrt(dot(rays, rays))[:, None]
    # no shadow falls farther than 6 from what casts it, so none is wider than this
    wide = _passes(room.points, np.broadcast_to(LIGHT, room.points.shape), centre, radius + 6 * PENUMBRA)
    near = np.tile(np.flatnonzero(wide), LIGHT_RAYS)
    rays = np.repeat(rays, wide.sum(), axis=0)
    close = _passes(room.points[near], rays, centre, radius)
    near, rays = near[close], rays[close]
    blocked = near[cast(solids, room.points[near] + 1e-4 * rays, rays).surface >= 0]
    return 1 - np.bincount(blocked, minlength=SIZE**2).reshape(SIZE, SIZE) / LIGHT_RAYS


def _open_sky(room: EmptyRoom, centre: Triple, radius: float) -> Vectors:
    """The share (64, 64) of ambient light that a ball leaves to the room's points."""
    to = np.array(centre) - room.points
    square = np.maximum(dot(to, to), radius**2)
    facing = np.maximum(dot(to, room.normals), 0) / np.sqrt(square)
    return (1 - facing * radius**2 / square).reshape(SIZE, SIZE)


def _pixels(which: NDArray[np.int64], values: Vectors) -> Vectors:
    """Values (n,) of rays `which` (n,), summed over pixels (64, 64) and divided by the rays of a pixel."""
    total = np.bincount(which % SIZE**2, values, minlength=SIZE**2)
    return total.reshape(SIZE, SIZE) / OVERSAMPLE**2


class Masks:
    """The masks of every geometry on a grid of `sizes` and at every resolution, drawn when first asked for.

    `draw(*places)` gives the masks (m, 64, 64) of a geometry: one for each surface, then one of white light
    or three of red, green and blue light. Smaller ones are averaged over blocks.
    """

    def __init__(self, sizes: tuple[int, ...], m: int, draw: Callable[..., Floats]) -> None:
        self._sizes, self._m, self._draw = sizes, m, draw
        self._tables: dict[int, Table] = {}

    def at(self, resolution: int) -> Table:
        """The masks (m, resolution, resolution) by the number of a geometry."""
        if resolution not in self._tables:
            shape = (self._m, resolution, resolution)
            make = functools.partial(self._make, resolution)
            self._tables[resolution] = Table(math.prod(self._sizes), shape, make)
        return self._tables[resolution]

    def _make(self, resolution: int, number: int) -> Floats:
        if resolution < SIZE:
            return shrink(self.at(SIZE)[np.array([number])][0], resolution)
        return self._draw(*np.unravel_index(number, self._sizes))

    def images(self, places: NDArray[np.int64], colours: Floats, resolution: int) -> NDArray[np.uint8]:
        """Images (n, 3, resolution, resolution): the masks at `places` (n, k) of the grid, times `colours`.

        Those are (n, surfaces, 3) and run from 0 to 255.
        """
        numbers = np.ravel_multi_index(tuple(places.T), self._sizes)
        table, surfaces = self.at(resolution), colours.shape[1]
        images = np.empty((len(numbers), 3, resolution, resolution), dtype=np.uint8)
        for start in range(0, len(numbers), CHUNK):
            part = slice(start, start + CHUNK)
            masks = table[numbers[part]]
            light = masks[:, surfaces:] * np.float32(255) + np.float32(0.5)
            for channel in range(3):
                total = light[:, channel % light.shape[1]].copy()
                for surface in range(surfaces):
                    total += masks[:, surface] * colours[part, surface, channel, None, None]
                images[part, channel] = total
        return images


def shrink(pixels: Floats, resolution: int) -> Floats:
    """Arrays (..., 64, 64) averaged over blocks down to (..., resolution, resolution)."""
    block = SIZE // resolution
    parts = [pixels[..., i::block, j::block] for i in range(block) for j in range(block)]
    return functools.reduce(np.add, parts) / np.float32(block**2)
