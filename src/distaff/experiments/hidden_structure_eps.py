"""How strong the hidden pattern must be for a VAE to code it first."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from scipy.stats import spearmanr

from distaff.datasets import DataSet, load_dataset
from distaff.datasets.views.perturbed import Perturbed
from distaff.datasets.views.subset import Subset
from distaff.experiments.base import Claim, Lab, claim, every_code, every_label, experiment
from distaff.experiments.hidden_structure import ELLIPSES
from distaff.experiments.pictures import COLOURS
from distaff.training.run import Run

DRAWS = 2000  # pairs of images that the expansiveness is estimated from
LOCAL, GLOBAL = "local expansiveness", "global explained variance"


@experiment(
    takes=("two cores, 15 seconds", "two cores, sixteen minutes", "a cluster: 80 models of 300,000 steps"),
    grid=(ELLIPSES | {"resolution": 16, "x": 8}, ELLIPSES | {"resolution": 32}, {"resolution": 64}),
    copies=(2, 8, 1),
    eps=([0.05, 0.2], [0.03, 0.06, 0.085, 0.11], [0.025, 0.05, 0.075, 0.1, 0.125, 0.15, 0.175, 0.2]),
    kappa=(4.0, 5.0, 10.0),
    beta=(1.0, "constant:1:8:4500", 8.0),
    learning_rate=(2e-3, "linear:0.0002:0.002:500", 1e-4),
    seeds=(1, 2, 10),
    steps=(20, 6000, 300_000),
)
def hidden_structure_eps(lab: Lab) -> Iterator[Claim]:
    """A VAE codes the pattern first once it is the largest locally, not once it is the largest globally.

    Zietlow et al. 2020, section 5.2 and figure 4. The pattern moves with a factor s of its own, uniform with
    mean 0 and variance 1, and eps sweeps. For s and every factor, in units of its deviation: local
    expansiveness, the distance per unit of two images that are one step apart in that factor (s: as large as
    one of x), mean and least; global explained variance, that of E[image | factor] summed over pixels;
    information, 1 - E sigma^2 (0 where that is negative) of the latent that stands for the factor, matched
    by the largest |rank correlations|. There is a latent per factor, s included.

    At scale nano beta is 1 until the pattern has had time to be found, which a larger one prevents, then 8:
    at 1 all latents end so sure that their ranks say little.

    Networks see -eps..1 + eps as 0..1, so the contrast of the sprites falls by 1 + 2 eps along the sweep.
    """
    grid = load_dataset("dsprites", **lab["grid"])
    data = Subset(grid, np.tile(np.arange(len(grid)), lab["copies"]))
    s = np.random.default_rng(0).uniform(-(3**0.5), 3**0.5, len(data))
    latents = len(grid.label_names) + 1
    settings = {"beta": lab["beta"], "latents": latents, "learning_rate": lab["learning_rate"]}
    rows, informed = [], []
    for eps in lab["eps"]:
        perturbed = Perturbed(data, s, eps=eps, kappa=lab["kappa"])
        rows += [{"eps": eps, **row} for row in in_the_data(grid, perturbed)]
        for seed, run in enumerate(lab.runs(f"eps-{eps:g}", "beta_vae", perturbed, lab["steps"], **settings)):
            informed.append({"eps": eps, "seed": seed, **information(run, s)})
    in_data = lab.table("What each factor is in the data", rows)
    in_code = lab.table("Information of each factor's latent", informed)
    lab.figure("What each factor is in the data, and in the code", _picture(in_data, in_code))
    yield from _claims(in_data, in_code)


def _claims(in_data: pd.DataFrame, in_code: pd.DataFrame) -> Iterator[Claim]:
    others = in_code.drop(columns=["eps", "seed", "s"])
    yield claim("Information of x and y in a run, the lesser", others[["x", "y"]].min(axis=1), low=0.8)
    smallest = in_code["eps"] == in_code["eps"].min()
    yield claim("Information of s at the smallest eps", in_code.loc[smallest, "s"], high=0.2)
    leads = (in_code["s"] > others.max(axis=1)).groupby(in_code["eps"]).mean().to_numpy()
    of_s, of_x = (in_data[in_data["factor"] == name] for name in ("s", "x"))
    locally, globally = (of_s[panel].to_numpy() >= of_x[panel].to_numpy() for panel in (LOCAL, GLOBAL))
    lower, between = leads[~locally].max(initial=0), leads[locally & ~globally].max(initial=0)
    yield claim("Largest share of runs that code s first where x is larger locally", lower, high=0)
    yield claim("Largest share of runs that do where s is larger locally, x globally", between, low=0.5)


def in_the_data(grid: DataSet, perturbed: Perturbed) -> Iterator[dict[str, Any]]:
    """Local expansiveness and global explained variance of every factor of the grid, and of s."""
    space = grid.factors
    assert space is not None
    rng = np.random.default_rng(1)
    for name in grid.label_names:
        place = space.position(name)
        size = space.sizes[place]
        rows = space.sample(DRAWS, rng)
        rows[:, place] = rng.integers(size - 1, size=DRAWS)
        here = grid.unit_images(space.index(rows)).reshape(DRAWS, -1)
        rows[:, place] += 1
        there = grid.unit_images(space.index(rows)).reshape(DRAWS, -1)
        others = np.repeat(rows[: DRAWS // 10], size, axis=0)
        others[:, place] = np.tile(np.arange(size), DRAWS // 10)
        images = grid.unit_images(space.index(others)).reshape(DRAWS // 10, size, -1)
        yield {"factor": name, **_numbers(here, there, 1 / np.arange(size).std(), images.mean(axis=0))}
    step = 1 / np.arange(space.sizes[space.position("x")]).std()
    drawn = rng.uniform(-(3**0.5), 3**0.5, DRAWS)
    here, there = (_added(perturbed, grid, at) for at in (drawn, drawn + step))
    yield {"factor": "s", **_numbers(here, there, step, here)}


def _added(perturbed: Perturbed, grid: DataSet, s: NDArray[np.float64]) -> NDArray[np.float64]:
    """eps f(s) of every pixel (n, C H W); the pattern is the same in every channel."""
    pattern = perturbed.pattern(s).reshape(len(s), -1)
    return np.asarray(np.tile(perturbed.eps * pattern, grid.image_shape[0]))


def _numbers(here: NDArray[Any], there: NDArray[Any], step: float, means: NDArray[Any]) -> dict[str, float]:
    """`here` and `there` (n, pixels) are a `step` apart; `means` (values, pixels) are E[image | value]."""
    apart = np.linalg.norm(there - here, axis=1) / step
    return {LOCAL: apart.mean(), f"{LOCAL}, least": apart.min(), GLOBAL: means.var(axis=0).sum()}


def information(run: Run, s: NDArray[np.float64]) -> dict[str, float]:
    """1 - E sigma^2, at least 0, of the latents that stand for the factors and s."""
    codes = every_code(run)
    assert codes.logvar is not None
    truth = np.column_stack([every_label(run.data), s])
    together = np.abs(spearmanr(truth, codes.mean).statistic[: truth.shape[1], truth.shape[1] :])
    _, latents = linear_sum_assignment(np.nan_to_num(together), maximize=True)
    informed = np.maximum(0, 1 - np.exp(codes.logvar.astype(np.float64)).mean(axis=0))
    return dict(zip([*run.data.label_names, "s"], informed[latents].tolist(), strict=True))


def _picture(in_data: pd.DataFrame, in_code: pd.DataFrame) -> Figure:
    figure = Figure((10, 3.2), layout="constrained")
    medians = in_code.drop(columns="seed").groupby("eps").median()
    lines = {panel: in_data.pivot(index="eps", columns="factor", values=panel) for panel in (LOCAL, GLOBAL)}
    units = ("image distance per deviation", "sum over pixels", "1 - E sigma^2, median over seeds")
    panels = [*lines.items(), ("information of the latent", medians)]
    crossings = [line.index[(line["s"] >= line["x"]).to_numpy()].min() for line in lines.values()]
    for ax, (panel, line), unit in zip(figure.subplots(1, len(panels)), panels, units, strict=True):
        for factor, colour in zip(medians.columns, COLOURS, strict=False):
            ax.plot(line.index, line[factor], marker="o", ms=3, label=factor, color=colour)
        for crossing, style in zip(crossings, ("--", ":"), strict=True):
            ax.axvline(crossing, color="#9aa5b1", lw=0.8, ls=style)
        ax.set(title=panel, xlabel="eps", ylabel=unit)
        ax.spines[["top", "right"]].set_visible(False)
        ax.legend(frameon=False, fontsize=8)
    return figure
