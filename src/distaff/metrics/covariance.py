"""What is measured on a Gaussian with the codes' covariance: the covariance, and what such metrics share."""

from functools import partial

import numpy as np

from distaff.metrics.arrays import Codes, Floats, varying
from distaff.metrics.declare import Sizes, metric

#: a metric of how far such a Gaussian is from independent, by one decomposition of the covariance
of_a_gaussian = partial(
    metric,
    higher_is_better=False,
    needs=(),
    grows=3,
    protocols={"locatello2019": Sizes(10_000)},
    least_codes=2,
    worse_with=frozenset({"holistic", "spread", "copied"}),
)


def covariance(codes: Codes) -> Floats:
    """The covariance (d, d) of codes (n, d), without bias. Constant codes are left out."""
    live = codes[:, varying(codes)] if len(codes) > 1 else codes[:, :0]
    return np.cov(live, rowvar=False, dtype=np.float64).reshape(live.shape[1], live.shape[1])
