"""The parts of gpu.py: what is measured on a CUDA GPU."""

from __future__ import annotations

import contextlib
import statistics
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch
from gpu_bench import Bench
from torch import Tensor, nn
from torch.nn import functional as F

import distaff
from distaff import registry
from distaff.batches import batch as batches
from distaff.batches.feed import Feed
from distaff.methods.base import Method
from distaff.training.device import arithmetic
from distaff.training.graph import Graph, OneByOne, graph_of
from distaff.training.many import Many

BATCH = 64
ALWAYS = range(10**9)  # steps that a graph may be asked for
TOGETHER = (8, 64, 2, 32, 4, 16)  # runs as one, what matters most first
WAYS = ("products", "grouped")
PRECISIONS = ("float32", "tf32", "bfloat16")
SEEDS = (100, 101, 102)
METHODS = ("beta_vae", "annealed_vae", "factor_vae", "dip_vae_i", "dip_vae_ii", "beta_tc_vae")  # of the study
MODELS, STEPS = 12_600, 300_000  # of the study, Locatello et al. 2019
COLOUR = 5 / 7  # of its data sets have three channels

Step = Callable[[int], Any]


def ceiling(bench: Bench) -> None:
    """What products of large matrices make, in TFLOP/s."""
    for name, kind, tf32 in (
        ("float32", torch.float32, False),
        ("tf32", torch.float32, True),
        ("bfloat16", torch.bfloat16, False),
    ):
        bench.tried("ceiling", f"matrix product, {name}: TFLOP/s", product, bench, kind, tf32)


def product(bench: Bench, kind: torch.dtype, tf32: bool) -> float:
    """TFLOP/s of a product of random 8192 x 8192 matrices."""
    a, b = (torch.randn(8192, 8192, device=bench.device, dtype=kind) for _ in range(2))
    with arithmetic(tf32):
        return bench.rate(lambda _: a @ b, 1) * 2 * 8192**3 / 1e12


def plain(bench: Bench) -> None:
    """A plain training loop of the same networks, as anyone would write it, on images on the device."""
    data = bench.data()
    images = data.images(torch.arange(0, len(data), 36))
    for name, layout in (("", torch.contiguous_format), (", channels last", torch.channels_last)):
        what = f"plain eager loop{name}: images/s"
        with arithmetic():
            rate = bench.tried("plain", what, bench.rate, plain_step(images, layout), BATCH)
        bench.share("plain", what, rate)


def plain_step(images: Tensor, layout: torch.memory_format) -> Callable[[int], Any]:
    """A step of such a loop."""
    sides = [(1, 32), (32, 32), (32, 64), (64, 64)]
    down = [layer for a, b in sides for layer in (nn.Conv2d(a, b, 4, 2, 1), nn.ReLU())]
    up = [layer for b, a in sides[::-1] for layer in (nn.ReLU(), nn.ConvTranspose2d(a, b, 4, 2, 1))]
    encoder = nn.Sequential(*down, nn.Flatten(), nn.Linear(1024, 256), nn.ReLU(), nn.Linear(256, 20))
    decoder = nn.Sequential(
        nn.Linear(10, 256), nn.ReLU(), nn.Linear(256, 1024), nn.Unflatten(1, (64, 4, 4)), *up
    )
    networks = nn.ModuleList([encoder, decoder]).to(images.device).to(memory_format=layout)
    optimiser = torch.optim.Adam(networks.parameters(), lr=1e-4)

    def step(_: int) -> None:
        rows = torch.randint(len(images), (BATCH,), device=images.device)
        batch = (images[rows].float() / 255).to(memory_format=layout)
        mean, logvar = encoder(batch).chunk(2, dim=1)
        logits = decoder(mean + torch.exp(logvar / 2) * torch.randn_like(mean))
        reconstruction = F.binary_cross_entropy_with_logits(logits, batch, reduction="sum") / BATCH
        loss = reconstruction + 4 * 0.5 * (mean**2 + logvar.exp() - logvar - 1).sum() / BATCH
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()

    return step


def alone(bench: Bench) -> None:
    """One run: step by step, as a graph, with other arithmetic, layouts and algorithms."""
    for name, options in {
        "one by one, noise of the host": {"noise": "host", "graph": False},
        "one by one": {"graph": False},
        "a graph": {},
        "a graph, tf32": {"precision": "tf32"},
        "a graph, contiguous": {"contiguous": True},
        "a graph, contiguous, tf32": {"contiguous": True, "precision": "tf32"},
        "a graph, any algorithms": {"deterministic": False},
        "a graph, any algorithms, tf32": {"deterministic": False, "precision": "tf32"},
        "a graph, bfloat16": {"precision": "bfloat16"},
    }.items():
        what = f"distaff, {name}: images/s"
        rate = bench.tried("alone", what, of_one, bench, **options)
        bench.share("alone", what, rate)


def of_one(
    bench: Bench,
    method: str = "beta_vae",
    data: str = "dsprites",
    noise: str = "device",
    graph: bool = True,
    contiguous: bool = False,
    deterministic: bool = True,
    **settings: Any,
) -> float:
    """Images a second of one run."""
    made = registry.get("methods", method)(**settings)
    feed = Feed(made, bench.data(data), SEEDS[0], bench.device, noise=noise)
    state = made.state(feed.facts, torch.Generator().manual_seed(SEEDS[0]))
    state.modules.to(bench.device).train()
    with arithmetic(settings.get("precision") == "tf32"), laid_out(contiguous):
        torch.backends.cudnn.deterministic = deterministic
        if contiguous:
            state.modules.to(memory_format=torch.contiguous_format)
        taken = graph_of(feed, state, ALWAYS) if graph else OneByOne(feed, state)
        return bench.rate(taken.step, BATCH)


@contextlib.contextmanager
def laid_out(contiguous: bool) -> Iterator[None]:
    """Images laid out channel by channel for the block, where they are to be contiguous."""
    before = batches.to_unit
    if contiguous:
        batches.to_unit = lambda *given: before(*given).contiguous()
    try:
        yield
    finally:
        batches.to_unit = before


def many(bench: Bench) -> None:
    """Runs as one, in both ways of convolutions."""
    for count in TOGETHER[:2] if bench.quick else TOGETHER:
        for precision in PRECISIONS[:2]:
            for way in WAYS:
                what = together(count, way, precision)
                rate = bench.tried("many", what, of_many, bench, count, way, precision=precision)
                bench.share("many", what, rate)


def together(count: int, way: str, precision: str) -> str:
    """What a rate of runs as one is called."""
    return f"{count} runs as one, {way}, {precision}: images/s"


def of_many(
    bench: Bench, count: int, way: str, method: str = "beta_vae", data: str = "dsprites", **settings: Any
) -> float:
    """Images a second of so many runs as one, all together."""
    made: Method = registry.get("methods", method)(**settings)
    seeds = range(SEEDS[0], SEEDS[0] + count)
    feeds = [Feed(made, bench.data(data), seed, bench.device, noise="device") for seed in seeds]
    states = [made.state(feeds[0].facts, torch.Generator().manual_seed(seed)) for seed in seeds]
    for state in states:
        state.modules.to(bench.device).train()
    with arithmetic(settings.get("precision") == "tf32"):
        runs = Many(feeds, states, way)
        taken = Graph(feeds, runs.take, runs, ALWAYS, runs.moving)
        return bench.rate(taken.step, BATCH * count)


def best(bench: Bench, precision: str) -> tuple[int, str]:
    """How many runs as one were quickest, and in which way."""
    found = bench.found.get("many", {})
    options = [(count, way) for count in TOGETHER for way in WAYS if together(count, way, precision) in found]
    return max(options, key=lambda each: found[together(*each, precision)], default=(8, WAYS[0]))


def methods(bench: Bench) -> None:
    """The study's other methods and three channels, with as many runs as one as beta-VAE likes best."""
    cases = [(method, "dsprites") for method in METHODS[1:]] + [("beta_vae", "color_dsprites")]
    cases.sort(key=lambda case: ("factor_vae", "beta_tc_vae", "beta_vae").count(case[0]), reverse=True)
    for precision in PRECISIONS[:2]:
        count, way = best(bench, precision)
        for method, data in cases[:2] if bench.quick else cases:
            what = f"{method} on {data}, {together(count, way, precision)}"
            given = (bench, count, way, method, data)
            bench.tried("methods", what, of_many, *given, precision=precision)


def projection(bench: Bench) -> None:
    """GPU-days that training the study's models takes at these rates, each method with a sixth of them.

    A method that was not measured counts as beta-VAE. Data sets in colour cost it more as beta-VAE.
    """
    for precision in PRECISIONS[:2]:
        as_one = together(*best(bench, precision), precision)
        grey = bench.found.get("many", {}).get(as_one)
        if grey is None:
            continue
        found = bench.found.get("methods", {})
        rates = [found.get(f"{method} on dsprites, {as_one}", grey) for method in METHODS]
        colour = found.get(f"beta_vae on color_dsprites, {as_one}", grey) / grey
        images = MODELS / len(METHODS) * STEPS * BATCH
        seconds = sum(images * (1 - COLOUR) / rate + images * COLOUR / (rate * colour) for rate in rates)
        bench.keep(
            "projection", f"the study's {MODELS:,} models, {precision}: GPU-days (< 14)", seconds / 86_400
        )


def precision(bench: Bench) -> None:
    """What arithmetic does to scores: whole runs, scored, of three seeds each."""
    steps = 1000 if bench.quick else 6000
    for kind in PRECISIONS:
        scores: dict[str, list[float]] = {}
        for seed in SEEDS[: 1 if bench.quick else 3]:
            what = f"{kind}, seed {seed}, {steps} steps: images/s of distaff.train"
            bench.tried("precision", what, whole_run, bench, kind, seed, steps, scores)
        for name, values in scores.items():
            bench.keep("precision", f"{kind}: {name}, mean of {len(values)} seeds", statistics.fmean(values))
            if len(values) > 1:
                bench.keep("precision", f"{kind}: {name}, deviation over seeds", statistics.stdev(values))


def whole_run(bench: Bench, kind: str, seed: int, steps: int, scores: dict[str, list[float]]) -> float:
    """Train and score a run; its images a second."""
    options = {"precision": kind, "learning_rate": 5e-4, "device": bench.device.type, "show": False}
    with tempfile.TemporaryDirectory() as folder:
        run = distaff.train(
            "beta_vae", "dsprites", seed=seed, steps=steps, out=Path(folder) / "run", **options
        )
        card = distaff.evaluate(run, metrics=["mig", "sap", "modularity"], values_only=True, show=False)
        lines = run.history()
    for name in ("mig", "sap", "modularity"):
        scores.setdefault(name, []).append(card[name].value)
    for name in ("reconstruction", "kl"):
        scores.setdefault(name, []).append(lines[-1][name])
    return statistics.median(line["images_per_second"] for line in lines[1:])


def compiled(bench: Bench) -> None:
    """One run whose networks torch compiles first, which takes a minute."""
    if not bench.quick:
        what = "distaff, a graph, compiled, tf32: images/s"
        bench.tried("alone", what, of_one, bench, compile=True, precision="tf32")


PARTS: dict[str, Callable[[Bench], None]] = {
    part.__name__: part for part in (ceiling, plain, alone, many, methods, projection, precision, compiled)
}
