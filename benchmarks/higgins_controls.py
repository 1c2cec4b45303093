"""What is behind three surprises of higgins_table? ICA's score, InfoGAN's, and dead VAEs.

    python benchmarks/higgins_controls.py   # a quarter of an hour of a core

On the hearts of the experiment at scale small, with its settings. Predicted before the first run: if ICA
scores as PCA does because it only turns PCA's components, which the classifier hardly sees, the components
of deviation 1 and the same turned at random score within .03 of ICA too; if the directions that ICA finds
matter, they score .1 less. If InfoGAN's score is of what it learned, its encoder at step 0 scores as an
untrained VAE's, .7 or less. If the VAEs that told nothing at the end (DEAD) are only late, they leave the
image that is the mean of all within 10,000 steps and then score .7 and more, as others of their kind; if
their penalty holds them there, they tell nothing after 10,000 either.

Writes benchmarks/results/higgins_controls.csv: a line for each kind of codes and seed, the beta-VAE score,
and of VAEs the first 100 steps in whose mean they had more than 1 nat.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from typing import Any

from circumstances import keep_table
from scipy.stats import ortho_group

import distaff
from distaff.datasets import DataSet, load_dataset
from distaff.experiments.base import every_code, every_label
from distaff.experiments.higgins_table import POINTS, HigginsTable
from distaff.metrics import beta_vae_score
from distaff.metrics.arrays import standardised
from distaff.training.run import Run

SMALL = HigginsTable.scales["small"]
PLANNED = {(run.name, run.seed): run for run in HigginsTable().plan("small").runs}  # type: ignore[union-attr]
DEAD = (("VAE", 2), ("beta-VAE", 4), ("beta-VAE", 5))
LONGER = 10_000  # steps
TOLD = 1.0  # nats


def rows() -> Iterator[dict[str, Any]]:
    """The lines of the table."""
    data = load_dataset("dsprites", **PLANNED["PCA", 0].options)
    factors = every_label(data)

    def scored(kind: str, seed: int, codes: Any, left: int | None = None) -> dict[str, Any]:
        score = beta_vae_score(codes, factors, votes=(SMALL.votes, POINTS), seed=seed)
        return {"codes": kind, "seed": seed, "score": score, "told from step": left}

    for seed in range(SMALL.seeds):
        components = every_code(trained("PCA", seed, data)).mean
        white = standardised(components)
        yield scored("PCA", seed, components)
        yield scored("PCA, deviation 1", seed, white)
        turn = ortho_group.rvs(white.shape[1], random_state=seed)
        yield scored("PCA, deviation 1, turned", seed, white @ turn)
        yield scored("ICA", seed, every_code(trained("ICA", seed, data)).mean)
        yield scored("InfoGAN, step 0", seed, every_code(trained("InfoGAN", seed, data, 0)).mean)
    for kind, seed in DEAD:
        run = trained(kind, seed, data, LONGER)
        left = next((line["step"] for line in run.history() if line["kl"] > TOLD), None)
        yield scored(f"{kind}, {LONGER} steps", seed, every_code(run).mean, left)


def trained(name: str, seed: int, data: DataSet, steps: int | None = None) -> Run:
    """A run of the experiment, with other steps if they are given."""
    planned = PLANNED[name, seed]
    steps = planned.steps if steps is None else steps
    folder = tempfile.mkdtemp(prefix="higgins-")
    return distaff.train(planned.made, data, steps=steps, seed=seed, out=folder, threads=1, show=False)


if __name__ == "__main__":
    keep_table("higgins_controls.csv", rows())
