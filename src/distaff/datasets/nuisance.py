"""Random numbers for a nuisance of each image: the same whenever the image is asked for."""

import numpy as np
from numpy.typing import NDArray

_MULTIPLIER = np.uint64(0xD1342543DE82EF95)
_INCREMENT = np.uint64(0x9E3779B97F4A7C15)


def uniform(index: NDArray[np.int64], count: int, seed: int) -> NDArray[np.float32]:
    """`count` numbers of at least 0 and below 1 for each image (n,): (n, count)."""
    return (_bits(index, count, seed) >> np.uint64(40)).astype(np.float32) / np.float32(2**24)


def uniform_bytes(index: NDArray[np.int64], count: int, seed: int) -> NDArray[np.uint8]:
    """`count` numbers 0..255 for each image (n,): (n, count)."""
    return _bits(index, -(-count // 8), seed).astype("<u8").view(np.uint8)[:, :count]


def _bits(index: NDArray[np.int64], count: int, seed: int) -> NDArray[np.uint64]:
    """`count` words of 64 random bits for each image.

    A counter-based generator (the finaliser of SplitMix64 over seed, image and number) gives an image the
    same bits in every batch, without a generator object per image.
    """
    with np.errstate(over="ignore"):
        start = _mix(np.uint64(seed) * _MULTIPLIER + index.astype(np.uint64))
        counter = np.arange(1, count + 1, dtype=np.uint64) * _INCREMENT
        return _mix(start[:, None] + counter)


def _mix(x: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """SplitMix64's finaliser: every bit of the input turns about half of the output's bits."""
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))
