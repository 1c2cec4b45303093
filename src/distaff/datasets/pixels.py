"""Images of another size."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def reduced(images: NDArray[np.uint8], resolution: int) -> NDArray[np.uint8]:
    """Square images (n, C, H, H) averaged over blocks down to `resolution`."""
    n, channels, side, _ = images.shape
    if side == resolution:
        return np.ascontiguousarray(images)
    block = side // resolution
    blocks = images.reshape(n, channels, resolution, block, resolution, block)
    return np.round(blocks.mean(axis=(3, 5), dtype=np.float32)).astype(np.uint8)


def shrunk(pixels: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """An image (H, W) or (H, W, 3) made smaller with Lanczos' filter; values stay in 0..255."""
    from PIL import Image

    return np.asarray(Image.fromarray(pixels).resize((side, side), Image.Resampling.LANCZOS))
