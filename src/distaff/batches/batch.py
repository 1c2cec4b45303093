"""What passes from a data set to a method: batches, and what is known before the first one."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

PIXELS = {"pixels": True}


@dataclass(frozen=True)
class Batch:
    """What a training step sees: arrays as a kind of batch draws them, tensors as a method takes them.

    `images` (n, C, H, W): of pairs, the first image of every pair, then their partners in the same order.
    `population`: how many images they were drawn from. `changed` (n/2, factors): which factors may differ
    within a pair, where that is known. `labelled` (m, C, H, W) and `labels` (m, k): more images, with
    whole-number labels from 0, for semi-supervision. `varying` (group, groups): the only group of
    factors that varies within the batch, and how many there are. `symbols` (n, m): k-hot float32, each of a
    concept that its image shows; where there are `other_symbols` (n, m) and `operators` (n,) as well, numbers
    from 0 in the order of distaff.concepts.OPERATORS, the image shows what becomes of the two. `actions`
    (n/2,): which action led from the first image of a pair to its partner, numbers from 0.
    """

    images: Any = field(metadata=PIXELS)
    population: int
    changed: Any = None
    labelled: Any = field(default=None, metadata=PIXELS)
    labels: Any = None
    varying: Any = None
    symbols: Any = None
    other_symbols: Any = None
    operators: Any = None
    actions: Any = None

    def to(self, device: torch.device, pixel_range: tuple[float, float]) -> Batch:
        """The same on a device: pixels in 0..1, every other array as a tensor of its own type."""
        moved: dict[str, Any] = {}
        for each in dataclasses.fields(self):
            value = getattr(self, each.name)
            if value is not None and each.metadata.get("pixels"):
                moved[each.name] = to_unit(value, pixel_range, device)
            elif isinstance(value, np.ndarray):
                moved[each.name] = torch.from_numpy(value).to(device)
            elif isinstance(value, Tensor):
                moved[each.name] = value.to(device)
        return dataclasses.replace(self, **moved)


class Facts(NamedTuple):
    """What a method may know of its data before training.

    `image_shape` (C, H, W); how many `images` there are; the sizes of the `factors` that form their grid, ()
    where there is none; the numbers of values of the `labels` that a label term learns from, () without; the
    numbers of `words` of the attributes that symbols name, then 1 for each synonym, () without symbols; the
    finished runs that the method stands on, its `bases`, by the setting that names them.
    """

    image_shape: tuple[int, int, int]
    images: int
    factors: tuple[int, ...] = ()
    labels: tuple[int, ...] = ()
    words: tuple[int, ...] = ()
    bases: Mapping[str, Base] = MappingProxyType({})


class Base(NamedTuple):
    """A finished run that a method stands on: its `method`, what that knew of the same data, its `weights`.

    The weights, by the names of model.safetensors, are None where they are not needed: others will be loaded.
    """

    method: Any
    facts: Facts
    weights: Mapping[str, Tensor] | None = None


def to_unit(
    pixels: NDArray[Any] | Tensor, pixel_range: tuple[float, float] | list[float], device: torch.device
) -> Tensor:
    """Pixels as float32 in 0..1 on the device, laid out channels last."""
    low, high = pixel_range
    if not isinstance(pixels, Tensor):
        pixels = torch.from_numpy(np.require(pixels, requirements=["C", "W"]))
    tensor = pixels.to(device).to(torch.float32, memory_format=torch.channels_last)
    return (tensor - low).div_(high - low) if low else tensor / high
