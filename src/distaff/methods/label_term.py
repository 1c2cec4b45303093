"""The label term: what a VAE adds to its loss on labelled images, so that latent j follows label j.

Those of Locatello et al. 2020, arXiv:1905.01258 ("Disentangling factors of variations using few labels",
section 3), on the means of the first k latents, summed over labels and averaged over the images. Each is a
module made from the labels' numbers of values, and takes means (m, k) and labels (m, k).

Differences from the study's code: cross-entropy and squared error are averaged over the images, where it sums
them, so its gamma_sup is a label_weight of gamma_sup times the batch size; labels fill 0..1 in the
cross-entropy, where it divides them by their number; embeddings start evenly spread, with a temperature of 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from distaff.batches.batch import Batch, Facts
from distaff.errors import BadInput
from distaff.methods.base import Loss, Method
from distaff.settings import setting


class CrossEntropy(nn.Module):
    """Cross-entropy of sigmoid(mean) against the label's place in 0..1, nats."""

    def __init__(self, sizes: tuple[int, ...]) -> None:
        super().__init__()
        self.largest: Tensor
        self.register_buffer("largest", torch.tensor(sizes) - 1.0, persistent=False)

    def forward(self, means: Tensor, labels: Tensor) -> Tensor:
        targets = labels / self.largest
        return F.binary_cross_entropy_with_logits(means, targets, reduction="sum") / len(means)


class Squared(nn.Module):
    """Squared error of the label, predicted as a learned number times the mean."""

    def __init__(self, sizes: tuple[int, ...]) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.tensor(1.0))

    def forward(self, means: Tensor, labels: Tensor) -> Tensor:
        return (self.scale * means - labels).square().sum() / len(means)


class Covariance(nn.Module):
    """Squared covariances of means with the labels of other latents (no term asks for their own)."""

    def __init__(self, sizes: tuple[int, ...]) -> None:
        super().__init__()

    def forward(self, means: Tensor, labels: Tensor) -> Tensor:
        labels = labels.to(means.dtype)
        covariance = (means - means.mean(0)).T @ (labels - labels.mean(0)) / len(means)  # (k, k)
        return (covariance - covariance.diagonal().diag()).square().sum()


class Embedding(nn.Module):
    """Cross-entropy of the label among learned numbers, one for each of its values, by squared distance."""

    def __init__(self, sizes: tuple[int, ...]) -> None:
        super().__init__()
        self.places = nn.ParameterList([torch.linspace(-1, 1, size) for size in sizes])

    def forward(self, means: Tensor, labels: Tensor) -> Tensor:
        terms = [
            F.cross_entropy(-(means[:, j, None] - places).square(), labels[:, j])
            for j, places in enumerate(self.places)
        ]
        return torch.stack(terms).sum()


LABEL_TERMS: dict[str, type[nn.Module]] = {
    "cross_entropy": CrossEntropy,
    "squared": Squared,
    "covariance": Covariance,
    "embedding": Embedding,
}


@dataclass(frozen=True)
class LabelTerm(Method):
    """The settings of a label term, and what a method that takes one does with them."""

    label_loss: str = setting(
        "none", "the term that ties latent j to label j", choices=("none", *LABEL_TERMS)
    )
    label_weight: float = setting(1.0, "weight of the label term", low=0, only_with="label_loss")
    labelled_images: int = setting(1000, "how many images have labels", low=1, only_with="label_loss")
    labeller: str = setting(
        "perfect",
        "their labels: right; in 5 bins; a tenth wrong; values renamed; only two of them",
        choices=("perfect", "binned", "noisy", "permuted", "partial"),
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

    def label_modules(self, facts: Facts) -> dict[str, nn.Module]:
        """What the label term learns, by the name of its module."""
        return {} if self.label_loss == "none" else {"labels": LABEL_TERMS[self.label_loss](facts.labels)}

    def with_labels(self, modules: nn.ModuleDict, batch: Batch, loss: Loss) -> Loss:
        """The loss, and label_weight times the label term of the labelled images' means."""
        if self.label_loss == "none":
            return loss
        means = modules["encoder"](batch.labelled)[:, : batch.labels.shape[1]]
        term = modules["labels"](means, batch.labels)
        return Loss(loss.total + self.label_weight * term, loss.terms | {"label_term": term})
