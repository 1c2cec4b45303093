"""The interventional robustness score."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from distaff.metrics.arrays import Codes, Factors, Floats, Ints, check_number, varying
from distaff.metrics.declare import Sizes, metric, truths
from distaff.metrics.information import discretise
from distaff.settings import whole_number
from distaff.tables import Continuous


@metric(
    low=-math.inf,  # where codes are very skewed
    source="Suter et al. 2019, arXiv:1811.00007, section 4; quantile and bins as in disentanglement_lib",
    needs_order_above=20,
    protocols={"locatello2019": Sizes(10_000)},
    invariant_to=frozenset({"permutation", "sign"}),
    truth=truths((0.99, 1.0), (0.2, 0.6), (0.0, 0.0), (0.99, 1.0), (0.2, 0.5), (0.99, 1.0)),
    worse_with=frozenset({"noise", "holistic", "missing"}),
    blind=("irs",),
    only_dense="it looks at distances from a mean, which are nowhere 0",
)
def irs(
    codes: Codes, factors: Factors, *, quantile: float = 0.99, bins: int = 20, continuous: Continuous = False
) -> float:
    """Interventional robustness: does a code stay where it is while every factor but its own changes?

    For every code and factor: among the rows that share the factor's value, the `quantile` of the code's
    distance from their mean, averaged over the values and divided by the code's largest distance from its
    overall mean; 1 minus this is the code's robustness, and its best factor counts. The mean over codes,
    weighted by their largest distances, is at most 1, higher is better, and below 0 only for very skewed
    codes. Constant codes are left out; with no other the score is 0. Noise scores .2 to .5, not 0, for a
    quantile is smaller than a largest distance. The paper's form is `quantile=1`.

    `codes` (n, d), `factors` (n, k) whole numbers, put in `bins` equal bins (which joins neighbours of
    factors with more values, as in disentanglement_lib); `continuous` ones may be real numbers. Raises
    BadInput for a quantile outside 0..1.

    The first code is the first factor, the second the sum of both:

        >>> round(irs([[0, 0], [0, 1], [1, 1], [1, 2]], [[0, 0], [0, 1], [1, 0], [1, 1]]), 3)
        0.667
    """
    check_number("quantile", quantile, 0, 1)
    live = codes[:, varying(codes)].astype(np.float64)
    if not live.shape[1]:
        return 0.0
    groups = discretise(factors, whole_number("bins", bins, 2))
    within = np.stack([_deviation(live, column, quantile) for column in groups.T], axis=1)  # (d, k)
    largest = np.abs(live - live.mean(axis=0)).max(axis=0)
    robustness = 1 - within / largest[:, None]
    return float(np.average(robustness.max(axis=1), weights=largest))


def _deviation(codes: NDArray[Any], groups: Ints, quantile: float) -> Floats:
    """The quantile of each code's distance from its group's mean, averaged over groups: (d,)."""
    order = np.argsort(groups, kind="stable")
    starts = np.flatnonzero(np.diff(groups[order], prepend=-1))
    parts = np.split(codes[order], starts[1:])
    distances = [np.quantile(np.abs(part - part.mean(axis=0)), quantile, axis=0) for part in parts]
    return np.asarray(np.mean(distances, axis=0))
