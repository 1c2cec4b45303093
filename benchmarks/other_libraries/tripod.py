"""kylehkhsu/tripod: InfoMEC with its other rule for active latents, and DCI from random forests.

As latent_quantization but active: interquartile range > largest / 10 (binned: > .1). dci_forest: its DCI from
random forests: D, C and I, the accuracy on a tenth of the rows.
"""

from __future__ import annotations

import numpy as np

from benchmarks.other_libraries.common import Scores, packages, spread
from benchmarks.other_libraries.infomec import infomec

packages("disentangle", "disentangle.metrics")
from disentangle.metrics.dci import compute_dci
from disentangle.metrics.infomec import compute_infomec


def scores(codes: np.ndarray, factors: np.ndarray) -> Scores:
    """InfoMEC and DCI."""
    yield from infomec(compute_infomec, codes, factors)
    yield "dci_forest", spread(lambda _: compute_dci(factors, codes), 3)
