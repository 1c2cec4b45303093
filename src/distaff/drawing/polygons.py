"""Scenes of convex solids with flat faces: projected, put in order from back to front, and drawn with Pillow.

World axes: x points out of the front of the object, y to its side, z up; at azimuth 0 the camera looks at the
front. How it draws: faces turned away from the eye are dropped, and those that lie against another solid. Of
two solids, a face plane of one has the other on its outside; the one that lies beyond this plane, as the eye
sees it, is drawn first. Unlike sorting by depth this is exact. Corners are rounded to quarter pixels, and the
picture of 256 x 256 is averaged over blocks of 4 x 4, so that pixels come from whole numbers only.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image, ImageDraw

from distaff.drawing.vectors import dot

SIZE = 64  # pixels
FINE = 4  # drawn pixels along the side of a pixel
WHITE = 255
AMBIENT = 0.45
#: towards the light, in the camera's frame: right, up, towards the eye
LIGHT = np.array([-0.45, 0.7, 0.55]) / np.sqrt(0.45**2 + 0.7**2 + 0.55**2)
TOUCH = 1e-6  # solids may touch

Polygon = NDArray[np.float64]  # corners (k, 3), anticlockwise as seen from outside
Colour = tuple[int, ...]  # one channel or three, 0..255, as it looks in full light


class Solid(NamedTuple):
    """A convex solid: its faces, and flat pictures on them, each with its colour.

    A decal is drawn after the faces, in their plane; it may hang over the edge of its face.
    """

    faces: tuple[Polygon, ...]
    colour: Colour
    decals: tuple[tuple[Polygon, Colour], ...] = ()


def prism(lower: ArrayLike, upper: ArrayLike, colour: Colour) -> Solid:
    """The solid between two polygons (k, 3) with parallel sides, anticlockwise as seen from the upper one.

    Its faces are the lower end, the upper end, and the k sides, side i between corners i and i + 1.
    """
    low, high = np.asarray(lower, dtype=np.float64), np.asarray(upper, dtype=np.float64)
    after = np.roll(np.arange(len(low)), -1)
    sides = tuple(np.stack([low[i], low[j], high[j], high[i]]) for i, j in enumerate(after))
    return Solid((low[::-1], high, *sides), colour)


def frustum(low: Sequence[float], bottom: float, high: Sequence[float], top: float, colour: Colour) -> Solid:
    """From the rectangle `low` at height `bottom` to `high` at `top`; each is x0, x1, y0, y1.

    Its sides look to -y, +x, +y, -x.
    """
    return prism(_rectangle(low, bottom), _rectangle(high, top), colour)


def box(x0: float, x1: float, y0: float, y1: float, z0: float, z1: float, colour: Colour) -> Solid:
    """A box along the axes."""
    return frustum((x0, x1, y0, y1), z0, (x0, x1, y0, y1), z1, colour)


def _rectangle(bounds: Sequence[float], z: float) -> Polygon:
    x0, x1, y0, y1 = bounds
    return np.array([[x0, y0, z], [x1, y0, z], [x1, y1, z], [x0, y1, z]], dtype=np.float64)


def patch(side: Polygon, across: tuple[float, float], up: tuple[float, float]) -> Polygon:
    """A part of a four-cornered side (4, 3), in shares 0..1 of its width and of its height."""
    low = [side[0] + (side[1] - side[0]) * u for u in across]
    high = [side[3] + (side[2] - side[3]) * u for u in across]
    (a, b), (d, c) = ([p + (q - p) * v for p, q in zip(low, high, strict=True)] for v in up)
    return np.stack([a, b, c, d])


class Cameras(NamedTuple):
    """Eyes that look at one point from n directions, in the units of the scene; angles in radians."""

    azimuth: NDArray[np.float64]  # (n,)
    elevation: NDArray[np.float64]  # (n,)
    target: tuple[float, float, float]
    distance: float
    scale: float  # pixels a unit at the target

    def axes(self) -> NDArray[np.float64]:
        """Right, up and towards the eye (n, 3, 3)."""
        sa, ca, se, ce = (f(a) for a in (self.azimuth, self.elevation) for f in (np.sin, np.cos))
        right, up = [-sa, ca, 0 * sa], [-se * ca, -se * sa, ce]
        return np.array([right, up, [ce * ca, ce * sa, se]]).transpose(2, 0, 1)


class Piece(NamedTuple):
    """A rectangle of a picture."""

    top: int
    left: int
    pixels: NDArray[np.uint8]  # (channels, height, width)


class Drawings(NamedTuple):
    """What is to be drawn for n views of a scene, polygon after polygon, from back to front."""

    points: NDArray[np.uint8]  # corners of all polygons (t, 2), in quarter pixels
    starts: NDArray[np.int32]  # the first corner of polygon i, and their number at the end
    fills: NDArray[np.uint8]  # colours of the polygons (p, channels)
    first: NDArray[np.int32]  # the first polygon of view i, and their number at the end

    def draw(self, view: int) -> Piece:
        """The picture of one view, as far as it is not white."""
        a, b = int(self.first[view]), int(self.first[view + 1])
        starts = self.starts[a : b + 1]
        points = self.points[starts[0] : starts[-1]]
        left, top = (points.min(axis=0) // FINE).tolist()
        right, bottom = (points.max(axis=0) // FINE + 1).tolist()
        flat = (points - np.array([left * FINE, top * FINE], dtype=np.uint8)).ravel().tolist()
        cuts = (2 * (starts - starts[0])).tolist()
        grey = self.fills.shape[1] == 1
        size = ((right - left) * FINE, (bottom - top) * FINE)
        picture = Image.new("L" if grey else "RGB", size, "white")
        polygon = ImageDraw.Draw(picture).polygon
        for fill, begin, end in zip(self.fills[a:b].tolist(), cuts, cuts[1:], strict=False):
            polygon(flat[begin:end], fill=fill[0] if grey else tuple(fill))
        pixels = np.asarray(picture.reduce(FINE))
        return Piece(top, left, pixels[None] if grey else pixels.transpose(2, 0, 1).copy())


class Scene:
    """Solids that may touch but do not cut into each other, as arrays of their p polygons."""

    def __init__(self, solids: Sequence[Solid]) -> None:
        polygons = [p for s in solids for p in (*s.faces, *(decal for decal, _ in s.decals))]
        self.colours = np.array(
            [c for s in solids for c in (*[s.colour] * len(s.faces), *(colour for _, colour in s.decals))]
        )
        faces = [len(s.faces) for s in solids]
        counts = [n + len(s.decals) for n, s in zip(faces, solids, strict=True)]
        self.owner = np.repeat(np.arange(len(solids)), counts)
        self.is_face = np.concatenate([np.arange(n) < of for n, of in zip(counts, faces, strict=True)])
        #: the last corner of a polygon is repeated up to the largest number of corners, k
        self.sizes = np.array([len(p) for p in polygons])
        last = np.minimum(np.arange(self.sizes.max()), self.sizes[:, None] - 1)
        first = np.concatenate([[0], self.sizes.cumsum()[:-1]])
        self.corners = np.concatenate(polygons)[first[:, None] + last]  # (p, k, 3)
        self.normals = normals(self.corners)
        #: planes of faces: how far each corner lies in front of each (faces, p, k)
        ahead, at = self.normals[self.is_face], self.corners[self.is_face, 0]
        self.heights = dot(ahead[:, None, None], self.corners) - dot(ahead, at)[:, None, None]
        self.first_plane = np.concatenate([[0], np.cumsum(faces)[:-1]])

    def separates(self) -> NDArray[np.bool_]:
        """Which face planes have which solids on their outside (faces, solids)."""
        lowest = self.heights[:, self.is_face].min(axis=2)
        return np.greater_equal(np.minimum.reduceat(lowest, self.first_plane, axis=1), -TOUCH)

    def covered(self) -> NDArray[np.bool_]:
        """Which polygons (p,) lie flat against another solid, where nobody sees them."""
        highest = np.maximum.reduceat(self.heights.max(axis=2), self.first_plane, axis=0)  # (solids, p)
        highest[self.owner, np.arange(len(self.owner))] = np.inf
        return np.less_equal(highest.min(axis=0), TOUCH)

    def behind(self, eyes: NDArray[np.float64]) -> NDArray[np.bool_]:
        """For each of n eyes (n, 3) and two solids i, j: can j hide i? (n, solids, solids).

        Where one plane says that j hides i and another the reverse, neither hides the other.
        """
        ahead, at = self.normals[self.is_face], self.corners[self.is_face, 0]
        outside = dot(ahead, eyes[:, None] - at) > 0  # (n, faces): is the eye where the others are?
        separates = self.separates()
        hides = np.logical_or.reduceat(outside[:, :, None] & separates, self.first_plane, axis=1)
        hidden = np.logical_or.reduceat(~outside[:, :, None] & separates, self.first_plane, axis=1)
        can: NDArray[np.bool_] = hides | hidden.transpose(0, 2, 1)
        return can & ~can.transpose(0, 2, 1)

    def places(self, eyes: NDArray[np.float64]) -> NDArray[np.int64]:
        """At which place (n, solids) each solid is drawn for each of n eyes (n, 3); what is hidden, first."""
        before = self.behind(eyes)
        views, n = np.arange(len(eyes)), before.shape[1]
        waiting = np.ones((len(eyes), n), dtype=bool)
        blocked = before.sum(axis=1)  # by how many solids that are to be drawn earlier
        places = np.zeros((len(eyes), n), dtype=np.int64)
        for place in range(n):
            chosen = np.where(waiting, blocked, n + 1).argmin(axis=1)
            places[views, chosen] = place
            waiting[views, chosen] = False
            blocked -= before[views, chosen]
        return places

    def drawings(self, cameras: Cameras) -> Drawings:
        """The polygons that each of n cameras sees."""
        axes = cameras.axes()
        right, up, towards = axes[:, 0], axes[:, 1], axes[:, 2]
        eyes = cameras.target + cameras.distance * towards
        visible = dot(self.normals, eyes[:, None] - self.corners[:, 0]) > TOUCH  # (n, p)
        view, which = np.nonzero(visible & ~self.covered())
        kept = np.lexsort((which, self.places(eyes)[view, self.owner[which]], view))
        view, which = view[kept], which[kept]  # (m,)

        real = np.arange(self.sizes.max()) < self.sizes[which, None]  # (m, k)
        along = (self.corners - cameras.target)[which][real]  # (t, 3)
        at = np.repeat(view, self.sizes[which])
        shown = np.stack([dot(along, right[at]), -dot(along, up[at])], axis=-1)
        nearness = cameras.distance / (cameras.distance - dot(along, towards[at]))
        shown *= (FINE * cameras.scale * nearness)[:, None]
        light = LIGHT[0] * right + LIGHT[1] * up + LIGHT[2] * towards
        lit = AMBIENT + (1 - AMBIENT) * np.maximum(dot(self.normals[which], light[view]), 0)
        return Drawings(
            # Pillow's whole numbers are the middles of fine pixels
            np.clip(_whole(shown - 0.5) + SIZE * FINE // 2, 0, SIZE * FINE - 1).astype(np.uint8),
            np.concatenate([[0], self.sizes[which].cumsum()]).astype(np.int32),
            _whole(lit[:, None] * self.colours[which]).astype(np.uint8),
            np.concatenate([[0], np.bincount(view, minlength=len(eyes)).cumsum()]).astype(np.int32),
        )


def normals(polygons: NDArray[np.float64]) -> NDArray[np.float64]:
    """The directions (p, 3) of length 1 in which flat polygons (p, k, 3) look."""
    here = polygons - polygons[:, :1]
    x, y, z = np.moveaxis(here, 2, 0)
    u, v, w = np.moveaxis(np.roll(here, -1, axis=1), 2, 0)
    crossed = y * w - z * v, z * u - x * w, x * v - y * u
    twice = np.stack([part.sum(axis=1) for part in crossed], 1)
    return twice / np.sqrt(dot(twice, twice))[:, None]


def _whole(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Rounded; first to a millionth, which settles halves whatever the last bits of a sine are."""
    return np.floor(np.round(values, 6) + 0.5)


def on_white(pieces: Sequence[Piece], shape: tuple[int, int, int]) -> NDArray[np.uint8]:
    """Pictures (n, *shape) of `pieces`, averaged over blocks of the 64 x 64."""
    images = np.full((len(pieces), shape[0], SIZE, SIZE), WHITE, dtype=np.uint8)
    for image, piece in zip(images, pieces, strict=True):
        _, height, width = piece.pixels.shape
        image[:, piece.top : piece.top + height, piece.left : piece.left + width] = piece.pixels
    return _averaged(images, shape[1])


def _averaged(images: NDArray[np.uint8], resolution: int) -> NDArray[np.uint8]:
    block = SIZE // resolution
    if block == 1:
        return images
    total = np.full((*images.shape[:2], resolution, resolution), block * block // 2, dtype=np.uint16)
    for i in range(block):
        for j in range(block):
            total += images[:, :, i::block, j::block]
    return (total // (block * block)).astype(np.uint8)
