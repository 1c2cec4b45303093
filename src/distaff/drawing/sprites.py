"""The sprites of dSprites as geometry: three outlines, and a scan-line renderer.

The geometry was fitted to 160 frames published with the original data set:

- a pixel is on where its centre, at integer coordinates, lies inside the outline;
- the sprite's centre is at 15.5 + 32 v pixels for a position v = i / 31;
- orientation i turns the outline by 2 pi i / 39 anticlockwise as one looks at the picture, so the last of
  the 40 values repeats the first;
- scale i multiplies the outline by 0.5 + i / 10;
- at scale 1 the square's side is 19.2 pixels, the ellipse's half-axes are 12.731 (across) and 7.27;
- the heart is the curve (16 sin^3 t, 13 cos t - 5 cos 2t - 2 cos 3t - cos 4t), pointing down, as wide as the
  square (0.6 pixels a unit), 0.6623 pixels a unit high, and 1.438 pixels above the point it turns about.

How it draws: pixel centres lie at multiples of 1/31 pixel from a sprite's centre line, so there are only 932
different horizontal cuts through an outline. Where each cut crosses the outline is tabulated once for every
shape, scale and orientation (10 MB). A row of an image is then four table entries turned into 64 bits.
"""

import functools

import numpy as np
from numpy.typing import NDArray

SHAPES = ("square", "ellipse", "heart")
SCALES = np.linspace(0.5, 1.0, 6)
ORIENTATIONS = 40
POSITIONS = 32
SIZE = 64  # pixels

_ANGLES = 2 * np.pi * np.arange(ORIENTATIONS - 1) / (ORIENTATIONS - 1)
_REACH = 15  # pixels; no outline reaches farther from its centre
_STEPS = POSITIONS - 1  # cuts per pixel
_FIRST_CUT = (SIZE // 4) * _STEPS - _REACH * _STEPS - _STEPS // 2
_CUTS = 2 * _REACH * _STEPS + 2
#: _BELOW[c] has the bits of the pixels 0..c-1 set, the first pixel in the highest bit
_BELOW = np.array([((1 << c) - 1) << (SIZE - c) for c in range(SIZE + 1)], dtype=np.uint64)


def outline(shape: str) -> NDArray[np.float64]:
    """The corners (m, 2) of an outline at scale 1 and orientation 0, x to the right, y down, in pixels."""
    t = np.linspace(0, 2 * np.pi, 128, endpoint=False)
    if shape == "square":
        return 9.6 * np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]])
    if shape == "ellipse":
        return np.stack([12.731 * np.cos(t), 7.27 * np.sin(t)], axis=1)
    curve = 13 * np.cos(t) - 5 * np.cos(2 * t) - 2 * np.cos(3 * t) - np.cos(4 * t)
    return np.stack([9.6 * np.sin(t) ** 3, -0.6623 * curve - 1.438], axis=1)


def rows_of_bits(rows: NDArray[np.int64]) -> NDArray[np.uint8]:
    """Draw rows (n, 5) of shape, scale, orientation, x, y: packed bits (n, 64, 8), a byte eight pixels."""
    shape, scale, orientation, x, y = rows.T
    cut = _STEPS * np.arange(SIZE) - POSITIONS * y[:, None] - _FIRST_CUT  # (n, 64)
    cut = np.clip(cut, 0, _CUTS - 1)
    place = (shape * len(SCALES) + scale) * len(_ANGLES) + orientation % len(_ANGLES)
    crossings = _crossings()[place[:, None], cut]  # (n, 64, 4), from the centre
    centre = (15.5 + POSITIONS * x / _STEPS).astype(np.float32)
    first = np.ceil(crossings + centre[:, None, None])  # first pixel right of each crossing
    masks = _BELOW[np.minimum(first, SIZE).astype(np.intp)]
    bits = np.bitwise_xor.reduce(masks, axis=2)  # inside is between an odd and an even crossing
    return bits.astype(">u8").view(np.uint8).reshape(len(rows), SIZE, SIZE // 8)


@functools.cache
def _crossings() -> NDArray[np.float32]:
    """Where each cut crosses each outline, in pixels from the centre, ascending: (3*6*39, 932, 4).

    Cut c lies (c + _FIRST_CUT - 480.5) / 31 pixels below the centre. Absent crossings are infinite.
    """
    height = (np.arange(_CUTS) + _FIRST_CUT - 15.5 * _STEPS) / _STEPS
    cos, sin = np.cos(_ANGLES), np.sin(_ANGLES)
    turn = np.stack([np.stack([cos, -sin], -1), np.stack([sin, cos], -1)], 1)  # (39, 2, 2)
    tables = [_cut(scale * outline(shape) @ turn, height) for shape in SHAPES for scale in SCALES]
    return np.concatenate(tables)


def _cut(corners: NDArray[np.float64], height: NDArray[np.float64]) -> NDArray[np.float32]:
    """The crossings (o, h, 4) of horizontal lines at `height` (h,) with outlines `corners` (o, m, 2)."""
    ends = np.roll(corners, -1, axis=1)
    above = corners[:, None, :, 1] <= height[:, None]
    crossed = above != np.roll(above, -1, axis=2)
    o, h, edge = np.nonzero(crossed)
    (x0, y0), (x1, y1) = corners[o, edge].T, ends[o, edge].T
    x = x0 + (height[h] - y0) / (y1 - y0) * (x1 - x0)
    line = o * len(height) + h
    order = np.lexsort((x, line))
    line, x = line[order], x[order]
    rank = np.arange(len(line)) - np.searchsorted(line, line)
    table = np.full((len(corners) * len(height), 4), np.inf, dtype=np.float32)
    table[line, rank] = x
    return table.reshape(len(corners), len(height), 4)
