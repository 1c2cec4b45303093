"""The convolutions of networks that are run as one, each with weights of its own.

Under torch.vmap, torch's own convolutions become one grouped convolution, for which kernels are slow on many
devices (`grouped`). The other ways are products of matrices for every network, all of them in one call: of
the 4x4 patches of the images with the kernels (`products`), or of the pixels where they lie with each quarter
of the kernels (`shifted`). Values are those of torch's own layers up to rounding.

The layers are 4x4 convolutions of stride 2 and padding 1, and their transposes. With rows and columns taken
in twos, so that the four pixels of a square are channels of one place, they are 2x2 convolutions of stride 1.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from distaff.errors import unknown
from distaff.networks.shifted import gathered, scattered

FEW = 4  # channels, up to which patches are small and products of rows too narrow

Convolution = Callable[[Tensor, Tensor, Tensor | None], Tensor]


class Way(NamedTuple):
    """How images (B, C, H, W) are halved and doubled with weights, as of torch's layers, and a bias."""

    down: Convolution
    up: Convolution


def way(device: torch.device) -> Way | None:
    """How convolutions are done in this block; outside of one mixed on a CUDA device, None elsewhere."""
    return _way.get() or (WAYS["mixed"] if device.type == "cuda" else None)


@contextmanager
def as_one(name: str) -> Iterator[None]:
    """Have convolutions done in the way of this name for the block."""
    if name not in WAYS:
        raise unknown("way of convolutions", name, WAYS)
    token = _way.set(WAYS[name])
    try:
        yield
    finally:
        _way.reset(token)


def grouped_down(images: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """torch's convolution of images (B, C, 2h, 2w) with weights (O, C, 4, 4): (B, O, h, w)."""
    return F.conv2d(images, weight, bias, stride=2, padding=1)


def grouped_up(images: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """torch's transposed convolution of images (B, C, h, w) with weights (C, O, 4, 4): (B, O, 2h, 2w)."""
    return F.conv_transpose2d(images, weight, bias, stride=2, padding=1)


def product_down(images: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """The same of images (B, C, 2h, 2w) with weights (O, C, 4, 4) as one product: (B, O, h, w)."""
    b, c, h, w = images.shape
    h, w = h // 2, w // 2
    places = in_twos(F.pad(images.permute(0, 2, 3, 1), (0, 0, 1, 1, 1, 1)))
    taps = [places[:, i : i + h, j : j + w] for i in (0, 1) for j in (0, 1)]
    rows = torch.cat(taps, dim=3).reshape(b * h * w, 16 * c) @ kernels(weight)
    return finished(rows.reshape(b, h, w, -1), bias)


def product_up(images: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """The same of images (B, C, h, w) with weights (C, O, 4, 4) as one product: (B, O, 2h, 2w)."""
    b, c, h, w = images.shape
    rows = images.permute(0, 2, 3, 1).reshape(b * h * w, c)
    taps = (rows @ kernels(weight).T).reshape(b, h, w, 4, -1).unbind(3)
    places = [F.pad(taps[2 * i + j], (0, 0, j, 1 - j, i, 1 - i)) for i in (0, 1) for j in (0, 1)]
    pixels = out_of_twos(places[0] + places[1] + places[2] + places[3])
    return finished(pixels[:, 1:-1, 1:-1], bias)


def finished(pixels: Tensor, bias: Tensor | None) -> Tensor:
    """Pixels (B, h, w, O) with their bias, which does not widen them, as images (B, O, h, w)."""
    pixels = pixels if bias is None else pixels + bias.to(pixels.dtype)
    return pixels.permute(0, 3, 1, 2)


def kernels(weight: Tensor) -> Tensor:
    """Weights (O, C, 4, 4) as a matrix (16C, O), rows in the order of the taps and their four pixels."""
    o, c = weight.shape[:2]
    return weight.reshape(o, c, 2, 2, 2, 2).permute(2, 4, 3, 5, 1, 0).reshape(16 * c, o)


def in_twos(pixels: Tensor) -> Tensor:
    """Pixels (B, 2h, 2w, C) as places of four pixels each: (B, h, w, 4C)."""
    b, h, w, c = pixels.shape
    return pixels.reshape(b, h // 2, 2, w // 2, 2, c).permute(0, 1, 3, 2, 4, 5).reshape(b, h // 2, w // 2, -1)


def out_of_twos(places: Tensor) -> Tensor:
    """Places (B, h, w, 4C) as the pixels in them: (B, 2h, 2w, C)."""
    b, h, w, c = places.shape
    parts = places.reshape(b, h, w, 2, 2, c // 4).permute(0, 1, 3, 2, 4, 5)
    return parts.reshape(b, 2 * h, 2 * w, c // 4)


def mixed_down(images: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """As products of few channels, for which torch has no good kernels, else as torch does it."""
    even = images.shape[2] % 2 == images.shape[3] % 2 == 0
    return (product_down if even and images.shape[1] <= FEW else grouped_down)(images, weight, bias)


def mixed_up(images: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """As products to few channels, else as torch does it."""
    return (product_up if weight.shape[1] <= FEW else grouped_up)(images, weight, bias)


def shifted_down(images: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """The same of images (B, C, 2h, 2w) with weights (O, C, 4, 4) as products of rows: (B, O, h, w)."""
    (b, c, h, w), o = images.shape, weight.shape[0]
    if c <= FEW:
        return product_down(images, weight, bias)
    h, w = h // 2, w // 2
    places = in_twos(F.pad(images.permute(0, 2, 3, 1), (0, 0, 1, 1, 1, 1)))
    matrices = kernels(weight).reshape(4, 4 * c, o)
    rows = gathered(places.reshape(-1, 4 * c), matrices, (0, 1, w + 1, w + 2))
    return finished(rows.reshape(b, h + 1, w + 1, o)[:, :h, :w], bias)


def shifted_up(images: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """The same of images (B, C, h, w) with weights (C, O, 4, 4) as products of rows: (B, O, 2h, 2w)."""
    (b, c, h, w), o = images.shape, weight.shape[1]
    if o <= FEW:
        return product_up(images, weight, bias)
    rows = F.pad(images.permute(0, 2, 3, 1), (0, 0, 0, 1, 0, 1)).reshape(-1, c)
    matrices = kernels(weight).reshape(4, 4 * o, c).transpose(1, 2)
    places = scattered(rows, matrices, (0, 1, w + 1, w + 2)).reshape(b, h + 1, w + 1, 4 * o)
    return finished(out_of_twos(places)[:, 1:-1, 1:-1], bias)


WAYS = {
    "grouped": Way(grouped_down, grouped_up),
    "products": Way(product_down, product_up),
    "mixed": Way(mixed_down, mixed_up),
    "shifted": Way(shifted_down, shifted_up),
}
_way: ContextVar[Way | None] = ContextVar("way", default=None)
