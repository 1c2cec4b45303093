"""A data set whose images all lie on the device, as bytes, so that no batch waits for the bus."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from distaff.datasets.base import DataSet

MOST = 4 << 30  # bytes
ROWS = 8192  # images on their way at a time


def resident(data: Any, device: torch.device) -> Any:
    """The data set on the device where that is worth it, and as it is where not or where it lies there."""
    return Resident(data, device) if not isinstance(data, Resident) and fits(data, device) else data


class Resident:
    """A data set in every respect but that `images` gives tensors (n, C, H, W) on the device."""

    def __init__(self, data: DataSet, device: torch.device) -> None:
        self._data, self._device = data, device
        first = data.images(np.arange(1))
        kind = torch.from_numpy(first).dtype
        self._images = torch.empty((len(data), *first.shape[1:]), dtype=kind, device=device)
        for start in range(0, len(data), ROWS):
            rows = np.arange(start, min(start + ROWS, len(data)))
            self._images[start : start + len(rows)] = torch.from_numpy(data.images(rows)).to(device)

    def images(self, index: NDArray[np.int64]) -> Tensor:
        """Images (n, C, H, W) by index (n,), in the type in which they are stored."""
        return self._images[torch.from_numpy(index).to(self._device)]

    def __len__(self) -> int:
        return len(self._data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._data, name)


def fits(data: DataSet, device: torch.device) -> bool:
    """Whether it is worth it: another device than the CPU, and no more than 4 GB of images."""
    one = data.images(np.arange(1))
    return device.type != "cpu" and one.nbytes * len(data) <= MOST
