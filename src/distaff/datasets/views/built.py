"""A data set whose images were drawn once and lie in a file."""

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from distaff import __version__
from distaff.datasets.base import DataSet
from distaff.datasets.originals import map_npy, write_npy
from distaff.datasets.views.base import View
from distaff.errors import BadInput

PIECE = 512  # images drawn at once


class Built(View):
    """`data`, whose images are taken from the file `path` that `draw_all` wrote."""

    draw = DataSet.draw  # what is built draws its images equally often

    def __init__(self, data: DataSet, path: Path) -> None:
        self._images = map_npy(path)
        if self._images.shape != (len(data), *data.image_shape):
            raise BadInput(f"{path} has shape {self._images.shape}, not that of {data.name}; remove it")
        if self._images.dtype != (np.uint8 if data.pixel_range == (0, 255) else np.float32):
            raise BadInput(f"{path} holds {self._images.dtype}, which {data.name} does not; remove it")
        super().__init__(data, f"images from the file {path.name}")

    def images(self, index: ArrayLike) -> NDArray[Any]:
        return np.asarray(self._images[self.check(index)])


def built_path(data: DataSet, options: dict[str, Any], folder: Path) -> Path:
    """Where the images of a registered data set with these options and files lie, or would."""
    made_of = json.dumps([data.name, options, data.fingerprint(), __version__], sort_keys=True)
    return folder / "built" / f"{data.name}-{hashlib.sha256(made_of.encode()).hexdigest()[:16]}.npy"


def draw_all(data: DataSet, path: Path, show: bool = True) -> None:
    """Draw every image of `data` and keep them in `path`, to be memory-mapped."""
    starts, n = range(0, len(data), PIECE), len(data)
    pieces = (data.images(np.arange(start, min(start + PIECE, n))) for start in starts)
    dtype = data.images(np.arange(1)).dtype
    write_npy(path, (n, *data.image_shape), dtype, pieces, f"drawing {data.name}", show)
