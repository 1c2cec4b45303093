"""Whether a stronger penalty undoes the entangling pattern."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

import pandas as pd
from matplotlib.figure import Figure

from distaff.experiments import base
from distaff.experiments.base import Experiment, Finding, Lab, Runs
from distaff.experiments.hidden_structure import ELLIPSES, TINY, measured, pattern_of
from distaff.pages.figures import axes
from distaff.pages.palette import COLOURS
from distaff.studies.plan import Part, dataset, each, method, product


class Scale(base.Scale, frozen=True):
    """dSprites with the options of `grid`; `betas` for perturbed data, the `usual` one for the original."""

    grid: Mapping[str, Any]
    betas: tuple[float, ...] = (1, 2, 4, 8, 16)
    usual: float = 4
    latents: int = 2
    seeds: int = 2
    steps: int = 2500
    learning_rate: float = 1e-3
    kappa: float = 5.0


class HiddenStructureStrengths(Experiment[Scale]):
    """No strength of beta-VAE disentangles the perturbed data, unless it gives up a factor.

    Zietlow et al. 2020, figure 5: over a grid of strengths only over-pruned models, those with fewer active
    latents than the data have factors, recover a score on the perturbed data. The data are those of
    hidden_structure at scale nano: s is the sum of the standardised positions at every scale. For comparison
    the original data at the usual strength, from the same seed. With two factors, as below scale paper, a
    model that gives up one has nothing left to recover with, so that half of the claim is judged there only.
    """

    scales: ClassVar = {
        "quick": Scale("two cores, 20 seconds", TINY, betas=(1, 64), seeds=1, steps=20),
        "nano": Scale("two cores, fifteen minutes", ELLIPSES),
        "small": Scale("two cores, an hour", ELLIPSES, seeds=8),
        "paper": Scale(
            "a cluster: 80 models of 300,000 steps",
            {"resolution": 64},
            betas=(1, 2, 4, 8, 12, 16, 24),
            usual=8,
            latents=5,
            seeds=10,
            steps=300_000,
            learning_rate=1e-4,
            kappa=10.0,
        ),
    }

    def runs(self, scale: Scale) -> Part:
        pattern = {"by": "diagonal", "eps": 0.1, "kappa": scale.kappa}
        original = product(dataset("dsprites", **scale.grid), each(**{"set.beta": [float(scale.usual)]}))
        perturbed = dataset("dsprites", **scale.grid, perturb=pattern)
        swept = product(perturbed, each(**{"set.beta": [float(beta) for beta in scale.betas]}))
        model = method("beta_vae", latents=scale.latents, learning_rate=scale.learning_rate)
        kinds = product(each(name=["original"]), original) + product(each(name=["perturbed"]), swept)
        return product(model, kinds, each(steps=[scale.steps], seed=range(scale.seeds)))

    def judge(self, lab: Lab[Scale], runs: Runs) -> Iterator[Finding]:
        s = pattern_of(runs["perturbed"][0].data).s
        rows = [
            {"data": kind, "beta": run.config.settings["beta"], "seed": run.config.seed, **measured(run, s)}
            for kind, run in runs.named()
        ]
        table = lab.table("Every run", rows)
        lab.figure("MIG on the perturbed data by strength", _picture(table))
        active = (table["active"] >= lab.scale.latents) & (table["data"] == "perturbed")
        lab.say(
            f"{active.sum()} of {len(runs['perturbed'])} models on perturbed data have all latents active."
        )
        best = best_over_usual(table, lab.scale.latents)
        yield self.found("whole", best["whole"].fillna(0.0))  # where no model keeps all, none disentangles
        yield self.found("pruned", best["pruned"])


def best_over_usual(table: pd.DataFrame, latents: int) -> pd.DataFrame:
    """The largest MIG on perturbed data over that on original data: a row per seed.

    Column `whole` is of models with all latents active, `pruned` of the others; NaN where there is none.
    """
    of_seed = table.set_index("seed")
    perturbed = of_seed[of_seed["data"] == "perturbed"]
    usual = of_seed.loc[of_seed["data"] == "original", "mig"]
    whole = perturbed["active"] >= latents
    best = {
        name: perturbed.loc[chosen, "mig"].groupby("seed").max()
        for name, chosen in (("whole", whole), ("pruned", ~whole))
    }
    return pd.DataFrame(best, index=usual.index).div(usual, axis=0)


def _picture(table: pd.DataFrame) -> Figure:
    figure, ax = axes("beta", "MIG")
    found = table[table["data"] == "perturbed"]
    for (active, part), colour in zip(found.groupby("active"), COLOURS, strict=False):
        label = f"{active:.0f} active latent{'s' if active != 1 else ''}"
        ax.scatter(part["beta"], part["mig"], color=colour, label=label)
    usual = table.loc[table["data"] == "original", "mig"].median()
    ax.axhline(usual, color="#9aa5b1", lw=0.8, label="original data, median")
    ax.set_xscale("log", base=2)
    betas = sorted(found["beta"].unique())
    ax.set_xticks(betas, [f"{beta:g}" for beta in betas])
    ax.legend(frameon=False, fontsize=8)
    return figure
