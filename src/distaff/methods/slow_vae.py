"""SlowVAE: consecutive frames, whose latents rarely change."""

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from distaff.batches.batch import Batch
from distaff.methods.base import Codes, Loss
from distaff.methods.terms import halves, log, mean_kl
from distaff.methods.vae import VAE
from distaff.settings import setting


@dataclass(frozen=True)
class SlowVAE(VAE):
    """SlowVAE (Klindt et al. 2021): a VAE on pairs of frames with a sparse prior of how latents move.

    Minimises, for a pair, both reconstructions + beta KL(q(z_t|x_t) || N(0, I)) + gamma KL(q(z_s|x_s) || p)
    with the transition prior p a Laplace distribution of `prior_rate` around the other frame's mean (Klindt
    et al. 2021, arXiv:2007.10930, eq. 6 and appendix), averaged over the two directions; the loss is half of
    it, in nats per image. Pairs are made from the data set's factors: each moves by a Laplace-distributed
    number of values (see distaff.batches.transitions).

    Differences from the paper: factors without an order, such as shape, move as well; the networks of
    Locatello et al. 2019.
    The authors' code adds both directions' cross-entropies but subtracts one entropy, so that its
    cross-entropy weighs twice as much against the entropy. A batch of 64 images is 32 pairs.
    """

    beta: float = setting(1.0, "weight of the KL to the normal prior", low=0)
    gamma: float = setting(10.0, "weight of the KL to the transition prior", low=0)
    prior_rate: float = setting(6.0, "rate of the Laplace transition prior, 1 / its scale", above=0)
    step_rate: float = setting(
        1.0, "rate of the data's steps; a factor of n values has scale ln(n) / it", above=0
    )

    batches = "transitions"
    paired: ClassVar[bool] = True
    smallest_batch: ClassVar[int] = 2
    study: ClassVar = {}
    paper: ClassVar = {
        "latents": "10",
        "batch_size": "64",
        "learning_rate": "0.0001",
        "beta": "1",
        "gamma": "10",
        "prior_rate": "6",
        "step_rate": "1",
    }

    @property
    def kl_weight(self) -> float:
        """Half of beta, for the KL is counted once for a pair."""
        return self.beta / 2

    @property
    def batch_options(self) -> dict[str, Any]:
        """How far factors move."""
        return {"rate": self.step_rate}

    def loss(self, modules: nn.ModuleDict, batch: Batch, rng: torch.Generator) -> Loss:
        """Reconstruction + (beta KL + gamma transition KL) / 2, each averaged over both frames."""
        codes = self.encode(modules, batch.images, rng)
        reconstruction = self.reconstruction(modules["decoder"](codes.sample), batch.images)
        kl = mean_kl(codes)
        first, second = halves(codes)
        both = (
            kl_to_laplace(first, second.mean, self.prior_rate),
            kl_to_laplace(second, first.mean, self.prior_rate),
        )
        transition = torch.cat(both).sum(dim=1).mean()
        regulariser = (self.beta * kl + self.gamma * transition) / 2
        total = self.reconstruction_weight * reconstruction + regulariser
        return Loss(total, {"reconstruction": reconstruction, "kl": kl, "transition_kl": transition})


def kl_to_laplace(codes: Codes, centre: Tensor, rate: float) -> Tensor:
    """KL of Gaussian posteriors (n, d) to Laplace distributions around `centre` (n, d), nats, elementwise.

    The cross-entropy is rate E|z - centre| - ln(rate / 2), with the mean of a folded normal.
    """
    apart, deviation = codes.mean - centre, (codes.logvar / 2).exp()
    distance = deviation * math.sqrt(2 / math.pi) * (-0.5 * (apart / deviation).square()).exp()
    distance = distance + apart * torch.erf(apart / (deviation * math.sqrt(2)))
    entropy = 0.5 * (codes.logvar + math.log(2 * math.pi) + 1)
    kl: Tensor = rate * distance - log(rate / 2) - entropy
    return kl
