"""DIP-VAE-I: a VAE whose means are kept uncorrelated."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from distaff.batches.batch import Batch
from distaff.methods.base import Codes, Loss
from distaff.methods.terms import mean_kl
from distaff.methods.vae import VAE
from distaff.settings import setting


@dataclass(frozen=True)
class DIPVAEI(VAE):
    """DIP-VAE-I (Kumar et al. 2018): a VAE whose posterior means have a covariance near the identity.

    Minimises reconstruction + KL + lambda_od * sum_{i != j} C_ij^2 + lambda_d * sum_i (C_ii - 1)^2 with C the
    covariance of the means over the batch (Kumar et al. 2018, arXiv:1711.00848, eq. 6). Both (i, j) and (j,
    i) count. Logged: `off_diagonal` and `diagonal`, the two sums.

    Differences from the paper: the networks, batch size and optimiser of Locatello et al. 2019. The
    covariance divides by the batch size, as in disentanglement_lib.
    """

    lambda_od: float = setting(10.0, "weight of the squared covariances", low=0)
    lambda_d: float = setting(100.0, "weight of the variances' squared distance from 1", low=0)

    smallest_batch: ClassVar[int] = 2
    paper: ClassVar = {"lambda_d": "10 lambda_od"}
    study: ClassVar = VAE.study | {"lambda_od": "1, 2, 5, 10, 20, 50", "lambda_d": "10 lambda_od"}

    def covariance(self, codes: Codes) -> Tensor:
        """The matrix (d, d) that is to become the identity."""
        return covariance(codes.mean)

    def loss(self, modules: nn.ModuleDict, batch: Batch, rng: torch.Generator) -> Loss:
        """Reconstruction + beta KL + the two penalties."""
        codes = self.encode(modules, batch.images, rng)
        reconstruction = self.reconstruction(modules["decoder"](codes.sample), batch.images)
        kl = mean_kl(codes)
        matrix = self.covariance(codes)
        off_diagonal = (matrix - matrix.diagonal().diag()).square().sum()
        diagonal = (matrix.diagonal() - 1).square().sum()
        regulariser = self.beta * kl + self.lambda_od * off_diagonal + self.lambda_d * diagonal
        terms = {"reconstruction": reconstruction, "kl": kl, "off_diagonal": off_diagonal}
        total = self.reconstruction_weight * reconstruction + regulariser
        return Loss(total, terms | {"diagonal": diagonal})


def covariance(values: Tensor) -> Tensor:
    """The covariance matrix (d, d) of rows (n, d), divided by n."""
    centred = values - values.mean(dim=0)
    return centred.T @ centred / len(values)
