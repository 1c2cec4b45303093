"""A VAE with several stochastic layers."""

import functools
import itertools
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from distaff.batches.batch import Batch, Facts
from distaff.methods.base import Codes, Loss
from distaff.methods.terms import kl_to_prior, log_normal, sampled
from distaff.methods.vae import VAE
from distaff.networks import fresh
from distaff.settings import setting


@dataclass(frozen=True)
class DeepVAE(VAE):
    """Deep latent Gaussian model (Rezende et al. 2014): a VAE whose prior is made of further VAEs.

    Generates h_L from N(0, I), every h_l from a Gaussian given h_l+1, and the image from h_1; recognises
    them in reverse, q(h_1|x) q(h_2|h_1) ... q(h_L|h_L-1). All Gaussians are diagonal, of networks with one
    hidden layer. Maximises E_q [log p(x, h) - log q(h|x)] with one sample; the KL of layer l, in nats per
    image, is log q(h_l|h_l-1) - log p(h_l|h_l+1) at the sample (kl_l in the history), and that of the last is
    closed. With `layers=1` it is the VAE. The representation is h_1, of `latents` numbers. The paper is
    arXiv:1401.4082.

    Differences from the paper: its recognition network reads the image for every layer, here only the layer
    below; its covariances have rank-one parts, here they are diagonal; encoder and decoder of images are
    those of Locatello et al. 2019.
    """

    layers: int = setting(2, "stochastic layers", low=1, high=10)
    upper_latents: int = setting(5, "latents of every layer above the first", low=1, high=10_000)
    hidden: int = setting(64, "hidden units between two layers", low=1, high=10_000)

    paper: ClassVar = {"layers": "2 or 3", "hidden": "200 or 400", "learning_rate": "AdaGrad"}
    study: ClassVar = {}

    def networks(self, facts: Facts, rng: torch.Generator) -> nn.ModuleDict:
        """Encoder and decoder, and between each two layers a recognition and a generating network."""
        modules = super().networks(facts, rng)
        sizes = [self.latents] + [self.upper_latents] * (self.layers - 1)
        for below, (size, above) in enumerate(itertools.pairwise(sizes), start=1):
            for name, inputs, outputs in (("recognise", size, above), ("generate", above, size)):
                modules[f"{name}_{below}"] = fresh(functools.partial(self.between, inputs, outputs), rng)
        return modules

    def between(self, inputs: int, outputs: int) -> nn.Module:
        """From values of a layer (n, inputs) to mean and log-variance (n, 2 * outputs) of its neighbour."""
        return nn.Sequential(nn.Linear(inputs, self.hidden), nn.Tanh(), nn.Linear(self.hidden, 2 * outputs))

    def loss(self, modules: nn.ModuleDict, batch: Batch, rng: torch.Generator) -> Loss:
        """Reconstruction + beta times the KL, summed over layers."""
        codes = self.encode(modules, batch.images, rng)
        reconstruction = self.reconstruction(modules["decoder"](codes.sample), batch.images)
        kls = [kl.mean() for kl in self.layer_kls(modules, codes, rng)]
        kl = torch.stack(kls).sum()
        by_layer = {f"kl_{number}": each for number, each in enumerate(kls, start=1)}
        terms = {"reconstruction": reconstruction, "kl": kl} | (by_layer if self.layers > 1 else {})
        return Loss(self.reconstruction_weight * reconstruction + self.beta * kl, terms)

    def layer_kls(self, modules: nn.ModuleDict, codes: Codes, rng: torch.Generator) -> list[Tensor]:
        """For every layer its KL at a sample (n,), the last in closed form; `codes` are those of layer 1."""
        ratios, top = self._lower_ratios(modules, codes, rng)
        return [*ratios, kl_to_prior(top.mean, top.logvar).sum(dim=1)]

    def log_ratio(self, modules: nn.ModuleDict, codes: Codes, rng: torch.Generator) -> Tensor:
        """log q(h|x) - log p(h) at a sample of all layers (n,), nats; `codes` are those of layer 1."""
        ratios, top = self._lower_ratios(modules, codes, rng)
        return torch.stack([*ratios, super().log_ratio(modules, top, rng)]).sum(dim=0)

    def _lower_ratios(
        self, modules: nn.ModuleDict, codes: Codes, rng: torch.Generator
    ) -> tuple[list[Tensor], Codes]:
        """log q(h_l|h_l-1) - log p(h_l|h_l+1) (n,) of all layers but the last, and the codes of the last."""
        ratios = []
        for below in range(1, self.layers):
            mean, logvar = modules[f"recognise_{below}"](codes.sample).chunk(2, dim=1)
            above = sampled(mean, logvar, rng)
            prior = modules[f"generate_{below}"](above.sample).chunk(2, dim=1)
            apart = log_normal(codes.sample, codes.mean, codes.logvar)
            ratios.append((apart - log_normal(codes.sample, *prior)).sum(dim=1))
            codes = above
        return ratios, codes
