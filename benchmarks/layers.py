"""Where the time of a training step, of encoding and of FactorVAE's step goes, layer by layer, on one thread.

    python benchmarks/layers.py                  # four minutes on an idle machine
    python benchmarks/layers.py encoding         # a part: beta_vae, two_threads, encoding or factor_vae

Networks of 64-pixel grey images. Each layer with its activation runs by itself, forward and backward or, in
encoding, forward alone; beside it stand the matrix products that it amounts to, of the same sizes and on
matrices that lie ready: what it would take at least if it were written as patches and products. The share is
of the rate of a product of 2048 x 2048 matrices. The floor of a step on two threads is what its halves take
through the networks while both cores are at work and never meet, and what is left to one thread. FactorVAE's
floor is a step of beta-VAE and what the discriminator, its Adam and the second batch take by themselves.
Writes benchmarks/results/layers.json.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import numpy as np
import torch
from circumstances import circumstances, keep
from torch import Tensor, nn

import distaff
from distaff.batches.batch import to_unit
from distaff.batches.feed import Feed
from distaff.methods.base import Method
from distaff.methods.beta_vae import BetaVAE
from distaff.methods.factor_vae import FactorVAE
from distaff.methods.state import adam
from distaff.networks.conv import to_channels_last
from distaff.networks.threads import network_threads
from distaff.training.allocator import keep_freed_memory
from distaff.training.run import ENCODE_BATCH

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


def main(wanted: list[str]) -> None:
    """Measure the parts, print them, and keep them."""
    keep_freed_memory()
    torch.set_num_threads(1)
    for name in wanted or list(PARTS):
        found = PARTS[name]() | {"on": circumstances(1)}
        keep("layers.json", name, found)
        for line in found.get("layers", ()):
            print("  ".join(f"{value!s:>14}" for value in line.values()))
        print({key: value for key, value in found.items() if key not in ("layers", "on")})


def beta_vae() -> dict[str, Any]:
    """A step of beta-VAE."""
    step, modules = prepared(BetaVAE())
    rate = matrix_rate()
    found = [measured(*each, rate) for each in every_layer(modules)]
    layers = sum(each["forward ms"] + each["backward ms"] for each in found)
    return {
        "layers": found,
        "matrix product GFLOP/s": digits(rate),
        "a step, ms": digits(1e3 * seconds(step)),
        "layers of a step, ms": digits(layers),
        "the same as products, ms": digits(sum(each["as products ms"] for each in found)),
        "share of the rate in layers": digits(sum(each["GFLOP"] for each in found) / layers * 1e3 / rate),
    }


def two_threads() -> dict[str, Any]:
    """A step of beta-VAE on two threads, and what its halves take that have a core each."""
    step, modules = prepared(BetaVAE())
    encoder, decoder = (to_channels_last(modules[name]).train() for name in ("encoder", "decoder"))
    weights = [*encoder.parameters(), *decoder.parameters()]
    whole, half, other = (torch.rand(rows, 1, 64, 64) for rows in (BATCH, BATCH // 2, BATCH // 2))
    worker = ThreadPoolExecutor(1, initializer=torch.set_num_threads, initargs=(1,))

    def through(images: Tensor) -> None:
        made = decoder(encoder(images)[:, :10])
        torch.autograd.grad(made, weights, made.detach())

    def at_once() -> None:
        waiting = worker.submit(through, other)
        through(half)
        waiting.result()

    def shared() -> None:
        with network_threads(2, BATCH):
            step()

    calls = {
        "a step on one thread": step,
        "all of it through the networks": lambda: through(whole),
        "half of it through the networks, the other core idle": lambda: through(half),
        "both halves at once": at_once,
        "a step on two threads": shared,
    }
    took = {f"{name}, ms": 1e3 * each for name, each in in_turn(calls).items()}
    one, networks, alone, both, two = took.values()
    found = took | {
        "the other core's price (both halves / half)": both / alone,
        "floor, ms (both halves + a step less its networks)": both + one - networks,
        "two threads / floor": two / (both + one - networks),
        "one thread / two threads": one / two,
    }
    return {name: digits(value) for name, value in found.items()}


def encoding() -> dict[str, Any]:
    """Encoding a batch of images, as scores have it."""
    method, rate = BetaVAE(), matrix_rate()
    _, modules = prepared(method)
    data = distaff.load_dataset("dsprites")
    images, rng = data.images(np.arange(ENCODE_BATCH)), torch.Generator()

    def encode() -> None:
        method.encode(modules, to_unit(images, data.pixel_range, torch.device("cpu")), rng)

    rows = torch.rand(ENCODE_BATCH, 1, 64, 64)
    found = []
    with torch.inference_mode():
        for number, layer in enumerate(in_groups(to_channels_last(modules["encoder"]).eval())):
            took = seconds(lambda layer=layer, rows=rows: layer(rows))  # type: ignore[misc]
            products = products_of(layer[0], rows, False)[:1]
            name = f"{number + 1}: {type(layer[0]).__name__}"
            found.append(row(name, {"ms": 1e3 * took}, products, rate))
            rows = layer(rows)
        whole = seconds(encode)
    gflop = sum(each["GFLOP"] for each in found)
    return {
        "layers": found,
        "matrix product GFLOP/s": digits(rate),
        "a batch from bytes to codes, ms": digits(1e3 * whole),
        "layers of it, ms": digits(sum(each["ms"] for each in found)),
        "the same as products, ms": digits(sum(each["as products ms"] for each in found)),
        "images/s": digits(ENCODE_BATCH / whole),
        "share of the rate (>= .7)": digits(gflop / whole / rate),
    }


def factor_vae() -> dict[str, Any]:
    """A step of FactorVAE, and the floor that its discriminator puts under it."""
    base, _ = prepared(BetaVAE())
    whole, modules = prepared(FactorVAE(batch_size=BATCH))
    judge, encoder = modules["discriminator"], to_channels_last(modules["encoder"])
    codes, images = torch.randn(BATCH, 10), torch.rand(BATCH, 1, 64, 64)
    weights = list(judge.parameters())
    optimiser = adam(weights)

    def for_the_vae() -> None:
        one = codes.clone().requires_grad_()
        judge(one).sum().backward(inputs=[one])

    def for_itself() -> None:
        judge(torch.cat([codes, codes])).sum().backward(inputs=weights)

    def second_batch() -> None:
        with torch.no_grad():
            encoder(images)

    for_itself()  # its Adam wants gradients
    parts = {
        "a step of beta_vae": base,
        "the discriminator for the VAE": for_the_vae,
        "the discriminator for itself": for_itself,
        "the discriminator's Adam": optimiser.step,
        "codes of the second batch": second_batch,
        "a step of factor_vae": whole,
    }
    took = {f"{name}, ms": 1e3 * each for name, each in in_turn(parts).items()}
    step, vae = took["a step of factor_vae, ms"], took["a step of beta_vae, ms"]
    found = took | {
        "floor / beta_vae": (sum(took.values()) - step) / vae,
        "factor_vae / beta_vae": step / vae,
    }
    return {name: digits(value) for name, value in found.items()}


def prepared(method: Method) -> tuple[Callable[[], Any], nn.ModuleDict]:
    """A step of a method on a batch of dSprites, and its networks."""
    feed = Feed(method, distaff.load_dataset("dsprites"), 0)
    state = method.state(feed.facts, torch.Generator().manual_seed(0))
    batch, rng = feed.at(0)
    return lambda: feed.method(0).step(state, batch, rng), state.modules


def matrix_rate() -> float:
    """GFLOP/s of a large product."""
    square = Product(2048, 2048, 2048)
    return square.gflop / seconds_of(square)


PARTS = {"beta_vae": beta_vae, "two_threads": two_threads, "encoding": encoding, "factor_vae": factor_vae}


def every_layer(modules: nn.ModuleDict) -> Iterator[tuple[str, nn.Module, Tensor, bool]]:
    """The name, the layer with what follows it, its inputs, and whether they want a gradient."""
    images = torch.rand(BATCH, 1, 64, 64)
    for part, inputs in (("encoder", images), ("decoder", torch.randn(BATCH, 10))):
        for number, layer in enumerate(in_groups(to_channels_last(modules[part]).train())):
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


def measured(name: str, layer: nn.Module, inputs: Tensor, wants: bool, rate: float) -> dict[str, Any]:
    """The row of a layer, forward and backward."""
    forward = seconds(lambda: layer(inputs.detach().requires_grad_(wants)))
    both = seconds(lambda: forth_and_back(layer, inputs.detach().requires_grad_(wants)))
    took = {"forward ms": 1e3 * forward, "backward ms": 1e3 * (both - forward)}
    return row(name, took, products_of(layer[0], inputs, wants), rate)  # type: ignore[index]


def row(name: str, took: dict[str, float], products: list[Product], rate: float) -> dict[str, Any]:
    """A row of the table, of a layer that took so many milliseconds on a machine of so many GFLOP/s."""
    gflop = sum(product.gflop for product in products)
    found = took | {
        "GFLOP": gflop,
        "share of the rate": gflop / sum(took.values()) * 1e3 / rate,
        "as products ms": 1e3 * sum(map(seconds_of, products)),
    }
    return {"layer": name} | {what: digits(value) for what, value in found.items()}


def forth_and_back(layer: nn.Module, inputs: Tensor) -> None:
    """Run a layer, and its gradient for something that came back."""
    layer.zero_grad()
    made = layer(inputs)
    made.backward(made.detach())


def products_of(layer: nn.Module, inputs: Tensor, wants: bool) -> list[Product]:
    """The products forward, for the weights' gradient, and for the inputs' where they want one."""
    if isinstance(layer, nn.Linear):
        size = Product(len(inputs), layer.in_features, layer.out_features)
    elif isinstance(layer, nn.ConvTranspose2d):
        places = len(inputs) * inputs.shape[2] * inputs.shape[3]
        size = Product(places, layer.in_channels, TAPS * layer.out_channels)
    else:
        assert isinstance(layer, nn.Conv2d)
        places = len(inputs) * inputs.shape[2] * inputs.shape[3] // 4
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
    return in_turn({"": call})[""]


def in_turn(calls: dict[str, Callable[[], Any]]) -> dict[str, float]:
    """The median of some calls of each, made in turn, so that a slow moment is a moment of all."""
    times: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(REPEATS):
        for name, call in calls.items():
            began = time.perf_counter()
            call()
            times[name].append(time.perf_counter() - began)
    return {name: statistics.median(each) for name, each in times.items()}


def digits(value: float) -> float:
    return float(f"{value:.4g}")


if __name__ == "__main__":
    if set(sys.argv[1:]) <= set(PARTS):
        main(sys.argv[1:])
    else:
        sys.exit(f"usage: python benchmarks/layers.py [{' '.join(PARTS)}]")
