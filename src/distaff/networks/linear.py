"""One layer each way: the encoder of an autoencoder with a single hidden layer, which is then the code."""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from distaff.networks.network import Network


class Transposed(nn.Module):
    """h W + b, where W (h, p) is the weight of another layer and stays that layer's parameter."""

    def __init__(self, layer: nn.Linear) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(layer.in_features))
        self.borrowed = (layer,)  # in a tuple, or its weights would be saved and counted twice

    def forward(self, codes: Tensor) -> Tensor:
        """Codes (B, h) to pixels (B, p)."""
        return F.linear(codes, self.borrowed[0].weight.T, self.bias)


def encoder(image_shape: tuple[int, int, int], outputs: int) -> nn.Module:
    """Images (B, C, H, W) to (B, outputs)."""
    return Network(nn.Flatten(), nn.Linear(math.prod(image_shape), outputs))


def decoder(latents: int, image_shape: tuple[int, int, int]) -> nn.Module:
    """Codes (B, latents) to logits (B, C, H, W)."""
    return Network(nn.Linear(latents, math.prod(image_shape)), nn.Unflatten(1, image_shape))


def tied_decoder(encoder: nn.Module, image_shape: tuple[int, int, int]) -> Network:
    """The decoder whose weights are the transpose of a linear encoder's, with a bias of its own."""
    (layer,) = (each for each in encoder.modules() if isinstance(each, nn.Linear))
    return Network(Transposed(layer), nn.Unflatten(1, image_shape))
