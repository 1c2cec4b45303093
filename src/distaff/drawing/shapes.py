"""Where rays meet shapes, analytically: planes, boxes, balls, cylinders and capsules.

Rays are (n, 3), distances (n,) in units of the ray's direction, infinite where a ray misses.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from distaff.drawing.vectors import Vectors, dot

#: (origins, directions) to (distances, normals of any length), in the shape's own coordinates
Shape = Callable[[Vectors, Vectors], tuple[Vectors, Vectors]]


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
