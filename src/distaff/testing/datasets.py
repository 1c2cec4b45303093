"""Does a data set give what a data set must?"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from distaff.errors import BadInput


def check_dataset(data: Any, seed: int = 0) -> None:
    """Check a data set: shapes, types, ranges, that an image is the same each time, labels, errors."""
    n = len(data)
    assert n >= 2, "a data set needs at least 2 images"
    rng = np.random.default_rng(seed)
    index = rng.integers(n, size=16)
    images = data.images(index)
    assert images.shape == (16, *data.image_shape), f"images have shape {images.shape}"
    assert data.image_shape[0] in (1, 3), "images are grey or RGB"
    low, high = data.pixel_range
    assert images.dtype == np.uint8 or (images.dtype == np.float32), f"images are {images.dtype}"
    assert low <= images.min() <= images.max() <= high, "pixels leave the declared range"
    assert images.dtype != np.uint8 or (low, high) == (0, 255), "uint8 pixels run from 0 to 255"
    assert (images == data.images(index)).all(), "the same index gave another image"
    alone = np.concatenate([data.images(index[i : i + 1]) for i in range(16)])
    assert (images == alone).all(), "an image depends on its batch"
    assert data.images(index[:0]).shape == (0, *data.image_shape), "no index must give no images"
    _check_labels(data, index)
    for bad in ([n], [-1], [0.5]):
        try:
            data.images(np.array(bad))
        except BadInput:
            continue
        raise AssertionError(f"index {bad[0]} must raise BadInput")
    assert data.fingerprint() == data.fingerprint(), "the fingerprint changes"


def _check_labels(data: Any, index: NDArray[np.int64]) -> None:
    labels = data.labels(index)
    if labels is None:
        assert data.factors is None, "a data set with a grid of factors must give labels"
        assert not data.label_names, "label names without labels"
        return
    assert labels.shape == (len(index), len(data.label_names)), f"labels have shape {labels.shape}"
    if data.factors is not None:
        assert len(data.factors) == len(data), "the grid and the data set differ in size"
        assert data.factors.names == tuple(data.label_names), "the grid and the labels differ in names"
        assert (data.factors.index(labels) == index).all(), "labels are not the rows of the grid"
        assert min(data.factors.sizes) > 1, "factors that do not vary must be dropped"
