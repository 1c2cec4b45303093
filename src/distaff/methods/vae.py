"""The variational autoencoder, and the parts that all its descendants share."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from distaff.methods.base import Codes, Loss, Shape, State, Stepped, noise
from distaff.networks import NETWORKS, fresh
from distaff.networks.conv import to_channels_last
from distaff.settings import setting


@dataclass(frozen=True)
class VAE(Stepped):
    """Variational autoencoder: reconstruction + KL to a standard normal prior.

    Maximises E_q(z|x) log p(x|z) - KL(q(z|x) || N(0, I)) (Kingma and Welling 2014, eq. 10) with one sample
    of z per image. Reconstruction is summed over pixels and channels, the KL over latents, both averaged over
    the batch, in nats.

    Differences from the paper: convolutional networks and batches of 64 as in Locatello et al. 2019.
    """

    network: str = setting("conv", "the encoder and decoder", choices=tuple(NETWORKS))
    likelihood: str = setting(
        "bernoulli", "the decoder's distribution of a pixel", choices=("bernoulli", "gaussian")
    )

    def state(self, image_shape: Shape, generator: torch.Generator) -> State:
        """Encoder, decoder and one Adam over both."""
        make_encoder, make_decoder = NETWORKS[self.network]
        modules = nn.ModuleDict(
            {
                "encoder": fresh(lambda: make_encoder(image_shape, 2 * self.latents), generator),
                "decoder": fresh(lambda: make_decoder(self.latents, image_shape), generator),
            }
        )
        to_channels_last(modules)
        return State(modules, {"adam": self.adam(modules)})

    def encode(self, modules: nn.ModuleDict, images: Tensor, generator: torch.Generator) -> Codes:
        """The posterior's mean and log-variance (n, d), and one sample of it."""
        mean, logvar = modules["encoder"](images).chunk(2, dim=1)
        return Codes(mean, logvar, mean + torch.exp(logvar / 2) * noise(mean, generator))

    def decode(self, modules: nn.ModuleDict, codes: Tensor) -> Tensor:
        """The mean image (n, C, H, W) in 0..1."""
        images: Tensor = torch.sigmoid(modules["decoder"](codes))
        return images

    def loss(self, modules: nn.ModuleDict, batch: Tensor, generator: torch.Generator, step: int) -> Loss:
        """Reconstruction and the method's regulariser."""
        codes = self.encode(modules, batch, generator)
        reconstruction = negative_log_likelihood(modules["decoder"](codes.sample), batch, self.likelihood)
        regulariser, terms = self.regulariser(codes, step)
        return Loss(reconstruction + regulariser, {"reconstruction": reconstruction} | terms)

    def regulariser(self, codes: Codes, step: int) -> tuple[Tensor, dict[str, Tensor]]:
        """What is added to the reconstruction, and its terms by name. Here the KL itself."""
        kl = kl_to_prior(codes.mean, codes.logvar).sum(dim=1).mean()
        return kl, {"kl": kl}


def kl_to_prior(mean: Tensor, logvar: Tensor) -> Tensor:
    """KL(N(mean, exp(logvar)) || N(0, 1)) of every latent, nats, in the shape of `mean`."""
    return 0.5 * (mean.square() + logvar.exp() - logvar - 1)


def negative_log_likelihood(logits: Tensor, images: Tensor, likelihood: str) -> Tensor:
    """-log p(x|z) of images in 0..1, summed over pixels and channels, averaged over the batch, nats.

    `bernoulli`: cross-entropy with the image as target. `gaussian`: sigmoid(logits) is the mean and the
    standard deviation is 1, with its constant ln sqrt(2 pi) a pixel.
    """
    if likelihood == "bernoulli":
        return F.binary_cross_entropy_with_logits(logits, images, reduction="sum") / len(images)
    errors = F.mse_loss(torch.sigmoid(logits), images, reduction="sum") / len(images)
    return 0.5 * errors + 0.5 * math.log(2 * math.pi) * images[0].numel()
