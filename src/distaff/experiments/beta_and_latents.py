"""How many latents, and how strong a constraint."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import ClassVar

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from distaff.evaluation.posterior import reconstruction
from distaff.experiments import base
from distaff.experiments.base import Experiment, Finding, Lab, Runs, every_code, every_label
from distaff.experiments.verdict import rank_correlation, size
from distaff.metrics.beta_vae_score import beta_vae_score
from distaff.pages.figures import axes, heat_map
from distaff.pages.palette import COLOURS
from distaff.studies.plan import Part, chain, dataset, each, method, product
from distaff.training.run import Run


class Scale(base.Scale, frozen=True):
    """Sprites of `resolution` pixels at `places` across and down; `votes` train and evaluate a score."""

    resolution: int = 16
    places: int = 16
    latents: tuple[int, ...] = (4, 20)
    normalised: tuple[float, ...] = (0.0002, 0.001, 0.004, 0.016, 0.06)
    learning_rate: float | str = "linear:0.0002:0.002:300"
    seeds: int = 3
    steps: int = 1000
    votes: tuple[int, int] = (10_000, 5_000)


class BetaAndLatents(Experiment[Scale]):
    """More latents need a stronger constraint; too weak and too strong a one both entangle.

    Higgins et al. 2017 (ICLR, openreview Sy2fzU9gl), section 4.2 and figure 6: the beta-VAE score over the
    number of latents M and the normalised beta, beta M / N with N pixels, on the hearts of higgins_table. How
    well a model reconstructs does not say how well it disentangles: the rank correlation of the two over all
    models is to be weak. At scales nano and small the step size rises over the first 300 steps: where it did
    not, half of the models never left the mean image.
    """

    scales: ClassVar = {
        "quick": Scale(
            "two cores, 20 seconds",
            16,
            8,
            (2, 6),
            (0.004, 0.064),
            2e-3,
            seeds=1,
            steps=20,
            votes=(2000, 1000),
        ),
        "nano": Scale("two cores, five minutes"),
        "small": Scale("two cores, forty minutes", seeds=12, steps=3000),
        "paper": Scale(
            "a cluster: 240 models of 300,000 steps",
            resolution=64,
            places=32,
            latents=(4, 10, 20, 50),
            normalised=(0.0001, 0.001, 0.004, 0.016, 0.064, 0.25),
            learning_rate=1e-4,
            seeds=10,
            steps=300_000,
        ),
    }

    def runs(self, scale: Scale) -> Part:
        grid = {"resolution": scale.resolution, "x": scale.places, "y": scale.places}
        hearts = dataset("dsprites", shape=[2], orientation=10, **grid)
        jobs, pixels = itertools.product(scale.latents, scale.normalised), scale.resolution**2
        models = [method("beta_vae", beta=beta * pixels / latents, latents=latents) for latents, beta in jobs]
        common = each(**{"set.learning_rate": [scale.learning_rate]}, steps=[scale.steps])
        return product(hearts, chain(*models), common, each(seed=range(scale.seeds)))

    def judge(self, lab: Lab[Scale], runs: Runs) -> Iterator[Finding]:
        scale = lab.scale
        jobs = itertools.product(scale.latents, scale.normalised, range(scale.seeds))
        rows = [
            {"latents": latents, "normalised beta": normalised, "seed": seed, **_measured(run, scale.votes)}
            for (latents, normalised, seed), run in zip(jobs, runs, strict=True)
        ]
        table = lab.table("Every model", rows)
        scores = table.pivot_table(index="latents", columns="normalised beta", values="score", aggfunc="mean")
        sizes, strengths = ([f"{value:g}" for value in axis] for axis in (scores.index, scores.columns))
        lab.figure(
            "beta-VAE score, mean over seeds",
            heat_map(scores.to_numpy(), sizes, strengths, labels=("latents M", "normalised beta")),
        )
        lab.figure("Score against reconstruction", _picture(table))
        best = best_constraint(table)
        lab.table("Normalised beta of the best score, by seed", best.reset_index())
        yield self.found("growth", best.iloc[:, -1] / best.iloc[:, 0])
        ends = (scale.normalised[0], scale.normalised[-1])
        yield self.found("inside", (~best.isin(ends)).mean(axis=1))
        together = rank_correlation(table["reconstruction"], table["score"], scale.seeds)
        yield self.found("together", size(together))


def best_constraint(table: pd.DataFrame) -> pd.DataFrame:
    """The normalised beta of the best score: a row per seed, a column per number of latents."""
    best = table.loc[table.groupby(["seed", "latents"])["score"].idxmax()]
    return best.pivot(index="seed", columns="latents", values="normalised beta")


def _measured(run: Run, votes: tuple[int, int]) -> dict[str, float]:
    codes, seed = every_code(run), run.config.seed
    return {
        "beta": float(run.config.settings["beta"]),
        "reconstruction": reconstruction(run, np.arange(len(run.data)), codes.sample),
        "score": beta_vae_score(codes.mean, every_label(run.data), votes=votes, seed=seed),
    }


def _picture(table: pd.DataFrame) -> Figure:
    figure, ax = axes("reconstruction loss, nats", "beta-VAE score")
    figure.numbers = table[["latents", "normalised beta", "reconstruction", "score"]]
    for (latents, part), colour in zip(table.groupby("latents"), COLOURS, strict=False):
        ax.scatter(part["reconstruction"], part["score"], color=colour, alpha=0.25, s=14, linewidths=0)
        means = part.groupby("normalised beta")[["reconstruction", "score"]].mean()
        ax.plot(
            means["reconstruction"], means["score"], "o-", color=colour, label=f"{latents} latents, means"
        )
        for beta, row in means.iterrows():
            ax.annotate(f"  {beta:g}", (row["reconstruction"], row["score"]), fontsize=8)
    ax.legend(frameon=False, fontsize=8)
    return figure
