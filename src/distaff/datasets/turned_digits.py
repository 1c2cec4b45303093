"""Handwritten digits, turned about their middle."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from distaff.datasets.base import DataSet
from distaff.factors import FactorSpace
from distaff.settings import Settings, setting

PIXELS = 16
MOST = 60.0  # degrees, so that no digit turns into another


@dataclass(eq=False)
class TurnedDigits(Settings, DataSet):
    """Digits that scikit-learn brings, some writings of each, at angles from -60 to 60 degrees.

    16x16 pixels, between which the 8x8 of the originals are interpolated linearly. The writings are the first
    of each digit there; the n-th of one digit has nothing to do with that of another.
    """

    writings: int = setting(10, "writings of each digit", low=2, high=170)
    angles: int = setting(5, "angles, evenly spaced", low=2, high=121)

    name = "turned_digits"
    channels = 1
    image_shape = (1, PIXELS, PIXELS)
    licence = "CC BY 4.0; comes with scikit-learn"
    citation = "Alpaydin, Kaynak: Optical recognition of handwritten digits, UCI repository, 1998"
    factors = FactorSpace(("digit", "writing", "angle"), (10, 10, 5))
    label_names = factors.names
    source = "scikit-learn"

    def __post_init__(self) -> None:
        super().__post_init__()
        from sklearn.datasets import load_digits

        found = load_digits()
        first = [np.flatnonzero(found.target == digit)[: self.writings] for digit in range(10)]
        self.factors = FactorSpace(self.label_names, (10, self.writings, self.angles))
        self._originals = found.images[np.array(first)] / 16  # (10, writings, 8, 8)

    def __len__(self) -> int:
        return len(self.factors)

    def images(self, index: ArrayLike) -> NDArray[np.uint8]:
        digit, writing, angle = self.factors.rows(self.check(index)).T
        degrees = MOST * (2 * angle / (self.angles - 1) - 1)
        turned = turn(self._originals[digit, writing], np.deg2rad(degrees), PIXELS)
        return np.round(turned * 255).astype(np.uint8)[:, None]


def turn(images: NDArray[np.float64], radians: NDArray[np.float64], size: int) -> NDArray[np.float64]:
    """Images (n, s, s) as (n, size, size), turned to the left about their middle by angles (n,).

    Interpolated linearly; what lies outside is 0.
    """
    side = images.shape[1]
    place = (np.arange(size) + 0.5) * side / size - side / 2  # from the middle
    y, x = np.meshgrid(place, place, indexing="ij")
    cos, sin = np.cos(radians)[:, None, None], np.sin(radians)[:, None, None]
    row, column = sin * x + cos * y + side / 2 - 0.5, cos * x - sin * y + side / 2 - 0.5
    padded = np.pad(images, ((0, 0), (1, 1), (1, 1)))
    each = np.arange(len(images))[:, None, None]
    total = np.zeros(row.shape)
    for down in (0, 1):
        for right in (0, 1):
            r, c = np.floor(row).astype(int) + down, np.floor(column).astype(int) + right
            weight = (1 - np.abs(row - r)) * (1 - np.abs(column - c))
            total += weight * padded[each, (r + 1).clip(0, side + 1), (c + 1).clip(0, side + 1)]
    return total
