"""Neighbours in the data and in the code."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from numpy.typing import NDArray
from sklearn.neighbors import NearestNeighbors

from distaff.experiments.base import Claim, Lab, claim, every_code, every_label, experiment

NEAREST = 8  # codes that count as neighbours: those around a point of a square grid


@experiment(
    takes=("two cores, 10 seconds", "two cores, three minutes", "one GPU, two hours"),
    resolution=(16, 32, 64),
    places=(8, 32, 32),
    betas=({"VAE": 0.1, "beta-VAE": 4.0}, {"VAE": 0.1, "beta-VAE": 4.0}, {"VAE": 1.0, "beta-VAE": 150.0}),
    seeds=(1, 2, 5),
    steps=(20, 1000, 100_000),
)
def locality(lab: Lab) -> Iterator[Claim]:
    """Neighbours in the data stay neighbours in the code of a beta-VAE, and are torn apart in a VAE's.

    Burgess et al. 2018, section 4.1: where a code has few nats posteriors overlap, a sample may be taken for
    its neighbour, and the least is lost if that neighbour is an image that looks alike. Squares at a grid of
    places, two latents. Measured is how many of an image's neighbours on the grid (four, fewer at the edge)
    are among its eight nearest codes. Scale nano has .1 for the VAE's beta: at 32 pixels and two latents 1 is
    a strong weight already.
    """
    data = lab.sprites(shape=[0], scale=[3], orientation=1)
    grid = every_label(data)[:, -2:]
    kept: dict[str, list[float]] = {}
    pictures: dict[str, NDArray[np.float32]] = {}
    for name, beta in lab["betas"].items():
        settings = {"beta": beta, "latents": 2, "learning_rate": 1e-3}
        for run in lab.runs(name, "beta_vae", data, lab["steps"], **settings):
            codes = every_code(run).mean
            kept.setdefault(name, []).append(neighbours_kept(codes, grid))
            pictures.setdefault(f"{name}, beta {beta:g}", codes)
    lab.figure("The grid of places, drawn at its codes (seed 0)", _nets(pictures, grid))
    lab.table("Share of neighbours kept", pd.DataFrame(kept).rename_axis("seed").reset_index())
    yield claim("Share of neighbours kept by the beta-VAE", kept["beta-VAE"], low=0.9)
    yield claim("beta-VAE minus VAE", np.subtract(kept["beta-VAE"], kept["VAE"]), low=0.05)


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


def _nets(pictures: dict[str, NDArray[np.float32]], grid: NDArray[np.int64]) -> Figure:
    figure = Figure((4 * len(pictures), 4), layout="constrained")
    panels = figure.subplots(1, len(pictures), squeeze=False)[0]
    first, second = grid_neighbours(grid).T
    for ax, (title, codes) in zip(panels, pictures.items(), strict=True):
        lines = np.stack([codes[first], codes[second]], axis=0)  # (2, m, 2)
        ax.plot(lines[:, :, 0], lines[:, :, 1], color="#b8c4cf", lw=0.5, zorder=0)
        ax.scatter(codes[:, 0], codes[:, 1], c=grid[:, 0], s=6, cmap="viridis")
        ax.set(title=title, xlabel="z1", ylabel="z2")
    return figure
