"""bethgelab/slow_disentanglement: the mean correlation coefficient, over three random states.

MCC of all 3000 rows. Random rows fill the factors up to the number of codes, so that results differ between
random states. With a constant code its assignment does not end.
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import numpy as np

from benchmarks.other_libraries.common import Scores, spread, stub, stub_google


def prepare(folder: Path) -> None:
    """Make its code in `folder` importable."""
    stub_google()
    for name in ("disentanglement_lib", "disentanglement_lib.evaluation"):
        stub(name)
    stub("disentanglement_lib.evaluation.metrics", utils=None)
    sys.path.insert(0, str(folder))


def scores(codes: np.ndarray, factors: np.ndarray) -> Scores:
    """MCC with both kinds of correlation."""
    compute = importlib.import_module("mcc_metric.metric")._compute_mcc
    for kind in ("Pearson", "Spearman"):

        def mcc(seed: int, kind: str = kind) -> float:
            return compute(codes.T, factors.T, kind, np.random.RandomState(seed))["meanabscorr"]

        yield f"mcc_{kind.lower()}", spread(mcc, 3)
