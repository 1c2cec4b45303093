"""Vectors of space: their inner products, and turns, matrices that are applied to columns."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float64]
Triple = tuple[float, float, float]


def dot(a: Vectors, b: Vectors) -> Vectors:
    """The inner products of vectors along the last axis of length 3, written out so that no order varies."""
    return a[..., 0] * b[..., 0] + a[..., 1] * b[..., 1] + a[..., 2] * b[..., 2]


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
