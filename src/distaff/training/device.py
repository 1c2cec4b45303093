"""Where the arithmetic happens: the device, its threads, and pixels on their way there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from distaff.errors import BadInput


def to_unit(
    pixels: NDArray[Any] | Tensor, pixel_range: tuple[float, float] | list[float], device: torch.device
) -> Tensor:
    """Pixels as float32 in 0..1 on the device, laid out channels last."""
    low, high = pixel_range
    if not isinstance(pixels, Tensor):
        pixels = torch.from_numpy(np.require(pixels, requirements=["C", "W"]))
    tensor = pixels.to(device).to(torch.float32, memory_format=torch.channels_last)
    return (tensor - low).div_(high - low) if low else tensor / high


def choose_device(name: str) -> torch.device:
    """`auto` is a GPU if there is one, else the CPU."""
    if name not in ("auto", "cpu", "cuda", "mps") and not re.fullmatch(r"cuda:\d+", str(name)):
        raise BadInput(f"unknown device '{name}'. Allowed: auto, cpu, cuda, cuda:NUMBER, mps")
    if name == "auto":
        name = next((kind for kind in ("cuda", "mps") if is_present(kind)), "cpu")
    if not is_present(name):
        raise BadInput(f"device '{name}' is not available here; auto takes the best there is")
    return torch.device(name)


def is_present(name: str) -> bool:
    """Whether a device can be used here."""
    kind = name.partition(":")[0]
    if kind == "cuda":
        return torch.cuda.is_available() and int(name.partition(":")[2] or 0) < torch.cuda.device_count()
    return kind == "cpu" or (kind == "mps" and torch.backends.mps.is_available())


@contextmanager
def torch_threads(threads: int) -> Iterator[None]:
    """Use so many threads for the block."""
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        yield
    finally:
        torch.set_num_threads(before)
