"""MED, DCI-ES and the unified scores, against the numbers of published code and against loops."""

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from metrics.recipes import three_factors

import distaff
from distaff.errors import BadInput
from distaff.metrics import dci_es, med, unified_scores
from distaff.metrics.dci import completeness, disentanglement
from distaff.metrics.dci_es import areas
from distaff.metrics.unified import aggregated, grouped
from distaff.testing import SITUATIONS, SPACE


def test_the_numbers_of_meds_code() -> None:
    codes, factors, noise = three_factors()

    def of(codes: np.ndarray, **settings: Any) -> Any:
        return med(codes[:700], factors[:700], test=(codes[700:], factors[700:]), **settings)

    assert of(codes) == pytest.approx((0.606059, 0.520668, 0.876667), abs=5e-7)
    assert of(codes, top=1)[:2] == pytest.approx((0.721122, 0.722398), abs=5e-7)
    assert of(noise) == pytest.approx((0.002272, 0.002497, 0.252222), abs=5e-7)


def test_med_by_a_plain_statement() -> None:
    codes, factors, _ = three_factors()
    codes, factors = codes[:300], np.concatenate([factors[:300, :2], np.arange(300)[:, None] % 5], axis=1)
    matrix = np.zeros((6, 3))
    for i, code in enumerate(codes[:200].T):
        bins = np.clip(((code - code.min()) / (code.max() - code.min()) * 20).astype(int), 0, 19)
        for j, factor in enumerate(factors[:200].T):
            for b in set(bins):
                for v in set(factor):
                    joint = np.mean((bins == b) & (factor == v))
                    if joint:
                        matrix[i, j] += joint * np.log(joint / np.mean(bins == b) / np.mean(factor == v))
    matrix /= matrix.sum(axis=0)
    found = med(codes[:200], factors[:200], test=(codes[200:], factors[200:]))
    assert found[:2] == pytest.approx((disentanglement(matrix), completeness(matrix)), abs=1e-12)
    with pytest.raises(BadInput, match="top=0 is not allowed"):
        med(codes, factors, top=0)


@pytest.mark.parametrize(
    ("curve", "expected"),
    [
        ([1, 0.75, 0.5, 0.25, 0], 0),
        ([0, 0, 0, 0, 0], 1),
        ([1, 1, 1, 1, 0], -0.75),
        ([1, 1, 1, 1, 1], 1),
        ([0.8, 0.5, 0.4, 0.45, 0.4], 0.85),
    ],
)
def test_curves_of_published_code(curve: list[float], expected: float) -> None:
    above, whole = areas(np.arange(1.0, 6.0), np.array(curve, dtype=float))
    assert 1 - 2 * above == pytest.approx(expected)
    assert whole - above == pytest.approx(min(curve))


def test_explicitness_of_the_constructions() -> None:
    factors = SPACE.sample(10_000, 0)
    ideal = (factors - factors.mean(axis=0)) / factors.std(axis=0)
    expected = {"identity": 0.904, "constant": 1}
    for situation, value in expected.items():
        codes = SITUATIONS[situation](ideal, np.random.default_rng(3))
        found = dci_es(codes[:3000], factors[:3000], test=(codes[3000:4500], factors[3000:4500]))
        assert found.explicitness == pytest.approx(value, abs=0.02), situation
        assert found.from_zero < 0.1 if situation == "constant" else found.from_zero > 0.6


def test_explicitness_by_scikit_learn_and_of_numbers() -> None:
    """All depths are tried here, and the loss of forests that have outgrown their rows stays as it is."""
    from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

    codes, factors, _ = three_factors()
    codes, factors = codes[:300], factors[:300, :1]
    depths = (1, 3, 9, 20, 30)
    for kind, real in ((RandomForestClassifier, False), (RandomForestRegressor, True)):
        losses = []
        for depth in depths:
            model = kind(n_estimators=4, max_depth=depth, random_state=2).fit(codes[:200], factors[:200, 0])
            losses.append(1 - model.score(codes[200:], factors[200:, 0]))
        falling = [min(losses[: i + 1]) for i in range(5)]
        area = sum((falling[i] + falling[i + 1]) / 2 * (depths[i + 1] - depths[i]) for i in range(4)) / 29
        nothing = 1 if real else 3 / 4
        given = {"test": (codes[200:], factors[200:]), "trees": 4, "depths": depths, "seed": 2}
        found = dci_es(codes[:200], factors[:200], **given, continuous=real)
        expected = (1 - min(losses), 1 - 2 * (area - min(losses)) / nothing, max(0, 1 - area / nothing))
        assert found == pytest.approx(expected, abs=1e-9)
    for wrong in ((3,), (3, 2), (0, 1)):
        with pytest.raises(BadInput, match="depths"):
            dci_es(codes, factors, depths=wrong)


def test_unified_scores_are_the_scores_they_unite() -> None:
    codes, factors, _ = three_factors()
    given: dict[str, Any] = {"test": (codes[700:], factors[700:])}
    learn = codes[:700], factors[:700]
    found = unified_scores(*learn, **given)
    own = distaff.metrics.dci(*learn, learner="boosting", **given)
    assert found["importance.disentanglement"] == pytest.approx(own.disentanglement)
    assert found["importance.completeness"] == pytest.approx(own.completeness)
    assert found["mutual_information.mig"] == pytest.approx(distaff.metrics.mig(*learn))
    assert found["mutual_information.modularity"] == pytest.approx(distaff.metrics.modularity(*learn))
    assert found["predictability.sap"] == pytest.approx(distaff.metrics.sap(*learn, **given))
    assert len(found) == 3 * (5 + 6 + 3 + 3 + 3 + 6 + 2 + 3)


def test_a_factor_of_one_value_among_the_rows_learned_from_has_no_gap() -> None:
    found = aggregated(np.array([[0.9, 0.0], [0.1, 0.0]]), np.array([1.0, 0.0]))
    assert found["mig.factor_1"] == 0
    assert found["mig"] == pytest.approx(0.4)


def test_aggregations_by_loops() -> None:
    matrix = np.array([[0.9, 0.1, 0.2], [0.3, 0.5, 0.0], [0.0, 0.4, 0.6], [0.0, 0.0, 0.0]])
    entropies = np.array([1.0, 2.0, 0.5])
    found = aggregated(matrix, entropies)
    for j, gap in enumerate((0.6, 0.1, 0.4)):
        assert found[f"sap.factor_{j}"] == pytest.approx(gap)
        assert found[f"mig.factor_{j}"] == pytest.approx(gap / entropies[j])
        shares = matrix[:, j] / matrix[:, j].sum()
        entropy = -sum(p * np.log(p) for p in shares if p > 0)
        assert found[f"completeness.factor_{j}"] == pytest.approx(1 - entropy / np.log(4), abs=1e-8)
    assert found["modularity.code_0"] == pytest.approx(1 - (0.01 + 0.04) / (0.81 * 2))
    assert found["modularity.code_3"] == 0
    assert found["disentanglement.code_3"] == pytest.approx(0)


@pytest.mark.parametrize("seed", range(5))
def test_groups_by_walking_the_graph(seed: int) -> None:
    rng = np.random.default_rng(seed)
    matrix = rng.integers(0, 6, size=(5, 4)) / 5  # with ties and without edges
    thresholds = sorted(set(matrix.ravel()), reverse=True)

    def reached(node: tuple[str, int], least: float) -> frozenset[tuple[str, int]]:
        found, left = set(), [node]
        while left:
            kind, i = left.pop()
            if (kind, i) in found:
                continue
            found.add((kind, i))
            row = matrix[i] if kind == "code" else matrix[:, i]
            other = "factor" if kind == "code" else "code"
            left += [(other, j) for j, value in enumerate(row) if value >= least and value > 0]
        return frozenset(found)

    counts = []
    for least in thresholds:
        groups = {reached(("code", i), least) for i in range(5)}
        counts.append(sum(len(group) > 1 for group in groups))
    found = grouped(matrix)
    steps = [above - below for above, below in pairwise(thresholds)]
    area = sum((a + b) / 2 * step for (a, b), step in zip(pairwise(counts), steps, strict=True))
    assert found["most_groups"] == max(counts)
    assert found["groups_area"] == pytest.approx(area)
    for a in range(4):
        for b in range(a + 1, 4):
            together = [t for t in thresholds if ("factor", b) in reached(("factor", a), t)]
            assert found[f"merge.{a}.{b}"] == (max(together) if together else 0)


def test_rounding_takes_no_area_below_zero() -> None:
    capacity = np.array([1, 2, 3, 4, 6, 10.0])
    for loss in np.random.default_rng(0).random(200):  # of which a mean by trapezoids falls below some
        assert areas(capacity, np.full(6, loss))[0] >= 0


def test_dead_codes_cost_nothing_and_a_single_row_is_complete() -> None:
    rng = np.random.default_rng(0)
    factors = np.c_[rng.integers(0, 3, 600), rng.integers(0, 4, 600)]
    mixed = factors @ np.array([[1, 0.7], [0.5, 1]]) + 0.2 * rng.standard_normal((600, 2))
    found = {med(np.c_[mixed, np.zeros((600, dead))], factors, top=6)[:2] for dead in (0, 1, 5)}
    assert len(found) == 1
    assert med(np.c_[mixed[:, 0], np.zeros(600)], factors, top=1).completeness == 1.0
