"""What all methods with an encoder and a decoder share: networks, likelihood, and the shape of the loss."""

from __future__ import annotations

import math
from abc import abstractmethod
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from distaff.batch import Batch, Facts
from distaff.methods.base import Codes, Loss, State, Stepped, adam
from distaff.networks import NETWORKS, fresh
from distaff.networks.conv import to_channels_last
from distaff.networks.network import Network
from distaff.settings import setting

PRECISIONS: dict[str, torch.dtype | None] = {"float32": None, "bfloat16": torch.bfloat16}


@dataclass(frozen=True)
class EncoderDecoder(Stepped):
    """A method that codes images and decodes them: reconstruction + the method's regulariser.

    Reconstruction is summed over pixels and channels and averaged over the batch, in nats.
    """

    network: str = setting("conv", "the encoder and decoder", choices=tuple(NETWORKS))
    likelihood: str = setting(
        "bernoulli", "the decoder's distribution of a pixel", choices=("bernoulli", "gaussian")
    )
    precision: str = setting(
        "float32",
        "arithmetic of the networks in training; bfloat16 is for devices that are quicker at it",
        choices=tuple(PRECISIONS),
    )
    compile: bool = setting(False, "torch.compile the networks: a minute at the start, for some devices")

    @property
    @abstractmethod
    def encoder_outputs(self) -> int:
        """How many numbers the encoder gives an image."""

    def networks(self, facts: Facts, generator: torch.Generator) -> nn.ModuleDict:
        """Encoder and decoder, with fresh weights."""
        make_encoder, make_decoder = NETWORKS[self.network]
        modules = nn.ModuleDict(
            {
                "encoder": fresh(lambda: make_encoder(facts.image_shape, self.encoder_outputs), generator),
                "decoder": fresh(lambda: make_decoder(self.latents, facts.image_shape), generator),
            }
        )
        for network in modules.values():
            assert isinstance(network, Network)
            network.lower, network.compiled = PRECISIONS[self.precision], self.compile
        to_channels_last(modules)
        return modules

    def state(self, facts: Facts, generator: torch.Generator) -> State:
        """The networks and one Adam over all of them."""
        modules = self.networks(facts, generator)
        return State(modules, {"adam": adam(modules.parameters())})

    def decode(self, modules: nn.ModuleDict, codes: Tensor) -> Tensor:
        """The mean image (n, C, H, W) in 0..1."""
        images: Tensor = torch.sigmoid(modules["decoder"](codes))
        return images

    def training_codes(self, modules: nn.ModuleDict, batch: Batch, generator: torch.Generator) -> Codes:
        """The codes that the batch is decoded from."""
        return self.encode(modules, batch.images, generator)

    def loss(self, modules: nn.ModuleDict, batch: Batch, generator: torch.Generator) -> Loss:
        """The objective at the codes of the batch."""
        return self.objective(modules, batch, self.training_codes(modules, batch, generator), generator)

    def objective(
        self, modules: nn.ModuleDict, batch: Batch, codes: Codes, generator: torch.Generator
    ) -> Loss:
        """Reconstruction and the method's regulariser."""
        reconstruction = self.reconstruction(modules["decoder"](codes.sample), batch.images)
        regulariser, terms = self.regulariser(modules, batch, codes, generator)
        return Loss(reconstruction + regulariser, {"reconstruction": reconstruction} | terms)

    def reconstruction(self, outputs: Tensor, images: Tensor) -> Tensor:
        """-log p(x|z) of the decoder's outputs (n, C, H, W), which are logits."""
        return negative_log_likelihood(outputs, images, self.likelihood)

    @abstractmethod
    def regulariser(
        self, modules: nn.ModuleDict, batch: Batch, codes: Codes, generator: torch.Generator
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """What is added to the reconstruction, and its terms by name, in nats per image."""


def negative_log_likelihood(logits: Tensor, images: Tensor, likelihood: str) -> Tensor:
    """-log p(x|z) of images in 0..1, summed over pixels and channels, averaged over the batch, nats.

    `bernoulli`: cross-entropy with the image as target. `gaussian`: sigmoid(logits) is the mean and the
    standard deviation is 1, with its constant ln sqrt(2 pi) a pixel.
    """
    if likelihood == "bernoulli":
        return F.binary_cross_entropy_with_logits(logits, images, reduction="sum") / len(images)
    return gaussian_negative_log_likelihood(torch.sigmoid(logits), images)


def gaussian_negative_log_likelihood(means: Tensor, images: Tensor) -> Tensor:
    """-log N(x; mean, 1), summed over pixels and channels, averaged over the batch, nats."""
    errors = F.mse_loss(means, images, reduction="sum") / len(images)
    return 0.5 * errors + 0.5 * math.log(2 * math.pi) * images[0].numel()
