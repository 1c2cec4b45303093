"""What engine.py measures, each in a process of its own.

    python benchmarks/engine_calls.py NAME THREADS [MORE ...]     # prints its numbers as JSON

The yardstick is plain eager PyTorch as anyone would write it: the same networks out of torch's own layers,
NCHW float32, Adam, batches of 64 from a float tensor in memory, torch's default allocator.
"""

from __future__ import annotations

import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

STEPS = 300


def yardstick(threads: int) -> dict[str, float]:
    """Images a second of the minimal loop."""
    import torch
    from minimal import minimal_networks, minimal_step

    import distaff

    torch.set_num_threads(threads)
    torch.manual_seed(0)
    encoder, decoder = minimal_networks()
    optimiser = torch.optim.Adam([*encoder.parameters(), *decoder.parameters()], lr=1e-4)
    data = distaff.load_dataset("dsprites")
    index = torch.randint(len(data), (10_000,))
    images = torch.from_numpy(data.images(index.numpy())).float() / 255
    began = time.perf_counter()
    for _ in range(STEPS):
        minimal_step(encoder, decoder, optimiser, images[torch.randint(len(images), (64,))])
    return {"images_per_second": STEPS * 64 / (time.perf_counter() - began)}


def ours(
    threads: int, method: str = "beta_vae", resolution: int | str = 64, steps: int | str = STEPS
) -> dict[str, float]:
    """Images a second of a whole `distaff.train`: data, logging, checkpoints and final files included.

    A step has 64 images, as the yardstick's has, whatever the method's own batch is. Imports are left out.
    """
    import torch._dynamo  # noqa: F401  by Adam, once a process; the yardstick's Adam has done so when it begins

    import distaff
    from distaff.training import train  # noqa: F401

    data = distaff.load_dataset("dsprites", resolution=int(resolution))
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        how = {"steps": int(steps), "threads": threads, "batch_size": 64}
        distaff.train(method, data, out=Path(folder) / "run", show=False, **how)
        seconds = time.perf_counter() - began
    return {"images_per_second": int(steps) * 64 / seconds, "megabytes": peak_memory()}


def without_allocator(threads: int) -> dict[str, float]:
    """As `ours`, with torch's default allocator."""
    from distaff.training import train

    train.keep_freed_memory = lambda: False  # type: ignore[assignment]
    return ours(threads)


def without_shares(threads: int, method: str, resolution: int | str, steps: int | str) -> dict[str, float]:
    """As `ours`, with every operation on torch's own threads, which spin while they wait for each other."""
    from contextlib import contextmanager

    from distaff.training import train

    @contextmanager
    def torchs_own(threads: int, rows: int) -> Iterator[None]:
        import torch

        torch.set_num_threads(threads)
        yield

    train.network_threads = torchs_own  # type: ignore[assignment]
    return ours(threads, method, resolution, steps)


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
            terms = feed.method(step).step(state, batch, rng)
            times.append(time.perf_counter())
            window.add(list(terms), torch.stack(list(terms.values())))
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


def card(threads: int) -> dict[str, float]:
    """Seconds of a card of 100,000 rows of 10 codes: its values, and all of it with an empty cache."""
    from middling_codes import codes_of, rows_of

    import distaff

    factors = rows_of(100_000)
    codes = codes_of(factors)
    with tempfile.TemporaryDirectory() as cache:
        os.environ["XDG_CACHE_HOME"] = cache
        os.environ.pop("DISTAFF_DATA", None)  # which would have a cache of its own
        distaff.score(codes[:500], factors[:500], values_only=True)  # imports what it needs
        began = time.perf_counter()
        distaff.score(codes, factors, values_only=True)
        valued = time.perf_counter()
        distaff.score(codes, factors)
        return {"values_seconds": valued - began, "seconds": time.perf_counter() - valued}


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


if __name__ == "__main__":
    name, threads, *more = sys.argv[1:]
    print(json.dumps(globals()[name](int(threads), *more)))
