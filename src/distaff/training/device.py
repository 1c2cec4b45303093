"""The device on which the arithmetic happens."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

import torch

from distaff.errors import BadInput

Noise = Literal["host", "device"]


def choose_device(name: str) -> torch.device:
    """`auto` is a GPU if there is one, else the CPU."""
    name = str(name)  # of a torch.device too
    if name not in ("auto", "cpu", "cuda", "mps") and not re.fullmatch(r"cuda:\d+", name):
        raise BadInput(f"unknown device '{name}'. Allowed: auto, cpu, cuda, cuda:NUMBER, mps")
    if name == "auto":
        name = next((kind for kind in ("cuda", "mps") if is_present(kind)), "cpu")
    if not is_present(name):
        raise BadInput(f"device '{name}' is not available here; auto takes the best there is")
    return torch.device(name)


def choose_noise(name: str, device: torch.device, recorded: Noise | None = None) -> Noise:
    """`auto` is as a run has been trained before, else the device's own on a CUDA GPU, else the host's."""
    if name not in ("auto", "host", "device"):
        raise BadInput(f"unknown noise '{name}'. Allowed: auto, host, device")
    if name == "device" and device.type != "cuda":
        raise BadInput(f"noise='device' needs device=cuda, got device={device}; 'host' works on every device")
    if name == "auto" and recorded:
        return recorded
    return "device" if name == "device" or (name == "auto" and device.type == "cuda") else "host"


def is_present(name: str) -> bool:
    """Whether a device can be used here."""
    kind = name.partition(":")[0]
    if kind == "cuda":
        return torch.cuda.is_available() and int(name.partition(":")[2] or 0) < torch.cuda.device_count()
    return kind == "cpu" or (kind == "mps" and torch.backends.mps.is_available())


@contextmanager
def usual_torch() -> Iterator[None]:
    """Torch as it starts for the block, whatever the caller has set: gradients are kept, numbers 32 bits."""
    before = torch.get_default_dtype()
    with torch.inference_mode(False), torch.enable_grad():
        torch.set_default_dtype(torch.float32)
        try:
            yield
        finally:
            torch.set_default_dtype(before)


@contextmanager
def arithmetic(tf32: bool = False) -> Iterator[None]:
    """How a CUDA device multiplies float32 for the block: exactly, or faster with 10 bits of the 23 (TF32).

    And by algorithms that give the same bits each time. Nothing changes elsewhere.
    """
    cudnn: Any = torch.backends.cudnn  # its `conv` is not declared
    products = (torch.backends.cuda.matmul, cudnn.conv)
    before = [each.fp32_precision for each in products], torch.backends.cudnn.deterministic
    for each in products:
        each.fp32_precision = "tf32" if tf32 else "ieee"
    torch.backends.cudnn.deterministic = True
    try:
        yield
    finally:
        for each, kind in zip(products, before[0], strict=True):
            each.fp32_precision = kind
        torch.backends.cudnn.deterministic = before[1]
