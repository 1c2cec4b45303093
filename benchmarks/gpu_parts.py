"""The parts of gpu.py: what is measured on a CUDA GPU."""

from __future__ import annotations

import itertools
import statistics
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from gpu_bench import Bench
from gpu_cases import ALONE, BATCH, BESIDE, PRECISIONS, SEEDS, STACKED, Case, taken_in
from minimal import minimal_networks, minimal_step
from torch import Tensor, nn
from torch.profiler import ProfilerActivity, profile

import distaff
from distaff.training.device import arithmetic

REPEATED, PROFILED = 60, 5  # steps
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
    encoder, decoder = minimal_networks()
    networks = nn.ModuleList([encoder, decoder]).to(images.device).to(memory_format=layout)
    optimiser = torch.optim.Adam(networks.parameters(), lr=1e-4)

    def step(_: int) -> None:
        rows = torch.randint(len(images), (BATCH,), device=images.device)
        batch = (images[rows].float() / 255).to(memory_format=layout)
        minimal_step(encoder, decoder, optimiser, batch)

    return step


def measured(bench: Bench, part: str, cases: list[Case]) -> None:
    """The rates of cases."""
    for case in cases[::3] if bench.quick else cases:
        bench.share(part, str(case), bench.tried(part, str(case), rate_of, bench, case))


def alone(bench: Bench) -> None:
    """One run."""
    measured(bench, "alone", ALONE)


def many(bench: Bench) -> None:
    """Runs together: in branches of one graph, and with stacked weights."""
    measured(
        bench, "many", [case for pair in itertools.zip_longest(BESIDE, STACKED) for case in pair if case]
    )


def rate_of(bench: Bench, case: Case, method: str = "beta_vae", data: str = "dsprites") -> float:
    """Images a second of the runs of a case, all together."""
    with taken_in(bench, case, method, data) as (taken, _):
        return bench.rate(taken.step, BATCH * case.runs)


def best(bench: Bench, precision: str, parts: tuple[str, ...] = ("many", "alone")) -> Case | None:
    """The quickest case of a precision."""
    found = {what: value for part in parts for what, value in bench.found.get(part, {}).items()}
    cases = [
        case for case in (*ALONE, *BESIDE, *STACKED) if case.precision == precision and str(case) in found
    ]
    return max(cases, key=lambda case: found[str(case)], default=None)


def methods(bench: Bench) -> None:
    """Other methods of the study and three channels, in the way that is quickest for beta-VAE."""
    pairs = [("factor_vae", "dsprites"), ("beta_tc_vae", "dsprites"), ("beta_vae", "color_dsprites")]
    for precision in ("tf32", "float32"):
        case = best(bench, precision)
        for method, data in pairs[: 1 if bench.quick else 3] if case else []:
            bench.tried("methods", f"{method} on {data}, {case}", rate_of, bench, case, method, data)


def projection(bench: Bench) -> None:
    """GPU-days that training the study's models takes at these rates, each method with a sixth of them.

    A method that was not measured counts as beta-VAE. Data sets in colour cost every method what they cost
    beta-VAE.
    """
    for precision in PRECISIONS:
        case = best(bench, precision)
        if case is None:
            continue
        part = "many" if str(case) in bench.found.get("many", {}) else "alone"
        grey, found = bench.found[part][str(case)], bench.found.get("methods", {})
        rates = [found.get(f"{method} on dsprites, {case}", grey) for method in METHODS]
        colour = found.get(f"beta_vae on color_dsprites, {case}", grey) / grey
        images = MODELS / len(METHODS) * STEPS * BATCH
        seconds = sum(images * (1 - COLOUR) / rate + images * COLOUR / (rate * colour) for rate in rates)
        what = f"the study's {MODELS:,} models, {precision}: GPU-days (< 14)"
        bench.keep("projection", what, seconds / 86_400)


def repeats(bench: Bench) -> None:
    """In how many weights two runs of one seed differ after some steps."""
    for precision in PRECISIONS:
        for algorithms in ("repeatable", "any"):
            case = Case(1, "graph", "mixed", precision, algorithms)
            what = (
                f"{precision}, {algorithms} algorithms: share of weights that differ after {REPEATED} steps"
            )
            bench.tried("repeats", what, difference, bench, case)


def difference(bench: Bench, case: Case) -> float:
    """The share of a run's weights that differ when it is trained a second time."""
    weights = []
    for _ in range(2):
        with taken_in(bench, case) as (taken, states):
            for step in range(REPEATED):
                taken.step(step)
            weights.append(torch.cat([value.detach().flatten() for value in states[0].modules.parameters()]))
    return float((weights[0] != weights[1]).double().mean())


def kernels(bench: Bench) -> None:
    """Where the time of some steps goes, printed alone."""
    wanted = [best(bench, "tf32"), Case(1, "graph", "mixed", "tf32", "any")]
    wanted += [best(bench, "float32"), Case(64, "stacked", "products", "bfloat16", "any")]
    for case in [] if bench.quick else dict.fromkeys(wanted):
        if case:
            bench.tried("kernels", f"{case}, milliseconds of {PROFILED} steps", profiled, bench, case)


def profiled(bench: Bench, case: Case) -> float:
    """Print the operations that take most of the device's time in some steps; their time in all, in ms."""
    with taken_in(bench, case) as (taken, _):
        taken.step(0)
        torch.cuda.synchronize()
        with profile(activities=[ProfilerActivity.CUDA]) as seen:
            for step in range(1, PROFILED + 1):
                taken.step(step)
            torch.cuda.synchronize()
    rows = sorted(seen.key_averages(), key=lambda row: -row.self_device_time_total)
    whole = sum(row.self_device_time_total for row in rows)
    for row in rows[:14]:
        share, each = row.self_device_time_total / max(whole, 1), row.self_device_time_total / row.count
        print(f"    {share:6.1%} {row.count:6d} x {each:8.1f} us  {row.key[:110]}")
    return whole / 1e3


def precision(bench: Bench) -> None:
    """What arithmetic does to scores: whole runs, scored, of three seeds each."""
    steps = 500 if bench.quick else 2000
    found: dict[str, dict[str, list[float]]] = {kind: {} for kind in PRECISIONS}
    for seed in SEEDS[: 1 if bench.quick else 3]:
        for kind in PRECISIONS:
            what = f"{kind}, seed {seed}, {steps} steps: images/s of distaff.train"
            bench.tried("precision", what, whole_run, bench, kind, seed, steps, found[kind])
    for kind, scores in found.items():
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


PARTS: dict[str, Callable[[Bench], None]] = {
    part.__name__: part
    for part in (ceiling, plain, alone, many, methods, projection, repeats, precision, kernels)
}
