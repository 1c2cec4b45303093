"""scikit-learn's handwritten digits, which need no file."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from distaff.datasets.base import DataSet
from distaff.settings import Settings


@dataclass(eq=False)
class Digits(Settings, DataSet):
    """1,797 handwritten digits, 16x16 grey, with the digit as label.

    The images that come with scikit-learn, 8x8 pixels in 17 levels, every pixel made four.
    """

    name = "digits"
    channels = 1
    image_shape = (1, 16, 16)
    licence = "CC BY 4.0; comes with scikit-learn"
    citation = "Alpaydin, Kaynak: Optical recognition of handwritten digits, UCI repository, 1998"
    label_names = ("digit",)
    source = "scikit-learn"

    def __post_init__(self) -> None:
        super().__post_init__()
        from sklearn.datasets import load_digits

        found = load_digits()
        pixels = np.round(found.images * (255 / 16)).astype(np.uint8)
        self._images = pixels.repeat(2, axis=1).repeat(2, axis=2)[:, None]
        self._digits = found.target.astype(np.int64)[:, None]

    def __len__(self) -> int:
        return len(self._images)

    def images(self, index: ArrayLike) -> NDArray[np.uint8]:
        """The images (n, 1, 16, 16), uint8, at `index` (n,)."""
        return self._images[self.check(index)]

    def labels(self, index: ArrayLike) -> NDArray[np.int64]:
        """The digits (n, 1) at `index`."""
        return self._digits[self.check(index)]
