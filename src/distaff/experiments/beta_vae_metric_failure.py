"""The BetaVAE score can be full with a factor missing."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from distaff.experiments.base import Claim, Lab, claim, experiment
from distaff.experiments.pictures import bars
from distaff.factors import FactorSpace
from distaff.metrics.arrays import standardised
from distaff.scoring.score import score

#: the reflection at the vector of ones: orthogonal, every entry 1/2 or -1/2
EVENLY = np.eye(4) - 0.5

SPACE = FactorSpace(("scale", "orientation", "x", "y"), (6, 10, 12, 12))


@experiment(
    takes=("two cores, 10 seconds", "two cores, half a minute", "two cores, two minutes"),
    seeds=(2, 5, 30),
)
def beta_vae_metric_failure(lab: Lab) -> Iterator[Claim]:
    """A representation without one of the factors gets the full BetaVAE score, and FactorVAE's catches it.

    Kim and Mnih 2018, section 4: when K-1 of K factors are coded, the classifier of the BetaVAE score tells
    the missing one by the absence of any small difference. Codes here are the true factors, standardised,
    of a grid of 8,640: all four; all but the last; and all four turned so that every code holds a quarter of
    each.
    """
    factors = np.asarray(SPACE.rows(np.arange(len(SPACE))))
    ideal = standardised(factors)
    kinds = {"all four factors": ideal, "three of the four": ideal[:, :3], "rotated": ideal @ EVENLY}
    rows = [
        {"codes": name, **_scores(codes, factors, seed)}
        for name, codes in kinds.items()
        for seed in range(lab["seeds"])
    ]
    scores = pd.DataFrame(rows).groupby("codes", sort=False)
    lab.table("Means over seeds", scores.mean().reset_index())
    lab.figure("The two scores", bars(scores.mean(), "score", best=1.0))
    whole, without, rotated = (scores.get_group(name) for name in kinds)
    yield claim("BetaVAE score of all four factors", whole["BetaVAE score"], low=0.99)
    yield claim("BetaVAE score of three of the four", without["BetaVAE score"], low=0.99)
    yield claim("FactorVAE score of three of the four", without["FactorVAE score"], high=0.8)
    yield claim("BetaVAE score of the rotated factors", rotated["BetaVAE score"], high=0.5)


def _scores(codes: NDArray[np.float64], factors: NDArray[np.int64], seed: int) -> dict[str, float | None]:
    metrics = {"BetaVAE score": "beta_vae_score", "FactorVAE score": "factor_vae_score"}
    card = score(codes, factors, metrics=list(metrics.values()), seed=seed, values_only=True)
    return {words: card[name].value for words, name in metrics.items()}
