"""The variational autoencoder, and the label term that all its descendants can take."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from distaff.batch import Batch, Facts
from distaff.errors import BadInput
from distaff.methods.base import Codes, Loss, noise
from distaff.methods.encoder_decoder import EncoderDecoder
from distaff.methods.label_terms import LABEL_TERMS
from distaff.settings import setting

LABEL_SETTINGS = ("label_weight", "labelled_images", "labeller", "label_seed")


@dataclass(frozen=True)
class VAE(EncoderDecoder):
    """Variational autoencoder: reconstruction + KL to a standard normal prior.

    Maximises E_q(z|x) log p(x|z) - KL(q(z|x) || N(0, I)) (Kingma and Welling 2014, eq. 10) with one sample
    of z per image. Reconstruction is summed over pixels and channels, the KL over latents, both averaged over
    the batch, in nats.

    With a `label_loss`, as many labelled images come with every batch, and label_weight * label term of
    their means is added (Locatello et al. 2020, "Disentangling factors of variations using few labels").

    Differences from the paper: convolutional networks and batches of 64 as in Locatello et al. 2019.
    """

    label_loss: str = setting(
        "none", "the term that ties latent j to label j", choices=("none", *LABEL_TERMS)
    )
    label_weight: float = setting(1.0, "weight of the label term", low=0)
    labelled_images: int = setting(1000, "how many images have labels", low=1)
    labeller: str = setting(
        "perfect",
        "their labels: right; in 5 bins; a tenth wrong; values renamed; only two of them",
        choices=("perfect", "binned", "noisy", "permuted", "partial"),
    )
    label_seed: int = setting(0, "seed of which images are labelled, and how", low=0)

    paper: ClassVar = {
        "latents": "2 to 20 (faces), 3 to 200 (digits)",
        "batch_size": "100",
        "learning_rate": "Adagrad, .01, .02 or .1",
        "network": "one hidden layer of 200 or 500",
    }
    study: ClassVar = {
        "latents": "10",
        "batch_size": "64",
        "learning_rate": "0.0001",
        "network": "conv",
        "likelihood": "bernoulli",
        "labeller": "all five",
    }

    @property
    def kl_weight(self) -> float | None:
        """What the KL of an image is multiplied by; None where it is not weighted as a whole."""
        return 1.0

    @property
    def encoder_outputs(self) -> int:
        """A mean and a log-variance for every latent."""
        return 2 * self.latents

    @property
    def labelled_part(self) -> dict[str, Any] | None:
        """The labelled images, if there is a label term."""
        if self.label_loss == "none":
            return None
        return {"count": self.labelled_images, "labeller": self.labeller, "seed": self.label_seed}

    def check(self, facts: Facts) -> None:
        """A label term needs a latent for every label."""
        super().check(facts)
        for name in LABEL_SETTINGS if self.label_loss == "none" else ():
            if getattr(self, name) != getattr(type(self), name):
                raise BadInput(f"{name}={getattr(self, name)} has no effect without a label_loss")
        if self.label_loss != "none" and len(facts.labels) > self.latents:
            raise BadInput(
                f"label_loss={self.label_loss} needs a latent for each of the {len(facts.labels)} labels, "
                f"got latents={self.latents}"
            )

    def networks(self, facts: Facts, generator: torch.Generator) -> nn.ModuleDict:
        """Encoder, decoder, and what the label term learns."""
        modules = super().networks(facts, generator)
        if self.label_loss != "none":
            modules["labels"] = LABEL_TERMS[self.label_loss](facts.labels)
        return modules

    def encode(self, modules: nn.ModuleDict, images: Tensor, generator: torch.Generator) -> Codes:
        """The posterior's mean and log-variance (n, d), and one sample of it."""
        mean, logvar = modules["encoder"](images).chunk(2, dim=1)
        return sampled(mean, logvar, generator)

    def objective(
        self, modules: nn.ModuleDict, batch: Batch, codes: Codes, generator: torch.Generator
    ) -> Loss:
        """Reconstruction, the method's regulariser, and the label term if there is one."""
        loss = super().objective(modules, batch, codes, generator)
        if self.label_loss == "none":
            return loss
        means = modules["encoder"](batch.labelled)[:, : batch.labels.shape[1]]
        term = modules["labels"](means, batch.labels)
        return Loss(loss.total + self.label_weight * term, loss.terms | {"label_term": term})

    def regulariser(
        self, modules: nn.ModuleDict, batch: Batch, codes: Codes, generator: torch.Generator
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """The KL."""
        kl = kl_to_prior(codes.mean, codes.logvar).sum(dim=1).mean()
        return kl, {"kl": kl}

    def log_weights(
        self, modules: nn.ModuleDict, images: Tensor, codes: Codes, generator: torch.Generator
    ) -> Tensor:
        """log p(x, z) - log q(z|x) at the codes' sample of every image (n,), nats; its mean is the ELBO."""
        one = torch.vmap(lambda logits, image: self.reconstruction(logits[None], image[None]))
        return -one(modules["decoder"](codes.sample), images) - self.log_ratio(modules, codes, generator)

    def log_ratio(self, modules: nn.ModuleDict, codes: Codes, generator: torch.Generator) -> Tensor:
        """log q(z|x) - log p(z) at the codes' sample (n,), nats."""
        zero = torch.zeros_like(codes.sample)
        prior, posterior = (zero, zero), (codes.mean, codes.logvar)
        return (log_normal(codes.sample, *posterior) - log_normal(codes.sample, *prior)).sum(dim=1)


def sampled(mean: Tensor, logvar: Tensor, generator: torch.Generator) -> Codes:
    """A Gaussian posterior (n, d) with one sample of it."""
    return Codes(mean, logvar, mean + torch.exp(logvar / 2) * noise(mean, generator))


def log_normal(values: Tensor, mean: Tensor, logvar: Tensor) -> Tensor:
    """log N(values; mean, exp(logvar)), elementwise, nats."""
    return -0.5 * (math.log(2 * math.pi) + logvar + (values - mean).square() * torch.exp(-logvar))


def kl_to_prior(mean: Tensor, logvar: Tensor) -> Tensor:
    """KL(N(mean, exp(logvar)) || N(0, 1)) of every latent, nats, in the shape of `mean`."""
    return 0.5 * (mean.square() + logvar.exp() - logvar - 1)
