"""Run experiments at scale nano and keep what they found for docs/experiments.md.

    python benchmarks/experiments.py                       # all of them, some minutes each
    python benchmarks/experiments.py ica_cocktail_party    # one

Writes benchmarks/results/experiments/NAME.json. Runs are kept under runs/experiments, so that a run that was
stopped goes on where it was.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from distaff import registry
from distaff.experiments.conduct import conduct
from distaff.files import write_json

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results" / "experiments"


def main() -> None:
    """Run the experiments that are named, or all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--threads", type=int, help="1 where another job runs beside this one")
    asked = parser.parse_args()
    for name in asked.names or registry.names("experiments"):
        began = time.monotonic()
        found = conduct(name, "nano", ROOT / "runs" / "experiments" / name, threads=asked.threads)
        write_json(RESULTS / f"{name}.json", found | {"seconds": round(time.monotonic() - began)})


if __name__ == "__main__":
    main()
