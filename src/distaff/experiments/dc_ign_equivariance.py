"""Latents of DC-IGN move with their factors."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from distaff.datasets import DataSet
from distaff.experiments.base import Claim, Lab, claim, every_code, every_label, experiment
from distaff.experiments.pictures import latents_against
from distaff.metrics.mcc import absolute_correlation
from distaff.training.run import Run

NAMES = ("x", "y", "scale")
GROUPS = "x;y;scale;shape,orientation"


@experiment(
    takes=("two cores, 15 seconds", "two cores, nine minutes", "one GPU, a day"),
    resolution=(16, 32, 64),
    places=(8, 16, 32),
    turns=(2, 8, 40),
    seeds=(1, 3, 5),
    steps=(20, 7000, 300_000),
    control_steps=(20, 3000, 300_000),
)
def dc_ign_equivariance(lab: Lab) -> Iterator[Claim]:
    """Clamping makes the latent of a group follow its factor; a VAE has no reason to.

    Kulkarni et al. 2015, section 4: encoder outputs against the true angles are nearly a line. Here x, y and
    scale of sprites are groups of their own, shape and orientation the last one, with 10 latents and batches
    of 32. The control is a VAE on the same data set, of which the same latents are looked at. Correlations
    are |Pearson|, of scale |Spearman|.

    The invariance gradient has the strength .3. Only it can tell the latents of x and y from a rotation
    of the two: by trials on seeds 100 and 101 at .01 to .1 they often stay turned. The price is the
    latent of scale, which moves few pixels: at .01 to .1 it is often found, at .3 and 1 the invariance
    silences it.
    """
    data = lab.sprites(orientation=lab["turns"])
    truth = every_label(data)[:, [data.label_names.index(name) for name in NAMES]]
    runs, controls = clamped_and_not(lab, data, latents=10, groups=GROUPS, invariance=0.3)
    figure = latents_against(every_code(runs[0]).mean, truth, NAMES)
    lab.figure("The latent of each group against its factor, seed 0", figure)
    found = {  # (seeds, latents, factors)
        kind: np.array([_correlations(every_code(run).mean, truth) for run in each])
        for kind, each in (("DC-IGN", runs), ("unclamped", controls))
    }
    leaks = (found["DC-IGN"] * (1 - np.eye(len(NAMES)))).max(axis=(1, 2))
    own = {kind: np.diagonal(each, axis1=1, axis2=2) for kind, each in found.items()}
    means = pd.DataFrame([values.mean(axis=0) for values in own.values()], columns=pairs(NAMES))
    means.insert(0, "codes", list(own))
    lab.table("Mean |correlation| of latent and factor", means)
    for j, (name, bound) in enumerate(zip(NAMES, (0.85, 0.85, 0.6), strict=True)):
        yield claim(f"DC-IGN: latent {j + 1} and {name}", own["DC-IGN"][:, j], low=bound)
    yield claim("DC-IGN: largest correlation with another group's factor", leaks, high=0.35)
    for j, name in enumerate(NAMES):
        yield claim(f"Unclamped: latent {j + 1} and {name}", own["unclamped"][:, j], high=0.5)


def clamped_and_not(
    lab: Lab, data: DataSet, latents: int, groups: str, invariance: float
) -> tuple[list[Run], list[Run]]:
    """DC-IGN of every seed, and as controls VAEs, which differ in that nothing is clamped."""
    shared = {"latents": latents, "batch_size": 32, "learning_rate": 1e-3}
    clamped = shared | {"groups": groups, "invariance": invariance}
    runs = lab.runs("dc-ign", "dc_ign", data, lab["steps"], **clamped)
    return runs, lab.runs("vae", "vae", data, lab["control_steps"], **shared)


def pairs(names: Sequence[str]) -> list[str]:
    """Every factor and the latent of its group, in words."""
    return [f"z{j + 1} and {name}" for j, name in enumerate(names)]


def _correlations(codes: NDArray[np.float32], truth: NDArray[Any]) -> NDArray[np.float64]:
    """|correlation| of the first latents (rows) with the factors; 0 for a latent that is constant."""
    first = codes[:, : len(NAMES)]
    found, scale = absolute_correlation(first, truth, "pearson"), NAMES.index("scale")
    found[:, scale] = absolute_correlation(first, truth[:, [scale]], "spearman")[:, 0]
    return found
