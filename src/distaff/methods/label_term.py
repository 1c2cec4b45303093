"""The label term: what a VAE adds to its loss on labelled images, so that latent j follows label j.

Those of Locatello et al. 2020, arXiv:1905.01258 ("Disentangling factors of variations using few labels",
section 3), on the means of the first k latents, summed over labels and averaged over the images. Each is a
module made from the labels' numbers of values, and takes means (m, k) and labels (m, k).

Differences from the study's code: cross-entropy and squared error are averaged over the images, where it sums
them, so its gamma_sup is a label_weight of gamma_sup times the batch size; labels fill 0..1 in the
cross-entropy, where it divides them by their number; embeddings start evenly spread, with a temperature of 1.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F


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
