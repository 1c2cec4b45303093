"""How many latents, and how strong a constraint."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from scipy.stats import spearmanr

from distaff.datasets import DataSet
from distaff.evaluation.posterior import reconstruction
from distaff.experiments.base import Claim, Lab, claim, every_code, every_label, experiment
from distaff.experiments.pictures import COLOURS, axes, heat_map
from distaff.metrics.beta_vae_score import beta_vae_score


@experiment(
    takes=("two cores, 20 seconds", "two cores, nine minutes", "a cluster: 240 models of 300,000 steps"),
    resolution=(16, 32, 64),
    places=(8, 16, 32),
    latents=([2, 6], [4, 10, 20], [4, 10, 20, 50]),
    normalised=([0.004, 0.064], [0.004, 0.02, 0.06], [0.0001, 0.001, 0.004, 0.016, 0.064, 0.25]),
    learning_rate=(2e-3, "linear:0.0002:0.002:300", 1e-4),
    seeds=(1, 2, 10),
    steps=(20, 1000, 300_000),
    votes=((2000, 1000), (10_000, 5_000), (10_000, 5_000)),
)
def beta_and_latents(lab: Lab) -> Iterator[Claim]:
    """More latents need a stronger constraint; too weak and too strong a one both entangle.

    Higgins et al. 2017, section 4.2 and figure 6: the beta-VAE score over the number of latents M and the
    normalised beta, beta M / N with N pixels, on the hearts of higgins_table. How well a model reconstructs
    does not say how well it disentangles: the rank correlation of the two over all models is to be weak. At
    scale nano the step size rises over the first 300 steps: where it did not, half of the models never left
    the mean image.
    """
    data = lab.sprites(shape=[2], orientation=10)
    jobs = itertools.product(lab["latents"], lab["normalised"])
    table = lab.table("Every model", [row for job in jobs for row in _measured(lab, data, *job)])
    scores = table.pivot_table(index="latents", columns="normalised beta", values="score", aggfunc="mean")
    sizes, strengths = ([f"{value:g}" for value in axis] for axis in (scores.index, scores.columns))
    lab.figure(
        "beta-VAE score, mean over seeds",
        heat_map(scores.to_numpy(), sizes, strengths, labels=("latents M", "normalised beta")),
    )
    lab.figure("Score against reconstruction", _picture(table))
    best = scores.idxmax(axis=1)
    lab.table("Normalised beta of the best score", best.rename("normalised beta").reset_index())
    growth = best.iloc[-1] / best.iloc[0]
    yield claim("Best normalised beta at the most latents over that at the fewest", growth, low=2)
    inside = ~best.isin([lab["normalised"][0], lab["normalised"][-1]])
    yield claim("Share of latent sizes that are best at neither end", float(inside.mean()), low=0.5)
    together = spearmanr(table["reconstruction"], table["score"]).statistic
    yield claim("|rank correlation| of reconstruction and score", abs(together), high=0.5)


def _measured(lab: Lab, data: DataSet, latents: int, normalised: float) -> Iterator[dict[str, float]]:
    """A row for every seed."""
    beta = float(normalised * np.prod(data.image_shape) / latents)
    settings = {"beta": beta, "latents": latents, "learning_rate": lab["learning_rate"]}
    name = f"{latents}-latents-{normalised:g}"
    for seed, run in enumerate(lab.runs(name, "beta_vae", data, lab["steps"], **settings)):
        codes = every_code(run)
        yield {
            "latents": latents,
            "normalised beta": normalised,
            "seed": seed,
            "beta": beta,
            "reconstruction": reconstruction(run, np.arange(len(data)), codes.sample),
            "score": beta_vae_score(codes.mean, every_label(data), votes=lab["votes"], seed=seed),
        }


def _picture(table: pd.DataFrame) -> Figure:
    figure, ax = axes("reconstruction loss, nats", "beta-VAE score")
    for (latents, part), colour in zip(table.groupby("latents"), COLOURS, strict=False):
        ax.scatter(part["reconstruction"], part["score"], color=colour, label=f"{latents} latents")
        for _, row in part.iterrows():
            ax.annotate(f" {row['normalised beta']:g}", (row["reconstruction"], row["score"]), fontsize=6)
    ax.legend(frameon=False, fontsize=8)
    return figure
