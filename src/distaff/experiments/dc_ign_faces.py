"""Latents of DC-IGN turn and light faces."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from numpy.typing import NDArray

from distaff.experiments.base import Experiment, Finding, Lab, Runs
from distaff.experiments.dc_ign_equivariance import KINDS, Clamped, clamped_and_not, pairs
from distaff.metrics.mcc import absolute_correlation
from distaff.pages.figures import latents_against
from distaff.pages.images import image_grid
from distaff.pages.traversals import traversal, usual
from distaff.studies.plan import Part, dataset, product
from distaff.training.run import Run

NAMES = ("azimuth", "elevation", "lighting")
GROUPS = "azimuth;elevation;lighting;identity"
COLUMNS = 9  # of the traversals


class Scale(Clamped, frozen=True):
    """Their pixels and latents, and the faces that are looked at, beside."""

    resolution: int = 32
    latents: int = 10
    faces: int = 4000


class DCIGNFaces(Experiment[Scale]):
    """DC-IGN's latents follow the turn, the tilt and the light of faces; a VAE's have no reason to.

    Kulkarni et al. 2015 (arXiv:1503.03167), section 4.1 and figures 4 and 5: latents against the true angles
    are nearly a line, and moving one of them turns or lights the face. Here on drawn heads, with azimuth,
    elevation and lighting as groups of their own and identity as the last, 10 latents and batches of 32. The
    control is a VAE on the same images, of which the same latents are looked at. Numbers are |Pearson
    correlations| of latent and angle over random faces; the bounds are those of x and y in
    dc_ign_equivariance.
    """

    scales: ClassVar = {
        "quick": Scale("two cores, 15 seconds", 1, 20, 20, resolution=16, latents=6, faces=200),
        "nano": Scale("two cores, six minutes", 2, 4000, 1000),
        "small": Scale("two cores, 15 minutes", 5, 4000, 1000),
        "paper": Scale("one GPU, a day", 5, 300_000, 300_000, resolution=64, latents=200, faces=20_000),
    }

    def runs(self, scale: Scale) -> Part:
        faces = dataset("faces3d", resolution=scale.resolution)
        return product(faces, clamped_and_not(scale, scale.latents, groups=GROUPS, invariance=0.1))

    def judge(self, lab: Lab[Scale], runs: Runs) -> Iterator[Finding]:
        data = next(iter(runs)).data
        rows = np.random.default_rng(0).choice(len(data), lab.scale.faces, replace=False)
        truth = data.labels(rows)
        assert truth is not None
        angles = truth[:, [data.label_names.index(name) for name in NAMES]]
        images = data.images(rows)
        codes = runs["DC-IGN"][0].encode(images).mean
        lab.figure("The latent of each group against its angle", latents_against(codes, angles, NAMES))
        lab.figure(f"One latent moved at a time: {', '.join(NAMES)}", _traversals(runs["DC-IGN"][0], codes))
        own = {
            kind: np.array([_correlations(run.encode(images).mean, angles) for run in runs[kind]])
            for kind in KINDS
        }
        tables = {kind: pd.DataFrame(values, columns=pairs(NAMES)) for kind, values in own.items()}
        lab.table(
            "|correlation| of latent and angle", pd.concat(tables, names=["codes", "seed"]).reset_index()
        )
        for j, name in enumerate(NAMES):
            yield self.found(name, own["DC-IGN"][:, j])
            yield self.found(f"{name}_unclamped", own["VAE"][:, j])


def _correlations(codes: NDArray[np.float32], angles: NDArray[Any]) -> NDArray[np.float64]:
    """|correlation| of each of the first latents with its angle; 0 for a latent that is constant."""
    return np.diag(absolute_correlation(codes[:, : len(NAMES)], angles, "pearson"))


def _traversals(run: Run, codes: NDArray[np.float32]) -> Figure:
    """One face, each latent in its own row moved over the range that the faces have."""
    rows = [traversal(run, codes[0], j, np.linspace(*usual(codes[:, j]), COLUMNS)) for j in range(len(NAMES))]
    return image_grid(np.concatenate(rows), COLUMNS)
