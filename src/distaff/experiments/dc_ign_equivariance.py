"""Latents of DC-IGN move with their factors."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from distaff.experiments import base
from distaff.experiments.base import Experiment, Finding, Lab, Runs, every_code, every_label
from distaff.metrics.mcc import absolute_correlation
from distaff.pages.figures import latents_against
from distaff.studies.plan import Part, chain, dataset, each, method, product

NAMES = ("x", "y", "scale")
GROUPS = "x;y;scale;shape,orientation"
KINDS = ("DC-IGN", "VAE")  # the names of the runs


class Clamped(base.Scale, frozen=True):
    """How many seeds, the steps of DC-IGN and of its control, and what else differs from the paper's.

    The last group varies as often as `last_ratio` others; `beta` is a quarter, as images have a quarter of
    64x64 pixels; the invariance begins weak, so that latents first find their factors.
    """

    seeds: int = 3
    steps: int = 4000
    control_steps: int = 1000
    last_ratio: float = 2.0
    beta: float = 0.25
    invariance: float | str = "linear:0.01:0.3:4000"


#: the numbers of scale paper that are the paper's; a GPU takes a day for them
PAPER: dict[str, Any] = {
    "steps": 300_000, "control_steps": 300_000, "last_ratio": 10, "beta": 1, "invariance": 0.01,
    "resolution": 64,
}  # fmt: skip


class Scale(Clamped, frozen=True):
    """The sprites, beside."""

    resolution: int = 32
    places: int = 16
    turns: int = 8


class DCIGNEquivariance(Experiment[Scale]):
    """Clamping makes the latent of a group follow its factor; a VAE has no reason to.

    Kulkarni et al. 2015 (arXiv:1503.03167), section 4: encoder outputs against the true angles are nearly a
    line. Here x, y and scale of sprites are groups of their own, shape and orientation the last one, with 10
    latents and batches of 32. The control is a VAE on the same data set, of which the same latents are looked
    at. Correlations are |Pearson|, of scale |Spearman|.

    The paper lets the last group vary ten times as often as each other; here it is twice, so that x, y and
    scale have a fifth of the few batches each. Clamping alone makes the decoder move x by latent 1, for no
    other differs within a batch; what x still moves in another group's latent averages out over the batch,
    and only the invariance gradient removes it from the encoder. It begins at .01 and grows to .3 over 4,000
    steps: strong from the start it silences the latent of scale, which moves few pixels.
    """

    scales: ClassVar = {
        "quick": Scale("two cores, 15 seconds", 1, 20, 20, resolution=16, places=8, turns=2),
        "nano": Scale("two cores, five minutes"),
        "small": Scale("two cores, 15 minutes", seeds=8),
        "paper": Scale("one GPU, a day", 8, **PAPER, places=32, turns=40),
    }

    def runs(self, scale: Scale) -> Part:
        places = {"x": scale.places, "y": scale.places, "orientation": scale.turns}
        sprites = dataset("dsprites", resolution=scale.resolution, **places)
        return product(sprites, clamped_and_not(scale, 10, GROUPS))

    def judge(self, lab: Lab[Scale], runs: Runs) -> Iterator[Finding]:
        data = next(iter(runs)).data
        truth = every_label(data)[:, [data.label_names.index(name) for name in NAMES]]
        figure = latents_against(every_code(runs["DC-IGN"][0]).mean, truth, NAMES)
        lab.figure("The latent of each group against its factor, seed 0", figure)
        found = {  # (seeds, latents, factors)
            kind: np.array([correlations(every_code(run).mean, truth) for run in runs[kind]])
            for kind in KINDS
        }
        own = {kind: np.diagonal(each, axis1=1, axis2=2) for kind, each in found.items()}
        means = pd.DataFrame([values.mean(axis=0) for values in own.values()], columns=pairs(NAMES))
        means.insert(0, "codes", ["DC-IGN", "unclamped"])
        lab.table("Mean |correlation| of latent and factor", means)
        for j, name in enumerate(NAMES):
            yield self.found(name, own["DC-IGN"][:, j])
        yield self.found("unclamped", own["VAE"].mean(axis=1))
        yield self.found("leaks", (found["DC-IGN"] * (1 - np.eye(len(NAMES)))).max(axis=(1, 2)))


def clamped_and_not(scale: Clamped, latents: int, groups: str) -> Part:
    """DC-IGN of every seed, and as controls VAEs, which differ in that nothing is clamped."""
    shared: dict[str, Any] = {"latents": latents, "batch_size": 32, "learning_rate": 1e-3, "beta": scale.beta}
    clamped = method(
        "dc_ign", **shared, groups=groups, last_ratio=scale.last_ratio, invariance=scale.invariance
    )
    kinds = chain(
        product(each(name=["DC-IGN"], steps=[scale.steps]), clamped),
        product(each(name=["VAE"], steps=[scale.control_steps]), method("vae", **shared)),
    )
    return product(kinds, each(seed=range(scale.seeds)))


def pairs(names: Sequence[str]) -> list[str]:
    """Every factor and the latent of its group, in words."""
    return [f"z{j + 1} and {name}" for j, name in enumerate(names)]


def correlations(codes: NDArray[np.float32], truth: NDArray[Any]) -> NDArray[np.float64]:
    """|correlation| of the first latents (rows) with the factors; 0 for a latent that is constant."""
    first = codes[:, : len(NAMES)]
    found, scale = absolute_correlation(first, truth, "pearson"), NAMES.index("scale")
    found[:, scale] = absolute_correlation(first, truth[:, [scale]], "spearman")[:, 0]
    return found
