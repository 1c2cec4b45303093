"""A sample of the rows of a stream that does not depend on how they came: in batches, in parts, in any order.

Every row has a priority, a hash of the seed, the part of the stream (a process, say) and its number in that
part; the rows of the smallest priorities are kept (bottom-k sampling, Cohen and Kaplan 2007,
doi:10.1145/1281100.1281133), and those of two samples together are the smallest of both.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Keys = NDArray[np.uint64]
#: by need the arrays of the same rows: one, or one for each mate
Arrays = Mapping[str, tuple[NDArray[Any], ...]]


def hashed(seed: int, purpose: str, part: int, numbers: NDArray[np.int64]) -> Keys:
    """A hash (n,), uniform below 2^64, of rows by their number in a part of a stream."""
    start = np.array([seed], dtype=np.uint64)
    for word in (zlib.crc32(purpose.encode()), part):
        start = _mixed(start ^ np.uint64(word))
    return _mixed(start ^ numbers.astype(np.uint64))


def _mixed(x: Keys) -> Keys:
    """A step of splitmix64 (Steele et al. 2014, doi:10.1145/2660193.2660195), of each; overflow is meant."""
    x = x + np.uint64(0x9E3779B97F4A7C15)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(x ^ (x >> np.uint64(31)))


@dataclass(frozen=True)
class Sample:
    """At most `most` rows: their keys (m, 3), which are priority, part and number, and their arrays."""

    most: int
    keys: Keys
    arrays: Arrays

    @classmethod
    def of(cls, most: int, seed: int, part: int, numbers: NDArray[np.int64], arrays: Arrays) -> Sample:
        """That of some rows (n,) of a part."""
        priority = hashed(seed, "sample", part, numbers)
        keys = np.stack([priority, np.full_like(priority, part), numbers.astype(np.uint64)], axis=1)
        return cls(most, keys, arrays)._smallest()

    def plus(self, other: Sample) -> Sample:
        """That of the rows of both."""
        keys = np.concatenate([self.keys, other.keys])
        arrays = {
            need: tuple(np.concatenate(pair) for pair in zip(own, other.arrays[need], strict=True))
            for need, own in self.arrays.items()
        }
        return Sample(self.most, keys, arrays)._smallest()

    def _smallest(self) -> Sample:
        """The rows of the smallest priorities, in the order of parts and numbers, as they came."""
        priority, part, number = self.keys.T
        kept = np.lexsort((number, part, priority))[: self.most]
        kept = kept[np.lexsort((number[kept], part[kept]))]
        arrays = {need: tuple(each[kept] for each in own) for need, own in self.arrays.items()}
        return Sample(self.most, self.keys[kept], arrays)
