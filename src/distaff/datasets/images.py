"""Images of your own as arrays, in memory or in an .npz file."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from distaff.datasets.base import DataSet
from distaff.errors import BadInput
from distaff.factors import FactorSpace
from distaff.files import side_by_side

SMALLEST, LARGEST = 16, 128  # pixels along a side
LARGEST_PIXEL = 1e30
ARRAYS = ("images", "factors", "factor_names", "pairs", "pixel_range")  # of an .npz


class ArrayImages(DataSet):
    """Images held in memory, with labels if there are any.

    `images` is (n, H, W), (n, H, W, C) or (n, C, H, W) with C of 1 or 3: integers in 0..255, booleans, or
    floats. Floats are kept as float32; their range is `pixel_range`, else 0..1 where they fit it, else from 0
    (or their smallest value, if that is negative) to their largest. Sides below 16 pixels are padded; above
    128 is an error. `factors` is (n,) or (n, k). `pairs` (m, 2) holds the numbers of images that belong
    together, such as consecutive frames, for methods on pairs.
    """

    def __init__(
        self,
        images: ArrayLike,
        factors: ArrayLike | None = None,
        *,
        names: Sequence[str] | None = None,
        pixel_range: Sequence[float] | None = None,
        pairs: ArrayLike | None = None,
        name: str = "arrays",
        source: str = "arrays in memory",
    ) -> None:
        self.name, self.source = name, source
        pixels, self.pixel_range, notes = _pixels(
            _channels_first(np.asarray(images), name), pixel_range, name
        )
        self._images, padded = _padded(pixels, self.pixel_range[0], name)
        self.note = "; ".join(notes + padded)
        self.image_shape = self._images.shape[1:]
        self._labels = None if factors is None else _labels(np.asarray(factors), len(self._images), name)
        if self._labels is not None:
            k = self._labels.shape[1]
            self.label_names = tuple(names) if names is not None else tuple(f"factor_{j}" for j in range(k))
            if len(self.label_names) != k:
                raise BadInput(f"{name}: {len(self.label_names)} names for {k} factors")
            if self._labels.dtype == np.int64:
                self.factors = FactorSpace.of_table(self.label_names, self._labels)

        self.pairs = None if pairs is None else _pairs(np.asarray(pairs), len(self._images), name)

    def __len__(self) -> int:
        return len(self._images)

    def images(self, index: ArrayLike) -> NDArray[Any]:
        """The images (n, C, H, W) at `index`."""
        return self._images[self.check(index)]

    def labels(self, index: ArrayLike) -> NDArray[Any] | None:
        """The labels (n, k) at `index`, or None."""
        return None if self._labels is None else self._labels[self.check(index)]

    def fingerprint(self) -> str:
        """A hash of every pixel and label, for files change."""
        digest = hashlib.sha256(repr((self._images.shape, self.pixel_range, self.label_names)).encode())
        digest.update(self._images.data)
        for array in (self._labels, self.pairs):
            digest.update(b"" if array is None else np.ascontiguousarray(array).data)
        return digest.hexdigest()[:16]


def read_npz(
    arrays: Mapping[str, NDArray[Any]], path: Path, pixel_range: Sequence[float] | None = None
) -> ArrayImages:
    """The data set in arrays of an .npz.

    `images` and optionally `factors`, `factor_names`, `pairs` and `pixel_range`; a given range comes first.
    """
    if "images" not in arrays:
        raise BadInput(f"{path} has no array 'images'; it holds: {', '.join(arrays) or 'nothing'}")
    names = [str(name) for name in arrays["factor_names"].ravel()] if "factor_names" in arrays else None
    if pixel_range is None and "pixel_range" in arrays:
        pixel_range = arrays["pixel_range"].ravel().tolist()
    data = ArrayImages(
        arrays["images"],
        arrays.get("factors"),
        names=names,
        pixel_range=pixel_range,
        pairs=arrays.get("pairs"),
        name=path.stem,
        source=f"file {path.name}",
    )
    unread = [f"array '{name}' is not read" for name in arrays if name not in ARRAYS]
    data.note = "; ".join(filter(None, [data.note, *unread]))
    return data


def _channels_first(images: NDArray[Any], name: str) -> NDArray[Any]:
    if images.ndim == 3:
        images = images[:, None]
    elif images.ndim == 4 and images.shape[1] not in (1, 3) and images.shape[3] in (1, 3):
        images = images.transpose(0, 3, 1, 2)
    if images.ndim != 4 or images.shape[1] not in (1, 3):
        raise BadInput(
            f"{name}: images must be (n, H, W), (n, H, W, C) or (n, C, H, W) with C of 1 or 3, "
            f"got {images.shape}"
        )
    if len(images) < 2:
        raise BadInput(f"{name}: at least 2 images are needed, got {len(images)}")
    check_side(images.shape[2], images.shape[3], name)
    return images


def _pixels(
    images: NDArray[Any], given: Sequence[float] | None, name: str
) -> tuple[NDArray[Any], tuple[float, float], list[str]]:
    """Pixels as uint8, or float32 with their range, and what should be known about them."""
    if images.dtype == bool:
        return images.astype(np.uint8) * np.uint8(255), (0.0, 255.0), []
    whole = np.issubdtype(images.dtype, np.integer)
    if not whole and not np.issubdtype(images.dtype, np.floating):
        raise BadInput(f"{name}: images must be numbers, got {images.dtype}")
    low, high = float(images.min()), float(images.max())
    if not np.isfinite([low, high]).all():
        raise BadInput(f"{name}: images hold NaN or infinite values")
    if given is not None:
        bounds = _range(given)
        if low < bounds[0] or high > bounds[1]:
            raise BadInput(f"{name}: pixels run from {low:g} to {high:g}, outside pixel_range={list(bounds)}")
        return images.astype(np.float32), bounds, [f"pixels from {bounds[0]:g} to {bounds[1]:g} as declared"]
    if whole:
        if low < 0 or high > 255:
            raise BadInput(f"{name}: integer pixels must lie in 0..255, got {low:g}..{high:g}")
        dim = f"the brightest pixel is {high:g} of 255; if that is white, set pixel_range=[0,{high:g}]"
        return images.astype(np.uint8), (0.0, 255.0), [dim] if 0 < high < 64 else []
    if low >= 0 and high <= 1:
        return images.astype(np.float32), (0.0, 1.0), []
    bounds = (min(low, 0.0), high)
    if not bounds[0] < bounds[1]:
        raise BadInput(
            f"{name}: no pixel is above {low:g}; set pixel_range=[LOW,HIGH] to the range they come from"
        )
    return images.astype(np.float32), bounds, [f"pixels taken to run from {bounds[0]:g} to {bounds[1]:g}"]


def _range(given: Sequence[float]) -> tuple[float, float]:
    try:
        low, high = (float(value) for value in given)
    except (TypeError, ValueError):
        raise BadInput(
            f"pixel_range={given!r} is not allowed; it must be two numbers, as in [0,16]"
        ) from None
    if not -LARGEST_PIXEL < low < high < LARGEST_PIXEL:
        raise BadInput(
            f"pixel_range={given!r} is not allowed; the first number must be the smaller, both finite"
        )
    return low, high


def check_side(height: int, width: int, name: str) -> None:
    """An error where images of this size cannot be used."""
    if not (min(height, width) >= 1 and max(height, width) <= LARGEST):
        raise BadInput(
            f"{name}: {height}x{width} pixels; {SMALLEST} to {LARGEST} are allowed (smaller are padded). "
            "Resize the images first."
        )


def _padded(images: NDArray[Any], fill: float, name: str) -> tuple[NDArray[Any], list[str]]:
    height, width = images.shape[2:]
    down, right = max(0, SMALLEST - height), max(0, SMALLEST - width)
    if not (down or right):
        return np.ascontiguousarray(images), []
    border = ((0, 0), (0, 0), (down // 2, down - down // 2), (right // 2, right - right // 2))
    images = np.pad(images, border, constant_values=images.dtype.type(fill))
    return images, [f"images of {height}x{width} pixels are padded to {height + down}x{width + right}"]


def _labels(labels: NDArray[Any], n: int, name: str) -> NDArray[Any]:
    labels = labels[:, None] if labels.ndim == 1 else labels
    if labels.ndim != 2 or len(labels) != n or labels.shape[1] == 0:
        raise BadInput(
            f"{name}: factors must have a row for each of the {n} images, got shape {labels.shape}"
        )
    if labels.dtype.kind in "US":
        labels = side_by_side(
            list(labels.T), [str(j) for j in range(labels.shape[1])], Path(name), words=True
        )
    if labels.dtype.kind not in "biuf":
        raise BadInput(f"{name}: factors must be numbers or text, got {labels.dtype}")
    if not np.isfinite(labels).all():
        raise BadInput(f"{name}: factors hold NaN or infinite values")
    if np.abs(labels.astype(np.float64)).max() >= 2.0**53:
        raise BadInput(f"{name}: factors hold numbers beyond 2^53, which cannot be told apart")
    whole = labels.astype(np.int64)
    return whole if np.array_equal(whole, labels) else labels.astype(np.float64)


def _pairs(pairs: NDArray[Any], n: int, name: str) -> NDArray[np.int64]:
    fine = pairs.ndim == 2 and pairs.shape[1] == 2 and len(pairs) and np.issubdtype(pairs.dtype, np.integer)
    if not fine or pairs.min() < 0 or pairs.max() >= n:
        raise BadInput(
            f"{name}: pairs must be (m, 2) numbers of images in 0..{n - 1}, got {pairs.dtype} of shape "
            f"{pairs.shape}" + (f" from {pairs.min()} to {pairs.max()}" if fine else "")
        )
    return pairs.astype(np.int64)
