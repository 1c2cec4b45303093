"""Explicitness."""

import numpy as np

from distaff.errors import NotApplicable
from distaff.metrics.arrays import Codes, Factors, Floats, Ints, Test, standardised
from distaff.metrics.best_latent import areas, ranks
from distaff.metrics.declare import Sizes, metric, truths
from distaff.metrics.held_out import learn_and_score
from distaff.metrics.threads import one_thread, quiet


@metric(
    source="Ridgeway and Mozer 2018, arXiv:1802.05312, section 3; "
    "settings as in Locatello et al. 2019, appendix C",
    cost="fitted",
    edition=2,  # Newton's steps, where the first had L-BFGS's
    protocols={"locatello2019": Sizes(10_000, 5_000)},
    invariant_to=frozenset({"permutation", "sign", "scale"}),
    truth=truths((0.99, 1.0), (0.99, 1.0), (0.5, 0.5), (0.99, 1.0), (0.45, 0.55), (0.8, 0.92)),
    worse_with=frozenset({"noise", "missing"}),
    only_dense="its regression standardises codes, which makes an array of them",
)
def explicitness(codes: Codes, factors: Factors, *, test: Test = None, seed: int = 0) -> float:
    """Explicitness: can a linear classifier read every factor's value from all codes together?

    For every factor, a logistic regression (up to 1,000 rounds) on standardised codes; the area under the
    curve of each value against the rest, averaged over the values, then over the factors. 0..1, higher is
    better; chance is .5. It does not ask how codes and factors pair up: rotated codes score the same.

    `codes` (n, d), `factors` (n, k) whole numbers. It learns from two thirds of the rows (10,000 at most) and
    scores on the others (5,000 at most), or on `test`, a pair of arrays. Constant codes carry nothing, where
    disentanglement_lib divides by their deviation of 0. Values without rows on both sides are left out.

    The second factor has no code:

        >>> codes, factors = [[0], [0], [1], [1]], [[0, 0], [0, 1], [1, 0], [1, 1]]
        >>> explicitness(codes, factors, test=(codes, factors))
        0.75
    """
    learn, score = learn_and_score(codes, factors, test, seed)
    seen, unseen = standardised(learn.codes), standardised(score.codes, like=learn.codes)
    found = [
        _area(seen, known, unseen, truth)
        for known, truth in zip(learn.factors.T, score.factors.T, strict=True)
    ]
    return float(np.mean(found))


def _area(seen: Floats, known: Ints, unseen: Floats, truth: Ints) -> float:
    """The mean over a factor's values of the area under the curve of this value against the rest."""
    from sklearn.linear_model import LogisticRegression

    if len(np.unique(known)) < 2:
        raise NotApplicable("explicitness needs two values of every factor among the rows it learns from")
    with quiet(), one_thread():  # Newton's steps: half the time of lbfgs's, and as near the optimum
        model = LogisticRegression(solver="newton-cg", max_iter=1000).fit(seen, known)
    chances = model.predict_proba(unseen)
    shown = truth[:, None] == model.classes_
    both = shown.any(axis=0) & ~shown.all(axis=0)
    if not both.any():
        raise NotApplicable("explicitness needs two values of every factor among the rows it scores on")
    return float(np.diag(areas(ranks(chances[:, both]), shown[:, both])).mean())
