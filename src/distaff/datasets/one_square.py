"""One square on a small plane: the world of independently controllable factors."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from distaff.datasets.base import DataSet
from distaff.factors import FactorSpace
from distaff.settings import Settings

PIXELS, SIDE = 12, 2  # of the plane, and of the square
PLACES = PIXELS - SIDE + 1


@dataclass(eq=False)
class OneSquare(Settings, DataSet):
    """A white square of 2x2 pixels on 12x12 black ones, at each of its 11 x 11 places.

    The smallest world in which something can be moved: with batches of kind `actions` the square goes left,
    right, up and down by a pixel, as in the first experiment of Thomas et al. 2017 (arXiv:1708.01289).
    """

    name = "one_square"
    channels = 1
    image_shape = (1, PIXELS, PIXELS)
    licence = "drawn here"
    citation = "after Thomas et al.: Independently controllable factors, arXiv:1708.01289, 2017"
    factors = FactorSpace(("x", "y"), (PLACES, PLACES))
    label_names = factors.names

    def __len__(self) -> int:
        return len(self.factors)

    def images(self, index: ArrayLike) -> NDArray[np.uint8]:
        x, y = self.factors.rows(self.check(index)).T[:, :, None]
        pixel = np.arange(PIXELS)
        across, down = ((place <= pixel) & (pixel < place + SIDE) for place in (x, y))
        return np.where(down[:, None, :, None] & across[:, None, None, :], np.uint8(255), np.uint8(0))
