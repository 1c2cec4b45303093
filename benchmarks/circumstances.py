"""Where, when and with what something was measured, and the files that keep it."""

from __future__ import annotations

import json
import platform
import subprocess
import time
from collections.abc import Iterable, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd

from distaff.machine import cores

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results"


def circumstances(threads: int | None = None) -> dict[str, Any]:
    """The machine, the commit, the date and the versions; `threads` are all cores unless said."""
    words = ["git", "-C", str(ROOT), "describe", "--always", "--dirty"]
    return {
        "processor": processor(),
        "cores": cores(),
        "threads": threads or cores(),
        "system": platform.system(),
        "commit": subprocess.run(words, capture_output=True, text=True).stdout.strip(),
        "date": time.strftime("%Y-%m-%d"),
        "python": platform.python_version(),
        **{name: version(name) for name in ("distaff", "torch", "numpy", "scipy", "scikit-learn")},
    }


def processor() -> str:
    """The name of the processor, where the system tells."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.split(":")[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor()


def keep(file: str, part: str, found: dict[str, Any]) -> None:
    """Put a part of a benchmark beside the others in a file of RESULTS."""
    path = RESULTS / file
    kept = json.loads(path.read_text()) if path.exists() else {}
    path.write_text(json.dumps(kept | {part: found}, indent=2) + "\n")


def keep_table(file: str, rows: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """Write rows to a CSV file of RESULTS when the last is there, and show each as it comes."""
    found = []
    for row in rows:
        found.append(row)
        print(dict(row), flush=True)
    table = pd.DataFrame(found)
    table.to_csv(RESULTS / file, index=False, float_format="%.4f")
    return table
