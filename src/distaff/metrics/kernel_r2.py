"""How well factors can be predicted from the codes by smooth functions."""

import itertools

import numpy as np

from distaff.errors import BadInput
from distaff.metrics.arrays import Codes, Factors, Floats, Test, standardised, varying
from distaff.metrics.declare import metric, truths
from distaff.metrics.held_out import few_to_learn
from distaff.metrics.linear_r2 import mean_r2
from distaff.settings import whole_number
from distaff.tables import Continuous

#: the grid of von Kuegelgen et al.: weights of the ridge, and inverse squared widths
ALPHAS = (1.0, 0.1, 0.01, 0.001)
GAMMAS = tuple(float(gamma) for gamma in np.logspace(-2, 2, 4))
FOLDS = 3
LEAST = 2 * FOLDS  # rows to learn from: a fold of one has no R2


@metric(
    source="von Kuegelgen et al. 2021, arXiv:2106.04619, section 5; grid and folds as in the authors' code",
    cost="slow",
    needs_order_above=2,
    invariant_to=frozenset({"permutation", "sign", "scale"}),
    truth=truths((0.9, 1.0), (0.9, 1.0), (0.0, 0.0), (0.9, 1.0), (0.0, 0.02), (0.65, 0.76)),
    worse_with=frozenset({"noise", "missing"}),
    check_with={"most_rows": 300},
    only_dense="its kernel standardises codes, which makes an array of them",
)
def kernel_r2(
    codes: Codes,
    factors: Factors,
    *,
    most_rows: int = 2000,
    continuous: Continuous = False,
    test: Test = None,
    seed: int = 0,
) -> float:
    """Kernel R2: are factors smooth functions of the codes?

    Ridge regression with a Gaussian kernel exp(-gamma |z - z'|^2), codes and factors standardised by the rows
    learned from; the weight (1, .1, .01, .001) and gamma (four from .01 to 100) with the largest R2 over 3
    folds. Then as `linear_r2`: on rows held out, R2 of each factor but at least 0, the mean over factors.
    0..1, higher is better. Larger than linear_r2 by .1 or more: factors are there, up to a nonlinear map.

    `codes` (n, d), `factors` (n, k) whole numbers, or `continuous` ones; words without an order one-hot. Of
    the rows to learn from `most_rows` are taken, for the time grows with their cube: seconds for 2,000. Held
    out are a third of the rows (5,000 at most), or it scores on `test`, a pair of arrays.

    The factor is the square of a code:

        >>> import numpy as np
        >>> codes = np.linspace(-1, 1, 300)
        >>> round(kernel_r2(codes, codes**2, continuous=True), 2)
        1.0
    """
    learn, score = few_to_learn(codes, factors, test, seed, whole_number("most_rows", most_rows, LEAST))
    if len(learn.codes) < LEAST:
        raise BadInput(f"kernel_r2 needs {LEAST} rows to learn from, got {len(learn.codes)}")
    seen, target = standardised(learn.codes), standardised(learn.factors)
    unseen, truth = (
        standardised(score.codes, like=learn.codes),
        standardised(score.factors, like=learn.factors),
    )
    squares = squared_distances(seen, seen)
    found = [(_cross_validated(squares, target, alpha, gamma), alpha, gamma) for alpha, gamma in _grid()]
    _, alpha, gamma = max(found, key=lambda each: each[0])
    weights = ridge_weights(np.exp(-gamma * squares), target, alpha)
    return mean_r2(truth, np.exp(-gamma * squared_distances(unseen, seen)) @ weights, learn.factors)


def _grid() -> list[tuple[float, float]]:
    return list(itertools.product(ALPHAS, GAMMAS))


def _cross_validated(squares: Floats, target: Floats, alpha: float, gamma: float) -> float:
    """The mean over folds, each some rows in a row, of the R2 on the fold learned from the others."""
    kernel, rows, found = np.exp(-gamma * squares), np.arange(len(target)), []
    for held in np.array_split(rows, FOLDS):
        rest = np.delete(rows, held)
        prediction = kernel[np.ix_(held, rest)] @ ridge_weights(
            kernel[np.ix_(rest, rest)], target[rest], alpha
        )
        found.append(signed_r2(target[held], prediction))
    return float(np.mean(found))


def ridge_weights(kernel: Floats, target: Floats, alpha: float) -> Floats:
    """What kernels with rows seen (m, n) are multiplied by to predict targets (n, k): (n, k)."""
    from scipy.linalg import solve

    return np.asarray(solve(kernel + alpha * np.eye(len(kernel)), target, assume_a="pos"))


def signed_r2(truth: Floats, prediction: Floats) -> float:
    """The mean over columns (n, d) that vary of R2, which may be negative here; 0 where none does."""
    alive = varying(truth)
    if not alive.any():
        return 0.0
    error = np.square(truth[:, alive] - prediction[:, alive]).sum(axis=0)
    spread = np.square(truth[:, alive] - truth[:, alive].mean(axis=0)).sum(axis=0)
    return float(np.mean(1 - error / spread))


def squared_distances(first: Floats, second: Floats) -> Floats:
    """Of rows (m, d) and rows (n, d): (m, n)."""
    from scipy.spatial.distance import cdist

    return np.asarray(cdist(first, second, "sqeuclidean"))
