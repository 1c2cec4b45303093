"""Predictors of a factor from codes that also say how important each code was."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from distaff.errors import BadInput, unknown
from distaff.metrics.boosting import Boosting
from distaff.metrics.threads import quiet

#: what fits; its meaning
LEARNERS = {
    "boosting": "gradient boosting on bins of codes, as the next in a thirtieth of its time",
    "gradient_boosting": "scikit-learn's gradient boosting, its defaults; as in Locatello et al. 2019; slow",
    "random_forest": "10 trees as deep as suits a held-out quarter best; as in Eastwood and Williams",
    "lightgbm": "LightGBM with its defaults; needs `pip install 'distaff[boost]'`",
}
DEPTHS = (2, 4, 6, 8, 12, 20)
TREES, FEW_TREES = 10, 3  # of a forest; and of one that only finds the depth for many codes, where trees cost
MANY_CODES = 500


def fit(name: str, codes: NDArray[Any], factor: NDArray[Any], seed: int, regress: bool = False) -> Any:
    """A model of `factor` (n,) fitted to codes (n, d), with `predict` and `feature_importances_`."""
    if name not in LEARNERS:
        raise unknown("learner", str(name), LEARNERS)
    if not regress and len(np.unique(factor)) < 2:  # a single value is all there is to learn
        from sklearn.dummy import DummyClassifier

        model: Any = DummyClassifier().fit(codes, factor)
        model.feature_importances_ = np.zeros(codes.shape[1])
        return model
    with quiet():
        if name == "random_forest":
            return _random_forest(codes, factor, seed, regress)
        if name == "lightgbm":
            return _lightgbm(codes, factor, seed, regress)
        if name == "boosting":
            return Boosting(regress, seed).fit(codes, factor)
        from sklearn.ensemble import GradientBoostingClassifier, GradientBoostingRegressor

        model = (GradientBoostingRegressor if regress else GradientBoostingClassifier)(random_state=seed)
        return model.fit(codes, factor)


def importances(model: Any) -> NDArray[np.float64]:
    """The importance of each code for a model that `fit` gave, (d,); they sum to 1, or are all 0."""
    found = np.abs(np.asarray(model.feature_importances_, dtype=np.float64))
    return found / found.sum() if found.sum() > 0 else found


def _random_forest(codes: NDArray[Any], factor: NDArray[Any], seed: int, regress: bool) -> Any:
    from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

    kind = RandomForestRegressor if regress else RandomForestClassifier

    def forest(depth: int, rows: NDArray[np.int64], trees: int = TREES) -> Any:
        # all codes are weighed at every split: a split between useless codes only would make them important
        model = kind(n_estimators=trees, max_depth=depth, max_features=None, random_state=seed)
        return model.fit(codes[rows], factor[rows])

    order = np.random.default_rng(seed).permutation(len(codes))
    held, rest = order[: len(order) // 4], order[len(order) // 4 :]
    if not len(held):
        return forest(DEPTHS[0], order)
    best, least = DEPTHS[0], np.inf
    trees = TREES if codes.shape[1] <= MANY_CODES else FEW_TREES
    for depth in DEPTHS:  # deep trees cost most, so it stops where the error begins to grow
        model = forest(depth, rest, trees)
        error = _squared_error(model, codes[held], factor[held], regress)
        if error > least:
            break
        best, least = depth, error  # of equals the deepest, which more rows may need
        if max(tree.get_depth() for tree in model.estimators_) < depth:  # deeper ones are the same
            best = DEPTHS[-1]
            break
    return forest(best, order)


def _squared_error(model: Any, codes: NDArray[Any], factor: NDArray[Any], regress: bool) -> float:
    """The mean squared error, of probabilities where there are classes (Brier's score).

    Accuracy instead would choose depths so unevenly that importances change with the seed by .1.
    """
    if regress:
        return float(np.mean((model.predict(codes) - factor) ** 2))
    chances = model.predict_proba(codes)
    return float(np.mean((((factor[:, None] == model.classes_) - chances) ** 2).sum(axis=1)))


def _lightgbm(codes: NDArray[Any], factor: NDArray[Any], seed: int, regress: bool) -> Any:
    try:
        from lightgbm import LGBMClassifier, LGBMRegressor
    except ImportError:
        raise BadInput("learner 'lightgbm' needs LightGBM: pip install 'distaff[boost]'") from None
    kind = LGBMRegressor if regress else LGBMClassifier
    # one thread: every factor has one of its own, and LightGBM's would wait for each other
    return kind(random_state=seed, importance_type="gain", verbose=-1, n_jobs=1).fit(codes, factor)
