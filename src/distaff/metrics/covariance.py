"""The covariance of codes, for what is measured on a Gaussian with the same covariance."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from distaff.metrics.arrays import check_codes, need_codes, varying


def covariance(codes: ArrayLike, metric: str) -> NDArray[np.float64]:
    """The covariance (d, d) of codes (n, d) with d >= 2, without bias. Constant codes are left out."""
    codes = check_codes(codes)
    need_codes(codes.shape[1], metric)
    live = codes[:, varying(codes)] if len(codes) > 1 else codes[:, :0]
    return np.cov(live, rowvar=False, dtype=np.float64).reshape(live.shape[1], live.shape[1])
