"""A VAE's loss at given codes."""

from __future__ import annotations

import dataclasses
from typing import Any

import torch
from torch import Tensor, nn

from distaff.batches.batch import Batch
from distaff.methods.base import Codes


class Grey(nn.Module):
    """A decoder whose pixels are all one half."""

    def __init__(self, images: Tensor) -> None:
        super().__init__()
        self.images = images

    def forward(self, codes: Tensor) -> Tensor:
        return torch.zeros_like(self.images)


def regulariser(
    method: Any, batch: Batch, codes: Codes, rng: torch.Generator | None = None
) -> tuple[Tensor, dict[str, Tensor]]:
    """What the loss of a VAE adds to its reconstruction where its encoder gives `codes`, and its terms."""
    at_codes = type("AtCodes", (type(method),), {"encode": lambda *_: codes})
    settings = dataclasses.asdict(method) | {"reconstruction_weight": 0.0}
    modules = nn.ModuleDict({"decoder": Grey(batch.images)})
    return at_codes(**settings).loss(modules, batch, rng or torch.Generator())
