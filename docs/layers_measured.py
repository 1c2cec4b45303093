"""What benchmarks/layers.py measured, as part of the page on speed."""

from __future__ import annotations

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))
from bounds import KEPT, met
from markdown_table import table

MEASURED = Path(__file__).parents[1] / "benchmarks" / "results" / "layers.json"

SAID = {
    "beta_vae": "A step of beta-VAE:",
    "two_threads": "A step of beta-VAE on two threads, whose floor is its halves on a core each, which never "
    "meet, and what is left to one thread:",
    "encoding": "Encoding:",
    "factor_vae": "FactorVAE, whose floor is a step of beta-VAE and what its discriminator takes by itself:",
}


def layers() -> str:
    """For every part a table of its layers, where it has them, and what they add up to."""
    parts = []
    for name, found in json.loads(MEASURED.read_text()).items():
        on, rows = found.pop("on"), found.pop("layers", ())
        parts.append(f"{SAID[name]}\n")
        if rows:
            lines = [
                tuple(f"{value:.3g}" if isinstance(value, float) else value for value in row.values())
                for row in rows
            ]
            parts.append(table(tuple(rows[0]), lines))
        sums = [(what, f"{value:.3g}", KEPT[met(what, value)]) for what, value in found.items()]
        parts.append(table(("in all (and the bound)", "measured", "bound"), sums))
        parts.append(f"{on['processor']}, torch {on['torch']}, {on['date']}.\n")
    return "\n".join(parts)
