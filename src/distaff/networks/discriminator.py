"""FactorVAE's discriminator: which of two distributions a code comes from."""

from __future__ import annotations

from torch import nn

WIDTH, LAYERS, SLOPE = 1000, 6, 0.2


def discriminator(latents: int) -> nn.Module:
    """Codes (B, latents) to two logits (B, 2): six layers of 1000, as in Kim and Mnih 2018, appendix A."""
    layers: list[nn.Module] = []
    for before in (latents, *[WIDTH] * (LAYERS - 1)):
        layers += [nn.Linear(before, WIDTH), nn.LeakyReLU(SLOPE)]
    return nn.Sequential(*layers, nn.Linear(WIDTH, 2))
