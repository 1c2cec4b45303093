"""Principal components of the pixels."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from distaff.methods.linear import LinearCode, LinearFit


@dataclass(frozen=True)
class PCA(LinearCode):
    """PCA: the directions of largest variance, a baseline of Higgins et al. 2017 (table 1, 10 components).

    Codes are projections (x - mean) . component, in pixels; components are orthonormal, the first has most
    variance. Solved by scikit-learn.

    Differences from the paper (openreview:Sy2fzU9gl): it does not say how many images were used.
    """

    paper: ClassVar = {"latents": "10"}

    def solve(self, pixels: NDArray[np.float64], seed: int) -> LinearFit:
        """Mean and components of pixels (n, p)."""
        from sklearn.decomposition import PCA as Components

        with np.errstate(invalid="ignore"):  # shares of variance, which equal images have none of
            fit = Components(self.latents, random_state=seed).fit(pixels)
        return LinearFit(fit.mean_, fit.components_, fit.components_.T, 1)
