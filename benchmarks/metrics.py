"""How long every metric takes at the study's sample sizes, values only.

python benchmarks/metrics.py [--slow] [--out benchmarks/results/metrics.json]

Codes are 10 columns of middling quality, factors have dSprites' sizes; 10,000 rows, and 5,000 more for
metrics that hold rows out. `mig_exact` also takes all 737,280 rows of dSprites. `--slow` adds the boosted
metrics, which take minutes. Prints a table and writes JSON.
"""

from __future__ import annotations

import argparse
import inspect
import time
from pathlib import Path
from typing import Any

import numpy as np
from circumstances import RESULTS, circumstances
from middling_codes import SIZES, codes_of, rows_of

from distaff import metrics, registry
from distaff.files import write_json
from distaff.metrics import probes

BOOSTED = ("downstream", "fairness")


def seconds(name: str, factors: np.ndarray) -> float:
    """Wall time of one metric."""
    function = getattr(metrics, name)
    codes = codes_of(factors)
    given: dict[str, Any] = {
        "factors": factors,
        "logvar": np.random.default_rng(2).uniform(-6, -2, codes.shape),
        "mates": [codes[:, ::-1] + 0.1 * np.random.default_rng(3).standard_normal(codes.shape)] * 5,
        "blocks": [[0, 1, 2], [3, 4, 5], [6, 7], [8, 9]],
    }
    probes._known.clear()  # by it a card learns once for several scores
    start = time.perf_counter()
    function(codes, *(given[need] for need in function.declaration.needs))
    return time.perf_counter() - start


def measure(slow: bool) -> dict[str, float]:
    """Seconds by metric."""
    import sklearn.linear_model  # noqa: F401  what is timed is the metrics, not this import

    found = {}
    for name in registry.names("metrics"):
        if name in BOOSTED and not slow:
            continue
        held_out = "test" in inspect.signature(getattr(metrics, name)).parameters
        found[name] = seconds(name, rows_of(15_000 if held_out else 10_000))
        print(f"{name:<40} {found[name]:8.2f} s", flush=True)
    grid = np.indices(SIZES).reshape(5, -1).T
    found["mig_exact, all of dSprites"] = seconds("mig_exact", grid)
    print(f"{'mig_exact, all of dSprites':<40} {found['mig_exact, all of dSprites']:8.2f} s")
    return found


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--slow", action="store_true")
    parser.add_argument("--out", type=Path, default=RESULTS / "metrics.json")
    options = parser.parse_args()
    found = measure(options.slow)
    apart = (*BOOSTED, "dci", "mig_exact", "mig_exact, all of dSprites")
    together = sum(value for name, value in found.items() if name not in apart)
    print(f"{'all but these: ' + ', '.join(apart[:4]):<40} {together:8.2f} s")
    rounded = {name: round(value, 2) for name, value in found.items()}
    write_json(options.out, {"about": circumstances(), "seconds": rounded, "together": round(together, 2)})


if __name__ == "__main__":
    main()
