"""Ada-ML-VAE: pairs of images that share most factors, without knowing which, by products of posteriors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from distaff.batches.batch import Batch
from distaff.methods.base import Codes
from distaff.methods.pair_vae import PairVAE, alike, geometric_mean
from distaff.settings import setting


@dataclass(frozen=True)
class AdaMLVAE(PairVAE):
    """Ada-ML-VAE (Locatello et al. 2020): as ada_gvae, with the product of the two posteriors.

    Shared latents take the average of ml_vae. Locatello et al. 2020, arXiv:2002.02886, section 5.

    Differences from the paper: those of ada_gvae.
    """

    threshold: float = setting(0.5, "where between smallest and largest divergence to split", low=0, high=1)

    study: ClassVar = PairVAE.study | {"threshold": "0.5"}
    paper: ClassVar = study
    average = staticmethod(geometric_mean)

    def shared(self, first: Codes, second: Codes, batch: Batch) -> Tensor:
        """Which latents (n/2, d) differ so little that they count as shared."""
        return alike(first, second, self.threshold)
