"""Each formula against a slow and obvious statement of it."""

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import spearmanr
from sklearn.metrics import mutual_info_score

from distaff import metrics
from distaff.errors import BadInput, NotApplicable
from distaff.metrics.information import discretise
from distaff.metrics.mig_exact import mutual_information_of_posteriors


def some(seed: int, n: int = 400, d: int = 4) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    factors = np.stack([rng.integers(size, size=n) for size in (3, 5, 8)], axis=1)
    codes = factors @ rng.standard_normal((3, d)) + 0.7 * rng.standard_normal((n, d))
    return codes, factors


def information(codes: np.ndarray, factors: np.ndarray, bins: int = 20) -> np.ndarray:
    binned = [np.digitize(c, np.histogram(c, bins)[1][:-1]) for c in codes.T]
    return np.array([[mutual_info_score(v, z) for v in factors.T] for z in binned])


def entropies(factors: np.ndarray) -> list[float]:
    return [mutual_info_score(v, v) for v in factors.T]


def slow_modularity(codes: np.ndarray, factors: np.ndarray) -> float:
    found = []
    for row in information(codes, factors):
        best = row.max()
        others = sum(value**2 for value in row) - best**2
        found.append(1 - others / (best**2 * (len(row) - 1)))
    return float(np.mean(found))


def slow_mig_sup(codes: np.ndarray, factors: np.ndarray) -> float:
    found = []
    for row in information(codes, factors) / entropies(factors):
        first, second = sorted(row)[::-1][:2]
        found.append(first - second)
    return float(np.mean(found))


def slow_dcimig(codes: np.ndarray, factors: np.ndarray) -> float:
    table = information(codes, factors)
    total = 0.0
    for k in range(factors.shape[1]):
        gaps = [0.0]
        for row in table:
            if row.argmax() == k:
                gaps.append(sorted(row)[-1] - sorted(row)[-2])
        total += max(gaps)
    return total / sum(entropies(factors))


def slow_jemmig(codes: np.ndarray, factors: np.ndarray) -> float:
    table, found = information(codes, factors), []
    binned = discretise(codes, 20)
    for k, v in enumerate(factors.T):
        best, second = np.argsort(table[:, k])[::-1][:2]
        pairs = np.unique(np.stack([v, binned[:, best]], axis=1), axis=0, return_counts=True)[1] / len(v)
        joint = -(pairs * np.log(pairs)).sum()
        raw = joint - table[best, k] + table[second, k]
        found.append(1 - raw / (mutual_info_score(v, v) + np.log(20)))
    return float(np.mean(found))


def slow_mcc(codes: np.ndarray, factors: np.ndarray) -> float:
    table = np.array([[abs(spearmanr(z, v)[0]) for v in factors.T] for z in codes.T])
    pairings = itertools.permutations(range(codes.shape[1]), factors.shape[1])
    return float(max(np.mean([table[j, k] for k, j in enumerate(pairing)]) for pairing in pairings))


def slow_average(codes: np.ndarray, factors: np.ndarray) -> float:
    table = information(codes, factors)
    return float(np.mean([max(table[:, k]) / h for k, h in enumerate(entropies(factors))]))


def slow_irs(codes: np.ndarray, factors: np.ndarray) -> float:
    scores, weights = [], []
    for z in codes.T:
        widest = max(abs(value - z.mean()) for value in z)
        within = []
        for v in factors.T:
            groups = [z[v == value] for value in np.unique(v)]
            within.append(np.mean([np.percentile(abs(g - g.mean()), 99) for g in groups]) / widest)
        scores.append(1 - min(within))
        weights.append(widest)
    return float(np.average(scores, weights=weights))


def slow_action_independence(codes: np.ndarray, factors: np.ndarray) -> float:
    states = np.unique(factors, axis=0)
    places = [codes[(factors == state).all(axis=1)].mean(axis=0) for state in states]
    moved = np.zeros((factors.shape[1], codes.shape[1]))
    for i in range(len(moved)):
        squares = [
            (places[a] - places[b]) ** 2
            for a, b in itertools.combinations(range(len(states)), 2)
            if np.flatnonzero(states[a] != states[b]).tolist() == [i]
        ]
        values = len(set(states[:, i]))
        moved[i] = np.mean(squares, axis=0) * (values - 1) / values
    found = []
    for i, row in enumerate(moved):
        mine = [j for j in range(len(row)) if max(range(len(moved)), key=lambda f: moved[f, j]) == i]
        own = sum(row[j] for j in mine)
        into = sum(moved[f, j] for f in range(len(moved)) for j in mine if f != i)
        found.append(own / (sum(row) + into))
    return float(np.mean(found))


def slow_dependence(codes: np.ndarray, factors: np.ndarray) -> float:
    binned = discretise(codes, 20).T
    return float(np.mean([mutual_info_score(a, b) for a, b in itertools.combinations(binned, 2)]))


def slow_total_correlation(codes: np.ndarray, factors: np.ndarray) -> float:
    """The KL divergence between the two Gaussians, term by term."""
    joint = np.cov(codes.T)
    product = np.diag(np.diag(joint))
    trace = np.trace(np.linalg.inv(product) @ joint)
    return float((trace - len(joint) + np.log(np.linalg.det(product) / np.linalg.det(joint))) / 2)


SLOW: dict[str, Any] = {
    "modularity": slow_modularity,
    "mig_sup": slow_mig_sup,
    "dcimig": slow_dcimig,
    "jemmig": slow_jemmig,
    "mcc": slow_mcc,
    "average_maximal_mutual_information": slow_average,
    "irs": slow_irs,
    "action_independence": slow_action_independence,
    "code_mutual_information": slow_dependence,
    "gaussian_total_correlation": slow_total_correlation,
}


@pytest.mark.parametrize("name", SLOW)
@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_fast_equals_slow(name: str, seed: int) -> None:
    codes, factors = some(seed)
    function = getattr(metrics, name)
    value = function(codes, factors) if "factors" in function.declaration.needs else function(codes)
    assert value == pytest.approx(SLOW[name](codes, factors), abs=1e-9)


def direct_entropy(mean: np.ndarray, deviation: np.ndarray) -> float:
    """The entropy of a mixture by summation over a fine grid, every Gaussian at every point."""
    x = np.linspace((mean - 9 * deviation).min(), (mean + 9 * deviation).max(), 60_001)
    density = np.zeros_like(x)
    for m, s in zip(mean, deviation, strict=True):
        density += np.exp(-0.5 * ((x - m) / s) ** 2) / (s * np.sqrt(2 * np.pi) * len(mean))
    density = density[density > 0]
    return float(-(density * np.log(density)).sum() * (x[1] - x[0]))


@pytest.mark.parametrize("smallest", [0.5, 0.05, 0.01])
def test_posteriors_information_is_within_the_stated_error(smallest: float) -> None:
    rng = np.random.default_rng(3)
    factors = np.stack(np.unravel_index(np.arange(24), (4, 6)), axis=1)
    means = np.stack([factors[:, 0] - 1.5, rng.standard_normal(24), np.zeros(24)], axis=1)
    deviations = np.exp(rng.uniform(np.log(smallest), 0, (24, 3)))
    ours, entropy = mutual_information_of_posteriors(means, factors, 2 * np.log(deviations))
    np.testing.assert_allclose(entropy, np.log([4, 6]))
    for j in range(3):
        whole = direct_entropy(means[:, j], deviations[:, j])
        for k in range(2):
            groups = [factors[:, k] == v for v in np.unique(factors[:, k])]
            known = np.mean([direct_entropy(means[g, j], deviations[g, j]) for g in groups])
            assert ours[j, k] == pytest.approx(whole - known, abs=0.002)


def test_mig_exact_by_sampling_as_chen_et_al_do() -> None:
    rng = np.random.default_rng(0)
    factors = np.stack(np.unravel_index(np.arange(40), (5, 8)), axis=1)
    means = np.stack([factors[:, 0] / 2.0, factors[:, 1] / 3 + 0.2 * factors[:, 0], rng.random(40)], axis=1)
    deviation = np.exp(rng.uniform(-2.5, -0.5, (40, 3)))

    def entropy(j: int, rows: np.ndarray) -> float:
        picked = rng.choice(rows, 20_000)
        z = means[picked, j] + deviation[picked, j] * rng.standard_normal(20_000)
        m, s = means[rows, j], deviation[rows, j]
        density = (np.exp(-0.5 * ((z[:, None] - m) / s) ** 2) / (s * np.sqrt(2 * np.pi))).mean(axis=1)
        return float(-np.log(density).mean())

    table = np.empty((3, 2))
    for j in range(3):
        whole = entropy(j, np.arange(40))
        for k in range(2):
            parts = [entropy(j, np.flatnonzero(factors[:, k] == v)) for v in np.unique(factors[:, k])]
            table[j, k] = max(0.0, whole - np.mean(parts))
    ordered = np.sort(table, axis=0)
    expected = np.mean((ordered[-1] - ordered[-2]) / np.log([5, 8]))
    assert metrics.mig_exact(means, factors, 2 * np.log(deviation)) == pytest.approx(expected, abs=0.02)


def test_udr_is_the_formula_of_the_paper() -> None:
    own, factors = some(0)
    mate = some(1, d=6)[0]
    ours = metrics.udr(own, [mate], similarity="spearman")
    r = np.array([[abs(spearmanr(a, b)[0]) for b in mate.T] for a in own.T])  # (d_a, d_b)
    total = 0.0
    for b in range(r.shape[1]):
        total += r[:, b].max() ** 2 / r[:, b].sum()
    for a in range(r.shape[0]):
        total += r[a].max() ** 2 / r[a].sum()
    assert ours == pytest.approx(total / sum(r.shape), abs=1e-9)
    several = [metrics.udr(own, [m], similarity="spearman") for m in (mate, own, factors)]
    assert metrics.udr(own, [mate, own, factors], similarity="spearman") == pytest.approx(np.median(several))


def test_udr_ranks_axis_aligned_runs_above_rotated_ones() -> None:
    rng = np.random.default_rng(0)
    factors = rng.uniform(-1, 1, (2000, 5))

    def aligned() -> np.ndarray:
        warped = np.tanh(factors * rng.uniform(0.5, 2, 5))
        return warped[:, rng.permutation(5)] * rng.choice([-1, 1], 5) + 0.05 * rng.standard_normal((2000, 5))

    def rotated() -> np.ndarray:
        turn = np.linalg.qr(rng.standard_normal((5, 5)))[0]
        return factors @ turn + 0.05 * rng.standard_normal((2000, 5))

    for similarity in ("lasso", "spearman"):
        high = metrics.udr(aligned(), [aligned() for _ in range(4)], similarity=similarity)
        low = metrics.udr(rotated(), [rotated() for _ in range(4)], similarity=similarity)
        assert high >= 0.8
        assert low <= 0.45
    base, mates = aligned(), [aligned() for _ in range(3)]
    with_noise = np.concatenate([base, rng.standard_normal((2000, 3))], axis=1)
    kl = np.array([1.0] * 5 + [0.001] * 3)
    assert metrics.udr(with_noise, mates, kl=kl) == pytest.approx(metrics.udr(base, mates), abs=0.02)


def test_explicitness_by_counting_pairs() -> None:
    from sklearn.linear_model import LogisticRegression

    codes, factors = some(2, n=300)
    learn, test = (codes[:200], factors[:200]), (codes[200:], factors[200:])
    scaled = [(part[0] - learn[0].mean(axis=0)) / learn[0].std(axis=0) for part in (learn, test)]
    areas = []
    for k in range(3):
        model = LogisticRegression(solver="newton-cg", max_iter=1000).fit(scaled[0], learn[1][:, k])
        chances = model.predict_proba(scaled[1])
        mean = []
        for i, value in enumerate(model.classes_):
            inside, outside = chances[test[1][:, k] == value, i], chances[test[1][:, k] != value, i]
            mean.append(np.mean([(a > b) + 0.5 * (a == b) for a in inside for b in outside]))
        areas.append(np.mean(mean))
    assert metrics.explicitness(*learn, test=test) == pytest.approx(np.mean(areas), abs=1e-6)


def test_unfairness_by_counting() -> None:
    codes, factors = some(4, n=900)
    learn, test = (codes[:600], factors[:600]), (codes[600:], factors[600:])
    matrix = metrics.unfairness_matrix(*learn, learner="random_forest", test=test)
    from distaff.metrics.learners import fit

    predicted = fit("random_forest", learn[0], learn[1][:, 2], 0).predict(test[0])
    expected = 0.0
    for value in np.unique(test[1][:, 0]):
        rows = test[1][:, 0] == value
        distance = sum(abs(np.mean(predicted[rows] == c) - np.mean(predicted == c)) for c in range(8)) / 2
        expected += rows.mean() * distance
    assert matrix[2, 0] == pytest.approx(expected, abs=1e-12)
    assert np.diag(matrix).sum() == 0
    result = metrics.fairness(*learn, learner="random_forest", test=test)
    assert result.mean_unfairness == pytest.approx(matrix[~np.eye(3, dtype=bool)].mean())
    assert result.max_unfairness == matrix.max()
    assert result.learner == "random_forest"


def test_the_test_rows_are_what_is_scored() -> None:
    codes, factors = some(5, n=600)
    learn = (codes[:400], factors[:400])
    wrong = (codes[400:], (factors[400:] + 1) % [3, 5, 8])
    right = (codes[400:], factors[400:])
    assert (
        metrics.dci(*learn, test=right).informativeness
        > metrics.dci(*learn, test=wrong).informativeness + 0.2
    )
    for name in ("sap", "explicitness"):
        function = getattr(metrics, name)
        assert function(*learn, test=right) != function(*learn, test=wrong)
    with pytest.raises(BadInput, match="test must be two arrays"):
        metrics.dci(*learn, test=codes)
    with pytest.raises(BadInput, match="codes to learn from have 4 columns, those of test 3"):
        metrics.dci(*learn, test=(codes[:, :3], factors))
    with pytest.raises(BadInput, match="rows to score on: 0"):
        metrics.dci(*learn, test=(codes[:0], factors[:0]))


def test_factor_values_are_numbered_over_both_parts() -> None:
    codes, factors = some(6, n=600)
    learn = factors[:, 2] < 6  # two values occur in the test part only
    value = metrics.explicitness(codes[learn], factors[learn], test=(codes[~learn], factors[~learn] % 6))
    assert 0 <= value <= 1
    dci = metrics.dci(codes[learn], factors[learn], test=(codes[~learn], factors[~learn]))
    assert dci.informativeness < 1  # values never seen cannot be predicted


def test_learners_by_name() -> None:
    codes, factors = some(7, n=300)
    for learner in ("random_forest", "gradient_boosting"):
        assert metrics.dci(codes, factors[:, :2], learner=learner).learner == learner
    with pytest.raises(BadInput, match="unknown learner 'random_forst'; did you mean 'random_forest'"):
        metrics.dci(codes, factors, learner="random_forst")
    pytest.importorskip("lightgbm")
    assert 0 < metrics.dci(codes, factors, learner="lightgbm").disentanglement < 1


def test_lightgbm_that_is_not_there_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "lightgbm", None)
    with pytest.raises(BadInput, match=r"pip install 'distaff\[boost\]'"):
        metrics.dci(*some(0), learner="lightgbm")


def test_downstream_says_none_where_rows_do_not_suffice() -> None:
    found = metrics.downstream(*some(8, n=600), learners=["logistic_regression"])
    assert found.lr100 is not None
    assert found.lr1000 is None
    assert found.lr_efficiency is None
    assert found.gbt10 is None
    with pytest.raises(BadInput, match="unknown number of labels '50'"):
        metrics.downstream(*some(8), sizes=[50])


def test_downstream_by_lightgbm_stands_where_boosting_does() -> None:
    factors = np.random.default_rng(0).integers(3, size=(600, 2))
    codes = factors + 0.01 * np.random.default_rng(1).standard_normal(factors.shape)
    found = metrics.downstream(codes, factors, learners=["lightgbm"], sizes=(10, 100))
    assert found.gbt100 is not None
    assert found.gbt100 > 0.95, "a code is its factor"
    assert found.gbt10 is not None
    assert found.gbt10 < 0.5, "of ten rows LightGBM makes no leaves, and the commonest value is its guess"
    assert found.lr100 is None
    with pytest.raises(BadInput, match="both give gbt"):
        metrics.downstream(codes, factors, learners=["lightgbm", "gradient_boosting"])


def test_copies_have_infinite_total_correlation_and_constants_none() -> None:
    codes = np.random.default_rng(0).standard_normal((50, 2))
    assert metrics.gaussian_total_correlation(codes[:, [0, 1, 0]]) == np.inf
    assert metrics.gaussian_total_correlation(np.random.default_rng(0).standard_normal((5, 9))) == np.inf
    with_constant = np.concatenate([codes, np.ones((50, 1))], axis=1)
    expected = metrics.gaussian_total_correlation(codes)
    assert metrics.gaussian_total_correlation(with_constant) == pytest.approx(expected, abs=1e-12)
    with pytest.raises(NotApplicable, match="at least 2 codes"):
        metrics.gaussian_total_correlation(codes[:, 0])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda c, f: metrics.irs(c, f, quantile=2), "quantile=2 is not allowed"),
        (lambda c, f: metrics.mcc(c, f, correlation="kendal"), "unknown correlation 'kendal'"),
        (lambda c, f: metrics.udr(c, []), "at least one other run"),
        (
            lambda c, f: metrics.udr(c, [c[:-1]]),
            "codes have 400 rows and mate 0's codes 399; they must",
        ),
        (lambda c, f: metrics.udr(c, [c], kl=[1.0]), r"kl has shape \(1,\) for 4 codes"),
        (lambda c, f: metrics.udr(c, [c], kl=[np.nan] * 4), "kl holds NaN"),
        (lambda c, f: metrics.udr(c, [c], kl=[1] * 4, logvar=c), "KLs or log-variances, not both"),
        (lambda c, f: metrics.udr(c, [c], similarity="ridge"), "unknown similarity 'ridge'"),
        (lambda c, f: metrics.mig_exact(c, f, c[:, :2]), r"logvar has shape \(400, 2\)"),
        (lambda c, f: metrics.mig_exact(c, f, c[:-1]), "codes have 400 rows and logvar 399"),
        (lambda c, f: metrics.mig_sup(c, f, least_variance=-1), "least_variance=-1 is not allowed"),
        (lambda c, f: metrics.fairness(c, f[:, :1], learner="random_forest"), "at least 2 factors"),
    ],
)
def test_wrong_settings(call: Any, message: str) -> None:
    with pytest.raises(BadInput, match=message):
        call(*some(0))


def test_of_codes_that_tell_as_much_the_purest_is_the_best_for_jemmig() -> None:
    factors = np.array([[0, 0], [0, 1], [1, 0], [1, 1]] * 100)
    pure, both = 1.0 * factors[:, 0], 2.0 * factors[:, 0] + factors[:, 1]
    h = np.log(2)
    # the first factor: joint entropy h with the pure code, no gap; the second: joint entropy 2 h, a gap of h
    expected = 1 - ((h - 0) / (h + np.log(20)) + (2 * h - h) / (h + np.log(20))) / 2
    for codes in (np.c_[pure, both], np.c_[both, pure]):
        assert metrics.jemmig(codes, factors) == pytest.approx(expected)
