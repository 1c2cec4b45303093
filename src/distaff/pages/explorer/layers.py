"""Layers of networks as the page has them: a name of what is done, numbers, and weights in half precision.

OPS names for every kind of layer what decoder.js does; a new kind is a function here and one there.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from distaff.errors import BadInput
from distaff.methods.info_gan import Largest
from distaff.methods.telbo import Experts
from distaff.networks.conv import Crop
from distaff.networks.down_conv import DownConv
from distaff.networks.linear import Transposed
from distaff.networks.three_way import FromUnits
from distaff.networks.up_conv import UpConv


class Op(NamedTuple):
    """What a layer does: a function of decoder.js by name, the numbers that it takes, and its weights."""

    name: str
    numbers: dict[str, Any] = {}  # noqa: RUF012 - read only
    weights: tuple[Tensor, ...] = ()


class Packed(NamedTuple):
    """Layers as dicts that JSON takes, each with the lengths of its weights, and all weights as float16."""

    layers: list[dict[str, Any]]
    weights: bytes


def packed(layers: Iterable[nn.Module]) -> Packed:
    """Layers for the page. BadInput names one that cannot be there."""
    made, parts = [], list[bytes]()
    for layer in layers:
        op = _op(layer)
        halves = [_half(weight, layer) for weight in op.weights]
        made.append({"op": op.name, **op.numbers, "lengths": [half.numel() for half in halves]})
        parts += [half.numpy().tobytes() for half in halves]
    return Packed(made, b"".join(parts))


def rounded(modules: nn.ModuleDict) -> nn.ModuleDict:
    """The same networks with the weights that the page has: rounded to half precision."""
    found = copy.deepcopy(modules)
    with torch.no_grad():
        for tensor in (*found.parameters(), *found.buffers()):
            tensor.copy_(tensor.half())
    return found


def _op(layer: nn.Module) -> Op:
    if type(layer) not in OPS:
        known = ", ".join(sorted(kind.__name__ for kind in OPS))
        raise BadInput(f"the explorer does not know the layer {layer}; it knows {known}")
    return OPS[type(layer)](layer)


def _half(weight: Tensor, layer: nn.Module) -> Tensor:
    half = weight.detach().cpu().contiguous().flatten().half()
    if not half.isfinite().all():
        most = float(weight.detach().abs().max())
        raise BadInput(
            f"the weights of {layer} reach {most:g}; the explorer's, in half precision, end at 65504"
        )
    return half


def _linear(layer: nn.Linear) -> Op:
    bias = torch.zeros(layer.out_features) if layer.bias is None else layer.bias
    return Op("linear", {"inputs": layer.in_features, "outputs": layer.out_features}, (layer.weight, bias))


def _transposed(layer: Transposed) -> Op:
    weight = layer.borrowed[0].weight.T
    return Op("linear", {"inputs": weight.shape[1], "outputs": weight.shape[0]}, (weight, layer.bias))


def _convolution(name: str) -> Callable[[Any], Op]:
    return lambda layer: Op(name, {"outputs": layer.out_channels}, (layer.weight, layer.bias))


def _unflatten(layer: nn.Unflatten) -> Op:
    return Op("reshape", {"shape": list(layer.unflattened_size)})


def _pad(layer: nn.ZeroPad2d) -> Op:
    return Op("pad", dict(zip(("left", "right", "top", "bottom"), layer.padding, strict=True)))


def _norm(layer: nn.GroupNorm) -> Op:
    numbers = {"groups": layer.num_groups, "channels": layer.num_channels, "eps": layer.eps}
    return Op("norm", numbers, (layer.weight, layer.bias))


def _from_units(layer: FromUnits) -> Op:
    """With matrices a row for each output, as those of linear layers."""
    machine = layer.machine
    (pixels, factors), h = machine.v_factors.shape, len(machine.h_factors)
    pairs = torch.cat([machine.v_h, machine.v_m], dim=1)
    weights = (machine.h_factors.T, machine.m_factors.T, machine.v_factors, machine.of_v, pairs)
    return Op("interact", {"h": h, "factors": factors, "pixels": pixels}, weights)


#: how a layer of each kind is done; the names are those of OPS in decoder.js
OPS: dict[type[nn.Module], Callable[[Any], Op]] = {
    nn.Linear: _linear,
    Transposed: _transposed,
    UpConv: _convolution("up"),
    DownConv: _convolution("down"),
    FromUnits: _from_units,
    nn.GroupNorm: _norm,
    nn.ReLU: lambda layer: Op("relu"),
    nn.Tanh: lambda layer: Op("tanh"),
    nn.Sigmoid: lambda layer: Op("sigmoid"),
    nn.Hardtanh: lambda layer: Op("clamp", {"low": layer.min_val, "high": layer.max_val}),
    nn.Identity: lambda layer: Op("same"),
    nn.Flatten: lambda layer: Op("flatten"),
    nn.Unflatten: _unflatten,
    Crop: lambda layer: Op("crop", {"height": layer.height, "width": layer.width}),
    nn.ZeroPad1d: lambda layer: Op("zeros", {"before": layer.padding[0], "after": layer.padding[1]}),
    nn.ZeroPad2d: _pad,
    Experts: lambda layer: Op("experts", {"latents": layer.means.shape[1]}, (layer.means, layer.logvars)),
    Largest: lambda layer: Op("largest", {"codes": layer.categorical, "categories": layer.categories}),
}
