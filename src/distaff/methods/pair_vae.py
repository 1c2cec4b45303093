"""VAEs on pairs of images that share most factors: shared latents get one posterior for both."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from distaff.batches.batch import Batch, Facts
from distaff.errors import BadInput
from distaff.methods.base import Codes, Loss
from distaff.methods.beta_vae import BetaVAE
from distaff.methods.terms import halves, mean_kl, sampled
from distaff.methods.vae import VAE
from distaff.settings import setting


@dataclass(frozen=True)
class OfPairs(VAE):
    """A VAE whose batches are pairs, and so of an even number of images."""

    smallest_batch: ClassVar[int] = 2

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.batch_size % 2:
            size = f"batch_size={self.batch_size}"
            raise BadInput(f"{size} is odd; a batch of pairs needs an even number of images")


@dataclass(frozen=True)
class PairVAE(OfPairs):
    """A beta-VAE on pairs. Its children say which latents a pair shares, and how posteriors are averaged."""

    beta: float = setting(1.0, "weight of the KL", low=0)
    changed_factors: int = setting(
        0, "how many factors may differ within a pair; 0: drawn from 1 to all but one", low=0
    )

    #: whether latents stand for factors, so that a data set's factors must be known and fit
    latents_are_factors: ClassVar[bool] = False
    paper: ClassVar = {}
    study: ClassVar = BetaVAE.study | {
        "batch_size": "64 pairs",
        "beta": "1, 2, 4, 6, 8, 16",
        "changed_factors": "1, or drawn anew for every pair",
    }

    @property
    def batches(self) -> str:
        """Pairs that share all but some factors."""
        return "pairs"

    @property
    def batch_options(self) -> dict[str, Any]:
        """How many factors may differ."""
        return {"k": self.changed_factors or None, "known": self.latents_are_factors}

    def check(self, facts: Facts) -> None:
        """Every factor needs a latent, and some factor must be shared."""
        super().check(facts)
        if facts.factors and self.changed_factors >= len(facts.factors):
            raise BadInput(
                f"changed_factors={self.changed_factors} is not allowed; of {len(facts.factors)} factors "
                f"0 to {len(facts.factors) - 1} may differ"
            )
        if self.latents_are_factors and len(facts.factors) > self.latents:
            raise BadInput(
                f"each of the {len(facts.factors)} factors needs a latent, got latents={self.latents}"
            )

    def shared(self, first: Codes, second: Codes, batch: Batch) -> Tensor:
        """Which latents (n/2, d) a pair shares: those of shared factors, and those beyond the factors."""
        shared = torch.ones_like(first.mean, dtype=torch.bool)
        shared[:, : batch.changed.shape[1]] = ~batch.changed
        return shared

    @staticmethod
    def average(first: Codes, second: Codes) -> tuple[Tensor, Tensor]:
        """Mean and log-variance (n/2, d) of shared latents: the means of the two means and variances."""
        variance = (first.logvar.exp() + second.logvar.exp()) / 2
        return (first.mean + second.mean) / 2, variance.log()

    def averaged(self, first: Codes, second: Codes, batch: Batch) -> tuple[Tensor, Tensor]:
        """Means and log-variances (n, d) of both images of the pairs, alike where latents are shared."""
        shared = self.shared(first, second, batch)
        mean, logvar = self.average(first, second)
        means = [torch.where(shared, mean, own.mean) for own in (first, second)]
        logvars = [torch.where(shared, logvar, own.logvar) for own in (first, second)]
        return torch.cat(means), torch.cat(logvars)

    def loss(self, modules: nn.ModuleDict, batch: Batch, rng: torch.Generator) -> Loss:
        """Reconstruction + beta KL at posteriors of which the shared latents are averaged."""
        first, second = halves(self.encode(modules, batch.images, rng))
        codes = sampled(*self.averaged(first, second, batch), rng)
        reconstruction = self.reconstruction(modules["decoder"](codes.sample), batch.images)
        kl = mean_kl(codes)
        total = self.reconstruction_weight * reconstruction + self.beta * kl
        return Loss(total, {"reconstruction": reconstruction, "kl": kl})


def alike(first: Codes, second: Codes, threshold: float) -> Tensor:
    """A latent is shared where its divergence is below `threshold` of the way from smallest to largest."""
    divergence = kl_of_pair(first, second).detach()
    low, high = divergence.min(dim=1, keepdim=True)[0], divergence.max(dim=1, keepdim=True)[0]
    return divergence < low + threshold * (high - low)


def kl_of_pair(first: Codes, second: Codes) -> Tensor:
    """KL of the first Gaussian posterior to the second, of every latent (n, d), nats."""
    apart = (first.mean - second.mean).square()
    ratio = (first.logvar.exp() + apart) * (-second.logvar).exp()
    kl: Tensor = 0.5 * (ratio + second.logvar - first.logvar - 1)
    return kl


def geometric_mean(first: Codes, second: Codes) -> tuple[Tensor, Tensor]:
    """Mean and log-variance of the normalised square root of the product of two Gaussians."""
    precisions = (-first.logvar).exp(), (-second.logvar).exp()
    precision = (precisions[0] + precisions[1]) / 2
    mean = (first.mean * precisions[0] + second.mean * precisions[1]) / (2 * precision)
    return mean, -precision.log()
