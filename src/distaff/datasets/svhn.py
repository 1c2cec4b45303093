"""Street View House Numbers (Netzer et al. 2011), cropped digits, read from the published files."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from distaff.datasets.listed import Listed
from distaff.datasets.originals import find, read_mat
from distaff.errors import BadInput
from distaff.settings import Settings, setting


@dataclass(eq=False)
class SVHN(Settings, Listed):
    """Photographs of house numbers, cropped to one digit, 32x32 RGB, with the digit as label.

    Read from `train_32x32.mat` (73,257 images), `test_32x32.mat` (26,032) or `extra_32x32.mat` (531,131),
    into memory: 225 MB for the first. The files' label 10 is the digit 0.
    """

    split: str = setting("train", "which file", choices=("train", "test", "extra"))
    data_dir: Path | None = field(default=None, repr=False)

    name = "svhn"
    places = ("train_32x32.mat", "svhn/train_32x32.mat")
    image_shape = (3, 32, 32)
    licence = "for non-commercial use; see the publication"
    citation = "Netzer et al.: Reading digits in natural images with unsupervised feature learning, 2011"
    label_names = ("digit",)

    def __post_init__(self) -> None:
        super().__post_init__()
        file = f"{self.split}_32x32.mat"
        where = "http://ufldl.stanford.edu/housenumbers/"
        places = [place.replace("train", self.split) for place in self.places]
        path = find(self.data_dir, places, self.name, where)
        pixels, digits = read_mat(path, "X"), read_mat(path, "y")
        if pixels.ndim != 4 or pixels.shape[:3] != (32, 32, 3) or pixels.dtype != np.uint8:
            raise BadInput(f"{path}: X must be uint8 (32, 32, 3, n), got {pixels.dtype} {pixels.shape}")
        if pixels.shape[3] < 2:
            raise BadInput(f"{path}: at least 2 images are needed, got {pixels.shape[3]}")
        if digits.shape != (pixels.shape[3], 1) or not np.isin(digits, range(11)).all():
            raise BadInput(f"{path}: y must be ({pixels.shape[3]}, 1) in 0..10, got {digits.shape}")
        self._images = np.ascontiguousarray(pixels.transpose(3, 2, 0, 1))
        self._labels = digits.astype(np.int64) % 10
        self.source = f"file {file}"
