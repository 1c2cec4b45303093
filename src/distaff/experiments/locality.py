"""Neighbours in the data and in the code."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.neighbors import NearestNeighbors

from distaff.experiments import base
from distaff.experiments.base import Experiment, Finding, Lab, Runs, every_code, every_label
from distaff.pages.figures import Plot
from distaff.studies.plan import Part, chain, dataset, each, method, product

NEAREST = 8  # codes that count as neighbours: those around a point of a square grid


class Scale(base.Scale, frozen=True):
    """Squares of `resolution` pixels at `places` across and down, and the betas of the three VAEs."""

    resolution: int = 16
    places: int = 16
    seeds: int = 5
    steps: int = 1000
    weak: float = 0.1
    vae: float = 1.0
    beta_vae: float = 4.0
    reconstruction_weight: float = 4.0


class Locality(Experiment[Scale]):
    """Neighbours in the data stay neighbours in the code of a beta-VAE, and are torn apart at a small beta.

    Burgess et al. 2018 (arXiv:1804.03599), section 4.1: where a code has few nats posteriors overlap, a
    sample may be taken for its neighbour, and the least is lost if that neighbour is an image that looks
    alike. Squares at a grid of places, two latents. Measured is how many of an image's neighbours on the grid
    (four, fewer at the edge) are among its eight nearest codes. The paper compares beta 150 with 1, at 64
    pixels; below scale paper the large beta is 4 and a weak one, .1, stands beside 1, which with few places
    and steps keeps as many neighbours as 4.
    """

    scales: ClassVar = {
        "quick": Scale("two cores, 10 seconds", 16, 8, seeds=1, steps=20),
        "nano": Scale("two cores, three minutes"),
        "small": Scale("two cores, a quarter of an hour", seeds=30),
        "paper": Scale(
            "one GPU, six hours",
            resolution=64,
            places=32,
            seeds=30,
            steps=100_000,
            beta_vae=150.0,
            reconstruction_weight=1.0,
        ),
    }

    def runs(self, scale: Scale) -> Part:
        places = {"resolution": scale.resolution, "x": scale.places, "y": scale.places}
        squares = dataset("dsprites", shape=[0], scale=[3], orientation=1, **places)
        named = {"weak VAE": scale.weak, "VAE": scale.vae, "beta-VAE": scale.beta_vae}
        betas = chain(*(each(name=[name], **{"set.beta": [beta]}) for name, beta in named.items()))
        common = each(steps=[scale.steps], seed=range(scale.seeds))
        weight = scale.reconstruction_weight
        model = method("beta_vae", latents=2, learning_rate=1e-3, reconstruction_weight=weight)
        return product(squares, model, betas, common)

    def judge(self, lab: Lab[Scale], runs: Runs) -> Iterator[Finding]:
        kept: dict[str, list[float]] = {}
        pictures: dict[str, NDArray[np.float32]] = {}
        for name, run in runs.named():
            codes, grid = every_code(run).mean, every_label(run.data)[:, -2:]
            kept.setdefault(name, []).append(neighbours_kept(codes, grid))
            pictures.setdefault(f"{name}, beta {run.config.settings['beta']:g}", codes)
        lab.figure("The grid of places, drawn at its codes (seed 0)", _nets(pictures, grid))
        lab.table("Share of neighbours kept", pd.DataFrame(kept).rename_axis("seed").reset_index())
        yield self.found("kept", kept["beta-VAE"])
        yield self.found("more", np.subtract(kept["beta-VAE"], kept["weak VAE"]))
        yield self.found("than_vae", np.subtract(kept["beta-VAE"], kept["VAE"]))


def grid_neighbours(grid: NDArray[np.int64]) -> NDArray[np.int64]:
    """Pairs (m, 2) of points of a full grid (n, 2) that are one step apart, each pair once."""
    place = {tuple(point): n for n, point in enumerate(grid.tolist())}
    found = [
        (n, place[step]) for (x, y), n in place.items() for step in ((x + 1, y), (x, y + 1)) if step in place
    ]
    return np.array(found, dtype=np.int64)


def neighbours_kept(codes: NDArray[np.float32], grid: NDArray[np.int64]) -> float:
    """The share of grid neighbours, seen from either, that are among the nearest codes."""
    near = NearestNeighbors(n_neighbors=NEAREST).fit(codes).kneighbors(return_distance=False)
    pairs = grid_neighbours(grid)
    both = np.concatenate([pairs, pairs[:, ::-1]])
    return float((near[both[:, 0]] == both[:, 1, None]).any(axis=1).mean())


def _nets(pictures: dict[str, NDArray[np.float32]], grid: NDArray[np.int64]) -> Plot:
    figure = Plot((4 * len(pictures), 4), layout="constrained")
    panels = figure.subplots(1, len(pictures), squeeze=False)[0]
    figure.numbers = pd.DataFrame(grid, columns=["x", "y"])
    first, second = grid_neighbours(grid).T
    for ax, (title, codes) in zip(panels, pictures.items(), strict=True):
        figure.numbers[[f"{title}, z1", f"{title}, z2"]] = codes
        lines = np.stack([codes[first], codes[second]], axis=0)  # (2, m, 2)
        ax.plot(lines[:, :, 0], lines[:, :, 1], color="#b8c4cf", lw=0.5, zorder=0)
        ax.scatter(codes[:, 0], codes[:, 1], c=grid[:, 0], s=6, cmap="viridis")
        ax.set(title=title, xlabel="z1", ylabel="z2")
    return figure
