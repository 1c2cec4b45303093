"""Why do over-pruned models not recover in hidden_structure_strengths? A turn, or the factor they give up?

    python benchmarks/experiments.py hidden_structure_strengths --scale small     # an hour: the runs
    python benchmarks/strengths_pruned.py                                         # a minute

All beta-VAEs of perturbed data that keep two of three latents. Their best MIG is .30 of that on the original
(.57), where .6 was claimed. With a factor given up MIG is at most two thirds, so .6 of .57, .34, can be had.
Predicted before the first look at these codes, one reason at a time:

- the two latents tell two factors and are only turned. Then the best turn of them, each divided by its
  deviation, has a MIG of .34 and more, as a mean over seeds of each seed's best. Thought the likeliest, for
  the pattern pulls at the axes.
- what is given up is a place, and scale is kept. Then a line through the codes tells scale with an R2 of .5
  and more in most runs, and the worse told of x and y with less than .5.
- the two latents are bent: then the best turn stays below .34, and a line through them tells the better two
  factors with an R2 below .8 on average.

A bug would be that codes are of other images than the factors: then nothing is told, with an R2 below .1.

Writes benchmarks/results/strengths_pruned.csv: a line for each run.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from autoencoder_noise import told, turned
from circumstances import keep_table

import distaff
from distaff.experiments.base import every_code, every_label
from distaff.metrics.mig import mig
from distaff.metrics.posterior import active_by_variance

RUNS = Path("runs/experiments/hidden_structure_strengths-small/then")


def rows(folder: Path) -> Iterator[dict[str, Any]]:
    """The lines of the table, of the runs below a folder."""
    for config in sorted(folder.glob("**/config.json")):
        run = distaff.load_run(config.parent)
        if run.config.method != "beta_vae":
            continue
        codes, labels = every_code(run), every_label(run.data)
        kept = np.flatnonzero(active_by_variance(codes.logvar))
        if len(kept) != 2:
            continue
        two = codes.mean[:, kept]
        yield {
            "seed": run.config.seed,
            "beta": run.config.settings["beta"],
            "mig": mig(codes.mean, labels),
            "mig of the two": mig(two, labels),
            "mig at the best turn": turned(two, labels),
            **told(two, labels, run.data.label_names),
        }


if __name__ == "__main__":
    keep_table("strengths_pruned.csv", rows(Path(sys.argv[1]) if len(sys.argv) > 1 else RUNS))
