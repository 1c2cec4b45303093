"""How far the columns of a decoder's Jacobian are from being orthogonal."""

from __future__ import annotations

import functools
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import linear_sum_assignment
from scipy.stats import special_ortho_group

from distaff.evaluation.encode import Encoding
from distaff.evaluation.posterior import active
from distaff.methods.base import Codes
from distaff.training.run import Run

IMAGES = 200
CHANCE_DRAWS = 500
STEP = 1e-2  # of the differences; their error is near 1e-4 of an image's range


def distance_to_orthogonality(jacobians: ArrayLike) -> float:
    """Mean distance of the right singular vectors V of J (n, outputs, d) from a signed permutation.

    Rolinek et al. 2019, arXiv:1812.06775, section 4.2: J = U S V'; the Frobenius norm of V - P for the
    nearest signed permutation P. 0 where the columns of J are orthogonal and of different lengths: each
    latent then moves the output its own way. At most sqrt(2 d). Where columns have the same length V is
    arbitrary, and so is the distance.
    """
    vs = np.linalg.svd(np.asarray(jacobians, np.float64), full_matrices=False)[2]
    return float(np.mean([_from_signed_permutation(v) for v in vs]))


def _from_signed_permutation(v: NDArray[np.float64]) -> float:
    rows, columns = linear_sum_assignment(-np.abs(v))
    signed = np.zeros_like(v)
    signed[rows, columns] = np.sign(v[rows, columns])
    return float(np.linalg.norm(v - signed))


@functools.cache
def chance_distance(latents: int) -> float:
    """The mean distance of random orthogonal V for that many latents, at least two."""
    turned = special_ortho_group.rvs(latents, size=CHANCE_DRAWS, random_state=np.random.default_rng(0))
    return float(np.mean([_from_signed_permutation(v) for v in turned]))


def decoder_jacobians(run: Run, codes: ArrayLike) -> NDArray[np.float32]:
    """How the decoded image, C * H * W numbers in 0..1, changes with each latent: (n, C * H * W, d)."""
    at = np.asarray(codes, dtype=np.float32)
    columns = []
    for step in STEP * np.eye(at.shape[1], dtype=np.float32):
        change = run.decode(at + step) - run.decode(at - step)
        columns.append(change.reshape(len(at), -1) / (2 * STEP))
    return np.stack(columns, axis=2)


class Orthogonality(NamedTuple):
    """The distance to orthogonality of a decoder, and that of random directions of as many latents."""

    distance: float
    chance: float


def run_orthogonality(run: Run, codes: Codes | Encoding) -> Orthogonality:
    """The distance to orthogonality of a run's decoder, at the means of the codes of some images.

    Only active latents count, or all of them where there is no `logvar`. At most 200 codes are taken, evenly.
    Both are 0 for fewer than two active latents. Raises BadInput for a method without a decoder.
    """
    counted = np.ones(run.code_size, dtype=bool) if codes.logvar is None else active(codes)
    if counted.sum() < 2:
        run.decode(codes.mean[:1])  # to say so where it cannot
        return Orthogonality(0.0, 0.0)
    chosen = np.unique(np.linspace(0, len(codes.mean) - 1, IMAGES).astype(np.int64))
    jacobians = decoder_jacobians(run, codes.mean[chosen])[:, :, counted]
    return Orthogonality(distance_to_orthogonality(jacobians), chance_distance(int(counted.sum())))
