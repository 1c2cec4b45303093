"""How fast distaff trains, encodes and scores, as ratios to a minimal hand-written loop on the same machine.

    python benchmarks/engine.py                 # all parts, about half an hour on two idle cores
    python benchmarks/engine.py steps encode    # some of them

Every measurement is a process of its own (see engine_calls.py), and what is compared alternates. Prints a
table of medians and writes benchmarks/results/engine.json.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from circumstances import circumstances, keep

from distaff.machine import cores

CALLS = Path(__file__).with_name("engine_calls.py")
REPEATS = 3
MFLOP = 98  # of a 64x64x1 image and step: forward and backward through encoder and decoder
THREADS = cores()
METHODS = ("factor_vae", "beta_tc_vae", "dip_vae_i", "ada_gvae", "slow_vae", "hfs_vae", "qlae")


def measured(*calls: tuple[Any, ...], together: int = 1, repeats: int = REPEATS) -> list[dict[str, float]]:
    """The medians of each call, made in turn some times, by `together` processes at once, added up."""
    found: list[list[dict[str, float]]] = [[] for _ in calls]
    for _ in range(repeats):
        for place, call in enumerate(calls):
            words = [sys.executable, str(CALLS), *map(str, call)]
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


@contextmanager
def neighbours(count: int) -> Iterator[None]:
    """So many other processes of the same priority that are always busy."""
    busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]
    try:
        yield
    finally:
        for process in busy:
            process.kill()
            process.wait()


def threads() -> dict[str, Any]:
    """Two threads against one beside busy processes, and against torch's own threads without."""
    found = {}
    for side in (64, 32):
        ours, own = (
            ("ours", THREADS, "beta_vae", side, 150),
            ("without_shares", THREADS, "beta_vae", side, 150),
        )
        now, before = measured(ours, own, repeats=7)
        rates = [each["images_per_second"] for each in (now, before)]
        found[f"{side} pixels, idle: images/s"] = rates[0]
        found[f"{side} pixels, idle / torch's own threads (>= .98)"] = rates[0] / rates[1]
        for count in (1, 2):
            with neighbours(count):
                many, one = measured(ours, ("ours", 1, "beta_vae", side, 150), repeats=3)
            rates = [each["images_per_second"] for each in (many, one)]
            found[f"{side} pixels, beside {count} busy: images/s"] = rates[0]
            found[f"{side} pixels, beside {count} busy / one thread beside them (>= .95)"] = (
                rates[0] / rates[1]
            )
    return found


def overheads() -> dict[str, Any]:
    """What is not arithmetic."""
    path, words = measured(("data_path", THREADS), ("help_text", 1))
    return {
        "data path and logging, share of a step (< .03)": path["data"] + path["log"],
        "--help in units of python -c pass (<= 12)": words["ratio"],
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


def card() -> dict[str, Any]:
    """A card of arrays."""
    (found,) = measured(("card", THREADS))
    return {
        "100,000 rows of 10 codes scored, values only, s (< 5)": found["values_seconds"],
        "the default card of them, from nothing, s (< 60)": found["seconds"],
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
    "threads": threads,
    "overheads": overheads,
    "encode": encoding,
    "everything": everything,
    "card": card,
    "methods": methods,
}


def main(wanted: list[str]) -> None:
    """Measure the wanted parts, print them, and keep them beside the others."""
    for name in wanted or list(PARTS):
        found: dict[str, Any] = {key: float(f"{value:.4g}") for key, value in PARTS[name]().items()}
        found |= {"on": circumstances(THREADS)}
        keep("engine.json", name, found)
        for key, value in found.items():
            print(f"{key:<60} {value}")


if __name__ == "__main__":
    if set(sys.argv[1:]) <= set(PARTS):
        main(sys.argv[1:])
    else:
        sys.exit(f"usage: python benchmarks/engine.py [{' '.join(PARTS)}]")
