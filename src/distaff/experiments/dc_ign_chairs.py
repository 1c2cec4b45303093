"""A latent of DC-IGN turns chairs that it has never seen."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import numpy as np

from distaff.datasets import load_dataset
from distaff.experiments.base import Experiment, Finding, Lab, Runs
from distaff.experiments.dc_ign_equivariance import KINDS, PAPER, Clamped, clamped_and_not
from distaff.experiments.dc_ign_faces import by_seed
from distaff.experiments.rerendered import moved, rerendered
from distaff.studies.plan import Part, dataset, product

NAMES = ("azimuth",)
GROUPS = "azimuth;legs,back,arms,seat_width,back_height"
LEARNED, HELD = [0, 1, 3], [2]  # heights of the back
COLUMNS = 11


class Scale(Clamped, frozen=True):
    """Their pixels and latents, and the images of held-out chairs that are looked at, beside."""

    resolution: int = 32
    latents: int = 10
    chairs: int = 2000


class DCIGNChairs(Experiment[Scale]):
    """DC-IGN's first latent turns chairs that it has never seen at any angle; a VAE's does not.

    Kulkarni et al. 2015 (arXiv:1503.03167), section 4, chairs: a novel chair is encoded, one latent is
    changed, and what is decoded is the chair turned. Here on drawn chairs at 31 angles over the full turn;
    azimuth is a group of its own, all that makes a chair the other. Learned are chairs with three heights of
    the back; the 72 with the fourth, which lies between them, are held out. The control is a VAE on the same
    images.

    The number is what is left of the error when a held-out chair is to be shown at another angle: latent 1 is
    moved to where learned chairs at that angle have it, and what is decoded is compared with the true image,
    by squared error over that of the chair left as it was. Correlations mean little here: a full turn is a
    circle, and a latent a line, which must tear it somewhere.
    """

    scales: ClassVar = {
        "quick": Scale("two cores, 15 seconds", 1, 20, 20, resolution=16, latents=6, chairs=100),
        "nano": Scale("two cores, five minutes", 2),
        "small": Scale("two cores, five minutes", 5),
        "paper": Scale("one GPU, a day", 5, **PAPER, latents=200, chairs=2232),
    }

    def runs(self, scale: Scale) -> Part:
        chairs = dataset("chairs3d", resolution=scale.resolution, back_height=LEARNED, elevation=[0])
        return product(chairs, clamped_and_not(scale, scale.latents, GROUPS))

    def judge(self, lab: Lab[Scale], runs: Runs) -> Iterator[Finding]:
        held = load_dataset("chairs3d", resolution=lab.scale.resolution, back_height=HELD, elevation=[0])
        rows = np.random.default_rng(0).choice(len(held), lab.scale.chairs, replace=False)
        left = {kind: np.array([moved(run, held, rows, NAMES) for run in runs[kind]]) for kind in KINDS}
        figure = rerendered(runs["DC-IGN"][0], held, int(rows[0]), NAMES, COLUMNS)
        lab.figure("A held-out chair turned by latent 1, above the truth, seed 0", figure)
        lab.table(
            "Error of a chair with latent 1 moved, over that of the chair left as it was",
            by_seed(left, NAMES),
        )
        yield self.found("turned", left["DC-IGN"][:, 0])
        yield self.found("turned_unclamped", left["VAE"][:, 0])
