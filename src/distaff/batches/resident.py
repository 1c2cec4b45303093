"""A data set whose images all lie on the device, as bytes, so that no batch waits for the bus."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from distaff.datasets.base import DataSet

MOST = 4 << 30  # bytes, where a device does not say how much memory it has left
ROWS = 8192  # images on their way at a time


class Resident:
    """A data set in every respect but that `images` gives tensors (n, C, H, W) on the device.

    Runs that are trained together share one: it takes the place of the data set.
    """

    def __init__(self, data: DataSet, device: torch.device) -> None:
        self._data, self._device = data, device
        first = data.images(np.arange(1))
        kind = torch.from_numpy(first).dtype
        self._images = torch.empty((len(data), *first.shape[1:]), dtype=kind, device=device)
        for start in range(0, len(data), ROWS):
            rows = np.arange(start, min(start + ROWS, len(data)))
            self._images[start : start + len(rows)] = torch.from_numpy(data.images(rows)).to(device)

    def images(self, index: NDArray[np.int64] | Tensor) -> Tensor:
        """Images (n, C, H, W) by index (n,), in the type in which they are stored."""
        where = index if isinstance(index, Tensor) else torch.from_numpy(index)
        return self._images[where.to(self._device)]

    def __len__(self) -> int:
        return len(self._data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._data, name)


def on_device(data: DataSet, device: torch.device) -> Any:
    """The data with its images on the device, where they fit, else as they are; twice is as good as once."""
    return data if isinstance(data, Resident) or not fits(data, device) else Resident(data, device)


def fits(data: DataSet, device: torch.device) -> bool:
    """Whether it is worth it: another device than the CPU, with room for the images.

    They may take half of what a CUDA device has left, and 4 GB of others.
    """
    if device.type == "cpu":
        return False
    room = torch.cuda.mem_get_info(device)[0] // 2 if device.type == "cuda" else MOST
    return data.images(np.arange(1)).nbytes * len(data) <= room


class Rows:
    """A data set in every respect but that `images` gives the numbers of the images that were asked for."""

    def __init__(self, data: DataSet) -> None:
        self._data = data

    def images(self, index: NDArray[np.int64]) -> NDArray[np.int64]:
        """The index (n,)."""
        return np.asarray(index, dtype=np.int64)

    def __len__(self) -> int:
        return len(self._data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._data, name)
