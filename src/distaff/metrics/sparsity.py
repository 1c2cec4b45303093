"""Bookkeeping of sparse autoencoders: how many codes fire, which never do, and what is lost of the inputs."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from distaff.errors import BadInput
from distaff.metrics.arrays import Floats, check_codes
from distaff.metrics.door import checked
from distaff.tables import Sparse, as_table

ROUNDING = 1e-20  # of the mean square of inputs, as a variance
SHORTEST = 1e-6  # inputs that are left out of shrinkage


class Sparsity(NamedTuple):
    """Codes that fire in a row, on average; codes that never fire; how many codes and rows there are."""

    l0: float
    dead: int
    codes: int
    rows: int


@checked(needs=(), only_dense="")
def sparsity(codes: Floats | Sparse) -> Sparsity:
    """How many codes fire, that is are not 0, in a row (L0), and how many in none of these rows (dead).

    Dead is said of the rows given: a rare code needs many to fire once. `codes` (n, d) may be sparse; a
    stored 0 does not fire.

        >>> sparsity([[0, 1, 2], [0, 0, 3]])
        Sparsity(l0=1.5, dead=1, codes=3, rows=2)
    """
    fires = codes.fires if isinstance(codes, Sparse) else np.count_nonzero(codes, axis=0)
    n, d = codes.shape
    return Sparsity(float(fires.sum() / n), int((fires == 0).sum()), d, n)


class Reconstruction(NamedTuple):
    """What is explained of the inputs' variance, how long reconstructions are, and their bias."""

    explained_variance: float
    shrinkage: float
    relative_bias: float


def reconstruction(inputs: Any, reconstructed: Any) -> Reconstruction:
    """How much of the inputs, such as a language model's activations, their reconstructions keep.

    `explained_variance` = 1 - E|x - y|^2 / (E|x|^2 - |E x|^2) for inputs x and reconstructions y, at most 1;
    1 or 0 for inputs of no variance, as they are met or missed. SAEBench (Karvonen et al. 2025,
    arXiv:2503.09532) 0.6.0 subtracts E x_d^2 where (E x_d)^2 belongs, which puts shifted inputs above 1.
    `shrinkage` = the mean of |y| / |x| over rows of |x| > 1e-6, as in SAELens; 1 is ideal, and an L1 penalty
    makes it less. `relative_bias` = E|y|^2 / E<x, y>, as in SAEBench; 1 where no scale of all y would be
    better. Shrinkage is 0 where no row is left, and the bias where inputs and reconstructions are orthogonal.

    `inputs` and `reconstructed` (n, D) are arrays of the same rows.

        >>> reconstruction([[2, 0], [0, 2]], [[1, 0], [0, 1]])
        Reconstruction(explained_variance=0.5, shrinkage=0.5, relative_bias=0.5)
    """
    named = ((inputs, "inputs"), (reconstructed, "reconstructed"))
    x, y = (check_codes(as_table(each, what)) for each, what in named)
    if x.shape != y.shape:
        raise BadInput(f"inputs have shape {x.shape} and their reconstructions {y.shape}; give the same rows")
    length = np.linalg.norm(x, axis=1)
    some = length > SHORTEST
    shrinkage = float((np.linalg.norm(y[some], axis=1) / length[some]).mean()) if some.any() else 0.0
    along = float(np.einsum("ij,ij->", x, y))
    bias = float(np.square(y).sum()) / along if along else 0.0
    return Reconstruction(_explained(x, y), shrinkage, bias)


def _explained(x: Floats, y: Floats) -> float:
    variance = float(np.square(x - x.mean(axis=0)).sum(axis=1).mean())
    error = float(np.square(x - y).sum(axis=1).mean())
    nothing = ROUNDING * float(np.square(x).sum(axis=1).mean())
    if variance <= nothing:
        return 1.0 if error <= nothing else 0.0
    return 1.0 - error / variance
