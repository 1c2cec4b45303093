"""Masks of every geometry on a grid, kept, and images of any colours made of them."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from distaff.drawing.kept import Floats, Table
from distaff.drawing.raycast import SIZE

CHUNK = 16  # images composed at once, so that they stay in the cache


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
