"""What a learner makes of every factor from codes, learned once for all metrics that ask for the same."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from distaff.machine import usable_cores
from distaff.metrics.arrays import Floats
from distaff.metrics.held_out import Rows
from distaff.metrics.kept import Kept
from distaff.metrics.learners import fit, importances
from distaff.metrics.threads import quiet

KEPT = 8  # of a card, with its halves, chance and ceiling


class Learned(NamedTuple):
    """The importance of every code for every factor (d, k), and of each factor what is predicted (n',)."""

    importances: Floats
    predicted: list[NDArray[Any]]


_known: Kept[Learned] = Kept(KEPT)


def learned(learner: str, learn: Rows, score: Rows, seed: int, real: tuple[int, ...] = ()) -> Learned:
    """Learn each factor from some rows, and predict it for others; `real` factors are numbers.

    Importances sum to 1 for each factor, or are all 0.
    """

    def make() -> Learned:
        return told_by(models_of(learner, learn, seed, real), score)

    return _known.get(make, learner, learn, score.codes, seed, real)


def models_of(learner: str, learn: Rows, seed: int, real: tuple[int, ...] = ()) -> list[Any]:
    """A fitted model of every factor, as `learners.fit` gives it."""

    def model(j: int) -> Any:
        factor = learn.factors[:, j].astype(np.float64 if j in real else np.int64)
        return fit(learner, learn.codes, factor, seed, regress=j in real)

    # trees are grown without Python's lock; which warnings are shown is set for all threads at once
    with quiet(), ThreadPoolExecutor(usable_cores()) as pool:
        return list(pool.map(model, range(learn.factors.shape[1])))


def told_by(models: list[Any], score: Rows) -> Learned:
    """What models of every factor say of some rows."""
    columns = [importances(model) for model in models]
    return Learned(np.stack(columns, axis=1), [model.predict(score.codes) for model in models])
