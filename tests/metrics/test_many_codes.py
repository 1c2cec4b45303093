"""What was made quick for many codes gives the values of its slow and obvious twin."""

import importlib
import math
import warnings
from itertools import combinations

import numpy as np
import pytest

from distaff import metrics, registry
from distaff.metrics import information
from distaff.metrics.factor_vae_score import _variance
from distaff.metrics.held_out import learn_and_score
from distaff.metrics.information import discretise, mutual_information
from distaff.metrics.learners import DEPTHS, _random_forest
from distaff.metrics.rows import FLOATS_IN_CACHE, gather

sap_module = importlib.import_module("distaff.metrics.sap")


def world(n: int, d: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Codes of which some know factors, some are noise, and one each is dead, tiny, huge and a copy."""
    rng = np.random.default_rng(seed)
    factors = np.stack([rng.integers(size, size=n) for size in (2, 3, 7)], axis=1)
    codes = rng.standard_normal((n, d))
    codes[:, :3] = factors + 0.3 * codes[:, :3]
    codes[:, 3], codes[:, 4], codes[:, 5], codes[:, 6] = 1, codes[:, 0], 1e-3 * codes[:, 1], 1e5 * codes[:, 2]
    return codes, factors


def slow_mutual_information(a: np.ndarray, b: np.ndarray) -> float:
    terms = []
    for x in np.unique(a):
        for y in np.unique(b):
            if joint := np.mean((a == x) & (b == y)):
                terms.append(joint * np.log(joint / (np.mean(a == x) * np.mean(b == y))))
    return math.fsum(terms)


@pytest.mark.parametrize("cells", [1, 5000, information.CELLS_AT_ONCE])
def test_mutual_information(monkeypatch: pytest.MonkeyPatch, cells: int) -> None:
    """Whatever part of the columns is counted together, and whatever their numbers of values."""
    monkeypatch.setattr(information, "CELLS_AT_ONCE", cells)
    codes, factors = world(500, 12)
    first = np.concatenate([discretise(codes, 20), factors, np.arange(500)[:, None]], axis=1)
    second = np.concatenate([factors, discretise(codes[:, :3], 5)], axis=1)
    slow = np.array([[slow_mutual_information(a, b) for b in second.T] for a in first.T])
    assert np.abs(mutual_information(first, second) - slow).max() < 2e-15
    assert (mutual_information(first, second)[3] == 0).all()  # the dead code


def test_mutual_information_never_exceeds_the_entropy() -> None:
    for seed in range(50):
        rng = np.random.default_rng(seed)
        factors = rng.integers(int(rng.integers(2, 9)), size=(57, 1))
        factors[:2] = [[0], [1]]
        assert metrics.average_maximal_mutual_information(factors, factors) <= 1.0


def test_code_mutual_information() -> None:
    codes, _ = world(300, 9)
    binned = discretise(codes, 20)
    slow = np.mean(
        [slow_mutual_information(binned[:, i], binned[:, j]) for i, j in combinations(range(9), 2)]
    )
    assert metrics.code_mutual_information(codes) == pytest.approx(slow, abs=1e-14)


def slow_predictability(codes: np.ndarray, factors: np.ndarray, seed: int) -> np.ndarray:
    from sklearn.svm import LinearSVC

    learn, score = learn_and_score(codes, factors, None, seed)
    matrix = np.empty((codes.shape[1], factors.shape[1]))
    for i, j in np.ndindex(*matrix.shape):
        known, truth = learn.factors[:, j], score.factors[:, j]
        if len(np.unique(known)) < 2:
            matrix[i, j] = np.mean(truth == known[0])
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model = LinearSVC(C=0.01, class_weight="balanced", dual=False, tol=1e-12, max_iter=10**6)
            model.fit(learn.codes[:, i : i + 1], known)
        matrix[i, j] = np.mean(model.predict(score.codes[:, i : i + 1]) == truth)
    return matrix


@pytest.mark.parametrize("n", [24, 300, 2000])
def test_predictability(n: int) -> None:
    """As scikit-learn's LinearSVC has it, if that is asked to look closely."""
    codes, factors = world(n, 8, seed=n)
    factors[:, 2] = np.arange(n) == 0  # a value that the rows to learn from may lack
    for seed in range(3):
        matrix = sap_module.predictability_matrix(codes, factors, seed=seed)
        assert (matrix == slow_predictability(codes, factors, seed)).all()


@pytest.mark.parametrize("d", [3, 40, 2000])
def test_batches_of_rows(d: int) -> None:
    rng = np.random.default_rng(0)
    codes, rows = rng.standard_normal((50, d)), rng.integers(50, size=(90, 16))
    parts = [part.copy() for part in gather(codes, rows)]
    assert max(part.size for part in parts) <= max(FLOATS_IN_CACHE, 16 * d)
    assert (np.concatenate(parts) == codes[rows]).all()
    variance = np.concatenate([_variance(part) for part in gather(codes, rows)])
    assert np.allclose(variance, codes[rows].var(axis=1, ddof=1), rtol=1e-14, atol=0)


@pytest.mark.parametrize("noise", [0.01, 0.5])
def test_forests_of_a_depth_that_nothing_reaches(noise: float) -> None:
    """All depths are tried here, and the best one's forest gives the same predictions and importances."""
    from sklearn.ensemble import RandomForestClassifier

    codes, factors = world(200, 8)
    codes[:, 2] = factors[:, 2] + noise * np.random.default_rng(1).standard_normal(200)
    factor, order = factors[:, 2], np.random.default_rng(5).permutation(200)
    held, rest = order[:50], order[50:]

    def forest(depth: int, rows: np.ndarray) -> RandomForestClassifier:
        model = RandomForestClassifier(10, max_depth=depth, max_features=None, random_state=5)
        return model.fit(codes[rows], factor[rows])

    errors = []
    for depth in DEPTHS:
        chances = forest(depth, rest).predict_proba(codes[held])
        errors.append(np.mean(((np.eye(7)[factor[held]] - chances) ** 2).sum(axis=1)))
    grown = next((i for i in range(1, len(errors)) if errors[i] > errors[i - 1]), len(errors))
    slow, fast = forest(DEPTHS[grown - 1], order), _random_forest(codes, factor, 5, False)
    assert (slow.feature_importances_ == fast.feature_importances_).all()
    assert (slow.predict_proba(codes) == fast.predict_proba(codes)).all()


def test_what_grows_with_the_square_says_what_it_takes() -> None:
    declared = {name: registry.get("metrics", name).declaration for name in registry.names("metrics")}
    growing = {name for name, declaration in declared.items() if declaration.grows >= 2}
    assert growing >= {"code_mutual_information", "udr", "gaussian_total_correlation"}
    assert all(declared[name].seconds > 0 for name in growing)
