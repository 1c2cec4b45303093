"""Independent components of the pixels."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from distaff.methods.linear import LinearCode, LinearFit
from distaff.settings import setting


@dataclass(frozen=True)
class ICA(LinearCode):
    """ICA: directions that are as little Gaussian as can be (FastICA, Hyvarinen and Oja 2000).

    Pixels are centred, reduced to `latents` principal components, whitened and rotated so that the codes are
    uncorrelated, of variance 1, and of largest negentropy by log cosh. Solved by scikit-learn. Where it has
    not converged after `iterations`, the history shows that it took them all.

    Differences from the paper: Higgins et al. 2017, table 1, do not say which algorithm their ICA row used.
    """

    iterations: int = setting(200, "iterations at the most", low=1)

    paper: ClassVar = {"latents": "10"}

    def solve(self, pixels: NDArray[np.float64], seed: int) -> LinearFit:
        """Mean, unmixing and mixing matrix of pixels (n, p)."""
        from sklearn.decomposition import FastICA
        from sklearn.exceptions import ConvergenceWarning

        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # the history says it
            fit = FastICA(
                self.latents, whiten="unit-variance", max_iter=self.iterations, random_state=seed
            ).fit(pixels)
        return LinearFit(fit.mean_, fit.components_, fit.mixing_, fit.n_iter_)
