"""How fast distaff trains on a CUDA GPU: step by step, as a graph, and many runs as one.

    python benchmarks/gpu.py --seconds 230                  # everything
    python benchmarks/gpu.py --quick --seconds 60           # a little of each
    python benchmarks/gpu.py --parts ceiling many           # some of gpu_parts.py

beta-VAE on 64-pixel dSprites, batches of 64, unless said. What is measured is printed and written as it
comes, to benchmarks/results/gpu.json or --out; so is what fails, and the rest goes on. Nothing is begun when
the seconds are over. Without a GPU it says so and exits with 2.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path

import torch
from gpu_bench import ROOT, Bench
from gpu_parts import PARTS


def main(arguments: list[str]) -> None:
    """Measure the wanted parts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--parts", nargs="*", choices=tuple(PARTS), default=list(PARTS))
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--out", type=Path, default=ROOT / "benchmarks" / "results" / "gpu.json")
    parser.add_argument("--commit", default="", help="of the code, where there is no git to ask")
    given = parser.parse_args(arguments)
    if not torch.cuda.is_available():
        print("there is no CUDA GPU here: nothing is measured", file=sys.stderr)
        sys.exit(2)
    until = time.monotonic() + given.seconds
    bench = Bench(given.out, until, given.quick, given.commit)
    for place, name in enumerate(given.parts):
        try:
            PARTS[name](bench)
        except RuntimeError as error:
            rest = given.parts[place + 1 :]
            print(f"{name}: {error}; {rest} in a new process", file=sys.stderr, flush=True)
            if rest:
                left = ["--seconds", str(until - time.monotonic()), "--out", str(given.out)]
                left += ["--commit", given.commit, *["--quick"] * given.quick, "--parts", *rest]
                os.execv(sys.executable, [sys.executable, __file__, *left])


if __name__ == "__main__":
    main(sys.argv[1:])
