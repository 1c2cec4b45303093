"""Images of another size."""

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
