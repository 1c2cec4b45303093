"""kylehkhsu/tripod: InfoMEC with its other rule for active latents, and DCI from random forests.

As latent_quantization but active: interquartile range > largest / 10 (binned: > .1). dci_forest: its DCI from
random forests: D, C and I, the accuracy on a tenth of the rows.
"""

from __future__ import annotations

import importlib

import numpy as np

from benchmarks.other_libraries.common import Scores, spread
from benchmarks.other_libraries.infomec import infomec, prepare

__all__ = ["prepare", "scores"]


def scores(codes: np.ndarray, factors: np.ndarray) -> Scores:
    """InfoMEC and DCI."""
    yield from infomec(codes, factors)
    dci = importlib.import_module("disentangle.metrics.dci").compute_dci
    yield "dci_forest", spread(lambda _: dci(factors, codes), 3)
