"""What all VAEs share: a Gaussian posterior of independent latents, and a label term."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from distaff.batches.batch import Batch, Facts
from distaff.methods.base import Codes, Loss, State
from distaff.methods.encoder_decoder import EncoderDecoder
from distaff.methods.label_term import LabelTerm
from distaff.methods.terms import kl_to_prior, log_normal, sampled


@dataclass(frozen=True)
class Variational(LabelTerm, EncoderDecoder):
    """A method whose codes are Gaussian posteriors; its loss may take a label term."""

    @property
    def encoder_outputs(self) -> int:
        """A mean and a log-variance for every latent."""
        return 2 * self.latents

    def networks(self, facts: Facts, rng: torch.Generator) -> nn.ModuleDict:
        """Encoder, decoder, and what the label term learns."""
        modules = super().networks(facts, rng)
        modules.update(self.label_modules(facts))
        return modules

    def descend(self, state: State, batch: Batch, loss: Loss) -> dict[str, Tensor]:
        """One step of Adam down the loss of a batch and the label term; they and their terms, detached."""
        return super().descend(state, batch, self.with_labels(state.modules, batch, loss))

    def encode(self, modules: nn.ModuleDict, images: Tensor, rng: torch.Generator) -> Codes:
        """The posterior's mean and log-variance (n, d), and one sample of it."""
        mean, logvar = modules["encoder"](images).chunk(2, dim=1)
        return sampled(mean, logvar, rng)

    def layer_kls(self, modules: nn.ModuleDict, codes: Codes, rng: torch.Generator) -> list[Tensor]:
        """The KL of every stochastic layer (n,), nats; here there is one."""
        return [kl_to_prior(codes.mean, codes.logvar).sum(dim=1)]

    def log_weights(
        self, modules: nn.ModuleDict, images: Tensor, codes: Codes, rng: torch.Generator
    ) -> Tensor:
        """log p(x, z) - log q(z|x) at the codes' sample of every image (n,), nats; its mean is the ELBO."""
        one = torch.vmap(lambda logits, image: self.reconstruction(logits[None], image[None]))
        return -one(modules["decoder"](codes.sample), images) - self.log_ratio(modules, codes, rng)

    def log_ratio(self, modules: nn.ModuleDict, codes: Codes, rng: torch.Generator) -> Tensor:
        """log q(z|x) - log p(z) at the codes' sample (n,), nats."""
        zero = torch.zeros_like(codes.sample)
        prior, posterior = (zero, zero), (codes.mean, codes.logvar)
        return (log_normal(codes.sample, *posterior) - log_normal(codes.sample, *prior)).sum(dim=1)
