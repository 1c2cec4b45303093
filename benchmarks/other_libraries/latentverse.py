"""broadinstitute/ml4h-latentverse: its scores of all factors together, with the seed it sets by itself.

run_disentanglement on codes and all factors. It takes every factor here as continuous: mig divides a
nearest-neighbour estimate for regression by the entropy of the discrete values.
"""

from __future__ import annotations

import importlib
from pathlib import Path

import numpy as np

from benchmarks.other_libraries.common import Scores, attempt, packages

NAMES = {"MIG": "mig", "SAP": "sap_continuous", "TC": "gaussian_total_correlation", "DCI": "dci_information"}


def prepare(folder: Path) -> None:
    """Make its code in `folder` importable."""
    packages(folder / "src", "latentverse", "latentverse.evaluations")


def scores(codes: np.ndarray, factors: np.ndarray) -> Scores:
    """All its scores, under our names where we have them."""
    compute = importlib.import_module("latentverse.evaluations.disentanglement").run_disentanglement
    found = attempt(compute, codes, factors)
    for key, value in found.get("metrics", found).items():
        yield NAMES.get(key, key), value
