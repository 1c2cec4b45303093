"""HFS-VAE: a VAE whose codes fill the product of their ranges."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from distaff.batches.batch import Batch
from distaff.methods.base import Loss
from distaff.methods.draws import drawn
from distaff.methods.terms import mean_kl
from distaff.methods.vae import VAE
from distaff.settings import setting


@dataclass(frozen=True)
class HFSVAE(VAE):
    """HFS-VAE (Roth et al. 2023): a beta-VAE whose codes have a factorised support, not factorised density.

    Minimises reconstruction + beta KL + gamma sum over pairs of latents of the squared Hausdorff distance
    from the product of the two latents' values in the batch to the pairs of values that occur (Roth et al.
    2023, arXiv:2210.07347, "Disentanglement of correlated factors via Hausdorff factorized support"; squared
    as in the authors' code). It holds for correlated factors too, whose density cannot factorise. Logged:
    `support`, the sum in squared units of the codes; `kl`, unweighted.

    Differences from the paper: the product is sampled (`support_samples` of its n^2 points for each pair of
    latents, as an option of the authors' code does), which keeps a step near a beta-VAE's. Up to
    `latent_pairs` pairs of latents are drawn in every step. The networks and optimiser of Locatello et al.
    2019.
    """

    beta: float = setting(1.0, "weight of the KL", low=0)
    gamma: float = setting(100.0, "weight of the distance between the supports", low=0)
    latent_pairs: int = setting(25, "pairs of latents in a step, at most", low=1)
    support_samples: int = setting(100, "points of the product of their supports", low=1)

    smallest_batch: ClassVar[int] = 2
    smallest_latents: ClassVar[int] = 2
    study: ClassVar = {}
    paper: ClassVar = {
        "latents": "10",
        "batch_size": "64",
        "learning_rate": "0.0005",
        "beta": "0, 1, 2, 4, 6, 8, 10, 12, 16",
        "gamma": "0.1, 1, 10, 100, 1000, 10000",
        "latent_pairs": "25",
        "support_samples": "all; 100 where sampled",
    }

    def loss(self, modules: nn.ModuleDict, batch: Batch, rng: torch.Generator) -> Loss:
        """Reconstruction + beta KL + gamma times the distance of the supports."""
        codes = self.encode(modules, batch.images, rng)
        reconstruction = self.reconstruction(modules["decoder"](codes.sample), batch.images)
        kl = mean_kl(codes)
        n, d = codes.mean.shape
        pairs = torch.triu_indices(d, d, offset=1, device=rng.device).T
        pairs = pairs[drawn(torch.randperm, len(pairs), rng=rng)[: self.latent_pairs]]
        points = drawn(torch.randint, n, (self.support_samples, len(pairs), 2), rng=rng)
        support = support_distance(codes.mean, pairs.to(codes.mean.device), points.to(codes.mean.device))
        total = self.reconstruction_weight * reconstruction + (self.beta * kl + self.gamma * support)
        return Loss(total, {"reconstruction": reconstruction, "kl": kl, "support": support})


def support_distance(codes: Tensor, pairs: Tensor, points: Tensor) -> Tensor:
    """The sum over pairs of latents (p, 2) of the squared distance of the farthest point to its nearest code.

    `points` (s, p, 2) holds rows of `codes` (n, d): a point takes one latent from the first, the other from
    the second.
    """
    both = codes[:, pairs]  # (n, p, 2)
    corners = both.gather(0, points)  # (s, p, 2)
    distance = (corners[:, None] - both[None]).square().sum(dim=3)  # (s, n, p)
    return distance.amin(dim=1).amax(dim=0).sum()
