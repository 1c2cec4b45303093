"""Features that an agent can change one at a time are the coordinates of its world."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar, NamedTuple, cast

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from distaff.experiments import base
from distaff.experiments.base import Experiment, Finding, Lab, Runs, every_code
from distaff.factors import FactorSpace
from distaff.methods import controllable_factors
from distaff.metrics.mcc import absolute_correlation
from distaff.pages.figures import Plot
from distaff.pages.palette import INK
from distaff.studies.plan import Part, chain, dataset, each, method, product
from distaff.training.run import Run

Array = NDArray[np.float64]
WITH, WITHOUT = "with selectivity", "without"  # the names of the runs
ALONG, ACROSS = 0.95, 0.15  # |correlation| of a feature that is a coordinate, with it and with the other
PLACE = ("x", "y", "value", "leads right", "leads down")  # what a map shows of each place
METHODS = {
    WITH: method("controllable_factors", latents=4, batch_size=64, eps=0.05, selectivity_weight=2.0),
    # its features are not squeezed into -1..1: without the term those that are come to be constant
    WITHOUT: method("autoencoder", latents=4, learning_rate=1e-3),
}


class Scale(base.Scale, frozen=True):
    """How many seeds, and the steps of each and of its control."""

    seeds: int = 3
    steps: int = 2000


class Learned(NamedTuple):
    """What a run has learned of a world with m places: features (m, d) and policies (m, d, actions)."""

    space: FactorSpace
    features: Array
    policies: Array


class ControllableFactors(Experiment[Scale]):
    """Features that policies change one at a time become the coordinates of the world, each with its action.

    Thomas et al. 2017 (Independently controllable factors, arXiv:1708.01289), the first experiment: a square
    of 2x2 pixels on a plane of 12x12 that goes left, right, up or down by a pixel, or stays where it is
    blocked; four features, each with a policy. A feature is a coordinate if its |Pearson correlation| over
    all 121 places is at least .95 with one of x and y and at most .15 with the other. Its action is the one
    that its policy takes most often. Selectivity is max(d_k, 0) / sum_j max(d_j, 0) of the changes d of the
    features, the mean over all moves that are not blocked, weighted by the feature's policy. The control is
    what is left without the selectivity term, an autoencoder of four features with the same networks; nothing
    bounds them, for then it does not learn to decode.
    """

    scales: ClassVar = {
        "quick": Scale("one core, 10 seconds", seeds=1, steps=20),
        "nano": Scale("one core, four minutes"),
        "small": Scale("one core, six minutes", seeds=5),
        "paper": Scale("one core, an hour", seeds=10, steps=20_000),
    }

    def runs(self, scale: Scale) -> Part:
        kinds = [product(each(name=[name]), own) for name, own in METHODS.items()]
        seeds = each(steps=[scale.steps], seed=range(scale.seeds))
        return product(dataset("one_square"), chain(*kinds), seeds)

    def judge(self, lab: Lab[Scale], runs: Runs) -> Iterator[Finding]:
        learned = [learned_by(run) for run in runs[WITH]]
        lab.figure("Each feature over the plane, and where its policy leads", planes(learned))
        lab.say("In the figure x is to the right and y down; a feature is bright where it is high.")
        features = {
            WITH: [pd.DataFrame(of_features(one)) for one in learned],
            WITHOUT: [pd.DataFrame(correlated(run)) for run in runs[WITHOUT]],
        }
        for name, every in features.items():
            numbered = pd.concat(dict(enumerate(every)), names=["seed"]).reset_index("seed")
            lab.table(f"Every feature, {name}", numbered)
        rows = [
            {"seed": seed, **of_coordinates(one), "error": error(run)}
            for seed, (one, run) in enumerate(zip(features[WITH], runs[WITH], strict=True))
        ]
        table = lab.table("Every seed", rows)
        for key in ("features", "coordinates", "actions", "sure", "selectivity", "error"):
            yield self.found(key, table[key])
        yield self.found("without", [(one["is"] != "").sum() for one in features[WITHOUT]])
        yield self.found("error_without", [error(run) for run in runs[WITHOUT]])


@torch.inference_mode()
def learned_by(run: Run) -> Learned:
    """The features of all images of a run's world, and the policies there."""
    made, space = cast(controllable_factors.ControllableFactors, run.method), run.data.factors
    assert space is not None
    features = every_code(run).mean
    policies = made.policies(run.modules, torch.from_numpy(features)).numpy()
    return Learned(space, features.astype(np.float64), policies.astype(np.float64))


def error(run: Run) -> float:
    """The mean squared error of a pixel, 0..1, over all images that a run decodes from its features."""
    images = run.data.unit_images(np.arange(len(run.data)))
    return float(np.mean((run.decode(every_code(run).mean) - images) ** 2))


def correlated(run: Run) -> list[dict[str, Any]]:
    """Of each feature of a run: its correlations, and the coordinate that it is."""
    assert run.data.factors is not None
    return along(run.data.factors, every_code(run).mean.astype(np.float64))


def along(space: FactorSpace, features: Array) -> list[dict[str, Any]]:
    """Of each feature (m, d) over all places: its correlations, and the coordinate that it is."""
    rows = space.rows(np.arange(len(space))).astype(np.float64)
    return [
        {"feature": k + 1}
        | {f"|corr| with {name}": float(value) for name, value in zip(space.names, own, strict=True)}
        | {"is": coordinate(own, space.names)}
        for k, own in enumerate(absolute_correlation(features, rows, "pearson"))
    ]


def of_features(learned: Learned) -> list[dict[str, Any]]:
    """Of each feature: its correlations, the coordinate that it is, its action, how sure, how selective."""
    space, features, policies = learned
    chosen, selective = policies.mean(axis=0), selectivities(learned)
    return [
        row
        | {"action": int(chosen[k].argmax()), "its probability": float(chosen[k].max())}
        | {"selectivity": float(selective[k])}
        for k, row in enumerate(along(space, features))
    ]


def coordinate(correlations: Array, names: tuple[str, ...]) -> str:
    """The factor that a feature of these |correlations| is, or nothing."""
    own = int(correlations.argmax())
    others = np.delete(correlations, own)
    return names[own] if correlations[own] >= ALONG and (others <= ACROSS).all() else ""


def of_coordinates(features: pd.DataFrame) -> dict[str, float]:
    """What the features of a run are together: how many are coordinates, which of these, by which actions.

    `sure` is of the least sure of those, 0 without any; `selectivity` is the mean of all features.
    """
    found = features[features["is"] != ""]
    return {
        "features": len(found),
        "coordinates": found["is"].nunique(),
        "actions": found["action"].nunique(),
        "sure": float(found["its probability"].min()) if len(found) else 0.0,
        "selectivity": float(features["selectivity"].mean()),
    }


def selectivities(learned: Learned) -> Array:
    """The directed selectivity (d,) of each feature under its own policy, over moves that are not blocked.

    0 where no feature rises.
    """
    space, features, policies = learned
    places = np.arange(len(space))
    total, weight = np.zeros(features.shape[1]), np.zeros(features.shape[1])
    for action in range(policies.shape[2]):
        there = space.index(space.move(space.rows(places), action))
        rises = np.maximum(features[there] - features, 0)
        shares = rises / np.maximum(rises.sum(axis=1, keepdims=True), np.finfo(float).tiny)
        chosen = policies[:, :, action] * (there != places)[:, None]
        total += (chosen * shares).sum(axis=0)
        weight += chosen.sum(axis=0)
    return total / np.maximum(weight, np.finfo(float).tiny)


def planes(every: list[Learned]) -> Plot:
    """A row of maps for what each seed has learned: a feature over the plane, with its policy as arrows."""
    count = every[0].features.shape[1]
    figure = Plot((2.1 * count, 2.2 * len(every)), layout="constrained")
    grid, told = figure.subplots(len(every), count, squeeze=False), []
    for seed, (learned, line) in enumerate(zip(every, grid, strict=True)):
        (width, height), rows = learned.space.sizes, learned.space.rows(np.arange(len(learned.space)))
        for k, ax in enumerate(line):
            feature, to = learned.features[:, k], learned.policies[:, k]  # down and up by one: x, then y
            arrows = (to[:, 1] - to[:, 0], to[:, 3] - to[:, 2])
            ax.imshow(feature.reshape(width, height).T, cmap="viridis", vmin=-1, vmax=1)
            ax.quiver(*rows.T, *arrows, angles="xy", scale_units="xy", scale=1.3, color=INK, pivot="mid")
            ax.set(xticks=[], yticks=[])
            ax.set_title(f"seed {seed}, feature {k + 1}", fontsize=8, color=INK)
            drawn = dict(zip(PLACE, (*rows.T, feature, *arrows), strict=True))
            told.append(pd.DataFrame({"seed": seed, "feature": k + 1} | drawn))
    figure.numbers = pd.concat(told)
    return figure
