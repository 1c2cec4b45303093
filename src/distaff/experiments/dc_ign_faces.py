"""Latents of DC-IGN turn and light faces that it has never seen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from distaff.datasets import load_dataset
from distaff.experiments.base import Experiment, Finding, Lab, Runs
from distaff.experiments.dc_ign_equivariance import KINDS, PAPER, Clamped, clamped_and_not, pairs
from distaff.experiments.rerendered import moved, rerendered
from distaff.metrics.mcc import absolute_correlation
from distaff.pages.figures import latents_against
from distaff.studies.plan import Part, dataset, product

NAMES = ("azimuth", "elevation", "lighting")
GROUPS = "azimuth;elevation;lighting;identity"
LEARNED, HELD = list(range(40)), list(range(40, 50))  # identities
COLUMNS = 9  # of what is re-rendered


class Scale(Clamped, frozen=True):
    """Their pixels and latents, and the images of held-out faces that are looked at, beside."""

    resolution: int = 32
    latents: int = 10
    faces: int = 2000


class DCIGNFaces(Experiment[Scale]):
    """DC-IGN's latents turn, tilt and light faces that it has never seen; a VAE's have no reason to.

    Kulkarni et al. 2015 (arXiv:1503.03167), section 4.1: a novel face is re-rendered in another pose and
    light by moving one latent, and latents against the true angles are nearly a line. Here on drawn heads,
    with azimuth, elevation and lighting as groups of their own and identity as the last, 10 latents and
    batches of 32. 40 identities are learned; all numbers are of the other ten. The control is a VAE on the
    same images, of which the same latents are looked at.

    In so few steps latent 2 is not expected to find elevation, which moves few pixels: it has a claim, as in
    the paper, that its pilots speak against.

    Numbers are |Pearson correlations| of latent and angle, and what is left of the error when a held-out face
    is to be shown at another angle: its latent is moved to where learned faces at that angle have theirs, and
    what is decoded is compared with the true image, by squared error over that of the face left as it was.

    The paper's encoders sometimes learn a switch that handles left and right profiles apart. A latent with
    a switch lies on two lines against the azimuth, one for each side: what two lines explain of its variance
    beyond one is 0 on a line, .25 for a latent that says nothing but the side, and 1 for one that says how
    far the face turns but not where to.
    """

    scales: ClassVar = {
        "quick": Scale("two cores, 15 seconds", 1, 20, 20, resolution=16, latents=6, faces=200),
        "nano": Scale("two cores, five minutes", 2),
        "small": Scale("two cores, 20 minutes", 8),
        "paper": Scale("one GPU, a day", 8, **PAPER, latents=200, faces=20_000),
    }

    def runs(self, scale: Scale) -> Part:
        faces = dataset("faces3d", resolution=scale.resolution, identity=LEARNED)
        return product(faces, clamped_and_not(scale, scale.latents, GROUPS))

    def judge(self, lab: Lab[Scale], runs: Runs) -> Iterator[Finding]:
        held = load_dataset("faces3d", resolution=lab.scale.resolution, identity=HELD)
        rows = np.random.default_rng(0).choice(len(held), lab.scale.faces, replace=False)
        truth = held.labels(rows)
        assert truth is not None
        angles = truth[:, [held.label_names.index(name) for name in NAMES]]
        codes = {kind: [run.encode(held.images(rows)).mean for run in runs[kind]] for kind in KINDS}
        own = {kind: np.array([correlations(each, angles) for each in codes[kind]]) for kind in KINDS}
        left = {kind: np.array([moved(run, held, rows, NAMES) for run in runs[kind]]) for kind in KINDS}
        lab.figure(
            "The latent of each group against its angle, held-out faces, seed 0",
            latents_against(codes["DC-IGN"][0], angles, NAMES),
        )
        figure = rerendered(runs["DC-IGN"][0], held, int(rows[0]), NAMES, COLUMNS)
        lab.figure("A held-out face re-rendered, each row above the truth, seed 0", figure)
        lab.table("|correlation| of latent and angle", by_seed(own, pairs(NAMES)))
        lab.table(
            "Error of a face with its latent moved, over that of the face left as it was",
            by_seed(left, NAMES),
        )
        switched = {kind: [switch(each[:, 0], angles[:, 0]) for each in codes[kind]] for kind in KINDS}
        lab.table(
            "What two lines explain of latent 1 beyond one",
            by_seed({kind: np.array(each)[:, None] for kind, each in switched.items()}, ["switch"]),
        )
        for j, name in enumerate(NAMES):
            yield self.found(name, own["DC-IGN"][:, j])
        for name in ("azimuth", "lighting"):
            yield self.found(f"{name}_moved", left["DC-IGN"][:, NAMES.index(name)])
        yield self.found("unclamped", own["VAE"].mean(axis=1))
        yield self.found("moved_unclamped", left["VAE"].mean(axis=1))
        yield self.found("switch", switched["DC-IGN"])


def correlations(codes: NDArray[np.float32], angles: NDArray[Any]) -> NDArray[np.float64]:
    """|correlation| of each of the first latents with its angle; 0 for a latent that is constant."""
    return np.diag(absolute_correlation(codes[:, : angles.shape[1]], angles, "pearson"))


def switch(latent: NDArray[np.float32], azimuth: NDArray[np.int64]) -> float:
    """What two lines explain of a latent's variance (n,) beyond one: a line for each profile.

    Azimuths (n,) are counted from 0, at the left, to the right end, which occurs; faces that look straight
    ahead are left out. 0 for a latent that is constant.
    """
    aside = azimuth / azimuth.max() - 0.5
    turned, codes = aside[aside != 0], latent[aside != 0].astype(np.float64)
    if np.ptp(codes) == 0:
        return 0.0
    right = turned > 0
    alone = sum(_off_a_line(turned[side], codes[side]) for side in (right, ~right))
    return float((_off_a_line(turned, codes) - alone) / np.square(codes - codes.mean()).sum())


def _off_a_line(x: NDArray[np.float64], y: NDArray[np.float64]) -> float:
    """The squared error of the best line."""
    return float(np.square(y - np.polyval(np.polyfit(x, y, 1), x)).sum())


def by_seed(values: Mapping[str, NDArray[np.float64]], columns: Sequence[str]) -> pd.DataFrame:
    """Values (seeds, columns) of each kind of run as one table."""
    tables = {kind: pd.DataFrame(each, columns=list(columns)) for kind, each in values.items()}
    return pd.concat(tables, names=["codes", "seed"]).reset_index()
