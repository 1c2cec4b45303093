"""DIP-VAE-II: a VAE whose samples are kept uncorrelated."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from distaff.methods.base import Codes
from distaff.methods.dip_vae_i import DIPVAEI, covariance
from distaff.settings import setting


@dataclass(frozen=True)
class DIPVAEII(DIPVAEI):
    """DIP-VAE-II (Kumar et al. 2018): a VAE whose sampled codes have a covariance near the identity.

    As DIP-VAE-I, with C = Cov[means] + E[posterior covariance], the covariance of samples (Kumar et al. 2018,
    arXiv:1711.00848, eq. 7): the mean posterior variances are added to the diagonal.

    Differences from the paper: those of DIP-VAE-I.
    """

    lambda_d: float = setting(10.0, "weight of the variances' squared distance from 1", low=0)

    paper: ClassVar = {"lambda_d": "lambda_od"}
    study: ClassVar = DIPVAEI.study | {"lambda_d": "lambda_od"}

    def covariance(self, codes: Codes) -> Tensor:
        """The matrix (d, d) that is to become the identity."""
        variances: Tensor = codes.logvar.exp().mean(dim=0)
        return covariance(codes.mean) + variances.diag()
