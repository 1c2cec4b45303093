"""The demo's scores beside those that were recorded for three seeds: python benchmarks/demo_scores.py RUN."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from circumstances import RESULTS

from distaff.evaluation.evaluate import read_card
from distaff.files import read_json
from distaff.training.run import load_run

RECORDED = ("demo", "demo_seed1", "demo_seed2")
SHOWN = ("beta_vae_score", "factor_vae_score", "mig")


def beside(own: Mapping[str, Any]) -> str:
    """A line for each recorded seed and one for `own` scores, values by metric; chance and ceiling below."""
    found = [read_json(RESULTS / f"{name}.json")["scores"] for name in RECORDED]
    lines = [("", *SHOWN), ("this run", *(_number(own.get(name)) for name in SHOWN))]
    for seed, scores in enumerate(found):
        lines.append((f"seed {seed}, recorded", *(_number(scores[name]["value"]) for name in SHOWN)))
    for level in ("chance", "ceiling"):
        lines.append((level, *(_number(found[0][name][level]) for name in SHOWN)))
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join("  ".join(map(str.ljust, line, widths)).rstrip() for line in lines)


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def main() -> None:
    """Print the table, and where the pages are."""
    folder = sys.argv[1]
    card = read_card(load_run(folder))
    assert card is not None
    print(beside({name: card[name].value for name in SHOWN if name in card}))
    print(
        f"\nDone. Open {folder}/report.html for what it learned, {folder}/explorer.html to move its latents."
    )


if __name__ == "__main__":
    main()
