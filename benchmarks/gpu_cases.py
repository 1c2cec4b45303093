"""The ways to train on a GPU that gpu.py compares."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import NamedTuple

import torch
from gpu_bench import Bench

from distaff import registry
from distaff.batches import batch as batches
from distaff.batches.feed import Feed
from distaff.methods.state import State
from distaff.networks.as_one import as_one
from distaff.training.device import arithmetic
from distaff.training.graph import Graph, OneByOne, Steps
from distaff.training.many import Many
from distaff.training.side_by_side import graph_of_some

BATCH = 64
ALWAYS = range(10**9)  # steps that a graph may be asked for
WAYS = ("torch", "mixed", "products")
PRECISIONS = ("float32", "tf32", "bfloat16")
SEEDS = (100, 101, 102)


class Case(NamedTuple):
    """How runs are trained: how many, as `one by one`, `graph`, `branches` of one or `stacked` (see many.py).

    `way` of convolutions: as torch does them, or one of distaff.networks.as_one. `algorithms`: those that
    repeat bytes, any, or those that cudnn times to be the quickest.
    """

    runs: int = 1
    how: str = "graph"
    way: str = "torch"
    precision: str = "float32"
    algorithms: str = "repeatable"
    noise: str = "device"
    contiguous: bool = False

    def __str__(self) -> str:
        words = [f"{self.runs} runs" if self.runs > 1 else "1 run", self.how, self.way, self.precision]
        words += [self.algorithms, *["noise of the host"] * (self.noise == "host")]
        return ", ".join([*words, *["contiguous"] * self.contiguous]) + ": images/s"


ALONE = [
    Case(how="one by one", noise="host"),
    Case(how="one by one"),
    *(Case(1, "graph", way, p, a) for p in PRECISIONS for a in ("repeatable", "any") for way in WAYS[:2]),
    Case(1, "graph", "mixed", "tf32", "any", contiguous=True),
    Case(1, "graph", "mixed", "tf32", "timed"),
    Case(1, "graph", "shifted", "tf32", "repeatable"),
]
BESIDE = [
    *(Case(16, "branches", "mixed", p, a) for p in PRECISIONS for a in ("repeatable", "any")),
    Case(16, "branches", "torch", "tf32", "any"),
    *(Case(n, "branches", "mixed", "tf32", "any") for n in (2, 4, 8, 32)),
    Case(32, "branches", "mixed", "float32", "repeatable"),
]
STACKED = [
    *(Case(64, "stacked", way, p, "any") for p in PRECISIONS for way in ("shifted", "mixed")),
    *(Case(64, "stacked", "grouped", p, "any") for p in PRECISIONS[1:]),
    Case(64, "stacked", "products", "bfloat16", "any"),
    Case(64, "stacked", "mixed", "tf32", "repeatable"),
    *(Case(n, "stacked", "shifted", "tf32", "any") for n in (4, 8, 16, 32, 128)),
    Case(128, "stacked", "shifted", "bfloat16", "any"),
]


@contextlib.contextmanager
def taken_in(
    bench: Bench, case: Case, method: str = "beta_vae", data: str = "dsprites"
) -> Iterator[tuple[Steps, list[State]]]:
    """What takes the steps of the runs of a case, for the block, and their states."""
    settings = {"precision": case.precision}
    made = registry.get("methods", method)(**settings)
    seeds = range(SEEDS[0], SEEDS[0] + case.runs)
    feeds = [Feed(made, bench.data(data), seed, bench.device, noise=case.noise) for seed in seeds]
    states = [made.state(feeds[0].facts, torch.Generator().manual_seed(seed)) for seed in seeds]
    layout = torch.contiguous_format if case.contiguous else torch.preserve_format
    for state in states:
        state.modules.to(bench.device, memory_format=layout).train()
    way = "grouped" if case.way == "torch" else case.way  # which torch's are where weights are not stacked
    with arithmetic(case.precision == "tf32"), laid_out(case.contiguous), as_one(way):
        torch.backends.cudnn.deterministic = case.algorithms == "repeatable"
        torch.backends.cudnn.benchmark = case.algorithms == "timed"
        try:
            yield steps_of(case, feeds, states), states
        finally:
            torch.backends.cudnn.benchmark = False


def steps_of(case: Case, feeds: list[Feed], states: list[State]) -> Steps:
    """What takes the steps of runs."""
    if case.how == "one by one":
        return OneByOne(feeds[0], states[0])
    if case.how == "stacked":
        runs = Many(feeds, states, case.way)
        return Graph(feeds, runs.take, runs, ALWAYS, runs.moving)
    return graph_of_some(feeds, states, ALWAYS)


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
