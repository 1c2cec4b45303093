"""ubisoft/ubisoft-laforge-disentanglement-metrics: every score, factors as they are unless it needs numbers.

All 3000 rows, no split. 20 bins and continuous_factors=False, but *_default: as the functions are called
without settings (10 bins, factors binned too). mig and mig_sup divide by the entropy of the binned code.
explicitness_train is 2 (AUC - .5), *_unscaled the AUC; sap_continuous (R2) and dci_lasso take the factors as
numbers; sap_discrete is the accuracy of a tree on the rows it was trained on.
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.other_libraries.arrays import BINS
from benchmarks.other_libraries.common import Scores, attempt, stub


def prepare(folder: Path) -> None:
    """Make its code in `folder` importable."""
    stub("matplotlib").pyplot = stub("matplotlib.pyplot")  # type: ignore[attr-defined]
    sys.path.insert(0, str(folder / "src"))


def scores(codes: np.ndarray, factors: np.ndarray) -> Scores:
    """Every score of one situation."""

    def score(name: str, **settings: Any) -> Any:
        function = getattr(importlib.import_module(f"metrics.{name}"), name)
        np.random.seed(0)  # noqa: NPY002  scikit-learn's trees draw from it
        return attempt(function, factors, codes, **settings)

    for name in ("mig", "mig_sup", "dcimig", "jemmig", "modularity"):
        yield name, score(name, continuous_factors=False, nb_bins=BINS)
        yield f"{name}_default", score(name)
    yield "explicitness_train", score("explicitness", continuous_factors=False)
    yield "explicitness_train_unscaled", score("explicitness", continuous_factors=False, scale=False)
    yield "irs_1.0", score("irs", continuous_factors=False)
    yield "sap_continuous", score("sap")
    yield "sap_discrete", score("sap", continuous_factors=False, regression=False)
    dci = score("dci")
    names = ("disentanglement", "completeness", "informativeness")
    yield "dci_lasso", dict(zip(names, dci, strict=True)) if isinstance(dci, tuple) else dci
