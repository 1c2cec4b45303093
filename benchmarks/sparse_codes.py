"""What scores of sparse codes take, at the size of a sparse autoencoder: process time and peak memory.

python benchmarks/sparse_codes.py [--out benchmarks/results/sparse_codes.json]

20,000 rows of 16,384 codes, 64 of them not 0 in each row; 20 factors of 84 values in all, each value with a
code of its own. Values only. Every score has a process of its own, on one thread. As an array of float64 the
codes would take 2.6 GB.

PREDICTED was written down before the first measurement.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from circumstances import RESULTS, circumstances

ROWS, CODES, FIRING = 20_000, 16_384, 64
SIZES = (4,) * 16 + (5,) * 4
FAMILY = ("mig", "mig_sup", "modularity", "dcimig", "jemmig", "average_maximal_mutual_information")
SCORES = ("mcc", *FAMILY, "best_latent")
#: seconds and MB, as written down before; the bounds are 10 s and 2,000 MB
PREDICTED = {"mcc": (2.0, 700), **dict.fromkeys(FAMILY, (3.0, 700)), "best_latent": (6.0, 900)}
SECONDS, MEGABYTES = 10.0, 2000.0


def world(seed: int = 0) -> tuple[Any, np.ndarray]:
    """Sparse codes (CSR), and factors (n, 20): of each value a code that fires in 9 of 10 of its rows."""
    from scipy.sparse import csr_array

    rng = np.random.default_rng(seed)
    factors = np.stack([rng.integers(size, size=ROWS) for size in SIZES], axis=1)
    first = np.cumsum((0, *SIZES[:-1]))  # the codes of the first value of each factor
    planted = np.where(rng.random(factors.shape) < 0.9, first + factors, -1)
    noise = rng.integers(sum(SIZES), CODES, size=(ROWS, FIRING - len(SIZES)))
    columns = np.concatenate([planted, noise], axis=1)
    rows, place = np.nonzero(columns >= 0)
    values = rng.exponential(size=len(rows))
    return csr_array((values, (rows, columns[rows, place])), shape=(ROWS, CODES)), factors


def measure(name: str) -> dict[str, Any]:
    """Process time of a metric and the peak memory of its process, codes and all."""
    from distaff import metrics

    codes, factors = world()
    start = time.process_time()
    value = getattr(metrics, name)(codes, factors)
    seconds = time.process_time() - start
    numbers = value._asdict() if hasattr(value, "_asdict") else {"value": float(value)}
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000  # kilobytes, on Linux
    return {"process seconds": round(seconds, 2), "peak MB": round(peak), **numbers}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--one", default="", help=argparse.SUPPRESS)
    parser.add_argument("--out", type=Path, default=RESULTS / "sparse_codes.json")
    options = parser.parse_args()
    if options.one:
        print(json.dumps(measure(options.one)))
        return
    found = {}
    for name in SCORES:
        words = [sys.executable, __file__, "--one", name]
        found[name] = json.loads(subprocess.run(words, check=True, capture_output=True, text=True).stdout)
        found[name]["predicted"] = PREDICTED[name]
        print(name, found[name], flush=True)
    kept = {"about": circumstances(threads=1), "bounds": [SECONDS, MEGABYTES], "scores": found}
    options.out.write_text(json.dumps(kept, indent=2) + "\n")


if __name__ == "__main__":
    main()
