"""Images of any size made squares of one size: their middle, shrunk with Lanczos' filter."""

from collections.abc import Collection
from typing import Any

import numpy as np
from numpy.typing import NDArray

from distaff.errors import BadInput
from distaff.settings import whole_number

SMALLEST, LARGEST = 16, 128  # pixels along a side
#: what to do about images that are too large or of mixed sizes
HOW = "give --data resolution=64 (from Python resolution=64) to crop and shrink every image to 64x64"

Size = tuple[int, int]  # height, width


def check_resolution(value: Any) -> int | None:
    """`value` as a number of pixels, None where none is asked for, or an error."""
    return None if value is None else whole_number("resolution", value, SMALLEST, LARGEST)


def check_side(height: int, width: int, name: str, resolution: int | None = None) -> None:
    """An error where images of this size cannot be used."""
    if min(height, width) < 1 or (resolution is None and max(height, width) > LARGEST):
        hint = f"; {HOW}" if min(height, width) else ""
        raise BadInput(
            f"{name}: {height}x{width} pixels; {SMALLEST} to {LARGEST} are allowed (smaller are padded){hint}"
        )


def square(image: Any, resolution: int) -> Any:
    """The middle square of a Pillow image, resized; proportions stay."""
    from PIL import Image, ImageOps

    if image.size == (resolution, resolution):
        return image
    return ImageOps.fit(image, (resolution, resolution), Image.Resampling.LANCZOS)


def squares(images: NDArray[Any], low: float, high: float, resolution: int) -> NDArray[Any]:
    """Images (n, C, H, W), uint8 or float32 from `low` to `high`, as (n, C, resolution, resolution)."""
    from PIL import Image

    n, channels, height, width = images.shape
    if (height, width) == (resolution, resolution):
        return images
    made = np.empty((n, channels, resolution, resolution), dtype=images.dtype)
    for before, after in zip(images, made, strict=True):
        for channel in range(channels):
            after[channel] = square(Image.fromarray(np.ascontiguousarray(before[channel])), resolution)
    return made if images.dtype == np.uint8 else made.clip(low, high)  # the filter overshoots beside edges


def said(sizes: Collection[Size], resolution: int) -> list[str]:
    """What was done to images of these sizes, one each."""
    if all(size == (resolution, resolution) for size in sizes):
        return []
    cropped = any(height != width for height, width in sizes)
    done = "cropped to its middle square and resized" if cropped else "resized"
    small = sum(min(size) < resolution for size in sizes)
    enlarged = f"; {small} of {len(sizes)} are smaller and were enlarged" if small else ""
    return [f"every image is {done} to {resolution}x{resolution} pixels{enlarged}"]
