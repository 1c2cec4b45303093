"""ML-VAE: pairs of images of which it is known what they share, by products of posteriors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from distaff.methods.pair_vae import PairVAE, geometric_mean


@dataclass(frozen=True)
class MLVAE(PairVAE):
    """ML-VAE (Bouchacourt et al. 2018): as group_vae, with the product of the two posteriors.

    Shared latents take a Gaussian proportional to the geometric mean of the two posteriors: precision
    (1/v1 + 1/v2) / 2 and the precision-weighted mean, as in Locatello et al. 2020, arXiv:2002.02886.

    Differences from the paper: those of group_vae. The paper, arXiv:1705.08841, multiplies the posteriors of
    a whole group (precision 1/v1 + 1/v2); the 2020 study, followed here, halves the precision so that two
    equal posteriors give the same one.
    """

    latents_are_factors: ClassVar[bool] = True
    average = staticmethod(geometric_mean)
