"""Bodies put together from lumps, ellipsoids and boxes, as planes of albedo and normals (see bodies.py)."""

from __future__ import annotations

import functools
import math
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from distaff.drawing.bodies import SIZE
from distaff.drawing.kept import Floats
from distaff.drawing.vectors import roll, yaw

_OVERSAMPLE = 2
_SCALE = 30.0 * _OVERSAMPLE  # rays a unit
_SIDE = SIZE * _OVERSAMPLE
_PLATE = 0.05  # half a plate's thickness; its rims are too fine to see, unless it is seen from its edge


class Lump(NamedTuple):
    """An ellipsoid or a box; its front end is raised, then turned to the left, by so many degrees."""

    box: bool
    centre: tuple[float, float, float]
    half: tuple[float, float, float]
    raised: float = 0.0
    turned: float = 0.0

    @functools.cache  # noqa: B019 (some 450 parts there are)
    def axes(self) -> NDArray[np.float64]:
        """The matrix (3, 3) whose rows are the part's own axes."""
        return roll(self.raised) @ yaw(-self.turned)

    def extremes(self) -> NDArray[np.float64]:
        """Points (26, 3) spread over the part, the corners of a box among them."""
        grid = np.stack(np.meshgrid(*[[-1.0, 0, 1]] * 3), axis=-1).reshape(-1, 3)
        grid = np.delete(grid, 13, axis=0)  # the centre
        if not self.box:
            grid /= np.sqrt((grid**2).sum(axis=1, keepdims=True))
        return self.centre + (grid * self.half) @ self.axes()


def planes(parts: Iterable[Lump], view: NDArray[np.float64]) -> Floats:
    """The planes (4, 64, 64) of a body, the nearest of its parts along each ray.

    `view` (3, 3) leads from the body's axes to the viewer's: right, up, towards the viewer. Centres are in
    the unit ball.
    """
    depth = np.full((_SIDE, _SIDE), -9, dtype=np.float32)
    normals = np.zeros((3, _SIDE, _SIDE), dtype=np.float32)
    for part in parts:
        _add(part, view, depth, normals)
    length = np.sqrt(normals[0] ** 2 + normals[1] ** 2 + normals[2] ** 2)
    normals /= np.maximum(length, np.float32(1e-9))
    fine = np.concatenate([(depth > -9).astype(np.float32)[None], normals])
    k = _OVERSAMPLE
    return np.mean([fine[:, i::k, j::k] for i in range(k) for j in range(k)], axis=0)


def _add(part: Lump, view: NDArray[np.float64], depth: Floats, normals: Floats) -> None:
    """Draw a part into `depth` (s, s) and `normals` (3, s, s) where it is nearer than what is there."""
    half = np.array(part.half)
    axes = part.axes() @ view.T  # rows: the part's axes as the viewer sees them
    right, up, near = view @ np.array(part.centre)
    arms = axes * half[:, None]
    extent = np.abs(arms).sum(axis=0) if part.box else np.sqrt((arms**2).sum(axis=0))
    x0, x1 = _window(right, extent[0])
    y0, y1 = _window(-up, extent[1])
    x = ((np.arange(x0, x1) - (_SIDE - 1) / 2) / _SCALE - right).astype(np.float32)
    y = -((np.arange(y0, y1) - (_SIDE - 1) / 2) / _SCALE + up).astype(np.float32)[:, None]
    inward = (axes / half[:, None]).astype(np.float32)  # from the viewer's axes to those of the unit body
    inside, z, normal = (box if part.box else ball)(inward, x, y)
    face = axes[half.argmin()].astype(np.float32)
    if part.box and half.min() < _PLATE and abs(face[2]) > 0.25:
        normal = list(face if face[2] > 0 else -face)
    window = (slice(y0, y1), slice(x0, x1))
    z += np.float32(near)
    nearer = inside & (z > depth[window])
    np.copyto(depth[window], z, where=nearer)
    for i in range(3):
        np.copyto(normals[i][window], normal[i], where=nearer)


def _window(centre: float, extent: float) -> tuple[int, int]:
    """The first and last + 1 ray that may hit something `extent` about `centre`."""
    middle = (_SIDE - 1) / 2 + centre * _SCALE
    return max(0, math.floor(middle - extent * _SCALE)), min(_SIDE, math.ceil(middle + extent * _SCALE) + 1)


Hit = tuple[NDArray[np.bool_], Floats, list[Floats]]


def ball(inward: Floats, x: Floats, y: Floats) -> Hit:
    """Where rays through (x, y) meet the ellipsoid |inward (x, y, z)| = 1: whether, z, the normal there."""
    form = (inward.astype(np.float64).T @ inward).astype(np.float32)
    slope = (form[0, 2] * x + form[1, 2] * y) / form[2, 2]
    rest = form[0, 0] * x * x + (2 * form[0, 1] * x) * y + (form[1, 1] * y * y - 1)
    room = slope * slope - rest / form[2, 2]
    z = np.sqrt(np.maximum(room, 0)) - slope
    normal = [form[i, 0] * x + form[i, 1] * y + form[i, 2] * z for i in range(3)]
    return room > 0, z, normal


def box(inward: Floats, x: Floats, y: Floats) -> Hit:
    """The same for the box max |inward (x, y, z)| = 1, whose shading is rounded towards its edges."""
    flat = [row[0] * x + row[1] * y for row in inward]
    steep = [row[2] if abs(row[2]) > 1e-6 else np.float32(1e-6) for row in inward]
    far = [(np.copysign(np.float32(1), s) - f) / s for f, s in zip(flat, steep, strict=True)]
    close = [(-np.copysign(np.float32(1), s) - f) / s for f, s in zip(flat, steep, strict=True)]
    z = np.minimum(np.minimum(far[0], far[1]), far[2])
    inside = z > np.maximum(np.maximum(close[0], close[1]), close[2])
    own = [np.clip(f + s * z, -1, 1) for f, s in zip(flat, steep, strict=True)]
    pull = [(v * v) * (v * v) * (v * v) * v for v in own]
    normal = [inward[0, i] * pull[0] + inward[1, i] * pull[1] + inward[2, i] * pull[2] for i in range(3)]
    return inside, z, normal
