"""Images compared by what a finished autoencoder makes of them."""

from collections.abc import Callable
from typing import cast

import torch
from torch import Tensor, nn

from distaff.methods.frozen import Frozen
from distaff.networks.network import Network


def _code(base: nn.Module, images: Tensor) -> Tensor:
    codes: Tensor = cast(Frozen, base).encode(images, torch.Generator()).mean
    return codes


def _hidden(base: nn.Module, images: Tensor) -> Tensor:
    encoder = cast(Network, cast(Frozen, base)["encoder"])
    return encoder.but_last(images)


def _output(base: nn.Module, images: Tensor) -> Tensor:
    return cast(Frozen, base).decode(_code(base, images)).flatten(1)


#: J, features (n, f) of images (n, C, H, W) in 0..1, by the layer they are taken from
LAYERS: dict[str, Callable[[nn.Module, Tensor], Tensor]] = {
    "code": _code,
    "hidden": _hidden,
    "output": _output,
}


def feature_loss(base: nn.Module, layer: str, seen: Tensor, images: Tensor) -> Tensor:
    """1/2 |J(seen) - J(images)|^2, summed over features, averaged over the batch: nats at unit deviation.

    Its gradient passes through J into `seen`, and J stays as it is.
    """
    features = LAYERS[layer]
    with torch.no_grad():
        wanted = features(base, images)
    return 0.5 * (features(base, seen) - wanted).square().sum(1).mean()
