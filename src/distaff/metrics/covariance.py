"""The covariance of codes, for what is measured on a Gaussian with the same covariance."""

import numpy as np
from numpy.typing import NDArray

from distaff.metrics.arrays import Codes, varying


def covariance(codes: Codes) -> NDArray[np.float64]:
    """The covariance (d, d) of codes (n, d), without bias. Constant codes are left out."""
    live = codes[:, varying(codes)] if len(codes) > 1 else codes[:, :0]
    return np.cov(live, rowvar=False, dtype=np.float64).reshape(live.shape[1], live.shape[1])
