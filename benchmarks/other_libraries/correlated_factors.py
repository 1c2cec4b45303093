"""facebookresearch/disentangling-correlated-factors: MIG, SAP and modularity, which bin the factors too.

20 bins, of codes and of factors. sap_discrete: LinearSVC on the binned codes, trained on 2000 random rows and
tested on the others.
"""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.other_libraries.arrays import BINS, SPLIT
from benchmarks.other_libraries.common import Scores, attempt, packages, spread, stub


def prepare(folder: Path) -> None:
    """Make its code in `folder` importable."""
    stub("fastargs")
    stub("fastargs.decorators", param=lambda *_: lambda function: function)
    packages(folder, "dent", "dent.metrics")


def scores(codes: np.ndarray, factors: np.ndarray) -> Scores:
    """The three scores."""

    def score(module: str, name: str, **settings: Any) -> Any:
        metric = getattr(importlib.import_module(f"dent.metrics.{module}"), name)
        return metric(device="cpu", num_bins=BINS, **settings)(stats_qzx=[codes], gt_factors=factors)

    yield "mig", attempt(score, "mig", "MIG", num_workers=1)
    yield "modularity", attempt(score, "modularity_d", "Modularityd")
    yield "sap_discrete", spread(lambda _: score("sap_d", "SAPd", **SPLIT), 3)
