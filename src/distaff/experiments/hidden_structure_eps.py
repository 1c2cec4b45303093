"""How strong the hidden pattern must be for a VAE to code it first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from scipy.stats import spearmanr

from distaff.datasets import DataSet, load_dataset
from distaff.datasets.views.perturbed import Perturbed
from distaff.experiments import base
from distaff.experiments.base import Experiment, Finding, Lab, Runs, every_code, every_label
from distaff.experiments.hidden_structure import ELLIPSES, TINY, pattern_of
from distaff.methods.base import Codes
from distaff.metrics.posterior import mean_variance
from distaff.pages.figures import Plot
from distaff.pages.palette import COLOURS
from distaff.studies.plan import Part, chain, dataset, each, method, product

PLACES = ELLIPSES | {"resolution": 16, "x": 16}
CORRELATED = 0.5  # |rank correlation| from which on a latent stands for a factor
DRAWS = 2000  # pairs of images that the expansiveness is estimated from
LOCAL, GLOBAL = "local expansiveness", "global explained variance"


class Scale(base.Scale, frozen=True):
    """dSprites with the options of `grid`, `copies` of every image, and the strengths of a pattern."""

    grid: Mapping[str, Any]
    copies: int = 8
    eps: tuple[float, ...] = (0.03, 0.05, 0.085, 0.11)
    kappa: float = 5.0
    beta: float | str = "constant:4:16:2200"
    learning_rate: float | str = "linear:0.0002:0.002:300"
    reconstruction_weight: float = 16.0
    seeds: int = 3
    steps: int = 3000
    latents: int = 3


class HiddenStructureEps(Experiment[Scale]):
    """A VAE codes the pattern first once it is the largest locally, not once it is the largest globally.

    Zietlow et al. 2020, section 5.2 and figure 4. The pattern moves with a factor s of its own, uniform with
    mean 0 and variance 1, and eps sweeps. For s and every factor, in units of its deviation: local
    expansiveness, the distance per unit of two images that are one step apart in that factor (s: as large as
    one of x), mean and least; global explained variance, that of E[image | factor] summed over pixels;
    information, 1 - E sigma^2 (0 where that is negative) of the latent that stands for the factor, matched
    by the largest |rank correlations|, and 0 where that is below .5. There is a latent for each, s included.

    Below scale paper beta is 4 until the pattern has had time to be found, which a larger one prevents, then
    16: at 4 all latents end so sure that their ranks say little. There are 16 places along each axis.

    Networks see -eps..1 + eps as 0..1, so the contrast of the sprites falls by 1 + 2 eps along the sweep.
    """

    scales: ClassVar = {
        "quick": Scale("two cores, 15 seconds", TINY, 2, (0.05, 0.2), 4.0, 4.0, 2e-3, seeds=1, steps=20),
        "nano": Scale("two cores, six minutes", PLACES),
        "small": Scale("two cores, 20 minutes", PLACES, seeds=10),
        "paper": Scale(
            "a cluster: 80 models of 300,000 steps",
            {"resolution": 64},
            copies=1,
            eps=(0.025, 0.05, 0.075, 0.1, 0.125, 0.15, 0.175, 0.2),
            kappa=10.0,
            beta=8.0,
            learning_rate=1e-4,
            reconstruction_weight=1.0,
            seeds=10,
            steps=300_000,
            latents=6,
        ),
    }

    def runs(self, scale: Scale) -> Part:
        pattern = {"by": "uniform", "copies": scale.copies, "kappa": scale.kappa}
        sweep = (dataset("dsprites", **scale.grid, perturb=pattern | {"eps": eps}) for eps in scale.eps)
        settings = {"beta": scale.beta, "latents": scale.latents, "learning_rate": scale.learning_rate}
        settings["reconstruction_weight"] = scale.reconstruction_weight
        runs = each(steps=[scale.steps], seed=range(scale.seeds))
        return product(chain(*sweep), method("beta_vae", **settings), runs)

    def judge(self, lab: Lab[Scale], runs: Runs) -> Iterator[Finding]:
        grid, rows, informed = load_dataset("dsprites", **lab.scale.grid), [], []
        for run in runs:
            perturbed = pattern_of(run.data)
            if run.config.seed == 0:
                rows += [{"eps": perturbed.eps, **row} for row in in_the_data(grid, perturbed)]
            codes, labels = every_code(run), every_label(run.data)
            of_run = {"eps": perturbed.eps, "seed": run.config.seed}
            informed += [of_run | row for row in information(codes, labels, perturbed)]
        in_data = lab.table("What each factor is in the data", rows)
        table = lab.table("The latent that stands for each factor", informed)
        in_code = table.pivot(index=["eps", "seed"], columns="factor", values="information").reset_index()
        lab.figure("What each factor is in the data, and in the code", _picture(in_data, in_code))
        others = in_code.drop(columns=["eps", "seed", "s"])
        lesser = others[["x", "y"]].min(axis=1)
        yield self.found("others", lesser.groupby(in_code["seed"]).median())
        yield self.found("smallest", in_code.loc[in_code["eps"] == in_code["eps"].min(), "s"])
        lower, between = leading(in_data, in_code)
        yield self.found("lower", lower)
        yield self.found("between", between)


def leading(in_data: pd.DataFrame, in_code: pd.DataFrame) -> tuple[pd.Series[bool], pd.Series[bool]]:
    """Whether a seed codes s first at any eps where x is the larger locally, and at any where s is, and x is
    the larger globally."""
    leads = in_code["s"] > in_code.drop(columns=["eps", "seed", "s"]).max(axis=1)
    table = in_code.assign(leads=leads).pivot(index="seed", columns="eps", values="leads")
    of_s, of_x = (in_data[in_data["factor"] == name].set_index("eps") for name in ("s", "x"))
    locally, globally = (of_s[panel] >= of_x[panel] for panel in (LOCAL, GLOBAL))
    return table.loc[:, ~locally].any(axis=1), table.loc[:, locally & ~globally].any(axis=1)


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


def information(codes: Codes, labels: NDArray[Any], perturbed: Perturbed) -> Iterator[dict[str, Any]]:
    """1 - E sigma^2 of the latents that stand for the factors and s, and their |rank correlations| with them.

    0 where that is negative, and where a latent's correlation is below .5, so that it stands for nothing.
    """
    assert codes.logvar is not None
    truth = np.column_stack([labels, perturbed.s])
    together = np.abs(spearmanr(truth, codes.mean).statistic[: truth.shape[1], truth.shape[1] :])
    together = np.nan_to_num(together)
    factors, latents = linear_sum_assignment(together, maximize=True)
    informed = np.maximum(0, 1 - mean_variance(codes.logvar))
    for factor, latent, name in zip(factors, latents, [*perturbed.label_names, "s"], strict=True):
        size = float(together[factor, latent])
        told = float(informed[latent]) if size >= CORRELATED else 0.0
        yield {"factor": name, "|correlation|": size, "information": told}


def _picture(in_data: pd.DataFrame, in_code: pd.DataFrame) -> Plot:
    figure = Plot((10, 3.2), layout="constrained")
    medians = in_code.drop(columns="seed").groupby("eps").median()
    lines = {panel: in_data.pivot(index="eps", columns="factor", values=panel) for panel in (LOCAL, GLOBAL)}
    units = ("image distance per deviation", "sum over pixels", "1 - E sigma^2, median over seeds")
    panels = [*lines.items(), ("information of the latent", medians)]
    figure.numbers = pd.concat(dict(panels), names=["what"]).reset_index()
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
