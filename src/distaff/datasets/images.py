"""Images of your own: arrays in an .npz file, or a folder of PNG and JPEG files."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from distaff.datasets.base import DataSet
from distaff.errors import BadInput
from distaff.factors import FactorSpace
from distaff.files import columns_to_table, read_arrays

SMALLEST, LARGEST = 16, 128  # pixels along a side
SUFFIXES = (".png", ".jpg", ".jpeg")


class ArrayImages(DataSet):
    """Images held in memory, with labels if there are any.

    `images` is (n, H, W), (n, H, W, C) or (n, C, H, W) with C of 1 or 3: integers in 0..255, booleans, or
    floats. Floats are kept as float32; their range is `pixel_range`, else 0..1 where they fit it, else their
    own smallest and largest value. Sides below 16 pixels are padded; above 128 is an error.
    `factors` is (n,) or (n, k).
    """

    def __init__(
        self,
        images: ArrayLike,
        factors: ArrayLike | None = None,
        *,
        names: Sequence[str] | None = None,
        pixel_range: Sequence[float] | None = None,
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

    def __len__(self) -> int:
        return len(self._images)

    def images(self, index: ArrayLike) -> NDArray[Any]:
        """The images (n, C, H, W) at `index`."""
        return self._images[self.check(index)]

    def labels(self, index: ArrayLike) -> NDArray[Any] | None:
        """The labels (n, k) at `index`, or None."""
        return None if self._labels is None else self._labels[self.check(index)]


def read_npz(path: Path, pixel_range: Sequence[float] | None = None) -> ArrayImages:
    """The data set in an .npz with `images` and optionally `factors` and `factor_names`."""
    arrays = read_arrays(path)
    if "images" not in arrays:
        raise BadInput(f"{path} has no array 'images'; it holds: {', '.join(arrays) or 'nothing'}")
    names = [str(name) for name in arrays["factor_names"]] if "factor_names" in arrays else None
    return ArrayImages(
        arrays["images"],
        arrays.get("factors"),
        names=names,
        pixel_range=pixel_range,
        name=path.stem,
        source=f"file {path.name}",
    )


def read_folder(folder: Path, pixel_range: Sequence[float] | None = None) -> ArrayImages:
    """The data set in a folder of PNG or JPEG files of one size.

    A single .csv in the folder may hold labels: a header, then a line per image, its file name first.
    """
    files = sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES)
    if not files:
        raise BadInput(f"{folder} holds no .png, .jpg or .jpeg file")
    images = _decode(files)
    tables = sorted(folder.glob("*.csv"))
    if len(tables) > 1:
        raise BadInput(f"{folder} holds {len(tables)} .csv files; leave the one with the labels")
    names, labels = None, None
    if tables:
        names, labels = _read_labels(tables[0], [path.relative_to(folder).as_posix() for path in files])
    return ArrayImages(
        images, labels, names=names, pixel_range=pixel_range, name=folder.name, source=f"folder {folder.name}"
    )


def _decode(files: list[Path]) -> NDArray[np.uint8]:
    from PIL import Image, UnidentifiedImageError

    first, mode = files[0], "L"
    size: tuple[int, ...] = ()
    try:
        for path in files:
            with Image.open(path) as image:
                size = size or image.size
                if image.size != size:
                    raise BadInput(
                        f"images of mixed sizes: {first.name} is {size[0]}x{size[1]}, "
                        f"{path.name} is {image.size[0]}x{image.size[1]}; make them one size"
                    )
                if image.mode not in ("1", "L", "LA", "P", "RGB", "RGBA"):
                    raise BadInput(
                        f"{path.name} has pixels of kind {image.mode}; save it with 8 bits a channel"
                    )
                mode = "L" if mode == "L" and image.mode in ("1", "L", "LA") else "RGB"
        _check_side(size[1], size[0], first.name)
        decoded = []
        for path in files:
            with Image.open(path) as image:
                decoded.append(np.asarray(image.convert(mode)))
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        if isinstance(error, BadInput):
            raise
        raise BadInput(f"{path} cannot be read as an image: {error}") from None
    return np.stack(decoded)


def _read_labels(path: Path, files: list[str]) -> tuple[list[str], NDArray[Any]]:
    try:
        with path.open(newline="", encoding="utf-8-sig") as stream:
            header, *lines = [line for line in csv.reader(stream) if line] or [[]]
    except (UnicodeDecodeError, csv.Error) as error:
        raise BadInput(f"{path} is not a CSV file: {error}") from None
    if len(header) < 2:
        raise BadInput(f"{path} needs a header with the file name first and at least one label after it")
    rows = {line[0]: line[1:] for line in lines}
    for file in files:
        if len(rows.get(file, ())) != len(header) - 1:
            raise BadInput(f"{path} has no line with {len(header) - 1} labels for '{file}'")
    if len(rows) != len(files):
        extra = sorted(set(rows) - set(files))
        raise BadInput(f"{path} labels '{extra[0]}', which is not in the folder")
    columns = zip(*(rows[file] for file in files), strict=True)
    return header[1:], columns_to_table([np.array(column, dtype=str) for column in columns])


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
        return images.astype(np.uint8), (0.0, 255.0), [dim] if high < 64 else []
    if low >= 0 and high <= 1:
        return images.astype(np.float32), (0.0, 1.0), []
    return (
        images.astype(np.float32),
        (min(low, 0.0), high),
        [f"pixels taken to run from {min(low, 0.0):g} to {high:g}"],
    )


def _range(given: Sequence[float]) -> tuple[float, float]:
    try:
        low, high = (float(value) for value in given)
    except (TypeError, ValueError):
        raise BadInput(
            f"pixel_range={given!r} is not allowed; it must be two numbers, as in [0,16]"
        ) from None
    if not low < high:
        raise BadInput(f"pixel_range={given!r} is not allowed; the first number must be the smaller")
    return low, high


def _check_side(height: int, width: int, name: str) -> None:
    if not (min(height, width) >= 1 and max(height, width) <= LARGEST):
        raise BadInput(
            f"{name}: {height}x{width} pixels; {SMALLEST} to {LARGEST} are allowed (smaller are padded). "
            "Resize the images first."
        )


def _padded(images: NDArray[Any], fill: float, name: str) -> tuple[NDArray[Any], list[str]]:
    height, width = images.shape[2:]
    _check_side(height, width, name)
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
        labels = columns_to_table(list(labels.T))
    if labels.dtype.kind not in "biuf":
        raise BadInput(f"{name}: factors must be numbers or text, got {labels.dtype}")
    if not np.isfinite(labels).all():
        raise BadInput(f"{name}: factors hold NaN or infinite values")
    whole = labels.astype(np.int64)
    return whole if np.array_equal(whole, labels) else labels.astype(np.float64)
