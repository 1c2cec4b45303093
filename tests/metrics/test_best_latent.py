"""best_latent: against published values and loops over codes and values."""

import numpy as np
import pytest
from metrics.recipes import absorbed_attribute
from sklearn.metrics import f1_score, precision_score, recall_score, roc_auc_score

import distaff
from distaff.errors import NotApplicable
from distaff.metrics import best_latent
from distaff.metrics.best_latent import areas, f1_of, firing, indicators, ranks


def test_the_numbers_of_a_stated_recipe() -> None:
    codes, attribute = absorbed_attribute()
    found = best_latent(codes, attribute, test=(codes, attribute))
    assert found == pytest.approx((1, 0.666667, 0.8, 0.833333), abs=5e-7)
    positives = np.stack([attribute == 1], axis=1)
    assert f1_of(*firing(codes, positives)).argmax() == 7
    always = np.ones((len(codes), 1))
    assert best_latent(always, attribute, test=(always, attribute)).f1 == pytest.approx(0.383838, abs=5e-7)


def sparse_world(n: int = 240, d: int = 12, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    factors = np.stack([rng.integers(size, size=n) for size in (2, 5)], axis=1)
    codes = np.where(rng.random((n, d)) < 0.2, rng.normal(size=(n, d)).round(1), 0.0)
    codes[:, 3] = np.where(factors[:, 1] == 4, rng.exponential(size=n).round(1), codes[:, 3])
    codes[:, 5], codes[:, 6] = 0, factors[:, 0]
    return codes, factors


@pytest.mark.parametrize("seed", range(3))
def test_by_loops_over_codes_and_values(seed: int) -> None:
    codes, factors = sparse_world(seed=seed)
    learn, score = slice(0, 160), slice(160, None)
    means = []
    for column in factors.T:
        values = [1] if len(np.unique(column)) == 2 else np.unique(column)
        each = []
        for value in values:
            known, truth = column[learn] == value, column[score] == value
            f1 = [f1_score(known, c[learn] != 0) for c in codes.T]
            area = [roc_auc_score(known, c[learn]) for c in codes.T]
            fires = codes[score, np.argmax(f1)] != 0
            numbers = [precision_score(truth, fires), recall_score(truth, fires), f1_score(truth, fires)]
            each.append([*numbers, roc_auc_score(truth, codes[score, np.argmax(area)])])
        means.append(np.mean(each, axis=0))
    found = best_latent(codes[learn], factors[learn], test=(codes[score], factors[score]))
    assert found == pytest.approx(np.mean(means, axis=0), abs=1e-12)


def test_a_code_that_fires_for_what_is_not_there_detects_nothing() -> None:
    attribute = np.arange(100) % 2
    off = 1.0 - attribute
    found = best_latent(off, attribute, test=(off, attribute))
    assert found == (0, 0, 0, 0)


def test_what_each_code_fires_for() -> None:
    codes, factors = sparse_world()
    there = indicators(factors).astype(bool)
    assert there.shape == (240, 6)
    hits, fires, positives = firing(codes, there)
    assert hits[3, 5] == np.sum((codes[:, 3] != 0) & (factors[:, 1] == 4))
    assert fires.tolist() == (codes != 0).sum(axis=0).tolist()
    assert positives.tolist() == there.sum(axis=0).tolist()
    pairs = [(a, b) for a in codes[factors[:, 1] == 4, 3] for b in codes[factors[:, 1] != 4, 3]]
    wins = np.mean([(a > b) + 0.5 * (a == b) for a, b in pairs])
    assert areas(ranks(codes), there)[3, 5] == pytest.approx(wins)


def test_the_ceiling_is_a_code_for_each_value_and_the_card_has_it_where_asked() -> None:
    codes, factors = sparse_world(1200)
    card = distaff.score(codes, factors, metrics="best_latent")
    for name in ("precision", "recall", "f1", "auroc"):
        score = card[f"best_latent.{name}"]
        assert score.ceiling == 1
        assert score.low <= score.value <= score.high
    assert card["best_latent.f1"].value > card["best_latent.f1"].chance + 0.1
    assert card["best_latent.auroc"].chance == pytest.approx(0.5, abs=0.06)
    assert "best_latent.f1" not in distaff.score(codes, factors, values_only=True)


def test_values_that_one_side_lacks_are_left_out() -> None:
    codes, factors = np.eye(4)[[0, 1, 2, 0, 1, 3]], np.array([0, 1, 2, 0, 1, 3])
    found = best_latent(codes[:3], factors[:3], test=(codes[3:], factors[3:]))
    assert found == (1, 1, 1, 1)  # of the values 0 and 1
    with pytest.raises(NotApplicable, match="a value of every factor that rows on both sides have"):
        best_latent(codes[:2], factors[:2], test=(codes[[2, 5]], factors[[2, 5]]))
