"""The fully connected networks of Higgins et al. 2017 for 2D shapes: 1200-1200 ReLU, 1200-1200-1200 tanh.

openreview:Sy2fzU9gl.
"""

from __future__ import annotations

import math

from torch import nn

from distaff.networks.network import Network

WIDTH = 1200


def encoder(image_shape: tuple[int, int, int], outputs: int) -> nn.Module:
    """Images (B, C, H, W) to (B, outputs)."""
    return Network(
        nn.Flatten(),
        nn.Linear(math.prod(image_shape), WIDTH),
        nn.ReLU(),
        nn.Linear(WIDTH, WIDTH),
        nn.ReLU(),
        nn.Linear(WIDTH, outputs),
    )


def decoder(latents: int, image_shape: tuple[int, int, int]) -> nn.Module:
    """Codes (B, latents) to logits (B, C, H, W)."""
    return Network(
        nn.Linear(latents, WIDTH),
        nn.Tanh(),
        nn.Linear(WIDTH, WIDTH),
        nn.Tanh(),
        nn.Linear(WIDTH, WIDTH),
        nn.Tanh(),
        nn.Linear(WIDTH, math.prod(image_shape)),
        nn.Unflatten(1, image_shape),
    )
