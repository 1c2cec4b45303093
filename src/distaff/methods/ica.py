"""Independent components of the pixels."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from distaff.errors import BadInput
from distaff.methods.linear import LinearCode, LinearFit
from distaff.settings import setting

RESOLUTION = 1e-6  # directions with less than this share of the largest deviation are rounding of the pixels


@dataclass(frozen=True)
class ICA(LinearCode):
    """ICA: directions that are as little Gaussian as can be (FastICA, Hyvarinen and Oja 2000).

    Pixels are centred, reduced to `latents` principal components, whitened and rotated so that the codes are
    uncorrelated, of variance 1, and of largest negentropy by log cosh (Hyvarinen and Oja 2000,
    doi:10.1016/S0893-6080(00)00026-5). Solved by scikit-learn. Where it has not converged after
    `iterations`, the history shows that it took them all. There can be no more latents than directions in
    which the pixels vary, for the rest has no variance to make 1.

    Differences from the paper: Higgins et al. 2017, openreview:Sy2fzU9gl, table 1, do not say which
    algorithm their ICA row used.
    """

    iterations: int = setting(200, "iterations at the most", low=1)

    paper: ClassVar = {"latents": "10"}

    def solve(self, pixels: NDArray[np.float64], seed: int) -> LinearFit:
        """Mean, unmixing and mixing matrix of pixels (n, p)."""
        from sklearn.decomposition import FastICA
        from sklearn.exceptions import ConvergenceWarning

        # not whitened by FastICA: it drops directions whose first pixel is 0, by multiplying with its sign
        mean = pixels.mean(axis=0)
        _, lengths, directions = np.linalg.svd(pixels - mean, full_matrices=False)
        rank = int((lengths > RESOLUTION * lengths[0]).sum())
        if self.latents > rank:
            raise BadInput(f"latents={self.latents} is more than the {rank} directions in which pixels vary")
        deviations, directions = lengths[: self.latents] / len(pixels) ** 0.5, directions[: self.latents]
        white = (pixels - mean) @ directions.T / deviations
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # the history says it
            fit = FastICA(whiten=False, max_iter=self.iterations, random_state=seed).fit(white)
        encoder = fit.components_ @ (directions / deviations[:, None])
        decoder = (directions * deviations[:, None]).T @ fit.mixing_
        return LinearFit(mean, encoder, decoder, fit.n_iter_)
