"""Images of your own as arrays in memory."""

import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from distaff.datasets.labels import Labels, as_labels
from distaff.datasets.listed import Listed
from distaff.datasets.squares import SMALLEST, check_resolution, check_side, said, squares
from distaff.errors import BadInput
from distaff.factors import FactorSpace
from distaff.tables.memory import of_tensor

LARGEST_PIXEL = 1e30
INDIRECT = ("P", "PA", "CMYK", "YCbCr", "LAB", "HSV")  # modes of Pillow
COMPARED = 1024  # images at a time
FLAG = "--data pixel_range"  # how the range is declared on the command line


class ArrayImages(Listed):
    """Images held in memory, with labels if there are any.

    `images` is (n, H, W), (n, H, W, C) or (n, C, H, W) with C of 1 or 3: integers in 0..255, booleans, or
    floats. Integers that are all 0 or 1 are black and white. Floats are kept as float32; their range is
    `pixel_range`, else 0..1 where they fit it, else from 0 (or their smallest value, if that is negative) to
    their largest. Sides below 16 pixels are padded; above 128 is an error, unless a `resolution` is given:
    then the middle square of every image is resized to it. `factors` is (n,) or (n, k), numbers or words, a
    data frame, or a mapping of names to columns. `pairs` (m, 2) holds the numbers of images that belong
    together, such as consecutive frames, for methods on pairs.
    """

    def __init__(
        self,
        images: ArrayLike,
        factors: Any = None,
        *,
        names: Sequence[str] | None = None,
        pixel_range: Sequence[float] | None = None,
        pairs: ArrayLike | None = None,
        resolution: int | None = None,
        name: str = "arrays",
        source: str = "arrays in memory",
    ) -> None:
        self.name, self.source = name, source
        resolution = check_resolution(resolution)
        upright = _channels_first(_as_array(images, name), name, resolution)
        pixels, self.pixel_range, notes = _pixels(upright, pixel_range, name)
        if resolution:
            notes += said([pixels.shape[2:]] * len(pixels), resolution)
            pixels = squares(pixels, *self.pixel_range, resolution)
        if np.ndim(images) == 3 and len(upright) == 3:
            notes.append("taken for 3 grey images; one in colour would be (1, 3, H, W)")
        self._images, how = padded(pixels, self.pixel_range[0])
        self.image_shape = self._images.shape[1:]
        notes += [*how, *["all images are equal"] * _all_equal(self._images)]
        if factors is not None:
            known = factors if isinstance(factors, Labels) else as_labels(factors, names, len(self), name)
            self._labels, self.label_names, self.words = known.values, known.names, known.words
            if known.values.dtype == np.int64:
                self.factors = FactorSpace.of_table(known.names, known.values)
            notes += known.notes
        self.note = "; ".join(notes)
        self.pairs = None if pairs is None else _pairs(np.asarray(pairs), len(self._images), name)

    def fingerprint(self) -> str:
        """A hash of every pixel and label, for files change."""
        digest = hashlib.sha256(repr((self._images.shape, self.pixel_range, self.label_names)).encode())
        digest.update(self._images.data)
        for array in (self._labels, self.pairs):
            digest.update(b"" if array is None else np.ascontiguousarray(array).data)
        return digest.hexdigest()[:16]


def is_single(shape: tuple[int, ...]) -> bool:
    """Whether an array of this shape is one image (H, W) or (H, W, C), and not several."""
    return len(shape) == 2 or (len(shape) == 3 and shape[2] in (1, 3) and min(shape[:2]) > 3)


def _as_array(images: Any, name: str) -> NDArray[Any]:
    if isinstance(images, list | tuple):  # pictures of Pillow whose numbers are no grey and no RGB
        images = [each.convert("RGB") if getattr(each, "mode", "") in INDIRECT else each for each in images]
    elif not hasattr(images, "__array__") and hasattr(images, "__getitem__"):
        kind = type(images).__name__
        raise BadInput(
            f"{name}: images are a {kind}; give an array, as by torch.stack([x for x, _ in dataset])"
        )
    try:
        return np.asarray(of_tensor(images))
    except ValueError:
        raise BadInput(f"{name}: the images are not all of one shape") from None


def _channels_first(images: NDArray[Any], name: str, resolution: int | None) -> NDArray[Any]:
    if is_single(images.shape):
        shape = ", ".join(map(str, images.shape))
        raise BadInput(
            f"{name}: an array ({shape}) is a single image or a table, and images must be (n, H, W), "
            f"(n, H, W, C) or (n, C, H, W) with n of at least 2; stack images to (n, {shape}), and reshape "
            "rows of pixels to (n, H, W)"
        )
    if images.ndim == 3:
        images = images[:, None]
    elif images.ndim == 4 and images.shape[1] not in (1, 3) and images.shape[3] in (1, 3):
        images = images.transpose(0, 3, 1, 2)
    if images.ndim != 4 or images.shape[1] not in (1, 3):
        raise BadInput(
            f"{name}: images must be (n, H, W), (n, H, W, C) or (n, C, H, W) with C of 1 or 3, "
            f"got {images.shape}"
            + ("; leave out the alpha channel: images[..., :3]" if images.shape[-1] == 4 else "")
        )
    if len(images) < 2:
        raise BadInput(f"{name}: at least 2 images are needed, got {len(images)}")
    check_side(images.shape[2], images.shape[3], name, resolution)
    return images


def _pixels(
    images: NDArray[Any], given: Sequence[float] | None, name: str
) -> tuple[NDArray[Any], tuple[float, float], list[str]]:
    """Pixels as uint8, or float32 with their range, and what should be known about them."""
    if images.dtype == bool:
        return images.astype(np.uint8) * np.uint8(255), (0.0, 255.0), []
    whole = images.dtype.kind in "iu"  # to NumPy, spans of time are integers too
    if not whole and images.dtype.kind != "f":
        raise BadInput(f"{name}: images must be numbers, got {images.dtype}")
    low, high = float(images.min()), float(images.max())
    if not np.isfinite([low, high]).all():
        raise BadInput(f"{name}: images hold NaN or infinite values")
    if max(-low, high) >= LARGEST_PIXEL:
        raise BadInput(f"{name}: pixels run from {low:g} to {high:g}; {LARGEST_PIXEL:g} is too much")
    if given is not None:
        bounds = _range(given)
        kind = images.dtype if images.dtype.kind == "f" else np.dtype(np.float64)
        nearest = [float(kind.type(bound)) for bound in bounds]  # which .1 is not, as a float of 32 bits
        if low < min(bounds[0], nearest[0]) or high > max(bounds[1], nearest[1]):
            raise BadInput(
                f"{name}: pixels run from {low:g} to {high:g}, outside {FLAG}=[{bounds[0]:g},{bounds[1]:g}]"
            )
        declared = f"pixels from {bounds[0]:g} to {bounds[1]:g} as declared"
        return images.astype(np.float32).clip(*bounds), bounds, [declared]
    if whole:
        return _bytes(images, low, high, name)
    if low >= 0 and high <= 1:
        return images.astype(np.float32), (0.0, 1.0), []
    bounds = (min(low, 0.0), high)
    if not bounds[0] < bounds[1]:
        raise BadInput(
            f"{name}: no pixel is above {low:g}; declare the range they come from: {_declare('LOW', 'HIGH')}"
        )
    taken = f"pixels taken to run from {bounds[0]:g} to {bounds[1]:g}; if not, {_declare('LOW', 'HIGH')}"
    return images.astype(np.float32), bounds, [taken]


def _declare(low: str, high: str) -> str:
    return f"{FLAG}=[{low},{high}] (from Python pixel_range=[{low}, {high}])"


def _bytes(
    images: NDArray[Any], low: float, high: float, name: str
) -> tuple[NDArray[np.uint8], tuple[float, float], list[str]]:
    """Whole pixels as uint8, their range, and what should be known about them."""
    if low < 0 or high > 255:
        top = np.iinfo(images.dtype).max if images.dtype == np.uint16 else high
        raise BadInput(
            f"{name}: integer pixels must lie in 0..255, got {low:.0f}..{high:.0f} of {images.dtype}; "
            f"declare which are black and white: {_declare(f'{min(low, 0):.0f}', f'{top:.0f}')}"
        )
    pixels, notes = images.astype(np.uint8), []
    if (low, high) == (0, 1):
        pixels *= np.uint8(255)
        notes = ["pixels are 0 and 1 only, taken as black and white"]
    elif 0 < high < 64:
        notes = [f"the brightest pixel is {high:g} of 255; if that is white, {_declare('0', f'{high:g}')}"]
    return pixels, (0.0, 255.0), notes


def _range(given: Sequence[float]) -> tuple[float, float]:
    try:
        low, high = (float(value) for value in given)
    except (TypeError, ValueError):
        raise BadInput(
            f"pixel_range={given!r} is not allowed; it must be two numbers, as in {_declare('0', '16')}"
        ) from None
    if not -LARGEST_PIXEL < low < high < LARGEST_PIXEL:
        raise BadInput(
            f"pixel_range={given!r} is not allowed; the first number must be the smaller, both finite, as in "
            f"{_declare('0', '16')}"
        )
    return low, high


def padded(images: NDArray[Any], fill: float) -> tuple[NDArray[Any], list[str]]:
    """Images (n, C, H, W) of at least SMALLEST pixels a side, and what was done."""
    height, width = images.shape[2:]
    down, right = max(0, SMALLEST - height), max(0, SMALLEST - width)
    if not (down or right):
        return np.ascontiguousarray(images), []
    border = ((0, 0), (0, 0), (down // 2, down - down // 2), (right // 2, right - right // 2))
    images = np.pad(images, border, constant_values=images.dtype.type(fill))
    return images, [f"images of {height}x{width} pixels are padded to {height + down}x{width + right}"]


def _all_equal(images: NDArray[Any]) -> bool:
    """Whether all images are the first one; most often the second tells."""
    steps = [slice(1, 2), *(slice(i, i + COMPARED) for i in range(0, len(images), COMPARED))]
    return all(bool((images[step] == images[0]).all()) for step in steps)


def _pairs(pairs: NDArray[Any], n: int, name: str) -> NDArray[np.int64]:
    fine = pairs.ndim == 2 and pairs.shape[1] == 2 and len(pairs) and pairs.dtype.kind in "iu"
    if not fine or pairs.min() < 0 or pairs.max() >= n:
        raise BadInput(
            f"{name}: pairs must be (m, 2) numbers of images in 0..{n - 1}, got {pairs.dtype} of shape "
            f"{pairs.shape}" + (f" from {pairs.min()} to {pairs.max()}" if fine else "")
        )
    return pairs.astype(np.int64)
