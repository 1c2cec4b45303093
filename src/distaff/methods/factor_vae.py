"""FactorVAE: a VAE whose total correlation is estimated by a discriminator and penalised."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from distaff.batches.batch import Batch, Facts
from distaff.methods.base import Codes, Kept, Loss, Part
from distaff.methods.draws import drawn
from distaff.methods.state import State, adam
from distaff.methods.terms import mean_kl
from distaff.methods.vae import VAE
from distaff.networks import fresh
from distaff.networks.discriminator import discriminator
from distaff.settings import setting

DISCRIMINATOR_BETAS = (0.5, 0.9)  # of its Adam


@dataclass(frozen=True)
class FactorVAE(VAE):
    """FactorVAE (Kim and Mnih 2018): a VAE that a discriminator drives towards independent latents.

    Minimises reconstruction + KL + gamma * TC, with the total correlation TC(z) = KL(q(z) || prod q(z_j))
    estimated as the mean of log D(z) / (1 - D(z)) over the batch (Kim and Mnih 2018, arXiv:1802.05983, eq. 3
    and algorithm 2). D is trained to tell codes of one batch from codes of an independent second batch whose
    latents are each permuted over the images. A step updates the VAE once and D once. Logged:
    `total_correlation`, D's estimate in nats (it lies below the true one), and `discriminator`, D's own loss.

    Differences from the paper: the networks and optimiser of Locatello et al. 2019; the discriminator is the
    paper's. With second_batch=false the permuted codes come from the first batch, as in the 2019 study, at
    the cost of one batch instead of two.
    """

    gamma: float = setting(10.0, "weight of the total correlation", low=0)
    discriminator_width: int = setting(1000, "units in each of the discriminator's six layers", low=1)
    discriminator_learning_rate: float = setting(1e-4, "step size of the discriminator's Adam", low=0)
    second_batch: bool = setting(True, "permuted codes come from an independent second batch")

    smallest_batch: ClassVar[int] = 2
    paper: ClassVar = {
        "latents": "10",
        "batch_size": "64",
        "learning_rate": "0.0001",
        "network": "conv, 32-32-64-64 and 128",
        "gamma": "35 (2D shapes), 7 (3D shapes)",
        "discriminator_width": "1000",
        "discriminator_learning_rate": "0.0001, 0.00001 (chairs, CelebA)",
        "second_batch": "true",
    }
    study: ClassVar = VAE.study | {
        "gamma": "10, 20, 30, 40, 50, 100",
        "discriminator_width": "1000",
        "discriminator_learning_rate": "0.0001",
        "second_batch": "false",
    }

    @property
    def batches(self) -> str:
        """Two independent batches, as algorithm 2 has them, or one."""
        return "two" if self.second_batch else "images"

    def state(self, facts: Facts, rng: torch.Generator) -> State:
        """The VAE and its Adam; the discriminator and its own."""
        vae = super().state(facts, rng)
        vae.modules["discriminator"] = fresh(
            lambda: discriminator(self.latents, self.discriminator_width), rng
        )
        self.typed(vae.modules)
        own = adam(vae.modules["discriminator"].parameters(), DISCRIMINATOR_BETAS)
        return State(vae.modules, vae.optimisers | {"discriminator": own})

    def parts(self) -> tuple[Part, ...]:
        """A step of the VAE, then one of the discriminator."""
        name = "discriminator"
        return (
            Part("adam", "loss", self.of_the_vae, self.learning_rate),
            Part(name, name, self.of_the_discriminator, self.discriminator_learning_rate),
        )

    def of_the_vae(
        self, modules: nn.ModuleDict, batch: Batch, rng: torch.Generator, kept: Kept
    ) -> tuple[Loss, Kept]:
        """The VAE's loss of the first batch with the label term, and the samples of its codes (n, d)."""
        images = batch.images.chunk(2)[0] if self.second_batch else batch.images
        codes = self.encode(modules, images, rng)
        loss = self.with_labels(modules, batch, self.loss_at(modules, images, codes))
        return loss, (codes.sample.detach(),)

    def of_the_discriminator(
        self, modules: nn.ModuleDict, batch: Batch, rng: torch.Generator, kept: Kept
    ) -> tuple[Loss, Kept]:
        """The discriminator's loss on those samples, and on the second batch's or their own, permuted."""
        (real,) = kept
        to_permute = real
        if self.second_batch:
            with torch.no_grad():
                to_permute = self.encode(modules, batch.images.chunk(2)[1], rng).sample
        permuted = permute_latents(to_permute, rng)
        logits = modules["discriminator"](torch.cat([real, permuted]))
        return Loss(discriminator_loss(logits), {}), ()

    def loss(self, modules: nn.ModuleDict, batch: Batch, rng: torch.Generator) -> Loss:
        """The VAE's loss, of all images of the batch."""
        return self.loss_at(modules, batch.images, self.encode(modules, batch.images, rng))

    def loss_at(self, modules: nn.ModuleDict, images: Tensor, codes: Codes) -> Loss:
        """Reconstruction + beta KL + gamma TC, of which the discriminator estimates the last."""
        reconstruction = self.reconstruction(modules["decoder"](codes.sample), images)
        kl = mean_kl(codes)
        total_correlation = density_ratio(modules["discriminator"](codes.sample))
        regulariser = self.beta * kl + self.gamma * total_correlation
        terms = {"reconstruction": reconstruction, "kl": kl, "total_correlation": total_correlation}
        return Loss(self.reconstruction_weight * reconstruction + regulariser, terms)


def density_ratio(logits: Tensor) -> Tensor:
    """The mean of log D(z) / (1 - D(z)), nats, from logits (n, 2) whose first stands for real codes."""
    return (logits[:, 0] - logits[:, 1]).mean()


def discriminator_loss(logits: Tensor) -> Tensor:
    """Cross-entropy, nats, of logits (2n, 2): n of real codes against class 0, n of permuted against 1."""
    permuted = torch.arange(len(logits), device=logits.device) >= len(logits) // 2
    return F.cross_entropy(logits, permuted.long())


def permute_latents(codes: Tensor, rng: torch.Generator) -> Tensor:
    """Codes (n, d) with every latent permuted over the rows on its own."""
    order = drawn(torch.rand, codes.shape, rng=rng).argsort(dim=0).to(codes.device)
    return codes.gather(0, order)
