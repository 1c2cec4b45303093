"""Where the time of a training step goes, layer by layer, on one thread.

    python benchmarks/layers.py      # a minute on an idle machine

A step of beta_vae on 64 grey images of 64 pixels. Each layer with its activation runs forward and backward by
itself; beside it stand the matrix products that it amounts to, of the same sizes and on matrices that lie
ready: what it would take at least if it were written as patches and products. The share is of the rate of a
product of 2048 x 2048 matrices. Prints a table and writes benchmarks/results/layers.json.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import torch
from circumstances import circumstances, keep
from torch import Tensor, nn

import distaff
from distaff.batches.feed import Feed
from distaff.methods.beta_vae import BetaVAE
from distaff.networks.conv import to_channels_last
from distaff.training.allocator import keep_freed_memory

BATCH = 64
REPEATS = 40
TAPS = 16  # of a kernel of 4 x 4


class Product(NamedTuple):
    """A product of matrices (rows, inner) and (inner, columns)."""

    rows: int
    inner: int
    columns: int

    @property
    def gflop(self) -> float:
        return 2 * self.rows * self.inner * self.columns / 1e9


def main() -> None:
    """Measure every layer, print the table, and keep it."""
    keep_freed_memory()
    torch.set_num_threads(1)
    square = Product(2048, 2048, 2048)
    rate = square.gflop / seconds_of(square)
    method = BetaVAE()
    feed = Feed(method, distaff.load_dataset("dsprites"), 0)
    state = method.state(feed.facts, torch.Generator().manual_seed(0))
    found = [measured(*each, rate) for each in every_layer(state.modules)]
    batch, rng = feed.at(0)
    whole = seconds(lambda: method.step(state, batch, rng))
    layers = sum(row["forward ms"] + row["backward ms"] for row in found)
    total = {
        "layers": found,
        "matrix product GFLOP/s": digits(rate),
        "a step, ms": digits(1e3 * whole),
        "layers of a step, ms": digits(layers),
        "the same as products, ms": digits(sum(row["as products ms"] for row in found)),
        "share of the rate in layers": digits(sum(row["GFLOP"] for row in found) / layers * 1e3 / rate),
        "on": circumstances(1),
    }
    keep("layers.json", "beta_vae", total)
    for row in found:
        print("  ".join(f"{value!s:>14}" for value in row.values()))
    print({key: value for key, value in total.items() if key not in ("layers", "on")})


def every_layer(modules: nn.ModuleDict) -> Iterator[tuple[str, nn.Module, Tensor, bool]]:
    """The name, the layer with what follows it, its inputs, and whether they want a gradient."""
    images = torch.rand(BATCH, 1, 64, 64)
    for part, inputs in (("encoder", images), ("decoder", torch.randn(BATCH, 10))):
        rows = in_groups(to_channels_last(modules[part]).train())
        for number, layer in enumerate(rows):
            first = part == "encoder" and not number
            yield f"{part} {number + 1}: {type(layer[0]).__name__}", layer, inputs, not first
            inputs = layer(inputs).detach()


def in_groups(network: nn.Module) -> list[nn.Sequential]:
    """The layers that have weights, each with what follows it up to the next."""
    groups: list[list[nn.Module]] = []
    for module in network.children():
        if next(module.parameters(recurse=False), None) is not None:
            groups.append([module])
        elif groups:
            groups[-1].append(module)
    return [nn.Sequential(*group) for group in groups]


def measured(name: str, layer: nn.Module, inputs: Tensor, wants: bool, rate: float) -> dict[str, float | str]:
    """A row of the table, for a machine of so many GFLOP/s."""
    forward = seconds(lambda: layer(inputs.detach().requires_grad_(wants)))
    both = seconds(lambda: forth_and_back(layer, inputs.detach().requires_grad_(wants)))
    products = products_of(layer[0], inputs, wants)  # type: ignore[index]
    gflop = sum(product.gflop for product in products)
    return {
        "layer": name,
        "forward ms": digits(1e3 * forward),
        "backward ms": digits(1e3 * (both - forward)),
        "GFLOP": digits(gflop),
        "share of the rate": digits(gflop / both / rate),
        "as products ms": digits(1e3 * sum(map(seconds_of, products))),
    }


def forth_and_back(layer: nn.Module, inputs: Tensor) -> None:
    """Run a layer, and its gradient for something that came back."""
    layer.zero_grad()
    made = layer(inputs)
    made.backward(made.detach())


def products_of(layer: nn.Module, inputs: Tensor, wants: bool) -> list[Product]:
    """The products forward, for the weights' gradient, and for the inputs' where they want one."""
    if isinstance(layer, nn.Linear):
        size = Product(BATCH, layer.in_features, layer.out_features)
    elif isinstance(layer, nn.ConvTranspose2d):
        places = BATCH * inputs.shape[2] * inputs.shape[3]
        size = Product(places, layer.in_channels, TAPS * layer.out_channels)
    else:
        assert isinstance(layer, nn.Conv2d)
        places = BATCH * inputs.shape[2] * inputs.shape[3] // 4
        size = Product(places, TAPS * layer.in_channels, layer.out_channels)
    rows, inner, columns = size
    every = [size, Product(inner, rows, columns), Product(rows, columns, inner)]
    return every if wants else every[:2]


def seconds_of(product: Product) -> float:
    """How long a product takes."""
    left, right = torch.rand(product.rows, product.inner), torch.rand(product.inner, product.columns)
    made = torch.empty(product.rows, product.columns)
    return seconds(lambda: torch.mm(left, right, out=made))


def seconds(call: Callable[[], Any]) -> float:
    """The median of some calls."""
    times = []
    for _ in range(REPEATS):
        began = time.perf_counter()
        call()
        times.append(time.perf_counter() - began)
    return statistics.median(times)


def digits(value: float) -> float:
    return float(f"{value:.4g}")


if __name__ == "__main__":
    main()
