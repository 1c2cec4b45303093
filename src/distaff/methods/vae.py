"""The variational autoencoder."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import nn

from distaff.batches.batch import Batch
from distaff.methods.base import Loss
from distaff.methods.terms import mean_kl
from distaff.methods.variational import Variational
from distaff.settings import setting


@dataclass(frozen=True)
class VAE(Variational):
    """Variational autoencoder: reconstruction + KL to a standard normal prior.

    Maximises E_q(z|x) log p(x|z) - KL(q(z|x) || N(0, I)) (Kingma and Welling 2014, arXiv:1312.6114, eq. 10)
    with one sample of z per image. Reconstruction is summed over pixels and channels, the KL over latents,
    both averaged over the batch, in nats.

    With a `label_loss`, as many labelled images come with every batch, and label_weight * label term of
    their means is added (Locatello et al. 2020, "Disentangling factors of variations using few labels").

    Differences from the paper: convolutional networks and batches of 64 as in Locatello et al. 2019.
    """

    beta: float = setting(1.0, "weight of the KL", low=0, later=True)

    paper: ClassVar = {
        "latents": "2 to 20 (faces), 3 to 200 (digits)",
        "batch_size": "100",
        "learning_rate": "Adagrad, .01, .02 or .1",
        "network": "one hidden layer of 200 or 500",
    }
    study: ClassVar = {
        "latents": "10",
        "batch_size": "64",
        "learning_rate": "0.0001",
        "network": "conv",
        "likelihood": "bernoulli",
        "labeller": "all five",
    }

    @property
    def kl_weight(self) -> float:
        """What the KL of an image is multiplied by: beta."""
        return self.beta

    def loss(self, modules: nn.ModuleDict, batch: Batch, rng: torch.Generator) -> Loss:
        """Reconstruction + beta KL."""
        codes = self.encode(modules, batch.images, rng)
        reconstruction = self.reconstruction(modules["decoder"](codes.sample), batch.images)
        kl = mean_kl(codes)
        total = self.reconstruction_weight * reconstruction + self.beta * kl
        return Loss(total, {"reconstruction": reconstruction, "kl": kl})
