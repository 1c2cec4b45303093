"""Smooth grey bodies under a light: what is shared between images that show one geometry.

A geometry is drawn once, as four planes of 64x64 int8 (16 KB): albedo, and albedo times the three parts of
the surface normal (right, up, towards the viewer), each times the part of the pixel that is covered, in
units of 1/127. Any light then costs a few multiply-adds.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from distaff.drawing.kept import Floats, Table

SIZE = 64  # pixels
_UNIT = 127
_AT_ONCE = 16  # images lit together, so that the work stays in the processor's cache


def geometries(count: int, draw: Callable[[int], Floats]) -> Table:
    """The planes of `count` geometries; `draw(key)` gives those of one as floats in -1..1."""
    return Table(count, (4, SIZE, SIZE), lambda key: np.rint(draw(key) * _UNIT), np.int8)


def lit(
    table: Table, keys: NDArray[np.int64], lights: Floats, ambient: float, background: float
) -> NDArray[np.uint8]:
    """Images (n, 64, 64) of geometries `keys` (n,) under `lights` (n, 3), Lambert's law and an ambient light.

    A light is a vector towards the lamp (right, up, towards the viewer) whose length is its strength.
    `ambient` and `background` are brightnesses in 0..1.
    """
    images = np.empty((len(keys), SIZE, SIZE), dtype=np.uint8)
    for start in range(0, len(keys), _AT_ONCE):
        part = slice(start, start + _AT_ONCE)
        planes = table[keys[part]].astype(np.float32)
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
