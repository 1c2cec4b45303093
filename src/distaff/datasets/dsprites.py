"""dSprites (Matthey et al. 2017), drawn on demand, or read where the original file is present.

github.com/google-deepmind/dsprites-dataset
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from distaff.datasets.grid import Grid
from distaff.datasets.originals import kept, npz_pieces, present
from distaff.drawing import sprites
from distaff.errors import BadInput
from distaff.factors import FactorSpace
from distaff.files import array_headers

ORIGINAL = "dsprites_ndarray_co1sh3sc6or40x32y32_64x64.npz"
CACHE = "dsprites.bits.npy"


@dataclass(eq=False)
class DSprites(Grid):
    """White squares, ellipses and hearts on black: shape, scale, orientation and two positions.

    All 737,280 images in the original order, grey, 0 or 255 at 64 pixels. The last orientation repeats the
    first; squares look the same every quarter turn and ellipses every half turn. With the original .npz in
    the data folder, its images are read instead.
    """

    data_dir: Path | None = field(default=None, repr=False)
    original: Path | None = field(default=None, repr=False)  # the file, where it is given itself

    name = "dsprites"
    channels = 1
    licence = "drawn here; the original data set is Apache-2.0"
    citation = "Matthey, Higgins, Hassabis, Lerchner: dSprites, 2017"
    factors = FactorSpace(
        ("shape", "scale", "orientation", "x", "y"),
        (3, 6, sprites.ORIENTATIONS, sprites.POSITIONS, sprites.POSITIONS),
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        self._bits: NDArray[np.uint8] | None = None
        original = self.original or present(self.data_dir, (ORIGINAL, f"dsprites/{ORIGINAL}"))
        if original:
            shape = (len(self), sprites.SIZE, sprites.SIZE)
            self._bits = open_packed(original, original.with_name(CACHE), shape)
            self.source = f"file {original.name}"

    def images(self, index: ArrayLike) -> NDArray[np.uint8]:
        index = self.check(index)
        if self._bits is None:
            packed = sprites.rows_of_bits(self.factors.rows(index))
        else:
            packed = self._bits[index].reshape(len(index), sprites.SIZE, sprites.SIZE // 8)
        return _unpack(packed, self.resolution)[:, None]


def _unpack(packed: NDArray[np.uint8], resolution: int) -> NDArray[np.uint8]:
    """Packed bits (n, 64, 8) to pixels 0..255, averaged over blocks down to `resolution`."""
    bits = np.unpackbits(packed, axis=-1)  # (n, 64, 64)
    block = sprites.SIZE // resolution
    if block == 1:
        return np.negative(bits, out=bits)  # 1 becomes 255
    levels = np.round(255 * np.arange(block**2 + 1) / block**2).astype(np.uint8)
    return levels[sum(bits[:, i::block, j::block] for i in range(block) for j in range(block))]


def open_packed(original: Path, cache: Path, shape: tuple[int, int, int]) -> NDArray[Any]:
    """The images of the original file as packed bits (n, bytes), memory-mapped.

    The file's compressed images are unpacked once, in pieces, to `cache` (an eighth of their size). Only
    the array `imgs` is read: the pickled metadata beside it is never touched.
    """

    packed = (shape[0], shape[1] * shape[2] // 8)
    return kept(cache, [original], packed, _packed(original, shape), f"unpacking {original.name} once")


def _packed(original: Path, shape: tuple[int, int, int]) -> Iterator[NDArray[np.uint8]]:
    """The images of the original file as packed bits (m, bytes), some at a time."""
    found = array_headers(original).get("imgs")
    if found != (shape, np.dtype(np.uint8)):
        raise BadInput(f"{original}: imgs must be uint8 {shape}, got {found}")
    for piece in npz_pieces(original, "imgs"):
        if piece.max() > 1:
            raise BadInput(f"{original}: imgs holds values other than 0 and 1")
        yield np.packbits(piece.reshape(len(piece), -1), axis=1)
