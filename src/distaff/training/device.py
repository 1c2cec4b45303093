"""The device on which the arithmetic happens."""

from __future__ import annotations

import re

import torch

from distaff.errors import BadInput


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
