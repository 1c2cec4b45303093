"""What is behind three surprises of higgins_table? ICA's score, InfoGAN's, and dead VAEs.

    python benchmarks/higgins_controls.py   # a quarter of an hour of a core

On the hearts of the experiment at scale small, with its settings, those of the VAEs as they were then: since
then, and for this, they have smaller steps and other seeds. Predicted before the first run: if ICA
scores as PCA does because it only turns PCA's components, which the classifier hardly sees, the components
of deviation 1 and the same turned at random score within .03 of ICA too; if the directions that ICA finds
matter, they score .1 less. If InfoGAN's score is of what it learned, its encoder at step 0 scores as an
untrained VAE's, .7 or less. If the VAEs that told nothing at the end (DEAD) are only late, they leave the
image that is the mean of all within 10,000 steps and then score .7 and more, as others of their kind; if
their penalty holds them there, they tell nothing after 10,000 either.

The first of them told nothing after 10,000 steps, and in the encoders of all three no unit of the third layer
answers to any image, where three quarters do in the others. So a third reason, and a prediction of the same
kind: if steps of 2e-3 have put their units out, those of 1e-3 leave more than half of them alive, from the
same seeds, and the VAEs score .6 and more.

Writes benchmarks/results/higgins_controls.csv: a line for each kind of codes and seed, the beta-VAE score,
and of VAEs the KL in nats and the share of the units of the encoder's third layer that some image turns on.
"""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from circumstances import keep_table
from scipy.stats import ortho_group
from torch import nn

import distaff
from distaff.datasets import DataSet, load_dataset
from distaff.experiments.base import every_code, every_label
from distaff.experiments.higgins_table import POINTS, HigginsTable
from distaff.metrics import beta_vae_score
from distaff.metrics.arrays import standardised
from distaff.training.run import Run

SMALL = HigginsTable.scales["small"]
PLANNED = {run.name: run for run in HigginsTable().plan("small").runs}  # type: ignore[union-attr]
STEP = 2e-3  # of VAEs as the experiment was then
DEAD = (("VAE", 2), ("beta-VAE", 4), ("beta-VAE", 5))
OTHERWISE: dict[str, dict[str, Any]] = {
    "as in the experiment": {"learning_rate": STEP},
    "10,000 steps": {"learning_rate": STEP, "steps": 10_000},
    "steps of 1e-3": {"learning_rate": 1e-3},
}


def rows(folder: str) -> Iterator[dict[str, Any]]:
    """The lines of the table, of runs in a folder."""
    data = load_dataset("dsprites", **PLANNED["PCA"].options)
    for seed in range(SMALL.seeds):
        components = every_code(trained(folder, "PCA", seed, data)).mean
        white = standardised(components)
        turn = ortho_group.rvs(white.shape[1], random_state=seed)
        yield scored("PCA", seed, data, components)
        yield scored("PCA, deviation 1", seed, data, white)
        yield scored("PCA, deviation 1, turned", seed, data, white @ turn)
        yield scored("ICA", seed, data, every_code(trained(folder, "ICA", seed, data)).mean)
        untrained = trained(folder, "InfoGAN", seed, data, steps=0)
        yield scored("InfoGAN, step 0", seed, data, every_code(untrained).mean)
    for kind, seed in DEAD:
        for what, changed in OTHERWISE.items():
            run = trained(folder, kind, seed, data, **changed)
            found = scored(f"{kind}, {what}", seed, data, every_code(run).mean)
            yield found | {"kl": run.history()[-1]["kl"], "alive": alive(run)}


def scored(kind: str, seed: int, data: DataSet, codes: Any) -> dict[str, Any]:
    """A line of the table."""
    score = beta_vae_score(codes, every_label(data), votes=(SMALL.votes, POINTS), seed=seed)
    return {"codes": kind, "seed": seed, "score": score}


def trained(
    folder: str, name: str, seed: int, data: DataSet, steps: int | None = None, **settings: Any
) -> Run:
    """A run of the experiment, with other steps or settings if they are given."""
    planned = PLANNED[name]
    steps = planned.steps if steps is None else steps
    made, out = dataclasses.replace(planned.made, **settings), tempfile.mkdtemp(dir=folder)
    return distaff.train(made, data, steps=steps, seed=seed, out=out, threads=1, show=False)


@torch.inference_mode()
def alive(run: Run, layer: int = 3) -> float:
    """The share of the units of a layer of the encoder, a number from 1, that some of 500 images turn on."""
    rows = np.random.default_rng(0).choice(len(run.data), 500, replace=False)
    here, count = torch.from_numpy(run.data.unit_images(rows)).float(), 0
    for module in run.modules["encoder"]:
        here = module(here)
        count += isinstance(module, nn.ReLU)
        if count == layer:
            break
    return float((here.transpose(0, 1).flatten(1).amax(dim=1) > 0).float().mean())


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as kept:
        keep_table("higgins_controls.csv", rows(kept))
