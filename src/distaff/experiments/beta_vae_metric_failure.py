"""The BetaVAE score can be full with a factor missing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from distaff.experiments import base
from distaff.experiments.base import Experiment, Finding, Lab, Runs
from distaff.factors import FactorSpace
from distaff.metrics.arrays import standardised
from distaff.pages.figures import bars
from distaff.scoring.score import score

#: the reflection at the vector of ones: orthogonal, every entry 1/2 or -1/2
EVENLY = np.eye(4) - 0.5

SPACE = FactorSpace(("scale", "orientation", "x", "y"), (6, 10, 12, 12))


class Scale(base.Scale, frozen=True):
    """How many seeds."""

    seeds: int = 5


class BetaVAEMetricFailure(Experiment[Scale]):
    """A representation without one of the factors gets the full BetaVAE score, and FactorVAE's catches it.

    Kim and Mnih 2018 (arXiv:1802.05983), section 4: when K-1 of K factors are coded, the classifier of the
    BetaVAE score tells the missing one by the absence of any small difference. Codes here are the true
    factors, standardised, of a grid of 8,640: all four; all but the last; and all four turned so that every
    code holds a quarter of each.
    """

    scales: ClassVar = {
        "quick": Scale("one core, 10 seconds", seeds=2),
        "nano": Scale("one core, half a minute"),
        "small": Scale("one core, half a minute", seeds=30),
        "paper": Scale("one core, three minutes", seeds=30),
    }

    def judge(self, lab: Lab[Scale], runs: Runs) -> Iterator[Finding]:
        factors = np.asarray(SPACE.rows(np.arange(len(SPACE))))
        ideal = standardised(factors)
        kinds = {"all four factors": ideal, "three of the four": ideal[:, :3], "rotated": ideal @ EVENLY}
        rows = [
            {"codes": name, **_scores(codes, factors, seed)}
            for name, codes in kinds.items()
            for seed in range(lab.scale.seeds)
        ]
        scores = pd.DataFrame(rows).groupby("codes", sort=False)
        lab.table("Means over seeds", scores.mean().reset_index())
        lab.figure("The two scores", bars(scores.mean(), "score", best=1.0))
        whole, without, rotated = (scores.get_group(name) for name in kinds)
        yield self.found("all", whole["BetaVAE score"])
        yield self.found("three", without["BetaVAE score"])
        yield self.found("FactorVAE", without["FactorVAE score"])
        yield self.found("rotated", rotated["BetaVAE score"])


def _scores(codes: NDArray[np.float64], factors: NDArray[np.int64], seed: int) -> dict[str, float | None]:
    metrics = {"BetaVAE score": "beta_vae_score", "FactorVAE score": "factor_vae_score"}
    card = score(codes, factors, metrics=list(metrics.values()), seed=seed, values_only=True)
    return {words: card[name].value for words, name in metrics.items()}
