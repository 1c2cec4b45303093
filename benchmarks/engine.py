"""How fast distaff trains, encodes and scores, as ratios to a minimal hand-written loop on the same machine.

    python benchmarks/engine.py                 # all parts, about half an hour on two idle cores
    python benchmarks/engine.py steps encode    # some of them

Every measurement is a process of its own, and what is compared alternates, three times each. Prints a table
and writes benchmarks/results/engine.json (medians, and every single measurement).

The yardstick is plain eager PyTorch as anyone would write it: the same networks out of torch's own layers,
NCHW float32, Adam, batches of 64 from a float tensor in memory, torch's default allocator.
"""

from __future__ import annotations

import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results" / "engine.json"
STEPS = 300
REPEATS = 3
MFLOP = 98  # of a 64x64x1 image and step: forward and backward through encoder and decoder
THREADS = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
METHODS = ("factor_vae", "beta_tc_vae", "dip_vae_i", "ada_gvae", "slow_vae", "hfs_vae", "qlae")

# ---- what is measured, each in a process of its own ----


def yardstick(threads: int) -> dict[str, float]:
    """Images a second of the minimal loop."""
    import torch
    from torch import nn
    from torch.nn import functional as F

    import distaff

    torch.set_num_threads(threads)
    torch.manual_seed(0)
    sides = [(1, 32), (32, 32), (32, 64), (64, 64)]
    down = [layer for a, b in sides for layer in (nn.Conv2d(a, b, 4, 2, 1), nn.ReLU())]
    up = [layer for b, a in sides[::-1] for layer in (nn.ReLU(), nn.ConvTranspose2d(a, b, 4, 2, 1))]
    encoder = nn.Sequential(*down, nn.Flatten(), nn.Linear(1024, 256), nn.ReLU(), nn.Linear(256, 20))
    decoder = nn.Sequential(
        nn.Linear(10, 256), nn.ReLU(), nn.Linear(256, 1024), nn.Unflatten(1, (64, 4, 4)), *up
    )
    optimiser = torch.optim.Adam([*encoder.parameters(), *decoder.parameters()], lr=1e-4)
    data = distaff.load_dataset("dsprites")
    index = torch.randint(len(data), (10_000,))
    images = torch.from_numpy(data.images(index.numpy())).float() / 255
    began = time.perf_counter()
    for _ in range(STEPS):
        batch = images[torch.randint(len(images), (64,))]
        mean, logvar = encoder(batch).chunk(2, dim=1)
        logits = decoder(mean + torch.exp(logvar / 2) * torch.randn_like(mean))
        reconstruction = F.binary_cross_entropy_with_logits(logits, batch, reduction="sum") / 64
        kl = 0.5 * (mean**2 + logvar.exp() - logvar - 1).sum() / 64
        loss = reconstruction + 4 * kl
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return {"images_per_second": STEPS * 64 / (time.perf_counter() - began)}


def ours(threads: int, method: str = "beta_vae") -> dict[str, float]:
    """Images a second of a whole `distaff.train`: data, logging, checkpoints and final files included."""
    import distaff
    from distaff.training import train  # noqa: F401  importing torch takes seconds, here as in the yardstick

    data = distaff.load_dataset("dsprites")
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        distaff.train(method, data, steps=STEPS, out=Path(folder) / "run", threads=threads, show=False)
        seconds = time.perf_counter() - began
    return {"images_per_second": STEPS * 64 / seconds, "megabytes": peak_memory()}


def without_allocator(threads: int) -> dict[str, float]:
    """As `ours`, with torch's default allocator."""
    from distaff.training import train

    train.keep_freed_memory = lambda: False  # type: ignore[assignment]
    return ours(threads)


def matmul(threads: int) -> dict[str, float]:
    """GFLOP a second of a float32 product of 2048 x 2048 matrices."""
    import torch

    torch.set_num_threads(threads)
    a, b = torch.rand(2048, 2048), torch.rand(2048, 2048)
    times = []
    for _ in range(30):
        began = time.perf_counter()
        torch.mm(a, b)
        times.append(time.perf_counter() - began)
    return {"gflops": 2 * 2048**3 / statistics.median(times) / 1e9}


def data_path(threads: int) -> dict[str, float]:
    """The share of a step that making its batch and logging its terms take."""
    import torch

    import distaff
    from distaff.batches.feed import Feed
    from distaff.methods.beta_vae import BetaVAE
    from distaff.training.allocator import keep_freed_memory
    from distaff.training.history import Window

    keep_freed_memory()
    torch.set_num_threads(threads)
    method = BetaVAE()
    feed = Feed(method, distaff.load_dataset("dsprites"), 0)
    state = method.state(feed.facts, torch.Generator().manual_seed(0))
    spent = {"data": 0.0, "step": 0.0, "log": 0.0}
    with tempfile.TemporaryDirectory() as folder:
        window = Window(Path(folder) / "history.jsonl", 64)
        for step in range(STEPS):
            times = [time.perf_counter()]
            batch, rng = feed.at(step)
            times.append(time.perf_counter())
            terms = method.at(step).step(state, batch, rng)
            times.append(time.perf_counter())
            window.add(terms)
            if (step + 1) % 100 == 0:
                window.write(step + 1)
            times.append(time.perf_counter())
            for name, before, after in zip(spent, times[:-1], times[1:], strict=True):
                spent[name] += after - before
    total = sum(spent.values())
    return {"data": spent["data"] / total, "log": spent["log"] / total}


def encode(threads: int) -> dict[str, float]:
    """Images a second of encoding 100,000 images of dSprites, and seconds to score them, values only."""
    import distaff

    with tempfile.TemporaryDirectory() as folder:
        run = distaff.train("beta_vae", "dsprites", steps=1, out=folder + "/run", threads=threads, show=False)
        began = time.perf_counter()
        from distaff.evaluation.encode import encode_run

        encode_run(run, 100_000, show=False)
        encoded = time.perf_counter()
        distaff.evaluate(run, rows=100_000, values_only=True, show=False)
    return {
        "images_per_second": 100_000 / (encoded - began),
        "encode_and_score_seconds": time.perf_counter() - began,
    }


def encode_all(threads: int) -> dict[str, float]:
    """Seconds to encode every image of dSprites and score them with the default card, values only."""
    import distaff

    with tempfile.TemporaryDirectory() as folder:
        run = distaff.train("beta_vae", "dsprites", steps=1, out=folder + "/run", threads=threads, show=False)
        from distaff.evaluation.encode import encode_run

        began = time.perf_counter()
        encode_run(run, None, show=False)
        encoded, megabytes = time.perf_counter(), peak_memory()
        distaff.evaluate(run, rows=None, values_only=True, show=False)
        scored = time.perf_counter()
    return {
        "encode_seconds": encoded - began,
        "encode_and_score_seconds": scored - began,
        "encode_megabytes": megabytes,
        "megabytes": peak_memory(),
    }


def help_text(threads: int) -> dict[str, float]:
    """`distaff --help` in units of `python -c pass`."""

    def seconds(words: list[str]) -> float:
        began = time.perf_counter()
        subprocess.run([sys.executable, *words], check=True, capture_output=True)
        return time.perf_counter() - began

    nothing = statistics.median(seconds(["-c", "pass"]) for _ in range(9))
    asked = statistics.median(seconds(["-m", "distaff.cli", "--help"]) for _ in range(9))
    return {"seconds": asked, "ratio": asked / nothing}


def peak_memory() -> float:
    """The most memory that this process ever held, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6


# ---- the parts of the report ----


def measured(*calls: tuple[Any, ...], together: int = 1) -> list[dict[str, float]]:
    """The medians of each call, made in turn REPEATS times, by `together` processes at once, added up."""
    found: list[list[dict[str, float]]] = [[] for _ in calls]
    for _ in range(REPEATS):
        for place, call in enumerate(calls):
            words = [sys.executable, __file__, "measure", *map(str, call)]
            running = [subprocess.Popen(words, stdout=subprocess.PIPE, text=True) for _ in range(together)]
            results = [json.loads(process.communicate()[0]) for process in running]
            added = {key: sum(result[key] for result in results) for key in results[0]}
            found[place].append(added)
            print(f"{' '.join(map(str, call))}: {added}", file=sys.stderr)
    return [{key: statistics.median(one[key] for one in each) for key in each[0]} for each in found]


def steps() -> dict[str, Any]:
    """Training against the yardstick, and against the rate of a matrix product."""
    base, full, plain, product = measured(
        ("yardstick", THREADS), ("ours", THREADS), ("without_allocator", THREADS), ("matmul", THREADS)
    )
    (two,) = measured(("ours", 1), together=2)
    rate = full["images_per_second"]
    return {
        "yardstick images/s": base["images_per_second"],
        "distaff images/s": rate,
        "distaff / yardstick (>= 1.8)": rate / base["images_per_second"],
        "the same with torch's allocator": plain["images_per_second"] / base["images_per_second"],
        "two one-thread processes / yardstick (>= 2.2)": two["images_per_second"] / base["images_per_second"],
        "matrix product GFLOP/s": product["gflops"],
        "distaff's share of it": rate * MFLOP / 1e3 / product["gflops"],
        "yardstick's share of it": base["images_per_second"] * MFLOP / 1e3 / product["gflops"],
        "peak MB of a training process (<= 700)": full["megabytes"],
    }


def overheads() -> dict[str, Any]:
    """What is not arithmetic."""
    path, words = measured(("data_path", THREADS), ("help_text", 1))
    return {
        "data path and logging, share of a step (< .03)": path["data"] + path["log"],
        "--help in units of python -c pass (<= 20)": words["ratio"],
        "--help seconds": words["seconds"],
    }


def encoding() -> dict[str, Any]:
    """Encoding and scoring."""
    (part,) = measured(("encode", THREADS))
    return {
        "encoding images/s (>= 4000)": part["images_per_second"],
        "100,000 images encoded and scored, values only, s (< 60)": part["encode_and_score_seconds"],
    }


def everything() -> dict[str, Any]:
    """All of dSprites."""
    (whole,) = measured(("encode_all", THREADS))
    return {
        "all of dSprites encoded, s": whole["encode_seconds"],
        "all of dSprites encoded and scored, s (< 240)": whole["encode_and_score_seconds"],
        "peak MB of encoding it (<= 1000)": whole["encode_megabytes"],
        "peak MB with scoring": whole["megabytes"],
    }


def methods() -> dict[str, Any]:
    """A step of other methods in units of beta_vae's."""
    rates = measured(("ours", THREADS), *(("ours", THREADS, name) for name in METHODS))
    base = rates[0]["images_per_second"]
    return {
        f"step of {name} / beta_vae": base / rate["images_per_second"]
        for name, rate in zip(METHODS, rates[1:], strict=True)
    }


PARTS: dict[str, Callable[[], dict[str, Any]]] = {
    "steps": steps,
    "overheads": overheads,
    "encode": encoding,
    "everything": everything,
    "methods": methods,
}


def machine() -> dict[str, Any]:
    """Where and with what this was measured."""
    import torch

    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True)
    names = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    return {
        "processor": names[0].split(":")[1].strip() if names else platform.processor(),
        "threads": THREADS,
        "torch": str(torch.__version__),
        "commit": commit.stdout.strip(),
        "date": time.strftime("%Y-%m-%d"),
    }


def main(wanted: list[str]) -> None:
    """Measure the wanted parts, print them, and keep them beside the others."""
    kept = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    for name in wanted or list(PARTS):
        kept[name] = {key: float(f"{value:.4g}") for key, value in PARTS[name]().items()} | {"on": machine()}
        RESULTS.write_text(json.dumps(kept, indent=2) + "\n")
        for key, value in kept[name].items():
            print(f"{key:<60} {value}")


if __name__ == "__main__":
    if sys.argv[1:2] == ["measure"]:
        name, threads, *rest = sys.argv[2:]
        print(json.dumps(globals()[name](int(threads), *rest)))
    elif set(sys.argv[1:]) <= set(PARTS):
        main(sys.argv[1:])
    else:
        sys.exit(f"usage: python benchmarks/engine.py [{' '.join(PARTS)}]")
