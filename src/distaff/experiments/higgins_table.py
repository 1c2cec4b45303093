"""The score table of Higgins et al. 2017."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from distaff.experiments import base
from distaff.experiments.base import Experiment, Finding, Lab, Runs, every_code, every_label
from distaff.metrics.arrays import standardised
from distaff.metrics.beta_vae_score import beta_vae_score
from distaff.pages.figures import bars
from distaff.studies.plan import Part, chain, dataset, each, method, product

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
#: the table from the best to the worst; within its errors it does not tell apart what stands together
ORDER = (
    ("true factors", "DC-IGN", "beta-VAE"),
    ("PCA",),
    ("InfoGAN",),
    ("VAE",),
    ("raw pixels", "VAE, untrained", "ICA"),
)
FACTORS = 4
POINTS = 5_000  # that a score is evaluated on
NOISES = 5  # codes of noise that are scored


class Scale(base.Scale, frozen=True):
    """Sprites of `resolution` pixels at `places` across and down.

    DC-IGN takes `clamped_steps`; seeds of VAE and beta-VAE are from `first_vae` on, all others from 0.
    """

    resolution: int = 32
    places: int = 16
    seeds: int = 2
    steps: int = 2500
    clamped_steps: int = 5000
    learning_rate: float = 1e-3
    first_vae: int = 10
    votes: int = 10_000
    beta: float = 4.0


class HigginsTable(Experiment[Scale]):
    """beta-VAE and the supervised DC-IGN code factors that linear baselines mix and untrained networks lose.

    Higgins et al. 2017 (ICLR, openreview Sy2fzU9gl), table 1: the beta-VAE score of nine representations of
    sprites, here hearts of six sizes, ten orientations and a grid of places, so K = 4 factors. PCA and ICA
    keep 10 components, InfoGAN's code is its 5 continuous codes, all others have 10 latents. Beta and the
    step sizes were tuned by some trials on seeds 100 to 103. The order of the table is judged whole: all
    pairs that the paper tells apart, and PCA against each that it lies above. The paper's gap between VAE and
    beta-VAE is of long training at 64 pixels; at smaller scales it is reported and not judged. A full score
    may lack a factor (see beta_vae_metric_failure).
    """

    scales: ClassVar = {
        "quick": Scale("two cores, 20 seconds", 16, 8, seeds=1, steps=20, clamped_steps=20, votes=2000),
        "nano": Scale("two cores, ten minutes"),
        "small": Scale("two cores, forty minutes", seeds=6),
        "paper": Scale("one GPU, some days", 64, 32, 10, 300_000, 300_000, learning_rate=1e-4),
    }

    def runs(self, scale: Scale) -> Part:
        grid = {"resolution": scale.resolution, "x": scale.places, "y": scale.places}
        hearts = dataset("dsprites", shape=[2], orientation=10, **grid)
        models = chain(*(_model(name, scale) for name in ROWS))
        return product(hearts, models)

    def judge(self, lab: Lab[Scale], runs: Runs) -> Iterator[Finding]:
        data = runs["PCA"][0].data
        factors = every_label(data)
        truth, votes = standardised(factors), (lab.scale.votes, POINTS)
        rng = np.random.default_rng(0)
        noise = [
            beta_vae_score(rng.normal(size=truth.shape), factors, votes=votes, seed=n) for n in range(NOISES)
        ]
        coded = [("true factors", seed, truth) for seed in range(lab.scale.seeds)]
        coded += [(name, run.config.seed, every_code(run).mean) for name, run in runs.named()]
        found: dict[str, list[float]] = {}
        for name, seed, codes in coded:
            found.setdefault(name, []).append(beta_vae_score(codes, factors, votes=votes, seed=seed))
        scores = {name: np.array(values) for name, values in found.items()}
        _show(lab, scores)
        lab.say(
            f"Noise scores {np.mean(noise):.3f}; a guess is right once in {FACTORS}. Codes are taken as they "
            "are; with every code divided by its deviation an untrained encoder scores far higher."
        )
        yield self.found("true", scores["true factors"])
        yield self.found("beta_vae", scores["beta-VAE"])
        yield self.found("dc_ign", scores["DC-IGN"])
        yield self.found("pca", scores["PCA"])
        yield self.found("raw", scores["raw pixels"])
        yield self.found("untrained", scores["VAE, untrained"])
        yield self.found("noise", np.abs(np.subtract(noise, 1 / FACTORS)))
        yield self.found("beta_vae_over_pca", scores["beta-VAE"] - scores["PCA"])
        yield self.found("dc_ign_over_pca", scores["DC-IGN"] - scores["PCA"])
        lowest = np.maximum(scores["raw pixels"], scores["VAE, untrained"])
        yield self.found("pca_over_lowest", scores["PCA"] - lowest)
        yield self.found("gap", scores["beta-VAE"] - scores["VAE"])
        yield self.found("order", in_order(scores))
        yield self.found("pca_over_ica", scores["PCA"] - scores["ICA"])
        yield self.found("pca_over_info_gan", scores["PCA"] - scores["InfoGAN"])
        yield self.found("pca_over_vae", scores["PCA"] - scores["VAE"])


def in_order(scores: Mapping[str, NDArray[np.float64]]) -> NDArray[np.float64]:
    """The share (seeds,) of the pairs that ORDER tells apart whose better one has the higher score."""
    pairs = [
        scores[better] > scores[worse]
        for above, below in itertools.combinations(ORDER, 2)
        for better, worse in itertools.product(above, below)
    ]
    return np.mean(pairs, axis=0)


def _model(name: str, scale: Scale) -> Part:
    """The method of a row of the table, its settings, steps and seeds."""
    (kind, settings, _), first = ROWS[name], 0
    if kind == "beta_vae":
        settings = settings | {"beta": scale.beta}
    if kind in ("vae", "beta_vae"):
        settings = settings | {"learning_rate": scale.learning_rate}
        first = scale.first_vae
    steps = 0 if "untrained" in name else scale.clamped_steps if kind == "dc_ign" else scale.steps
    return product(
        method(kind, **settings), each(name=[name], steps=[steps], seed=range(first, first + scale.seeds))
    )


def _show(lab: Lab[Scale], scores: dict[str, Any]) -> None:
    """The table and its order; `scores` holds those of every seed."""
    spans = [(name, np.mean(v), min(v), max(v), PAPER[name] / 100) for name, v in scores.items()]
    columns = ["representation", "here", "least", "most", "paper"]
    table = lab.table("beta-VAE score", pd.DataFrame(spans, columns=columns)).set_index("representation")
    lab.figure("Here and in the paper", bars(table[["here", "paper"]], "score"))
    order = table["here"].sort_values(ascending=False)
    said = ", ".join(f"{name} {value:.3f}" for name, value in order.items())
    lab.say(f"From the best to the worst: {said}.")
