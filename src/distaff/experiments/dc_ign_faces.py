"""Latents of DC-IGN turn and light faces."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from numpy.typing import NDArray

from distaff.datasets import load_dataset
from distaff.experiments.base import Claim, Lab, claim, experiment
from distaff.experiments.dc_ign_equivariance import clamped_and_not, pairs
from distaff.experiments.pictures import image_grid, latents_against
from distaff.metrics.mcc import absolute_correlation
from distaff.training.run import Run

NAMES = ("azimuth", "elevation", "lighting")
GROUPS = "azimuth;elevation;lighting;identity"
COLUMNS = 9  # of the traversals


@experiment(
    takes=("two cores, 15 seconds", "two cores, six minutes", "one GPU, a day"),
    resolution=(16, 32, 64),
    latents=(6, 10, 200),
    seeds=(1, 2, 5),
    steps=(20, 4000, 300_000),
    control_steps=(20, 1000, 300_000),
    faces=(200, 4000, 20_000),
)
def dc_ign_faces(lab: Lab) -> Iterator[Claim]:
    """DC-IGN's latents follow the turn, the tilt and the light of faces; a VAE's have no reason to.

    Kulkarni et al. 2015, section 4.1 and figures 4 and 5: latents against the true angles are nearly a line,
    and moving one of them turns or lights the face. Here on drawn heads, with azimuth, elevation and lighting
    as groups of their own and identity as the last, 10 latents and batches of 32. The control is a VAE on the
    same images, of which the same latents are looked at. Numbers are |Pearson correlations| of latent and
    angle over random faces; the bounds are those of x and y in dc_ign_equivariance.
    """
    data = load_dataset("faces3d", resolution=lab["resolution"])
    rows = np.random.default_rng(0).choice(len(data), lab["faces"], replace=False)
    truth = data.labels(rows)
    assert truth is not None
    angles = truth[:, [data.label_names.index(name) for name in NAMES]]
    runs, controls = clamped_and_not(lab, data, lab["latents"], groups=GROUPS, invariance=0.1)
    images = data.images(rows)
    codes = runs[0].encode(images).mean
    lab.figure("The latent of each group against its angle", latents_against(codes, angles, NAMES))
    lab.figure(f"One latent moved at a time: {', '.join(NAMES)}", _traversals(runs[0], codes))
    own = {
        kind: np.array([_correlations(run.encode(images).mean, angles) for run in each])
        for kind, each in (("DC-IGN", runs), ("VAE", controls))
    }
    tables = {kind: pd.DataFrame(values, columns=pairs(NAMES)) for kind, values in own.items()}
    lab.table("|correlation| of latent and angle", pd.concat(tables, names=["codes", "seed"]).reset_index())
    for j, name in enumerate(NAMES):
        yield claim(f"DC-IGN: latent {j + 1} and {name}", own["DC-IGN"][:, j], low=0.85)
    for j, name in enumerate(NAMES):
        yield claim(f"VAE: latent {j + 1} and {name}", own["VAE"][:, j], high=0.5)


def _correlations(codes: NDArray[np.float32], angles: NDArray[Any]) -> NDArray[np.float64]:
    """|correlation| of each of the first latents with its angle; 0 for a latent that is constant."""
    return np.diag(absolute_correlation(codes[:, : len(NAMES)], angles, "pearson"))


def _traversals(run: Run, codes: NDArray[np.float32]) -> Figure:
    """One face, each latent in its own row moved over the range that the faces have."""
    moved = np.repeat(codes[:1], len(NAMES) * COLUMNS, axis=0)
    for j in range(len(NAMES)):
        low, high = np.quantile(codes[:, j], (0.01, 0.99))
        moved[j * COLUMNS : (j + 1) * COLUMNS, j] = np.linspace(low, high, COLUMNS)
    return image_grid(run.decode(moved), COLUMNS)
