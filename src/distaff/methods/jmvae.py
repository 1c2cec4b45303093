"""JMVAE: one VAE of images and symbols, whose encoders of either follow its encoder of both."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import nn

from distaff.batches.batch import Batch
from distaff.methods.base import Loss
from distaff.methods.group_vae import kl_of_pair
from distaff.methods.joint_vae import JointVAE
from distaff.methods.terms import mean_kl, symbols_negative_log_likelihood
from distaff.settings import setting


@dataclass(frozen=True)
class JMVAE(JointVAE):
    """JMVAE-kl (Suzuki et al. 2017): a VAE of images and symbols, with encoders for one without the other.

    Minimises -log p(x|z) - symbol_weight * log p(y|z) + KL(q(z|x,y) || N(0, I)) with one sample of q(z|x,y),
    + alpha * [KL(q(z|x,y) || q(z|x)) + KL(q(z|x,y) || q(z|y))] (Suzuki et al. 2017, arXiv:1611.01891, section
    3), in nats. The last two fit the encoders of images and of symbols to that of both, and hold it to what
    either knows. They are forward KLs: q(z|y) covers the codes of all images that a symbol stands for. Logged
    unweighted: `symbols`, -log p(y|z); `image_kl` and `symbol_kl`, the two KLs that alpha weights.

    Differences from the paper: convolutional networks, batches of 64, and a symbol as k-hot words, each of
    its own probability, as SCAN has them (Higgins et al. 2018, arXiv:1707.03389), which compares itself to
    this. `symbol_weight` is of Vedantam et al. 2018; the paper's is 1. One published port of the loss takes
    the variance of q(z|x,y) for those of the other two, which then learn nothing; here they learn. In pilots
    on rooms of 32 pixels (benchmarks/results/pilots/concept_baselines.csv) words reached images in 1,500
    steps of .001 with reconstruction_weight=4; symbol_weight=50 made taught concepts surer and new ones
    hardly, alpha=.1 both less sure.
    """

    alpha: float = setting(1.0, "weight of the KLs to the posteriors of the image and of the symbol", low=0)

    paper: ClassVar = {
        "latents": "64 (digits)",
        "batch_size": "100",
        "alpha": "1; .01, .1 and 1 compared by Vedantam et al.",
        "symbol_weight": "1; 10 and 50 compared by Vedantam et al.",
    }

    def loss(self, modules: nn.ModuleDict, batch: Batch, rng: torch.Generator) -> Loss:
        """Reconstruction, symbols and KL of the joint posterior + alpha (its KLs to those of either)."""
        codes = self.encode_both(modules, batch, rng)
        reconstruction = self.reconstruction(modules["decoder"](codes.sample), batch.images)
        symbols = symbols_negative_log_likelihood(modules["symbol_decoder"](codes.sample), batch.symbols)
        kl = mean_kl(codes)
        of_image = self.encode(modules, batch.images, rng)
        of_symbol = self.encode_symbols(modules, batch.symbols, rng)
        image_kl, symbol_kl = (kl_of_pair(codes, other).sum(dim=1).mean() for other in (of_image, of_symbol))
        bound = self.reconstruction_weight * reconstruction + self.symbol_weight * symbols + kl
        terms = {
            "reconstruction": reconstruction,
            "symbols": symbols,
            "kl": kl,
            "image_kl": image_kl,
            "symbol_kl": symbol_kl,
        }
        return Loss(bound + self.alpha * (image_kl + symbol_kl), terms)
