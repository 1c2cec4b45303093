"""broadinstitute/ml4h-latentverse: its scores of all factors together, with the seed it sets by itself.

run_disentanglement on codes and all factors. It takes every factor here as continuous: mig divides a
nearest-neighbour estimate for regression by the entropy of the discrete values.
"""

from __future__ import annotations

import numpy as np

from benchmarks.other_libraries.common import Scores, attempt, packages

packages("latentverse", "latentverse.evaluations", under="src")
from latentverse.evaluations.disentanglement import run_disentanglement

NAMES = {"MIG": "mig", "SAP": "sap_continuous", "TC": "gaussian_total_correlation", "DCI": "dci_information"}


def scores(codes: np.ndarray, factors: np.ndarray) -> Scores:
    """All its scores, under our names where we have them."""
    found = attempt(run_disentanglement, codes, factors)
    for key, value in found.get("metrics", found).items():
        yield NAMES.get(key, key), value
