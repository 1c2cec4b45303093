"""The separated attribute predictability score."""

import numpy as np

from distaff.metrics.arrays import Codes, Factors, Floats, Test, real_columns, standardised
from distaff.metrics.declare import Sizes, metric, truths
from distaff.metrics.door import checked
from distaff.metrics.exact import Exact, Settings, Sums
from distaff.metrics.held_out import Rows, learn_and_score
from distaff.metrics.information import gap
from distaff.metrics.machines import machines
from distaff.tables import Continuous

LEAST_VARIANCE = 1e-12  # of a code, as in disentanglement_lib; below it predicts nothing


def _of_sums(sums: Sums, settings: Settings) -> float:
    whole = sums.whole
    found = whole.correlation[np.ix_(sums.codes, sums.factors)] ** 2
    live = np.diag(whole.scatter)[sums.codes] / max(whole.n - 1, 1) > LEAST_VARIANCE
    return float(np.mean(gap(np.where(live[:, None], found, 0.0))))


@metric(
    source="Kumar et al. 2018, arXiv:1711.00848, section 3; settings as in Locatello et al. 2019, appendix C",
    cost="fitted",
    edition=2,  # exact machines, where the first had scikit-learn's
    protocols={"locatello2019": Sizes(10_000, 5_000)},
    least_codes=2,
    invariant_to=frozenset({"permutation", "sign"}),
    truth=truths((0.1, 0.6), (0.0, 0.05), (0.0, 0.0), (0.0, 0.01), (0.0, 0.03), (0.05, 0.5)),
    worse_with=frozenset({"noise", "holistic", "spread"}),
    headline={"sap": 6},
    only_dense="it fits a machine to each code as an array",
    exact=Exact("moments", _of_sums, lambda settings: settings["continuous"] is True, "continuous=True"),
)
def sap(
    codes: Codes, factors: Factors, *, continuous: Continuous = False, test: Test = None, seed: int = 0
) -> float:
    """SAP: how much better the best single code predicts a factor than the second best.

    For every code and factor, the accuracy of a linear support vector machine (C = .01, classes weighted to
    balance, the code unscaled) that sees this code only; for every factor, largest minus second largest; the
    mean over factors. 0..1, higher is better. One number and linear boundaries part few of a factor's values,
    so perfect codes score well below 1. With `continuous`, the squared correlation of code and factor takes
    the accuracy's place, over all rows. Machines are solved exactly, where disentanglement_lib's stop as soon
    as a step brings little: of codes of a size far from 1 some accuracies differ.

    `codes` (n, d) with d >= 2, `factors` (n, k). It learns from two thirds of the rows (10,000 at most) and
    scores on the others (5,000 at most), or on `test`, a pair of arrays. The matrix behind it:
    `distaff.metrics.predictability_matrix`. Raises NotApplicable for a single code.

    Each code gives its own factor without fail, and of the other as much as a coin:

        >>> codes, factors = [[-1, -1], [-1, 1], [1, -1], [1, 1]], [[0, 0], [0, 1], [1, 0], [1, 1]]
        >>> sap(codes, factors, test=(codes, factors))
        0.5
    """
    found = predictability_matrix.of_arrays(codes, factors, continuous=continuous, test=test, seed=seed)
    return float(np.mean(gap(found)))


@checked()
def predictability_matrix(
    codes: Codes, factors: Factors, *, continuous: Continuous = False, test: Test = None, seed: int = 0
) -> Floats:
    """How well each code alone predicts each factor, (d, k): accuracy, or squared correlation; see `sap`."""
    real = real_columns(continuous)
    if not real:
        return _accuracies(*learn_and_score(codes, factors, test, seed))
    correlation = standardised(codes).T @ standardised(factors) / len(codes)
    live = np.var(codes, axis=0, ddof=1) > LEAST_VARIANCE
    found = np.where(live[:, None], correlation**2, 0.0)
    rest = [j for j in range(found.shape[1]) if j not in real]
    if rest:
        learn, score = (
            Rows(part.codes, part.factors[:, rest].astype(np.int64))
            for part in learn_and_score(codes, factors, test, seed)
        )
        found[:, rest] = _accuracies(learn, score)
    return found


def _accuracies(learn: Rows, score: Rows) -> Floats:
    """The accuracy (d, k) of each code for each factor."""
    found = np.empty((learn.codes.shape[1], learn.factors.shape[1]))
    for j, (known, truth) in enumerate(zip(learn.factors.T, score.factors.T, strict=True)):
        values, classes = np.unique(known, return_inverse=True)
        for i in range(len(found)):
            chosen = np.zeros(len(truth), dtype=np.int64)
            if len(values) > 1:
                slopes, offsets = machines(learn.codes[:, i].astype(np.float64), classes)
                height = score.codes[:, i : i + 1] * slopes + offsets
                chosen = height.argmax(axis=1) if len(values) > 2 else (height[:, 0] > 0).astype(np.int64)
            found[i, j] = np.mean(values[chosen] == truth)
    return found
