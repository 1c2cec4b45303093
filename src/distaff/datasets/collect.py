"""A dot on five by five cells with something good and something bad to collect, drawn on demand."""

import functools
from dataclasses import dataclass
from typing import cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from distaff.datasets.grid import Grid
from distaff.factors import FactorSpace
from distaff.settings import setting

CELLS = 5  # along a side
OBJECT_CELLS = (0, 2, 4)  # where objects may be, of the cells along a side
FULL, CELL, WALL = 64, 12, 4  # pixels; walls are on the left and on top, so that cells fall on whole blocks
FLOOR = 0.5  # of the brightness of the walls
DOT = np.array([255, 255, 255], dtype=np.float32)
#: RGB of walls and floor, and of both objects, by their factors' values
WALLS = np.array([[200, 50, 50], [50, 150, 60], [60, 90, 220], [190, 150, 40]], dtype=np.float32)
OBJECTS = np.array([[250, 220, 70], [70, 220, 230], [235, 100, 225], [30, 30, 30]], dtype=np.float32)
#: the first so many colours of walls meet the first so many of objects in the target alone
APART = 2
DOMAINS = ("all", "seen", "source", "target")
FACTORS = FactorSpace(
    ("x", "y", "cross_x", "cross_y", "ring_x", "ring_y", "wall_colour", "object_colour"),
    (CELLS, CELLS, *4 * (len(OBJECT_CELLS),), len(WALLS), len(OBJECTS)),
)
CHUNK = 256  # images composed at once, so that they stay in the cache


@dataclass(eq=False)
class Collect(Grid):
    """A white dot, a cross and a ring in a room seen from above: the frames of the world `collect`.

    RGB, 32,400 frames: the dot in any of 5x5 cells, cross and ring, of one colour, in any of the 3x3 outer
    and middle cells. Walls and objects have four colours each, after the task of DARLA: the first two
    colours of walls meet the first two of objects only in the domain `target`. In `source` one of the two is
    among its first two colours and the other is not, and `seen` is all but the target, so that it holds every
    colour of walls and objects.

    The domain `all` is the whole grid. Of the others there are only frames that the world can be in, which a
    random policy sees about equally often: the dot is on neither object, and the two are apart.
    """

    name = "collect"
    licence = "drawn here"
    citation = "after Higgins et al.: DARLA, ICML 2017"
    factors = cast(FactorSpace | None, FACTORS)

    resolution: int = setting(16, "pixels along each side; below 64, means of blocks", choices=(16, 32, 64))
    domain: str = setting("all", "which frames there are", choices=DOMAINS)

    def __post_init__(self) -> None:
        super().__post_init__()
        self._rows: NDArray[np.int64] | None = None
        if self.domain != "all":
            self._rows = frames(self.domain)
            self.factors, self.grid = None, FACTORS

    def __len__(self) -> int:
        return len(FACTORS) if self._rows is None else len(self._rows)

    def labels(self, index: ArrayLike) -> NDArray[np.int64]:
        """The rows (n, 8) of the whole grid, of which some domains are a part."""
        checked = self.check(index)
        return FACTORS.rows(checked if self._rows is None else self._rows[checked])

    def images(self, index: ArrayLike) -> NDArray[np.uint8]:
        rows = self.labels(index)
        images = np.empty((len(rows), *self.image_shape), dtype=np.uint8)
        for start in range(0, len(rows), CHUNK):
            images[start : start + CHUNK] = _composed(rows[start : start + CHUNK], self.resolution)
        return images


def frames(domain: str) -> NDArray[np.int64]:
    """The indices (n,) on the whole grid of the frames of `seen`, `source` or `target`, in order."""
    rows = FACTORS.rows(np.arange(len(FACTORS)))
    return np.flatnonzero(can_be(rows) & in_domain(rows, domain))


def can_be(rows: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which rows (n, 8) the world can be in: the dot is on neither object, and these are apart."""
    dot, cross, ring = places(rows)
    return (dot != cross) & (dot != ring) & (cross != ring)


def in_domain(rows: NDArray[np.int64], domain: str) -> NDArray[np.bool_]:
    """Which rows (n, 8) have colours of a domain."""
    wall, thing = (rows[:, 6:] < APART).T
    return {"seen": ~(wall & thing), "source": wall != thing, "target": wall & thing}[domain]


def places(rows: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """The cells (n,) of the dot, the cross and the ring, 0..24, of rows (n, 8)."""
    cells = np.array(OBJECT_CELLS)
    corners = [rows[:, :2], cells[rows[:, 2:4]], cells[rows[:, 4:6]]]
    dot, cross, ring = (CELLS * each[:, 0] + each[:, 1] for each in corners)
    return dot, cross, ring


def _composed(rows: NDArray[np.int64], resolution: int) -> NDArray[np.float32]:
    """Images (n, 3, resolution, resolution), 0..255, rounded: room, then cross, ring and dot over it."""
    images = WALLS[rows[:, 6], :, None, None] * _masks("room", resolution)[0]
    things = OBJECTS[rows[:, 7]]
    dots = np.broadcast_to(DOT, things.shape)
    dot, cross, ring = places(rows)
    shapes = (("cross", cross, things), ("ring", ring, things), ("dot", dot, dots))
    for shape, cells, colours in shapes:
        covered = _masks(shape, resolution)[cells, None]
        images += covered * (colours[:, :, None, None] - images)
    return np.floor(images + np.float32(0.5))


@functools.cache
def _masks(shape: str, resolution: int) -> NDArray[np.float32]:
    """How much of each pixel a shape covers in every cell (25, resolution, resolution), 0..1.

    Of the room how bright it is, alone.
    """
    if shape == "room":
        room = np.ones((1, FULL, FULL))
        room[:, WALL:, WALL:] = FLOOR
        return _shrunk(room, resolution)
    whole = np.zeros((CELLS**2, FULL, FULL))
    for cell in range(CELLS**2):
        left, top = (WALL + CELL * place for place in divmod(cell, CELLS))
        whole[cell, top : top + CELL, left : left + CELL] = _shape(shape)
    return _shrunk(whole, resolution)


def _shape(shape: str) -> NDArray[np.bool_]:
    """Which pixels (12, 12) of its cell a shape covers."""
    middles = np.abs(np.arange(CELL) + 0.5 - CELL / 2)
    x, y = middles[None], middles[:, None]
    if shape == "dot":
        return x**2 + y**2 < 5**2
    return np.minimum(x, y) < 2 if shape == "cross" else np.maximum(x, y) > 2


def _shrunk(masks: NDArray[np.float64], resolution: int) -> NDArray[np.float32]:
    block = FULL // resolution
    blocks = masks.reshape(len(masks), resolution, block, resolution, block)
    return blocks.mean(axis=(2, 4)).astype(np.float32)
