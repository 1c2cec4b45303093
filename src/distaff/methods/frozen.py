"""A finished run as a part of the method that stands on it.

A method whose `features=RUN` or `base=RUN` names a run builds it into its own state,

    modules["features"] = frozen(facts.bases["features"])

so that its own model.safetensors holds both, and the run's folder is not needed afterwards.
"""

from typing import Any, Self

import torch
from torch import Tensor, nn

from distaff.batches.batch import Base
from distaff.methods.base import Codes


class Frozen(nn.ModuleDict):
    """The modules of a finished run and its method. No optimiser has its parameters, and it never trains."""

    def __init__(self, method: Any, modules: nn.ModuleDict) -> None:
        super().__init__(dict(modules.items()))
        self.method = method
        self.requires_grad_(False)
        self.eval()

    def train(self, mode: bool = True) -> Self:
        """It stays in evaluation mode, also where what stands on it is trained."""
        return super().train(False)

    def encode(self, images: Tensor, rng: torch.Generator) -> Codes:
        """Codes of images (n, C, H, W) in 0..1. Gradients pass through to the images."""
        codes: Codes = self.method.encode(self, images, rng)
        return codes

    def decode(self, codes: Tensor) -> Tensor:
        """Images (n, C, H, W) in 0..1 of codes (n, d). Gradients pass through to the codes."""
        images: Tensor = self.method.decode(self, codes)
        return images


def frozen(base: Base) -> Frozen:
    """The modules of a base, with its weights where they are given. BadInput where they do not fit."""
    state = base.method.state(base.facts, torch.Generator())
    if base.weights is not None:
        state.load_weights(base.weights)
    return Frozen(base.method, state.modules)
