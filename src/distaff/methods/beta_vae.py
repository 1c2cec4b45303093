"""beta-VAE."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from distaff.methods.vae import VAE
from distaff.settings import setting


@dataclass(frozen=True)
class BetaVAE(VAE):
    """beta-VAE (Higgins et al. 2017): a VAE whose KL is weighted by beta.

    Minimises reconstruction + beta * KL(q(z|x) || N(0, I)) (Higgins et al. 2017, openreview:Sy2fzU9gl,
    eq. 4); beta=1 is the VAE. The `kl` that is logged is not weighted. Images of other sizes want another
    beta: the normalised beta * latents / pixels is what carries over.

    Differences from the paper: the networks and optimiser of Locatello et al. 2019 (network=fc has the
    paper's networks for 2D shapes).
    """

    beta: float = setting(4.0, "weight of the KL", low=0)

    paper: ClassVar = {
        "latents": "10 (2D shapes), 32 (faces, chairs)",
        "learning_rate": "Adagrad, .01 (2D shapes); Adam, .0001",
        "network": "fc (2D shapes), conv",
        "beta": "4 (2D shapes), 5 (chairs), 20 (faces), 250 (CelebA)",
    }
    study: ClassVar = VAE.study | {"beta": "1, 2, 4, 6, 8, 16"}
