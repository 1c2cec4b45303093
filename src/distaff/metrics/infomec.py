"""InfoMEC: modularity, explicitness and compactness in terms of information."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from distaff.errors import NotApplicable
from distaff.metrics.arrays import Codes, Factors, Floats, Ints, Test, renumbered, single_valued, standardised
from distaff.metrics.declare import metric
from distaff.metrics.held_out import Rows, learn_and_score
from distaff.metrics.information import entropy, mutual_information
from distaff.metrics.threads import one_thread, quiet

MOST_ROWS = 10_000  # behind InfoM and InfoC; nearest neighbours are slow


class InfoMEC(NamedTuple):
    """The three scores, at most 1, higher is better."""

    infom: float
    infoe: float
    infoc: float


@metric(
    source="Hsu et al. 2023, arXiv:2305.18378, section 4, as in the authors' code",
    cost="slow",
    least_factors=2,
    invariant_to=frozenset({"permutation", "sign"}),
    truth={
        "identity": {"infom": (0.95, 1.0), "infoe": (0.95, 1.0), "infoc": (0.95, 1.0)},
        "rotated": {"infom": (0.0, 0.2), "infoe": (0.95, 1.0), "infoc": (0.0, 0.2)},
        "constant": {"infom": (0.0, 0.0), "infoe": (0.0, 0.001), "infoc": (0.0, 0.0)},
        "duplicated": {"infom": (0.95, 1.0), "infoe": (0.95, 1.0), "infoc": (0.3, 0.6)},
        "noise": {"infom": (0.0, 0.9), "infoe": (0.0, 0.02), "infoc": (0.0, 0.9)},
        "one_missing": {"infom": (0.9, 1.0), "infoe": (0.7, 0.8), "infoc": (0.6, 1.0)},
    },
    worse_with={
        "infom": frozenset({"holistic"}),
        "infoe": frozenset({"noise", "missing"}),
        "infoc": frozenset({"spread"}),
    },
    blind=("infomec.infom",),
    only_dense="its nearest neighbours have no meaning among the many ties at 0",
)
def infomec(
    codes: Codes, factors: Factors, *, discrete_codes: bool = False, test: Test = None, seed: int = 0
) -> InfoMEC:
    """InfoMEC: does a code know of one factor, can factors be read linearly, does one code know a factor?

    The mutual information of every factor with every active code, over the factor's entropy: by 10 nearest
    neighbours (Ross 2014, doi:10.1371/journal.pone.0087357), or of values as they stand with `discrete_codes`
    (quantised ones). InfoM: a code's largest share of its column, averaged over active codes; InfoC: a
    factor's largest share of its row, averaged over factors; both rescaled from 1/k or 1/(active codes) to 0.
    InfoE: how far a logistic regression on standardised codes (one-hot where discrete), classes weighted to
    balance and without regularisation, lowers the cross-entropy below that of an even guess, as a share;
    averaged over factors. Higher is better.

    This is the variant of the paper's own stand-alone code: a code is active whose range exceeds 1/20 of the
    widest one (its training code takes 1/8; Tripod, by the same authors, a tenth of the widest interquartile
    range), and InfoE scores the rows it learned from, which flatters it where rows are few, unless `test` is
    given. Differences: a factor's share of InfoE is at least 0; codes and factors without any information are
    left out of the means where that code divides by 0; a single active code has InfoC 1. Noise still gets
    InfoM and InfoC above 0, for tiny estimated shares are shares too: read them beside InfoE.

    `codes` (n, d), `factors` (n, k) with k >= 2, whole numbers. At most 10,000 rows count. Raises
    NotApplicable for a single factor, and where a factor has a single value among the rows that count.

    The first factor has two codes, the second none:

        >>> codes, factors = [[0, 0], [0, 0], [1, 1], [1, 1]] * 5, [[0, 0], [0, 1], [1, 0], [1, 1]] * 5
        >>> [round(value, 2) for value in infomec(codes, factors, discrete_codes=True)]
        [1.0, 0.5, 0.0]
    """
    rows = Rows(codes, factors if test is None else renumbered(factors))
    if len(codes) > MOST_ROWS:
        chosen = np.random.default_rng(seed).permutation(len(codes))[:MOST_ROWS]
        rows = Rows(rows.codes[chosen], rows.factors[chosen])
        if single := single_valued(rows.factors):
            raise NotApplicable(
                f"among {MOST_ROWS:,} of the rows factor column {single[0]} has a single value"
            )
    if any(np.bincount(factor).max() < 2 for factor in rows.factors.T):
        raise NotApplicable("infomec needs a value of every factor that two rows share")
    learn, score = (rows, rows) if test is None else learn_and_score(codes, factors, test, seed)
    spread = np.ptp(rows.codes, axis=0).astype(np.float64)
    active = spread > (0 if discrete_codes else spread.max() / 20)
    information = _information(rows.codes[:, active], rows.factors, discrete_codes, seed)
    information /= entropy(rows.factors)
    return InfoMEC(
        _largest_share(information),
        _explicitness(learn, score, discrete_codes),
        _largest_share(information.T),
    )


def _information(codes: NDArray[Any], factors: Ints, discrete: bool, seed: int) -> Floats:
    """Mutual information (active codes, k), nats."""
    if discrete or not codes.shape[1]:
        values = [np.unique(column, return_inverse=True)[1] for column in codes.T]
        return mutual_information(np.reshape(values, codes.T.shape).T.astype(np.int64), factors)
    from sklearn.feature_selection import mutual_info_classif

    scaled = standardised(codes)
    with quiet():
        columns = [
            mutual_info_classif(scaled, factor, discrete_features=False, n_neighbors=10, random_state=seed)
            for factor in factors.T
        ]
    return np.stack(columns, axis=1).astype(np.float64)  # integers where all estimates are below 0


def _largest_share(information: Floats) -> float:
    """The mean over rows of the largest share of a row, from 0 for even rows to 1."""
    columns = information.shape[1]
    informed = information[information.sum(axis=1) > 0]
    if not len(informed):
        return 0.0
    if columns == 1:
        return 1.0
    shares = informed.max(axis=1) / informed.sum(axis=1)
    return float((shares.mean() - 1 / columns) / (1 - 1 / columns))


def _explicitness(learn: Rows, score: Rows, discrete: bool) -> float:
    """The mean over factors of the cross-entropy's fall below ln(number of values), as a share of it."""
    seen, unseen = learn.codes, score.codes
    if discrete:
        from sklearn.preprocessing import OneHotEncoder

        encoder = OneHotEncoder(handle_unknown="ignore").fit(seen)
        seen, unseen = encoder.transform(seen), encoder.transform(unseen)
    else:
        seen, unseen = standardised(seen), standardised(unseen, like=seen)
    shares = []
    for known, truth in zip(learn.factors.T, score.factors.T, strict=True):
        even = np.log(len(np.unique(known)))
        shares.append(max(0.0, 1 - _cross_entropy(seen, known, unseen, truth) / even) if even > 0 else 0.0)
    return float(np.mean(shares))


def _cross_entropy(seen: Any, known: Ints, unseen: Any, truth: Ints) -> float:
    """The mean negative logarithm of the probability given to the truth, nats.

    A value that was not seen in learning costs what an even guess does.
    """
    from sklearn.linear_model import LogisticRegression

    with quiet(), one_thread():  # 100 rounds, as in the authors' code
        model = LogisticRegression(C=np.inf, class_weight="balanced", max_iter=100).fit(seen, known)
    chances = model.predict_proba(unseen).clip(min=np.finfo(np.float64).eps)
    place = np.searchsorted(model.classes_, truth).clip(max=len(model.classes_) - 1)
    met = model.classes_[place] == truth
    given = np.where(met, chances[np.arange(len(truth)), place], 1 / len(model.classes_))
    return float(-np.log(given).mean())
