"""Scenes by analytic ray casting: shapes in their places, with soft light.

A scene is drawn once per geometry, not once per image: what comes out are masks, one for each surface, that
say how much of the surface's colour each pixel shows. Coverage (anti-aliased), Lambert and ambient light,
contact shadows and highlights are in the masks, so an image of any colours is a sum of masks times colours.

The world has x to the right, y away from the reader and z up.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from distaff.drawing.kept import Floats
from distaff.drawing.shapes import Shape
from distaff.drawing.vectors import Triple, Vectors, dot

SIZE = 64  # pixels
OVERSAMPLE = 4  # rays along each side of a pixel
AMBIENT, DIRECT = 0.54, 0.46  # at most 1 together, so that no colour overflows
GLOSS, SHARPNESS = 0.35, 30.0  # of highlights
LIGHT = np.array([-0.36, -0.7, 1.0]) / np.linalg.norm([-0.36, -0.7, 1.0])  # towards the light
PENUMBRA = 0.16  # the light's radius, seen from afar
LIGHT_RAYS = 20
ENDLESS: Triple = (np.inf, np.inf, np.inf)


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
