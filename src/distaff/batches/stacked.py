"""The batches of several runs, stacked along a first axis: every run's are those that it has alone."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from distaff.batches.batch import Batch
from distaff.batches.feed import Feed
from distaff.errors import BadInput


@dataclass(frozen=True)
class Rows:
    """Images that are not looked at yet: their places in the data set (n,)."""

    places: NDArray[np.int64]


class Unseen:
    """A data set in every respect but that `images` says where they lie, so that all runs' come in one go."""

    def __init__(self, data: Any) -> None:
        self._data = data

    def images(self, index: NDArray[np.int64]) -> Rows:
        """Where the images lie."""
        return Rows(index)

    def __len__(self) -> int:
        return len(self._data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._data, name)


def stacked(feeds: Sequence[Feed], steps: Sequence[int]) -> tuple[Batch, list[torch.Generator]]:
    """The batches of N feeds of one data set, each at its own step, and the generators of their noise.

    Every tensor of the batch has a first axis of size N: images are (N, n, C, H, W) in 0..1, on the device.
    """
    first, count = feeds[0], len(feeds)
    unseen = Unseen(first.data)
    batches, rngs = zip(
        *(feed.drawn(step, unseen) for feed, step in zip(feeds, steps, strict=True)), strict=True
    )
    rows = np.concatenate([batch.images.places for batch in batches])
    fields: dict[str, Any] = {"images": first.data.images(rows)}
    for each in dataclasses.fields(Batch):
        if each.name != "images":
            fields[each.name] = _joined(each.name, [getattr(batch, each.name) for batch in batches])
    batch = Batch(**fields).to(first.device, first.data.pixel_range)
    moved = {name: value.unflatten(0, (count, -1)) for name, value in tensors_of(batch).items()}
    return dataclasses.replace(batch, **moved), list(rngs)


def _joined(name: str, values: list[Any]) -> Any:
    """The arrays (n, ...) of all runs in one, or the value that all runs have."""
    if isinstance(values[0], np.ndarray):
        return np.concatenate(values)
    if any(value != values[0] for value in values):
        raise BadInput(f"batches whose {name} differ cannot be stacked")
    return values[0]


def tensors_of(batch: Batch) -> dict[str, Tensor]:
    """The fields of a batch that are tensors."""
    found = {each.name: getattr(batch, each.name) for each in dataclasses.fields(batch)}
    return {name: value for name, value in found.items() if isinstance(value, Tensor)}
