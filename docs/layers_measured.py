"""What benchmarks/layers.py measured, as part of the page on speed."""

from __future__ import annotations

import json
from pathlib import Path

from markdown_table import table

MEASURED = Path(__file__).parents[1] / "benchmarks" / "results" / "layers.json"


def layers() -> str:
    """A table of the layers of a step, and what they add up to."""
    found = json.loads(MEASURED.read_text())["beta_vae"]
    on, rows = found.pop("on"), found.pop("layers")
    lines = [
        tuple(f"{value:.3g}" if isinstance(value, float) else value for value in row.values()) for row in rows
    ]
    sums = [(what, f"{value:.3g}") for what, value in found.items()]
    said = f"{on['processor']}, one thread, torch {on['torch']}, {on['date']}.\n"
    return "\n".join([table(tuple(rows[0]), lines), table(("in all", "measured"), sums), said])
