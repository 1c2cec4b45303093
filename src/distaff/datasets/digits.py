"""scikit-learn's handwritten digits, which need no file."""

from dataclasses import dataclass

import numpy as np

from distaff.datasets.listed import Listed
from distaff.settings import Settings


@dataclass(eq=False)
class Digits(Settings, Listed):
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
        self._labels = found.target.astype(np.int64)[:, None]
