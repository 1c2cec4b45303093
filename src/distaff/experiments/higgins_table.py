"""The score table of Higgins et al. 2017."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from distaff.datasets import DataSet
from distaff.experiments.base import Claim, Lab, claim, every_code, every_label, experiment
from distaff.experiments.pictures import bars
from distaff.metrics.arrays import standardised
from distaff.metrics.beta_vae_score import beta_vae_score
from distaff.training.run import Run

GROUPS = "x;y;scale;orientation"
#: row of the table: method, its settings, and what the paper reports in percent
ROWS: dict[str, tuple[str, dict[str, Any], float]] = {
    "raw pixels": ("raw", {}, 45.75),
    "PCA": ("pca", {"latents": 10}, 84.9),
    "ICA": ("ica", {"latents": 10}, 42.03),
    "DC-IGN": ("dc_ign", {"groups": GROUPS, "invariance": 0.1, "learning_rate": 1e-3}, 99.3),
    "InfoGAN": ("info_gan", {"categorical": 0, "latents": 5}, 73.5),
    "VAE, untrained": ("vae", {}, 44.14),
    "VAE": ("vae", {}, 61.58),
    "beta-VAE": ("beta_vae", {}, 99.23),
}
PAPER = {"true factors": 100.0} | {name: paper for name, (*_, paper) in ROWS.items()}


@experiment(
    takes=("two cores, 20 seconds", "two cores, ten minutes", "one GPU, some days"),
    resolution=(16, 32, 64),
    places=(8, 16, 32),
    seeds=(1, 2, 10),
    steps=(20, 2500, 300_000),
    clamped_steps=(20, 5000, 300_000),
    learning_rate=(2e-3, 2e-3, 1e-4),
    beta=(4.0, 4.0, 4.0),
    votes=(2000, 10_000, 10_000),
    gap_judged=(False, False, True),
)
def higgins_table(lab: Lab) -> Iterator[Claim]:
    """beta-VAE and the supervised DC-IGN code factors that linear baselines mix and untrained networks lose.

    Higgins et al. 2017, table 1: the beta-VAE score of nine representations of sprites, here hearts of six
    sizes, ten orientations and a grid of places, so K = 4 factors. PCA and ICA keep 10 components, InfoGAN's
    code is its 5 continuous codes, all others have 10 latents. Beta and the step sizes were tuned by some
    trials on seeds 100 to 102. The paper's gap between VAE and beta-VAE is of long training at 64 pixels; at
    scale nano it is reported and not judged. A full score may lack a factor (see beta_vae_metric_failure).
    """
    data = lab.sprites(shape=[2], orientation=10)
    factors = every_label(data)
    truth = standardised(factors)
    noise = np.random.default_rng(0).normal(size=truth.shape)

    def score(codes: ArrayLike, seed: int) -> float:
        return beta_vae_score(codes, factors, votes=(lab["votes"], 5_000), seed=seed)

    scores = {"true factors": [score(truth, seed) for seed in range(lab["seeds"])]}
    for name in ROWS:
        scores[name] = [score(every_code(run).mean, seed) for seed, run in enumerate(_runs(lab, name, data))]
    spans = [(name, np.mean(v), min(v), max(v), PAPER[name] / 100) for name, v in scores.items()]
    columns = ["representation", "here", "least", "most", "paper"]
    table = lab.table("beta-VAE score", pd.DataFrame(spans, columns=columns)).set_index("representation")
    lab.figure("Here and in the paper", bars(table[["here", "paper"]], "score"))
    middle = table["here"].sort_values(ascending=False)
    lab.say(
        "From the best to the worst: "
        + ", ".join(f"{name} {value:.3f}" for name, value in middle.items())
        + "."
    )
    lab.say(
        f"Noise scores {score(noise, 0):.3f}; a guess is right once in {truth.shape[1]}. Codes are "
        "taken as they are; with every code divided by its deviation an untrained encoder scores far higher."
    )
    yield claim("True factors", scores["true factors"], low=0.99)
    yield claim("beta-VAE", scores["beta-VAE"], low=0.93)
    yield claim("DC-IGN", scores["DC-IGN"], low=0.95)
    yield claim("PCA", scores["PCA"], low=0.78, high=0.92)
    yield claim("Raw pixels", scores["raw pixels"], high=0.7)
    yield claim("Untrained VAE", scores["VAE, untrained"], high=0.7)
    chance, points = 1 / truth.shape[1], 5_000
    margin = 3 * np.sqrt(chance * (1 - chance) / points)
    yield claim("Noise, from chance", abs(score(noise, 0) - chance), high=round(float(margin), 3))
    for name in ("beta-VAE", "DC-IGN"):
        yield claim(f"{name} minus PCA", np.subtract(scores[name], scores["PCA"]), low=0.01)
    lowest = np.maximum(scores["raw pixels"], scores["VAE, untrained"])
    yield claim("PCA minus the better of raw pixels and untrained", scores["PCA"] - lowest, low=0.01)
    gap = np.subtract(scores["beta-VAE"], scores["VAE"])
    yield claim("beta-VAE minus VAE (.38 in the paper)", gap, low=0.3, judged=lab["gap_judged"])


def _runs(lab: Lab, name: str, data: DataSet) -> list[Run]:
    method, settings, _ = ROWS[name]
    if method == "beta_vae":
        settings = settings | {"beta": lab["beta"]}
    if method in ("vae", "beta_vae"):
        settings = settings | {"learning_rate": lab["learning_rate"]}
    steps = 0 if "untrained" in name else lab["clamped_steps"] if method == "dc_ign" else lab["steps"]
    return lab.runs(name.lower().replace(" ", "-"), method, data, steps, **settings)
