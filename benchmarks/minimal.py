"""The yardstick: beta-VAE in plain eager PyTorch, as anyone would write it, of torch's own layers."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

BETA = 4.0


def minimal_networks() -> tuple[nn.Module, nn.Module]:
    """The encoder and decoder of 64-pixel grey images and 10 latents."""
    sides = [(1, 32), (32, 32), (32, 64), (64, 64)]
    down = [layer for a, b in sides for layer in (nn.Conv2d(a, b, 4, 2, 1), nn.ReLU())]
    up = [layer for b, a in sides[::-1] for layer in (nn.ReLU(), nn.ConvTranspose2d(a, b, 4, 2, 1))]
    encoder = nn.Sequential(*down, nn.Flatten(), nn.Linear(1024, 256), nn.ReLU(), nn.Linear(256, 20))
    decoder = nn.Sequential(
        nn.Linear(10, 256), nn.ReLU(), nn.Linear(256, 1024), nn.Unflatten(1, (64, 4, 4)), *up
    )
    return encoder, decoder


def minimal_step(
    encoder: nn.Module, decoder: nn.Module, optimiser: torch.optim.Optimizer, batch: Tensor
) -> None:
    """One step of the optimiser on images (n, 1, 64, 64) in 0..1."""
    mean, logvar = encoder(batch).chunk(2, dim=1)
    logits = decoder(mean + torch.exp(logvar / 2) * torch.randn_like(mean))
    reconstruction = F.binary_cross_entropy_with_logits(logits, batch, reduction="sum") / len(batch)
    kl = 0.5 * (mean**2 + logvar.exp() - logvar - 1).sum() / len(batch)
    loss = reconstruction + BETA * kl
    optimiser.zero_grad()
    loss.backward()
    optimiser.step()
