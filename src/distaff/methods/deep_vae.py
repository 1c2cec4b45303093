"""A VAE with several stochastic layers."""

from __future__ import annotations

import functools
import itertools
import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from distaff.batch import Batch, Facts
from distaff.errors import BadInput
from distaff.methods.base import Codes
from distaff.methods.vae import VAE, kl_to_prior, sampled
from distaff.networks import fresh
from distaff.settings import setting


@dataclass(frozen=True)
class DeepVAE(VAE):
    """Deep latent Gaussian model (Rezende et al. 2014): a VAE whose prior is made of further VAEs.

    Generates h_L from N(0, I), every h_l from a Gaussian given h_l+1, and the image from h_1; recognises
    them in reverse, q(h_1|x) q(h_2|h_1) ... q(h_L|h_L-1). All Gaussians are diagonal, of networks with one
    hidden layer. Maximises E_q [log p(x, h) - log q(h|x)] with one sample; the KL of layer l, in nats per
    image, is log q(h_l|h_l-1) - log p(h_l|h_l+1) at the sample (kl_l in the history), and that of the last is
    closed. With `layers=1` it is the VAE. The representation is h_1, of `latents` numbers.

    Differences from the paper: its recognition network reads the image for every layer, here only the layer
    below; its covariances have rank-one parts, here they are diagonal; encoder and decoder of images are
    those of Locatello et al. 2019.
    """

    layers: int = setting(2, "stochastic layers", low=1, high=10)
    upper_latents: int = setting(5, "latents of every layer above the first", low=1, high=10_000)
    hidden: int = setting(64, "hidden units between two layers", low=1, high=10_000)

    paper: ClassVar = {"layers": "2 or 3", "hidden": "200 or 400", "learning_rate": "AdaGrad"}
    study: ClassVar = {}

    def networks(self, facts: Facts, generator: torch.Generator) -> nn.ModuleDict:
        """Encoder and decoder, and between each two layers a recognition and a generating network."""
        modules = super().networks(facts, generator)
        sizes = [self.latents] + [self.upper_latents] * (self.layers - 1)
        for below, (size, above) in enumerate(itertools.pairwise(sizes), start=1):
            for name, inputs, outputs in (("recognise", size, above), ("generate", above, size)):
                between = functools.partial(self._between, inputs, outputs)
                modules[f"{name}_{below}"] = fresh(between, generator)
        return modules

    def _between(self, inputs: int, outputs: int) -> nn.Module:
        return nn.Sequential(nn.Linear(inputs, self.hidden), nn.Tanh(), nn.Linear(self.hidden, 2 * outputs))

    def regulariser(
        self, modules: nn.ModuleDict, batch: Batch, codes: Codes, generator: torch.Generator
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """The KL, summed over layers, and that of every layer."""
        kls = [kl.mean() for kl in self.layer_kls(modules, codes, generator)]
        total = torch.stack(kls).sum()
        by_layer = {f"kl_{number}": kl for number, kl in enumerate(kls, start=1)}
        return total, {"kl": total} | (by_layer if self.layers > 1 else {})

    def layer_kls(self, modules: nn.ModuleDict, codes: Codes, generator: torch.Generator) -> list[Tensor]:
        """For every layer its KL at a sample (n,), the last in closed form; `codes` are those of layer 1."""
        kls = []
        for below in range(1, self.layers):
            above = self._above(modules, below, codes, generator)
            prior_mean, prior_logvar = modules[f"generate_{below}"](above.sample).chunk(2, dim=1)
            apart = log_normal(codes.sample, codes.mean, codes.logvar)
            kls.append((apart - log_normal(codes.sample, prior_mean, prior_logvar)).sum(dim=1))
            codes = above
        return [*kls, kl_to_prior(codes.mean, codes.logvar).sum(dim=1)]

    @staticmethod
    def _above(modules: nn.ModuleDict, below: int, codes: Codes, generator: torch.Generator) -> Codes:
        mean, logvar = modules[f"recognise_{below}"](codes.sample).chunk(2, dim=1)
        return sampled(mean, logvar, generator)

    @torch.inference_mode()
    def log_likelihood_bound(
        self, modules: nn.ModuleDict, images: Tensor, generator: torch.Generator, samples: int = 1
    ) -> Tensor:
        """A lower bound (n,) of log p(x), nats: log mean_k p(x, h_k) / q(h_k|x) over `samples`.

        Burda et al. 2016. With one sample its mean is the ELBO; more make it higher, in the limit log p(x).
        For the Bernoulli likelihood.
        """
        if self.likelihood != "bernoulli":
            raise BadInput(f"likelihood={self.likelihood}: the bound is only there for bernoulli")
        weights = [self._log_weights(modules, images, generator) for _ in range(samples)]
        return torch.logsumexp(torch.stack(weights), dim=0) - math.log(samples)

    def _log_weights(self, modules: nn.ModuleDict, images: Tensor, generator: torch.Generator) -> Tensor:
        """log p(x, h) - log q(h|x) of one sample (n,), every layer by its sample."""
        codes = self.encode(modules, images, generator)
        logits = modules["decoder"](codes.sample)
        total = -F.binary_cross_entropy_with_logits(logits, images, reduction="none").flatten(1).sum(dim=1)
        for below in range(1, self.layers + 1):
            total = total - log_normal(codes.sample, codes.mean, codes.logvar).sum(dim=1)
            if below == self.layers:
                zero = torch.zeros_like(codes.sample)
                return total + log_normal(codes.sample, zero, zero).sum(dim=1)
            above = self._above(modules, below, codes, generator)
            prior = modules[f"generate_{below}"](above.sample).chunk(2, dim=1)
            total = total + log_normal(codes.sample, *prior).sum(dim=1)
            codes = above
        raise AssertionError("there is a last layer")


def log_normal(values: Tensor, mean: Tensor, logvar: Tensor) -> Tensor:
    """log N(values; mean, exp(logvar)), elementwise, nats."""
    return -0.5 * (math.log(2 * math.pi) + logvar + (values - mean).square() * torch.exp(-logvar))
