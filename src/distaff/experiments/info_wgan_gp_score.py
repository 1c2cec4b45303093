"""InfoWGAN-GP disentangles sprites less than FactorVAE does, whatever the weight of its codes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

import pandas as pd

from distaff.evaluation.evaluate import evaluate
from distaff.experiments import base
from distaff.experiments.base import Experiment, Finding, Lab, Runs
from distaff.experiments.infogan_mutual_information import traversed
from distaff.pages.figures import bars
from distaff.studies.plan import Part, dataset, each, method, product, zipped
from distaff.training.run import Run

WEIGHTS = (0.0, 0.05, 0.2, 1.0)
SMALL = {"resolution": 16, "orientation": 5, "x": 8, "y": 8}
METRICS = ("factor_vae_score", "mig")
LOGGED = ("wasserstein", "gradient_norm", "categorical_information", "continuous_information")
CONTROLS = ["FactorVAE", "untrained"]


class Scale(base.Scale, frozen=True):
    """dSprites with the options of `grid`; InfoWGAN-GP takes `steps` of the generator.

    `reconstruction_weight` is 16 at 16 pixels, so that FactorVAE's gamma is that of the paper's 64. Its
    discriminator learns at `discriminator_rate`: see reconstruction_and_score.
    """

    grid: Mapping[str, Any]
    steps: int = 400
    vae_steps: int = 1500
    learning_rate: float = 5e-4
    discriminator_rate: float = 1e-3
    reconstruction_weight: float = 16
    seeds: int = 1


class InfoWGANGPScore(Experiment[Scale]):
    """The FactorVAE score of InfoWGAN-GP, over lambda, lies below that of FactorVAE itself.

    Kim and Mnih 2018 (arXiv:1802.05983), section 5: InfoWGAN-GP with four continuous codes and a categorical
    one reaches its best score on 2D shapes at lambda = 0.2, learns scale only, and stays about where a VAE
    is. Here both are trained on a part of dSprites: three shapes, six scales, five orientations, and eight by
    eight positions (at scale paper, all of them). The codes of its networks before training stand beside
    them, which say what a score is worth, and the last that every InfoWGAN-GP logged: a gradient norm near 1
    and a categorical code of nearly ln 3 = 1.10 nats are those of a training that went well.
    """

    scales: ClassVar = {
        "quick": Scale("one core, 15 seconds", SMALL, steps=4, vae_steps=20),
        "nano": Scale("two cores, 8 minutes", SMALL),
        "small": Scale("two cores, two hours", SMALL, 2000, 5000, seeds=8),
        "paper": Scale("a GPU, a day for each seed", {}, 100_000, 300_000, 1e-4, 1e-4, 1, seeds=10),
    }

    def runs(self, scale: Scale) -> Part:
        # four continuous codes and a categorical one, as the paper has it
        names = each(name=[f"lambda = {weight:g}" for weight in WEIGHTS])
        weights = zipped(names, each(**{"set.information_weight": WEIGHTS}))
        gans = product(method("info_wgan_gp"), weights)
        settings = {
            "gamma": 35,  # the paper's
            "reconstruction_weight": scale.reconstruction_weight,
            "learning_rate": scale.learning_rate,
            "discriminator_learning_rate": scale.discriminator_rate,
        }
        vae = product(each(name=["FactorVAE"]), method("factor_vae", latents=10, **settings))
        untrained = product(each(name=["untrained"], steps=[0]), method("info_wgan_gp"))
        trained = product(gans, each(steps=[scale.steps])) + product(vae, each(steps=[scale.vae_steps]))
        models = trained + untrained
        return product(dataset("dsprites", **scale.grid), models, each(seed=range(scale.seeds)))

    def judge(self, lab: Lab[Scale], runs: Runs) -> Iterator[Finding]:
        rows = [
            {"run": name, "seed": run.config.seed, **scores(run), **logged(run)} for name, run in runs.named()
        ]
        frame = lab.table("What was measured", rows)
        means = frame.drop(columns="seed").groupby("run", sort=False).mean()
        lab.table("Means over seeds", means.reset_index())
        lab.figure("Scores", bars(means[list(METRICS)], "score", best=1.0))
        chosen = runs["lambda = 0.2"][0]
        moves = [(0, column) for column in range(-chosen.method.latents, 0)]
        lab.figure("lambda = 0.2: a continuous code a row, from -2 to 2", traversed(chosen, moves))
        order = means["factor_vae_score"].drop(CONTROLS).sort_values(ascending=False).index
        lab.say(
            f"The generator took {lab.scale.steps:,} steps, each of five of the critic, where the paper's "
            "took some 100,000, and its best lambda was 0.2. From the best to the worst here: "
            f"{', '.join(order)}."
        )
        yield self.found("below", lead(frame))


def lead(frame: pd.DataFrame) -> pd.Series[float]:
    """FactorVAE's score less that of the InfoWGAN-GP that is the best on average, by seed."""
    of_seed = frame.pivot(index="seed", columns="run", values="factor_vae_score")
    gans = of_seed.drop(columns=CONTROLS)
    return of_seed["FactorVAE"] - gans[gans.mean().idxmax()]


def scores(run: Run) -> dict[str, float]:
    """The disentanglement scores of a run, on all images or 10,000 of them."""
    card = evaluate(run, metrics=METRICS, values_only=True, show=False)
    return {name: float(card[name].value or 0.0) for name in METRICS}


def logged(run: Run) -> dict[str, float]:
    """What an InfoWGAN-GP logged last; NaN of an untrained one or a FactorVAE."""
    last = (run.history() or [{}])[-1]
    return {name: last.get(name, float("nan")) for name in LOGGED}
