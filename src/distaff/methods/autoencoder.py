"""The plain autoencoder, as the control."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from distaff.batch import Batch
from distaff.methods.base import Codes
from distaff.methods.encoder_decoder import EncoderDecoder


@dataclass(frozen=True)
class Autoencoder(EncoderDecoder):
    """Autoencoder: reconstruction alone, the control without any regulariser.

    Minimises -log p(x|z) with z = f(x) deterministic, so codes have no log-variance and their scale is free.

    Differences from the paper: none is meant; the networks are those of Locatello et al. 2019.
    """

    paper: ClassVar = {}
    study: ClassVar = {}

    @property
    def encoder_outputs(self) -> int:
        """A number for every latent."""
        return self.latents

    def encode(self, modules: nn.ModuleDict, images: Tensor, generator: torch.Generator) -> Codes:
        """The code (n, d), which is its own sample."""
        codes = modules["encoder"](images)
        return Codes(codes, None, codes)

    def regulariser(
        self, modules: nn.ModuleDict, batch: Batch, codes: Codes, generator: torch.Generator
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Nothing."""
        return torch.zeros((), device=codes.mean.device), {}
