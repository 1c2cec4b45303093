"""Whether better disentangled codes are learned to reason from sooner."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from msgspec import structs
from scipy.stats import ortho_group

from distaff.datasets import DataSet
from distaff.evaluation.reasoning.lesson import reasoning
from distaff.evaluation.reasoning.matrices import KINDS, RULES, Matrices
from distaff.evaluation.reasoning.reasoner import Reasoner, Sight, sight_of
from distaff.evaluation.reasoning.shortcuts import shortcuts
from distaff.experiments import base
from distaff.experiments.base import DCI_BY_FOREST, Experiment, Finding, Lab, Runs, every_label
from distaff.experiments.verdict import rank_correlation
from distaff.factors import FactorSpace
from distaff.pages.figures import curves, heat_map
from distaff.pages.matrix_figure import matrix_figure
from distaff.pages.table_figures import scatter
from distaff.randomness import derived
from distaff.studies.analysis.dead import dead_by_setting, without_dead
from distaff.studies.analysis.rank_correlation import correlate_columns
from distaff.studies.analysis.score_table import by_run, metrics_of
from distaff.studies.locatello2019 import GRIDS, WEIGHTS
from distaff.studies.metric_roles import turned
from distaff.studies.plan import Part, Plan, chain, dataset, each, method, product
from distaff.training.run import Run

METRICS = ("beta_vae_score", "factor_vae_score", "mig", "dci", "modularity", "sap")
EARLY, LATE = 1 / 4, 1.0
#: of which score, and after which share of the network's steps, a claim is
CLAIMED = {
    "dci_early": ("dci.disentanglement", EARLY),
    "factor_vae_early": ("factor_vae_score", EARLY),
    "mig_early": ("mig", EARLY),
    "informativeness_late": ("dci.informativeness", LATE),
    "reconstruction_late": ("reconstruction", LATE),
}
THUMBED = 4000  # matrices behind a rule of thumb
INDEX = ["method", "strength", "seed"]


class Scale(base.Scale, frozen=True):
    """3D Shapes with the options of `grid`; every method at each of its `strengths`, `seeds` of each.

    The relation network takes `learned` steps, tested after every `every`; `controls` of its seeds see what
    was made by hand, and as many, 0 or more, of `pixels` see images.
    """

    grid: Mapping[str, Any]
    strengths: Mapping[str, tuple[float, ...]]
    steps: int = 1500
    seeds: int = 3
    learned: int = 3000
    every: int = 250
    controls: int = 5
    pixels: int = 1
    learning_rate: float = 1e-3
    discriminator_width: int = 256


QUICK = {"resolution": 16, "floor_hue": 3, "wall_hue": 2, "object_hue": 3, "scale": 2, "orientation": 1}
NANO = {"resolution": 16, **GRIDS["nano"]["shapes3d"]}
SMALL = {"resolution": 32, **GRIDS["small"]["shapes3d"]}
THREE: dict[str, tuple[float, ...]] = {
    "beta_vae": (1, 4, 16),
    "factor_vae": (10, 30, 100),
    "beta_tc_vae": (1, 4, 10),
}
ALL = {name: tuple(map(float, values)) for name, (_, values) in WEIGHTS.items() if name in THREE}


class AbstractReasoning(Experiment[Scale]):
    """The better codes are disentangled, the sooner matrices are learned to be completed from them.

    Van Steenkiste et al. 2019 (arXiv:1905.12506): over 360 models, disentangled codes "enable quicker
    learning using fewer samples" of tasks like Raven's progressive matrices. Here matrices are of a part of
    3D Shapes, with 1 to 3 rules and easy answers, and models are of three methods of the 2019 study at
    several strengths and seeds. A relation network learns from the mean codes of each. What is judged is
    Spearman's rank correlation of a score with the network's accuracy, after a quarter of its steps and at
    their end, over all models that are not dead, with its 95 % bootstrap interval over models. Scores are
    turned so that higher is better.

    Beside them stand the true factors, the same turned by a random rotation, which is entangled and tells as
    much, and the pixels, with an encoder that learns at the same time. Networks, batches of matrices and
    tests are the same for all that is seen. And rules of thumb that never look at the rules: what an answer
    shares with the other answers, or with the two panels beside it, often tells the right one. So what is
    measured is mostly how easily codes show that factors are equal.
    """

    scales: ClassVar = {
        "quick": Scale(
            "two cores, a minute", QUICK, {"beta_vae": (1.0, 8.0)}, 30, 2, 40, 10, controls=2, pixels=0
        ),
        "nano": Scale("two cores, half an hour", NANO, THREE),
        "small": Scale(
            "two cores, seven hours", SMALL, ALL, steps=5000, seeds=5, learned=10_000, every=500, pixels=3
        ),
        "paper": Scale(
            "a cluster: 900 models of 300,000 steps",
            {"resolution": 64},
            ALL,
            steps=300_000,
            seeds=50,
            learned=100_000,
            every=1000,
            controls=5,
            pixels=5,
            learning_rate=1e-4,
            discriminator_width=1000,
        ),
    }

    def runs(self, scale: Scale) -> Part:
        weight = (64 / scale.grid["resolution"]) ** 2
        own: dict[str, dict[str, Any]] = {
            "factor_vae": {
                "second_batch": False,
                "discriminator_learning_rate": scale.learning_rate,
                "discriminator_width": scale.discriminator_width,
            }
        }
        common = {"learning_rate": scale.learning_rate, "reconstruction_weight": weight}
        models = [
            product(
                method(name, **common, **own.get(name, {})),
                each(**{f"set.{WEIGHTS[name][0]}": strengths}, strength=[WEIGHTS[name][0]]),
            )
            for name, strengths in scale.strengths.items()
        ]
        counted = each(steps=[scale.steps], seed=range(scale.seeds))
        return product(dataset("shapes3d", **scale.grid), chain(*models), counted)

    def plan(self, scale: str) -> Plan:
        """The study of the experiment's runs, their mean codes scored, and compared with other seeds'."""
        plan = super().plan(scale)
        assert plan is not None
        mates = min(5, self.at(scale).seeds - 1)
        return structs.replace(
            plan, metrics=METRICS, metric_options=DCI_BY_FOREST, representations=("mean",), udr_mates=mates
        )

    def judge(self, lab: Lab[Scale], runs: Runs) -> Iterator[Finding]:
        lab.table("Dead runs", dead_by_setting(lab.results))
        learned = lab.table("Accuracy after so many steps", accuracies(lab.scale, runs))
        wide = scored(lab.results, learned)
        points = [str(step) for step in measured(lab.scale)]
        names = [str(name) for name in wide.columns if name not in points]
        found = correlate_columns(pd.concat({"shapes3d": wide}, names=["dataset"]), names, points)
        lab.table("Rank correlation of scores and accuracy", found.drop(columns=["dataset"]))
        first = next(iter(runs))
        hand = lab.table("What no run has learned, of every seed", by_hand(lab, first))
        thumbs = lab.table("What is right without a look at the rules", without_rules(grid_of(first.data)))
        show(lab, first.data, wide, found, hand)
        for key, (score, share) in CLAIMED.items():
            accuracy = wide[str(round(share * lab.scale.learned))]
            yield self.found(key, rank_correlation(wide[score], accuracy, lab.scale.seeds))
        means = {what: part["mean"].to_numpy() for what, part in hand.groupby("seen")}
        yield self.found("rotation", means["factors"] - means["rotated factors"])
        best = learned.groupby("seed")[points[-1]].max()
        yield self.found("thumb", best.to_numpy() - third_row_alone(thumbs))
        yield self.found("ceiling", means["factors"] - learned[points].to_numpy().mean(axis=1).max())


def scored(table: pd.DataFrame, learned: pd.DataFrame) -> pd.DataFrame:
    """A row per run that is not dead: its scores, turned so that higher is better, and its accuracies."""
    alive = without_dead(table)
    scores = turned(by_run(alive, metrics_of(alive))).droplevel("dataset")
    return scores.join(learned.set_index(INDEX), how="inner")


def measured(scale: Scale) -> list[int]:
    """After how many steps the relation network is tested."""
    return list(range(scale.every, scale.learned + 1, scale.every))


def accuracies(scale: Scale, runs: Runs) -> pd.DataFrame:
    """A row per run: its method, strength and seed, and a column of accuracies per number of steps."""
    rows = []
    for (_, planned), run in zip(runs.planned, runs, strict=True):
        found = reasoning(run, steps=scale.learned, every=scale.every, show=False)
        what = dict(zip(INDEX, (planned.method, planned.strength_value, planned.seed), strict=True))
        rows.append({**what, **dict(zip(map(str, found.steps), found.accuracies, strict=True))})
    return pd.DataFrame(rows)


def by_hand(lab: Lab[Scale], run: Run) -> pd.DataFrame:
    """A row per seed and thing seen that no run has learned: accuracies by steps, and their mean."""
    rows, scale, folder = [], lab.scale, lab.folder / "by_hand"
    asked: Mapping[str, Any] = {"steps": scale.learned, "every": scale.every, "show": False}
    for seed in range(max(scale.controls, scale.pixels)):
        found: dict[str, Sequence[float]] = {}
        if seed < scale.controls:
            own = reasoning(run, seen="factors", seed=seed, out=folder / f"factors-{seed}", **asked)
            found["factors"] = own.accuracies
            path = folder / f"rotated-{seed}.safetensors"
            network = Reasoner(rotated(run.data, seed), Matrices(grid_of(run.data)), path, seed)
            found["rotated factors"] = network.learn(**asked)
        if seed < scale.pixels:
            own = reasoning(run, seen="pixels", seed=seed, out=folder / f"pixels-{seed}", **asked)
            found["pixels"] = own.accuracies
        for seen, values in found.items():
            points = dict(zip(map(str, measured(scale)), values, strict=True))
            rows.append({"seen": seen, "seed": seed, **points, "mean": float(np.mean(values))})
    return pd.DataFrame(rows)


def without_rules(space: FactorSpace) -> pd.DataFrame:
    """A row per kind of answers and number of rules: the share right by every rule of thumb."""
    rows = [
        {"answers": kind, "rules": ", ".join(map(str, rules))}
        | shortcuts(Matrices(space, kind, rules), THUMBED, derived(0, "rules of thumb"))
        for kind in KINDS
        for rules in (RULES, *((count,) for count in RULES))
    ]
    return pd.DataFrame(rows)


def third_row_alone(thumbs: pd.DataFrame) -> float:
    """How far the third row alone comes with the matrices that are learned."""
    ours = (thumbs["answers"] == "easy") & (thumbs["rules"] == ", ".join(map(str, RULES)))
    return float(thumbs[ours]["the third row alone"].item())


def grid_of(data: DataSet) -> FactorSpace:
    """The grid of a data set that has one."""
    assert data.factors is not None
    return data.factors


def rotated(data: DataSet, seed: int) -> Sight:
    """The standardised factors of all cells, turned by a random rotation."""
    factors = every_label(data).astype(np.float64)
    factors = (factors - factors.mean(axis=0)) / factors.std(axis=0)
    turn = ortho_group.rvs(factors.shape[1], random_state=derived(seed, "rotation"))
    return sight_of(factors @ turn, "rotated factors")


def show(lab: Lab[Scale], data: DataSet, wide: pd.DataFrame, found: pd.DataFrame, hand: pd.DataFrame) -> None:
    """Figures: a matrix, the curves, and which scores go with accuracy, after how many steps."""
    for kind, rules in (("easy", (1,)), ("hard", (3,))):
        drawn = Matrices(grid_of(data), kind, rules).draw(1, derived(0, "shown matrix"))
        lab.figure(f"A matrix with {kind} answers", matrix_figure(data.unit_images, grid_of(data), drawn))
    points = [str(step) for step in measured(lab.scale)]
    lines = {f"codes of {name}": part[points].mean() for name, part in wide.groupby("method")}
    lines |= {str(seen): part[points].mean() for seen, part in hand.groupby("seen", sort=False)}
    lab.figure("Accuracy, means over runs", curves(measured(lab.scale), lines, "steps", "accuracy"))
    shown = points[:: max(1, len(points) // 6)]
    table = found.pivot_table("correlation", "first", "second", sort=False, dropna=False)[shown]
    lab.figure(
        "Rank correlation of scores with accuracy after so many steps",
        heat_map(table.to_numpy(), list(table.index), shown, ("", "steps"), (-1, 1), diverging=True),
    )
    early, some = str(round(EARLY * lab.scale.learned)), [score for score, _ in CLAIMED.values()]
    dots = wide.reset_index().rename(columns={early: "accuracy"})
    lab.figure(f"Scores, and accuracy after {early} steps", scatter(dots, some, "accuracy"))
