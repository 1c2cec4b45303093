"""What a data set is: images by index, perhaps with labels, perhaps on a grid of factors."""

import hashlib
import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from distaff.errors import BadInput
from distaff.factors import FactorSpace

SHOWN = 8  # words of a label on a card


class DataSet(ABC):
    """Images that are made or read when they are asked for, as whole batches.

    A subclass sets `name` and `image_shape` (C, H, W), and gives `__len__` and `images`. Where there are
    labels it sets `label_names` and gives `labels`; where they form a full grid it sets `factors`.
    """

    name: str = ""
    image_shape: tuple[int, int, int]
    #: of its images, known before any file is opened
    channels: ClassVar[int] = 3
    #: pixels are uint8 in 0..255, or float32 between these two values
    pixel_range: tuple[float, float] = (0.0, 255.0)
    label_names: tuple[str, ...] = ()
    #: by label, what its numbers 0..m-1 stand for; only of labels whose values are words and have no order
    words: Mapping[str, tuple[str, ...]] = MappingProxyType({})
    factors: FactorSpace | None = None
    #: the grid that the images lie on, where some of its factors are hidden from the labels
    grid: FactorSpace | None = None
    #: pairs of indices (m, 2) of images that belong together, such as consecutive frames, where known
    pairs: NDArray[np.int64] | None = None
    #: whether images are drawn equally often
    evenly: bool = True
    #: factors that are no labels: the images vary in them, and no one is told
    hidden: tuple[str, ...] = ()
    #: where in the data folder the published file may lie, without which there are no images; () where drawn
    places: tuple[str, ...] = ()
    #: "drawn", or the file the images were read from
    source: str = "drawn"
    #: what was done to the images and should be known, such as padding
    note: str = ""
    licence: str = ""
    citation: str = ""
    #: how to load the same data set again: {"name": ..., "options": {...}}; None for one made by hand
    spec: dict[str, Any] | None = None

    @abstractmethod
    def __len__(self) -> int: ...

    @abstractmethod
    def images(self, index: ArrayLike) -> NDArray[Any]:
        """The images (n, C, H, W) at `index` (n,), uint8, or float32 within `pixel_range`."""

    def unit_images(self, index: ArrayLike) -> NDArray[np.float64]:
        """The images (n, C, H, W) at `index` in 0..1, for pictures."""
        low, high = self.pixel_range
        return (self.images(index).astype(np.float64) - low) / (high - low)

    def labels(self, index: ArrayLike) -> NDArray[Any] | None:
        """The labels (n, k) at `index`: rows of the factor grid, or None where there are none."""
        return self.factors.rows(self.check(index)) if self.factors else None

    def draw(self, size: int, rng: np.random.Generator) -> NDArray[np.int64]:
        """`size` indices drawn with replacement: uniformly, unless the data set says otherwise."""
        return rng.integers(len(self), size=size)

    def check(self, index: ArrayLike) -> NDArray[np.int64]:
        """`index` as int64, or an error if it is out of range."""
        array = np.asarray(index)
        if array.ndim != 1 or (array.size and not np.issubdtype(array.dtype, np.integer)):
            raise BadInput(f"an index must be a vector of integers, got {array.dtype} of shape {array.shape}")
        if array.size and (array.min() < 0 or array.max() >= len(self)):
            raise BadInput(
                f"index out of range: {self.name} has images 0..{len(self) - 1}, "
                f"got {array.min()}..{array.max()}"
            )
        return array.astype(np.int64)

    def fingerprint(self) -> str:
        """A hash of the size, the names, and 64 images and labels spread over the data set."""
        index = np.unique(np.linspace(0, len(self) - 1, 64).astype(np.int64))
        labels = self.labels(index)
        digest = hashlib.sha256(repr((len(self), self.image_shape, self.label_names)).encode())
        digest.update(np.ascontiguousarray(self.images(index)).tobytes())
        digest.update(b"" if labels is None else np.ascontiguousarray(labels).tobytes())
        return digest.hexdigest()[:16]

    def card(self) -> dict[str, Any]:
        """What a reader wants to know, as a dict that JSON takes."""
        factors = self.factors or self.grid
        bytes_ = self.images([0]).dtype == np.uint8
        return {
            "name": self.name,
            "images": len(self),
            "shape": list(self.image_shape),
            "bytes": len(self) * math.prod(self.image_shape) * (1 if bytes_ else 4),
            "pixels": "uint8 0..255" if bytes_ else f"float32 {self.pixel_range}",
            "factors": dict(zip(factors.names, factors.sizes, strict=True)) if factors else None,
            "labels": list(self.label_names),
            "words": {name: _few(words) for name, words in self.words.items()},
            "hidden": [name for name in self.grid.names if name not in self.label_names] if self.grid else [],
            "source": self.source,
            "note": self.note,
            "licence": self.licence,
            "citation": self.citation,
        }


def _few(words: tuple[str, ...]) -> str:
    """Words in one line, the first of many."""
    rest = len(words) - SHOWN
    return ", ".join(words[:SHOWN]) + (f" and {rest} more" if rest > 0 else "")
