"""beta-VAE."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from distaff.methods.base import Codes
from distaff.methods.vae import VAE
from distaff.settings import setting


@dataclass(frozen=True)
class BetaVAE(VAE):
    """beta-VAE (Higgins et al. 2017): a VAE whose KL is weighted by beta.

    Minimises reconstruction + beta * KL(q(z|x) || N(0, I)) (Higgins et al. 2017, eq. 4); beta=1 is the VAE.
    The `kl` that is logged is not weighted. Images of other sizes want another beta: the normalised
    beta * latents / pixels is what carries over.

    Differences from the paper: the networks and optimiser of Locatello et al. 2019 (network=fc has the
    paper's networks for 2D shapes).
    """

    beta: float = setting(4.0, "weight of the KL", low=0)

    def regulariser(self, codes: Codes, step: int) -> tuple[Tensor, dict[str, Tensor]]:
        """beta times the KL."""
        kl, terms = super().regulariser(codes, step)
        return self.beta * kl, terms
