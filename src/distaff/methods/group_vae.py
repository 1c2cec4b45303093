"""GroupVAE: pairs of images of which it is known what they share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from distaff.methods.pair_vae import PairVAE


@dataclass(frozen=True)
class GroupVAE(PairVAE):
    """GroupVAE (Hosoya 2019): a beta-VAE on pairs, whose shared latents get one posterior per pair.

    Where the images of a pair share factor j, latent j of both takes the average of the two posteriors: mean
    (m1 + m2) / 2 and variance (v1 + v2) / 2 (Hosoya 2019, arXiv:1809.02383). Latents beyond the factors are
    always shared. The loss is that of a beta-VAE at these posteriors, averaged over both images (Locatello et
    al. 2020, arXiv:2002.02886, "Weakly-supervised disentanglement without compromises", section 4). The
    representation is the plain encoder's. Pairs are made from the data set's factors: 1 to all but one may
    differ.

    Differences from the paper: the variant of the 2020 study's code with known factors, for several changed
    ones. That code lets 1 or k factors differ with equal probability, where the paper and we draw k. The
    networks and optimiser of Locatello et al. 2019. A batch of 64 images is 32 pairs.
    """

    latents_are_factors: ClassVar[bool] = True
