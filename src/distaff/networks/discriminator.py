"""FactorVAE's discriminator: which of two distributions a code comes from."""

from __future__ import annotations

from torch import nn

from distaff.networks.network import Network

LAYERS, SLOPE = 6, 0.2


def discriminator(latents: int, width: int) -> nn.Module:
    """Codes (B, latents) to two logits (B, 2): six layers of `width`.

    Kim and Mnih 2018, arXiv:1802.05983, appendix A.
    """
    layers: list[nn.Module] = []
    for before in (latents, *[width] * (LAYERS - 1)):
        layers += [nn.Linear(before, width), nn.LeakyReLU(SLOPE)]
    return Network(*layers, nn.Linear(width, 2))
