"""Why does noise on the images take an autoencoder's MIG in hidden_structure? Codes, time, a turn or a bend.

    python benchmarks/autoencoder_noise.py   # half an hour of a core

Autoencoders of the experiment at scale nano, its four seeds: on clean images a MIG of .40 on average, on
images with noise of .1 one of .12. Four reasons, with what was predicted of each before the first run:

- the codes are noisy. Then codes of clean images, by encoders that learned from noisy ones, have a MIG
  within .1 of .40. Thought unlikely: noise of .1 on a thousand pixels averages out.
- noise only learns more slowly or fast. Then after four times the steps the two means are within .1 of each
  other.
- the codes are turned. Then the best turn of the codes, both divided by their deviation, gives a MIG within
  .1 in both kinds, and a line through the codes tells x and y as well in both (R2 within .05). Thought the
  likeliest.
- the codes are bent. Then the line tells less with noise, by more than .05, and the best turn stays below
  by .1.

A bug would be one more: that codes are of other images than the factors. A line through codes tells x with
an R2 above .8 in every run if they are of the same images.

Writes benchmarks/results/autoencoder_noise.csv: a line for each kind of images, seed and number of steps.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from circumstances import keep_table
from numpy.typing import NDArray
from sklearn.linear_model import LinearRegression

import distaff
from distaff.datasets import load_dataset
from distaff.experiments.base import every_label
from distaff.experiments.hidden_structure import HiddenStructure
from distaff.metrics.arrays import standardised
from distaff.metrics.mig import mig

NANO = HiddenStructure.scales["nano"]
KINDS = ("original", "noise")
TURNS = np.linspace(0, np.pi / 2, 46)[:-1]  # by 2 degrees; after a right angle they come again


def rows(folder: Path) -> Iterator[dict[str, Any]]:
    """The lines of the table, of runs in a folder."""
    planned = HiddenStructure("hidden_structure").plan("nano")
    assert planned is not None
    runs = {run.name: run for run in planned.runs}
    data = {kind: load_dataset("dsprites", **runs[f"dsprites autoencoder {kind}"].options) for kind in KINDS}
    every = np.arange(len(data["original"]))
    labels, clean = every_label(data["original"]), data["original"].images(every)
    for kind in KINDS:
        made = runs[f"dsprites autoencoder {kind}"].made
        for steps in (NANO.steps, 4 * NANO.steps):
            for seed in range(NANO.seeds):
                out = folder / f"{kind}-{steps}-{seed}"
                run = distaff.train(made, data[kind], steps=steps, seed=seed, out=out, threads=1, show=False)
                codes = run.encode(data[kind].images(every)).mean
                yield {
                    "images": kind,
                    "steps": steps,
                    "seed": seed,
                    "mig": mig(codes, labels),
                    "mig of clean images": mig(run.encode(clean).mean, labels),
                    "mig at the best turn": turned(codes, labels),
                    **told(codes, labels, data[kind].label_names),
                }


def turned(codes: NDArray[np.float64], labels: NDArray[np.int64]) -> float:
    """The highest MIG of two codes (n, 2) of deviation 1 over all turns."""
    white = standardised(codes)
    turns = [np.array([[np.cos(a), -np.sin(a)], [np.sin(a), np.cos(a)]]) for a in TURNS]
    return max(mig(white @ turn, labels) for turn in turns)


def told(codes: NDArray[np.float64], labels: NDArray[np.int64], names: tuple[str, ...]) -> dict[str, float]:
    """The R2 of every factor that varies by a linear regression on the codes (n, 2)."""
    varies = [column for column in range(labels.shape[1]) if np.ptp(labels[:, column])]
    fit = LinearRegression()
    return {f"R2 of {names[k]}": fit.fit(codes, labels[:, k]).score(codes, labels[:, k]) for k in varies}


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as kept:
        keep_table("autoencoder_noise.csv", rows(Path(kept)))
