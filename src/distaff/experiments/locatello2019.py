"""What the study of Locatello et al. 2019 found, judged from its table."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import numpy as np
import pandas as pd
from msgspec import structs

from distaff.experiments import base
from distaff.experiments.base import Experiment, Finding, Lab, Runs
from distaff.experiments.verdict import Measured
from distaff.studies import locatello2019
from distaff.studies.analysis.bootstrap import Estimate
from distaff.studies.analysis.dead import dead_by_setting, without_dead
from distaff.studies.analysis.jackknife import LEAST_SEEDS, jackknife
from distaff.studies.analysis.published import beside
from distaff.studies.analysis.sampled_and_mean import trend_with_strength
from distaff.studies.analysis.selection import selection
from distaff.studies.analysis.summary import PENALISED, summary
from distaff.studies.analysis.transfer import transfer
from distaff.studies.plan import Plan
from distaff.studies.study_report import analyses


class Scale(base.Scale, frozen=True):
    """The scale of the study, and its methods that are trained."""

    study: str
    methods: tuple[str, ...] = tuple(locatello2019.WEIGHTS)


class Locatello2019(Experiment[Scale]):
    """Seed and strength matter more than the method, and nothing unsupervised tells which model to take.

    Locatello et al. 2019 (arXiv:1811.12359), sections 5.2 to 5.6. The study trains six methods at several
    strengths and seeds on several data sets; its table is judged on dSprites and 3D Shapes, which it has at
    every scale. A stronger penalty lowers the total correlation of sampled codes of BetaVAE, FactorVAE and
    BetaTCVAE, and not that of mean codes; metrics agree in part; no method is best throughout; losses cannot
    choose a model; choices transfer best within one metric and data set (54.9, 59.3, 62.6 and 80.7 % in
    the paper's table 1); disentangled codes predict factors better and do not need fewer labels.

    Intervals are of a jackknife: every number is worked out again without each of the seeds in turn. The
    table and all figures are those of `distaff study report`.
    """

    scales: ClassVar = {
        "quick": Scale("two cores, two minutes", "quick", PENALISED),
        "nano": Scale("two cores, an hour", "nano"),
        "small": Scale("two cores, eight hours", "small"),
        "paper": Scale("a cluster: 12,600 models of 300,000 steps", "paper"),
    }

    def plan(self, scale: str) -> Plan:
        """The study itself."""
        methods, whole = self.at(scale).methods, locatello2019.plan(self.at(scale).study)
        return structs.replace(whole, runs=tuple(run for run in whole.runs if run.method in methods))

    def judge(self, lab: Lab[Scale], runs: Runs) -> Iterator[Finding]:
        table = lab.results
        lab.table("Dead runs", dead_by_setting(table))
        lab.table("Published numbers and ours", beside(table))
        alive = without_dead(table)
        if len(alive) < len(table):
            lab.table("Published numbers and ours, without dead runs", beside(alive))
        lab.table("Rank correlation of total correlation and strength", trend_with_strength(table))
        wins = {name: one for name, one in transfer(table)._asdict().items() if one is not None}
        rows = [{"choice": name.replace("_", " "), **one._asdict()} for name, one in wins.items()]
        lab.table("How often a transferred choice beats a random model", rows)
        chosen = selection(table)
        lab.table("What choosing by UDR is worth", chosen[chosen["rule"].isin(("udr", "random", "oracle"))])
        for one in analyses(table):
            for panel in one.panels:  # none where a small table lacks something
                lab.figure(f"{one.heading} {panel.name}", panel.figure)
        for key, value in by_jackknife(table).items():
            yield self.found(key, value)


def by_jackknife(table: pd.DataFrame) -> dict[str, Measured]:
    """What the claims speak of, by their keys, with intervals of the jackknife over seeds."""
    found, seeds = jackknife(table, measures), table["seed"].nunique()
    nothing = Estimate(np.nan, np.nan, np.nan)
    claimed = {claim.key: found.get(claim.key, nothing) for claim in Locatello2019().claims}
    if seeds < LEAST_SEEDS:
        return {key: Measured(one.value, None, None, seeds) for key, one in claimed.items()}
    return {key: Measured(*one, seeds) for key, one in claimed.items()}


def measures(table: pd.DataFrame) -> dict[str, float]:
    """The numbers of a table by the keys of claims: `summary`, with the data set where it is of one."""
    found = {f"{key}_{of}" if of else key: value for (key, of), value in summary(table).items()}
    return found | {"random": found.get("random_metric_random_data", np.nan)}
