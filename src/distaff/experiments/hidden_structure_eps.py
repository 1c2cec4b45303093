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
from distaff.datasets.perturbed import Perturbed
from distaff.datasets.subset import Subset
from distaff.experiments.base import Claim, Lab, Scale, claim, every_label, experiment
from distaff.experiments.hidden_structure import ELLIPSES
from distaff.experiments.pictures import COLOURS
from distaff.metrics.arrays import standardised
from distaff.training.run import Run

DRAWS = 2000  # values of s that its variance and its expansiveness are estimated from
PANELS = {
    "local expansiveness": "pixels per unit",
    "global explained variance": "sum over pixels",
    "information": "1 - E sigma^2",
}


@experiment(
    quick=Scale(
        "two cores, 15 seconds",
        {
            "grid": ELLIPSES | {"resolution": 16, "x": 8},
            "copies": 2,
            "eps": [0.05, 0.2],
            "kappa": 10.0,
            "beta": 1.0,
            "seeds": 1,
            "steps": 20,
        },
    ),
    nano=Scale(
        "two cores, ten minutes",
        {
            "grid": ELLIPSES | {"resolution": 32},
            "copies": 8,
            "eps": [0.025, 0.05, 0.075, 0.1, 0.15],
            "kappa": 10.0,
            "beta": 1.0,
            "seeds": 2,
            "steps": 2000,
        },
    ),
    paper=Scale(
        "a cluster: 80 models of 300,000 steps",
        {
            "grid": {"resolution": 64},
            "copies": 1,
            "eps": [0.025, 0.05, 0.075, 0.1, 0.125, 0.15, 0.175, 0.2],
            "kappa": 10.0,
            "beta": 8.0,
            "seeds": 10,
            "steps": 300_000,
        },
    ),
)
def hidden_structure_eps(lab: Lab) -> Iterator[Claim]:
    """A VAE codes the pattern first once it is the largest locally, not once it is the largest globally.

    Zietlow et al. 2020, section 5.2 and figure 4. The pattern moves with a factor s of its own, uniform with
    mean 0 and variance 1, and eps sweeps. For x, y, s, each in units of its deviation: local expansiveness,
    the mean distance per unit of two images that are one step apart in that factor (s: as large as one of x);
    global explained variance, that of E[image | factor] summed over pixels; information, 1 - E sigma^2 of the
    latent that stands for the factor, matched by the largest |rank correlations|. A latent per factor.
    """
    grid = load_dataset("dsprites", **lab["grid"])
    data = Subset(grid, np.tile(np.arange(len(grid)), lab["copies"]))
    s = np.random.default_rng(0).uniform(-(3**0.5), 3**0.5, len(data))
    rows = []
    for eps in lab["eps"]:
        perturbed = Perturbed(data, s, eps=eps, kappa=lab["kappa"])
        for factor, numbers in _of_the_data(grid, perturbed).items():
            rows.append({"eps": eps, "factor": factor, "seed": -1, **numbers})
        for seed in range(lab["seeds"]):
            settings = {"beta": lab["beta"], "latents": 3, "learning_rate": 1e-3}
            run = lab.train(
                f"eps-{eps:g}-s{seed}", "beta_vae", perturbed, lab["steps"], seed=seed, **settings
            )
            for factor, value in _information(run, s).items():
                rows.append({"eps": eps, "factor": factor, "seed": seed, "information": value})
    table = pd.DataFrame(rows).groupby(["eps", "factor"])[list(PANELS)].median()
    lab.table("By eps and factor, medians over seeds", table.reset_index())
    lab.figure("What each factor is in the data, and in the code", _picture(table))
    of_s, of_x = table.xs("s", level="factor"), table.xs("x", level="factor")
    yield claim("Information of s at the smallest eps", of_s["information"].iloc[0], high=0.2)
    largest = table["information"].groupby("eps").max()
    first = [eps for eps in lab["eps"] if of_s.loc[eps, "information"] >= largest[eps]]
    yield claim("Strengths at which s has the most information", len(first), low=1)
    if first:
        ratio = of_s.loc[first[0]] / of_x.loc[first[0]]
        yield claim("At the first of them, local expansiveness of s over x's", ratio.iloc[0], low=1)
        yield claim("There, global explained variance of s over x's", ratio.iloc[1], high=1)


def _of_the_data(grid: DataSet, perturbed: Perturbed) -> dict[str, dict[str, float]]:
    """Local expansiveness and global explained variance of x, y and s."""
    labels, images = every_label(grid)[:, -2:], grid.unit_images(np.arange(len(grid)))
    pixels = images.reshape(*labels.max(axis=0) + 1, -1).astype(np.float64)  # x, y, pixel
    found = {}
    for j, name in enumerate("xy"):
        step = 1 / labels[:, j].std()
        apart = np.linalg.norm(np.diff(pixels, axis=j), axis=2).mean()
        found[name] = _numbers(apart / step, pixels.mean(axis=1 - j))
    step = 1 / labels[:, 0].std()
    drawn = np.random.default_rng(1).uniform(-(3**0.5), 3**0.5, DRAWS)
    here, there = (perturbed.eps * perturbed.pattern(at).reshape(DRAWS, -1) for at in (drawn, drawn + step))
    # the pattern is the same in every channel
    here, there = (np.tile(each, grid.image_shape[0]) for each in (here, there))
    found["s"] = _numbers(np.linalg.norm(there - here, axis=1).mean() / step, here)
    return found


def _numbers(expansiveness: float, means: NDArray[Any]) -> dict[str, float]:
    """`means` (values, pixels) are E[image | value]."""
    return {
        "local expansiveness": float(expansiveness),
        "global explained variance": float(means.var(axis=0).sum()),
    }


def _information(run: Run, s: NDArray[np.float64]) -> dict[str, float]:
    """1 - E sigma^2 of the latents that stand for x, y and s."""
    codes = run.encode(run.data.images(np.arange(len(run.data))))
    assert codes.logvar is not None
    truth = np.column_stack([standardised(every_label(run.data)[:, -2:]), s])
    together = np.abs(spearmanr(truth, codes.mean).statistic[: truth.shape[1], truth.shape[1] :])
    _, latents = linear_sum_assignment(together, maximize=True)
    information = 1 - np.exp(codes.logvar.astype(np.float64)).mean(axis=0)
    return dict(zip("xys", information[latents].tolist(), strict=True))


def _picture(table: pd.DataFrame) -> Figure:
    figure = Figure((10, 3.2), layout="constrained")
    for one, (panel, unit) in zip(figure.subplots(1, len(PANELS)), PANELS.items(), strict=True):
        for (factor, line), colour in zip(table[panel].groupby("factor"), COLOURS, strict=False):
            one.plot(line.index.get_level_values("eps"), line, marker="o", ms=3, label=factor, color=colour)
        one.set(title=panel, xlabel="eps", ylabel=unit)
        one.spines[["top", "right"]].set_visible(False)
        one.legend(frameon=False, fontsize=8)
    return figure
