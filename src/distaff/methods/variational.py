"""What all VAEs share: a Gaussian posterior of independent latents, and a label term."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from distaff.batches.batch import Batch, Facts
from distaff.batches.labelled import LABELLERS
from distaff.errors import BadInput
from distaff.methods.base import Codes, Loss
from distaff.methods.encoder_decoder import EncoderDecoder
from distaff.methods.label_term import LABEL_TERMS
from distaff.methods.terms import kl_to_prior, log_normal, sampled
from distaff.settings import setting


@dataclass(frozen=True)
class Variational(EncoderDecoder):
    """A method whose codes are Gaussian posteriors; its loss may take a label term."""

    label_loss: str = setting(
        "none", "the term that ties latent j to label j", choices=("none", *LABEL_TERMS)
    )
    label_weight: float = setting(1.0, "weight of the label term", low=0, only_with="label_loss")
    labelled_images: int = setting(1000, "how many images have labels", low=1, only_with="label_loss")
    labeller: str = setting(
        "perfect",
        "their labels: right; in 5 bins; a tenth wrong; values renamed; only two of them",
        choices=tuple(LABELLERS),
        only_with="label_loss",
    )
    label_seed: int = setting(0, "seed of which images are labelled, and how", low=0, only_with="label_loss")

    @property
    def labelled_part(self) -> dict[str, Any] | None:
        """The labelled images, if there is a label term."""
        if self.label_loss == "none":
            return None
        return {"count": self.labelled_images, "labeller": self.labeller, "seed": self.label_seed}

    def check(self, facts: Facts) -> None:
        """A label term needs a latent for every label."""
        super().check(facts)
        if self.label_loss != "none" and len(facts.labels) > self.latents:
            raise BadInput(
                f"label_loss={self.label_loss} needs a latent for each of the {len(facts.labels)} labels, "
                f"got latents={self.latents}"
            )

    @property
    def encoder_outputs(self) -> int:
        """A mean and a log-variance for every latent."""
        return 2 * self.latents

    def networks(self, facts: Facts, rng: torch.Generator) -> nn.ModuleDict:
        """Encoder, decoder, and what the label term learns."""
        modules = super().networks(facts, rng)
        if self.label_loss != "none":
            modules["labels"] = LABEL_TERMS[self.label_loss](facts.labels)
        return modules

    def whole_loss(self, modules: nn.ModuleDict, batch: Batch, rng: torch.Generator) -> Loss:
        """The loss and the label term."""
        return self.with_labels(modules, batch, super().whole_loss(modules, batch, rng))

    def with_labels(self, modules: nn.ModuleDict, batch: Batch, loss: Loss) -> Loss:
        """The loss, and label_weight times the label term of the labelled images' means."""
        if self.label_loss == "none":
            return loss
        means = modules["encoder"](batch.labelled)[:, : batch.labels.shape[1]]
        term = modules["labels"](means, batch.labels)
        return Loss(loss.total + self.label_weight * term, loss.terms | {"label_term": term})

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
