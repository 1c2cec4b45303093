"""Smooth grey bodies under a light: what is shared between images that show one geometry.

A geometry is drawn once, as four planes of 64x64 int8 (16 KB): albedo, and albedo times the three parts of
the surface normal (right, up, towards the viewer), each times the part of the pixel that is covered, in
units of 1/127. Any light then costs a few multiply-adds.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

SIZE = 64  # pixels
_UNIT = 127
_AT_ONCE = 16  # images lit together, so that the work stays in the processor's cache

Floats = NDArray[np.float32]


class GeometryTable:
    """The planes (4, 64, 64) of `count` geometries, each drawn when it is first asked for.

    `draw(key)` gives the planes of one geometry as floats in -1..1. Memory is only taken by those drawn.
    """

    def __init__(self, count: int, draw: Callable[[int], Floats]) -> None:
        self._draw = draw
        self._drawn = np.zeros(count, dtype=bool)
        self._planes = np.zeros((count, 4, SIZE, SIZE), dtype=np.int8)

    def planes(self, keys: NDArray[np.int64]) -> NDArray[np.int8]:
        """The planes (n, 4, 64, 64) of the geometries `keys` (n,)."""
        for key in np.unique(keys[~self._drawn[keys]]):
            self._planes[key] = np.rint(self._draw(int(key)) * _UNIT)
            self._drawn[key] = True
        return self._planes[keys]


def lit(
    table: GeometryTable, keys: NDArray[np.int64], lights: Floats, ambient: float, background: float
) -> NDArray[np.uint8]:
    """Images (n, 64, 64) of geometries `keys` (n,) under `lights` (n, 3), Lambert's law and an ambient light.

    A light is a vector towards the lamp (right, up, towards the viewer) whose length is its strength.
    `ambient` and `background` are brightnesses in 0..1.
    """
    images = np.empty((len(keys), SIZE, SIZE), dtype=np.uint8)
    for start in range(0, len(keys), _AT_ONCE):
        part = slice(start, start + _AT_ONCE)
        planes = table.planes(keys[part]).astype(np.float32)
        vectors = (lights[part] * np.float32(255 / _UNIT))[:, :, None, None]
        planes[:, 1:] *= vectors
        value = planes[:, 1]
        value += planes[:, 2]
        value += planes[:, 3]
        np.maximum(value, 0, out=value)
        planes[:, 0] *= np.float32((ambient - background) * 255 / _UNIT)
        value += planes[:, 0]
        value += np.float32(background * 255 + 0.5)
        images[part] = np.clip(value, 0, 255, out=value)
    return images


def towards(azimuth: float, elevation: float, strength: float) -> Floats:
    """A light (3,) from an azimuth to the right and an elevation, in degrees as the viewer sees them."""
    a, e = np.radians(azimuth), np.radians(elevation)
    way = [np.sin(a) * np.cos(e), np.sin(e), np.cos(a) * np.cos(e)]
    return (strength * np.array(way)).astype(np.float32)
