"""Ada-GVAE: pairs of images that share most factors, without knowing which."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from distaff.batches.batch import Batch
from distaff.methods.base import Codes
from distaff.methods.pair_vae import PairVAE, alike
from distaff.settings import setting


@dataclass(frozen=True)
class AdaGVAE(PairVAE):
    """Ada-GVAE (Locatello et al. 2020): as group_vae, deciding itself which latents a pair shares.

    A latent is shared where KL(q(z_j|x1) || q(z_j|x2)) lies below `threshold` of the way from the pair's
    smallest to its largest divergence (Locatello et al. 2020, arXiv:2002.02886, "Weakly-supervised
    disentanglement without compromises", eq. 5: halfway). Only that pairs share factors is known, not which
    or how many.

    Differences from the paper: the networks of Locatello et al. 2019. A batch of 64 images is 32 pairs.
    """

    threshold: float = setting(0.5, "where between smallest and largest divergence to split", low=0, high=1)

    study: ClassVar = PairVAE.study | {"threshold": "0.5"}
    paper: ClassVar = study

    def shared(self, first: Codes, second: Codes, batch: Batch) -> Tensor:
        """Which latents (n/2, d) differ so little that they count as shared."""
        return alike(first, second, self.threshold)
