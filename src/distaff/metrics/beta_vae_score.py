"""The beta-VAE score."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from distaff.metrics.arrays import Codes, Factors, Floats, Ints, check_votes
from distaff.metrics.declare import Sizes, metric, truths
from distaff.metrics.rows import RowGroups, gather
from distaff.metrics.threads import one_thread, quiet
from distaff.settings import whole_number

if TYPE_CHECKING:
    from sklearn.linear_model import LogisticRegression

FEW = 128  # slopes and offsets up to which Newton's steps, of a square matrix of them, are the quicker
FREE = 1e15  # of codes that large the penalty is nothing, and larger ones overflow in either solver


@metric(
    source="Higgins et al. 2017, openreview:Sy2fzU9gl, section 3; settings as in Locatello et al. 2019",
    protocols={"locatello2019": Sizes(least=10_000)},  # its votes are the defaults
    least_factors=2,
    invariant_to=frozenset({"permutation", "sign"}),
    truth=truths((0.99, 1.0), (0.2, 0.45), (0.2, 0.3), (0.99, 1.0), (0.2, 0.3), (0.99, 1.0)),
    worse_with=frozenset({"noise", "missing"}),
    blind=("beta_vae_score",),
    probe_with=({"votes": (4000, 2000)}, {"votes": (1500, 750)}),
    rescaled_up_to=500,  # its logistic regression takes seconds there
    headline={"beta_vae_score": 1},
    only_dense="it draws batches of rows as arrays",
)
def beta_vae_score(
    codes: Codes,
    factors: Factors,
    *,
    votes: tuple[int, int] = (10_000, 5_000),
    batch: int = 64,
    seed: int = 0,
) -> float:
    """beta-VAE score: can a linear classifier tell which factor two groups of rows have in common?

    A point: choose a random factor, draw `batch` pairs of rows that share its value, and average the absolute
    differences of their codes. A logistic regression (scikit-learn's, C = 1; codes unscaled) learns the
    factor from `votes[0]` points; the score is its accuracy on `votes[1]` others. 0..1, higher is better;
    chance is about 1/k. It stays at 1 with one factor missing from the codes.

    `codes` (n, d), `factors` (n, k) with k >= 2, whole numbers. Rows are drawn with replacement from those
    given. Raises NotApplicable for a single factor.

    Each factor has a code:

        >>> factors = [[0, 0], [0, 1], [1, 0], [1, 1]]
        >>> beta_vae_score(factors, factors, votes=(200, 100))
        1.0
    """
    train, test = check_votes(votes)
    whole_number("batch", batch, 1)
    rng = np.random.default_rng(seed)
    largest = float(np.abs(codes).max())
    if largest > FREE:
        codes = codes * (FREE / largest)
    groups, codes = RowGroups(factors), np.ascontiguousarray(codes)  # whole rows are taken
    features, labels = _points(codes, groups, train, batch, rng)
    if len(np.unique(labels)) < 2:  # so few points that one factor was drawn throughout
        return float(np.mean(_points(codes, groups, test, batch, rng)[1] == labels[0]))
    model = _classifier(features, labels)
    return float(model.score(*_points(codes, groups, test, batch, rng)))


def _classifier(features: Floats, labels: Ints) -> LogisticRegression:
    """A multinomial logistic regression at its minimum, of features (n, d) whose sizes may differ.

    L-BFGS, scikit-learn's default, is not there after hundreds of rounds where codes differ in size;
    Newton's method is after ten, and leaves to L-BFGS what makes its matrix singular.
    """
    from sklearn.linear_model import LogisticRegression

    size = (features.shape[1] + 1) * len(np.unique(labels))
    solver = "newton-cholesky" if size <= FEW else "lbfgs"
    with quiet(), one_thread():
        return LogisticRegression(solver=solver, max_iter=1000).fit(features, labels)


def _points(
    codes: NDArray[np.floating], groups: RowGroups, count: int, batch: int, rng: np.random.Generator
) -> tuple[Floats, Ints]:
    """Mean absolute code differences (count, d) of pairs that share a factor, and which factor it was."""
    features, labels = [], []
    for factor, some in groups.chosen(count, batch * codes.shape[1], rng):
        first = rng.integers(len(codes), size=(some, batch))
        second = groups.partners(first, factor, rng)
        for a, b in zip(gather(codes, first), gather(codes, second), strict=True):
            features.append(np.abs(np.subtract(a, b, out=a), out=a).mean(axis=1, dtype=np.float64))
        labels.append(np.full(some, factor))
    return np.concatenate(features), np.concatenate(labels)
