"""ML-VAE: pairs of images of which it is known what they share, by products of posteriors."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from distaff.methods.base import Codes
from distaff.methods.group_vae import GroupVAE


@dataclass(frozen=True)
class MLVAE(GroupVAE):
    """ML-VAE (Bouchacourt et al. 2018): as group_vae, with the product of the two posteriors.

    Shared latents take a Gaussian proportional to the geometric mean of the two posteriors: precision
    (1/v1 + 1/v2) / 2 and the precision-weighted mean, as in Locatello et al. 2020.

    Differences from the paper: those of group_vae. The paper multiplies the posteriors of a whole group
    (precision 1/v1 + 1/v2); the 2020 study, followed here, halves the precision so that two equal posteriors
    give the same one.
    """

    def average(self, first: Codes, second: Codes) -> tuple[Tensor, Tensor]:
        """Mean and log-variance (n/2, d) of shared latents."""
        return product(first, second)


def product(first: Codes, second: Codes) -> tuple[Tensor, Tensor]:
    """Mean and log-variance of the normalised square root of the product of two Gaussians."""
    precisions = (-first.logvar).exp(), (-second.logvar).exp()
    precision = (precisions[0] + precisions[1]) / 2
    mean = (first.mean * precisions[0] + second.mean * precisions[1]) / (2 * precision)
    return mean, -precision.log()
