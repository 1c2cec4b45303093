"""The pixels themselves."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from distaff.batches.batch import Batch, Facts
from distaff.errors import BadInput
from distaff.methods.base import Codes, Fitted
from distaff.methods.state import State, unfitted


@dataclass(frozen=True)
class Raw(Fitted):
    """Raw pixels: the code is the image, the lowest row of Higgins et al. 2017 (table 1).

    Nothing is learned. A code has as many numbers as the image, each in 0..1, whatever `latents` is.

    Differences from the paper (openreview:Sy2fzU9gl): none is meant.
    """

    def check(self, facts: Facts) -> None:
        """There is no number of latents to choose."""
        if self.latents != type(self).latents:
            raise BadInput(f"latents={self.latents} has no effect; a raw code has a number for every pixel")

    def code_size(self, facts: Facts) -> int:
        """The number of pixels and channels."""
        return math.prod(facts.image_shape)

    def state(self, facts: Facts, rng: torch.Generator) -> State:
        """Zeros, until the mean image is known."""
        return unfitted("pixels", mean=facts.image_shape)

    def fit(self, state: State, batch: Batch, rng: torch.Generator) -> dict[str, float]:
        """Keep the mean image, and record the variance per image, in squared pixels."""
        state.modules["pixels"].get_buffer("mean").copy_(batch.images.mean(dim=0))
        return {"variance": float(batch.images.var(dim=0, correction=0).sum())}

    def encode(self, modules: nn.ModuleDict, images: Tensor, rng: torch.Generator) -> Codes:
        """The pixels (n, C * H * W)."""
        codes = images.flatten(1)
        return Codes(codes, None, codes)

    def decode(self, modules: nn.ModuleDict, codes: Tensor) -> Tensor:
        """The image again, cut to 0..1."""
        images: Tensor = codes.unflatten(1, modules["pixels"].get_buffer("mean").shape).clamp(0, 1)
        return images

    def decoding(self, modules: nn.ModuleDict) -> list[nn.Module]:
        """The shape of an image, and the cut to 0..1."""
        return [nn.Unflatten(1, modules["pixels"].get_buffer("mean").shape), nn.Hardtanh(0, 1)]
