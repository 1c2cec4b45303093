"""Terms that several losses share, in nats, of tensors alone."""

import math
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from distaff.methods.base import Codes
from distaff.methods.draws import noise


def negative_log_likelihood(logits: Tensor, images: Tensor, likelihood: str, sigma: float = 1.0) -> Tensor:
    """-log p(x|z) of images in 0..1, summed over pixels and channels, averaged over the batch.

    `bernoulli`: cross-entropy with the image as target. `gaussian`: sigmoid(logits) is the mean and `sigma`
    the standard deviation.
    """
    images = images.to(logits.dtype)  # or torch would round the logits, not widen the images
    if likelihood == "bernoulli":
        return F.binary_cross_entropy_with_logits(logits, images, reduction="sum") / len(images)
    return gaussian_negative_log_likelihood(torch.sigmoid(logits), images, sigma)


def gaussian_negative_log_likelihood(means: Tensor, images: Tensor, sigma: float = 1.0) -> Tensor:
    """-log N(x; mean, sigma^2), with its constant, summed over pixels, averaged over the batch."""
    errors = F.mse_loss(means, images, reduction="sum") / len(images)
    nats: Tensor = 0.5 * errors / sigma**2 + (0.5 * math.log(2 * math.pi) + log(sigma)) * images[0].numel()
    return nats


def log(number: float | Tensor) -> Any:
    """The natural logarithm of a setting, which is a tensor where many runs are trained as one."""
    return number.log() if isinstance(number, Tensor) else math.log(number)


def symbols_negative_log_likelihood(logits: Tensor, symbols: Tensor) -> Tensor:
    """-log p(y|z) of k-hot symbols (n, m), each word a coin, summed over words, averaged over the batch."""
    targets = symbols.to(logits.dtype)  # or the gradient would be rounded to the type of symbols
    return F.binary_cross_entropy_with_logits(logits, targets, reduction="sum") / len(symbols)


def kl_to_prior(mean: Tensor, logvar: Tensor) -> Tensor:
    """KL(N(mean, exp(logvar)) || N(0, 1)) of every latent, in the shape of `mean`."""
    return 0.5 * (mean.square() + logvar.exp() - logvar - 1)


def mean_kl(codes: Codes) -> Tensor:
    """The KL of posteriors (n, d) to N(0, I), summed over latents, averaged over the batch."""
    return kl_to_prior(codes.mean, codes.logvar).sum(dim=1).mean()


def log_normal(values: Tensor, mean: Tensor, logvar: Tensor) -> Tensor:
    """log N(values; mean, exp(logvar)), elementwise."""
    return -0.5 * (math.log(2 * math.pi) + logvar + (values - mean).square() * torch.exp(-logvar))


def sampled(mean: Tensor, logvar: Tensor, rng: torch.Generator) -> Codes:
    """A Gaussian posterior (n, d) with one sample of it."""
    return Codes(mean, logvar, mean + torch.exp(logvar / 2) * noise(mean, rng))


def halves(codes: Codes) -> tuple[Codes, Codes]:
    """The codes of the first images of pairs and those of their partners."""
    parts = [part.chunk(2) for part in codes]
    return Codes(*(part[0] for part in parts)), Codes(*(part[1] for part in parts))
