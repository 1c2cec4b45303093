"""Flat parts painted over each other on 256 x 256 fine pixels, and what is left of them as masks of 64 x 64.

Lengths are pixels of the 64 x 64, from the middle of the picture to the right and down.
"""

import numpy as np
from numpy.typing import NDArray

from distaff.drawing.kept import Floats, in_blocks
from distaff.drawing.raycast import SIZE

FINE = 4  # fine pixels along the side of a pixel
Places = NDArray[np.float64]  # (256, 256), or what broadcasts to it
Region = NDArray[np.bool_]

_MIDDLES = (np.arange(SIZE * FINE) + 0.5) / FINE - SIZE / 2
X, Y = _MIDDLES[None, :], _MIDDLES[:, None]  # of the fine pixels


class Painting:
    """What was painted last on each fine pixel, and how bright it is there; at first paint 0, fully lit."""

    def __init__(self) -> None:
        self.paint = np.zeros((SIZE * FINE, SIZE * FINE), dtype=np.int64)
        self.light = np.ones((SIZE * FINE, SIZE * FINE))

    def add(self, where: Region, paint: int, light: float | Places = 1.0) -> None:
        """Cover a region with a paint of a brightness in 0..1."""
        np.copyto(self.paint, paint, where=where)
        np.copyto(self.light, light, where=where)

    def dim(self, where: Region, share: float) -> None:
        """Leave only a share of the light in a region."""
        np.multiply(self.light, share, out=self.light, where=where)

    def masks(self, surfaces: int, fixed: Floats) -> Floats:
        """Masks (surfaces + 3, 64, 64): the first paints, then red, green and blue light of the others.

        `fixed` (paints - surfaces, 3) are the others' colours in 0..1.
        """
        channels = np.concatenate([np.eye(surfaces, surfaces + 3), np.pad(fixed, ((0, 0), (surfaces, 0)))])
        lit = [column[self.paint] * self.light for column in channels.T]
        return np.stack([np.mean(in_blocks(mask, FINE), axis=0) for mask in lit]).astype(np.float32)


def ellipse(x: Places, y: Places, centre: tuple[float, float], half: tuple[float, float]) -> Region:
    """The points within an ellipse whose half-axes lie along x and y."""
    return np.asarray(((x - centre[0]) / half[0]) ** 2 + ((y - centre[1]) / half[1]) ** 2 < 1)


def arc(x: Places, y: Places, centre: tuple[float, float], half: tuple[float, float], sag: float) -> Region:
    """A stroke about a centre, `half` as long and as thick, whose ends lie `sag` lower than its middle."""
    along = (x - centre[0]) / half[0]
    return np.asarray((np.abs(along) < 1) & (np.abs(y - centre[1] - sag * along**2) < half[1]))
