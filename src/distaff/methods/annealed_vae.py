"""AnnealedVAE: a VAE whose KL follows a growing capacity."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import nn

from distaff.batches.batch import Batch
from distaff.methods.base import Loss
from distaff.methods.terms import mean_kl
from distaff.methods.vae import VAE
from distaff.methods.variational import Variational
from distaff.settings import setting


@dataclass(frozen=True)
class AnnealedVAE(Variational):
    """AnnealedVAE (Burgess et al. 2018): the KL is held at a capacity that grows during training.

    Minimises reconstruction + gamma * |KL(q(z|x) || N(0, I)) - C| (Burgess et al. 2018, arXiv:1804.03599,
    eq. 8), where the capacity C in nats is usually a schedule. Logged: `kl`, and the `capacity` it is to
    follow. In short runs with large steps, gamma=1000 outweighs the reconstruction in Adam, and the KL is met
    by codes that know little; 10 to 100 did better there (`distaff experiment mechanisms`).

    Differences from the paper: the networks and step size of Locatello et al. 2019. |KL - C| is taken of the
    KL averaged over the batch, as in the paper's formula for the expectation.
    """

    gamma: float = setting(1000.0, "weight of the distance between KL and capacity", low=0)
    capacity: float = setting("linear:0:25:100000", "C, the KL to be held, nats", low=0)

    paper: ClassVar = {
        "latents": "10",
        "batch_size": "64",
        "learning_rate": "0.0005",
        "network": "conv, 4 layers of 32 and 2 of 256",
        "gamma": "1000",
        "capacity": "linear:0:25:100000",
    }
    study: ClassVar = VAE.study | {
        "gamma": "1000",
        "capacity": "linear:0:C:100000 with C of 5, 10, 25, 50, 75, 100",
    }

    def loss(self, modules: nn.ModuleDict, batch: Batch, rng: torch.Generator) -> Loss:
        """Reconstruction + gamma |KL - C|."""
        codes = self.encode(modules, batch.images, rng)
        reconstruction = self.reconstruction(modules["decoder"](codes.sample), batch.images)
        kl = mean_kl(codes)
        capacity = torch.zeros_like(kl) + self.capacity
        total = self.reconstruction_weight * reconstruction + self.gamma * (kl - capacity).abs()
        return Loss(total, {"reconstruction": reconstruction, "kl": kl, "capacity": capacity})
