"""MCC's settings: against the numbers of published code, and against plain statements of each rule."""

from typing import Any

import numpy as np
import pytest
from metrics.recipes import linear_mixture, wide_noise
from scipy.optimize import linear_sum_assignment
from scipy.stats import spearmanr
from sklearn.cross_decomposition import CCA
from sklearn.linear_model import LinearRegression

import distaff
from distaff.errors import BadInput, NotApplicable
from distaff.metrics import mcc, permutation_null
from distaff.testing import SITUATIONS, SPACE

REAL: dict[str, Any] = {"continuous": True}


@pytest.mark.parametrize(
    ("settings", "value"),
    [
        ({"correlation": "pearson"}, 0.811814),
        ({"correlation": "spearman"}, 0.799325),
        ({"correlation": "pearson", "fit": "crossfit"}, 0.811986),
        ({"correlation": "spearman", "fit": "crossfit"}, 0.797170),
    ],
)
def test_the_numbers_of_published_code(settings: dict[str, Any], value: float) -> None:
    assert mcc(*linear_mixture(), **settings, **REAL) == pytest.approx(value, abs=5e-7)


def test_numbers_of_published_code_in_and_out_of_sample() -> None:
    """Learned on the first half, scored on it and on the second; cross-fitting does so for each part."""
    from distaff.metrics.alignment import ALIGNMENTS
    from distaff.metrics.mcc import signed_correlation

    codes, factors = linear_mixture()

    def half(align: str | None) -> float:
        learned = ALIGNMENTS[align](
            codes[:250], factors[:250], lambda a, b: signed_correlation(a, b, "pearson")
        )
        return float(learned.of(codes[250:], factors[250:]).mean())

    for align, value in (("affine", 0.947611), ("cca", 0.945144)):
        first = mcc(codes[:250], factors[:250], correlation="pearson", align=align, **REAL)
        assert first == pytest.approx(value, abs=5e-7)
    assert half(None) == pytest.approx(0.809629, abs=5e-7)
    assert half("affine") == pytest.approx(0.953848, abs=5e-7)
    converged = CCA(n_components=5, max_iter=100_000, tol=1e-14).fit(codes[:250], factors[:250])
    first, second = converged.transform(codes[250:], factors[250:])
    pairs = [np.corrcoef(first[:, i], second[:, i])[0, 1] for i in range(5)]
    assert half("cca") == pytest.approx(np.mean(pairs), abs=1e-8)
    assert half("cca") == pytest.approx(0.949933, abs=2e-5)  # of an iteration that stopped early


def test_wide_noise_is_told_from_knowledge() -> None:
    codes, factors = wide_noise()
    assert mcc(codes, factors, correlation="pearson", fit="crossfit", **REAL) == pytest.approx(
        0.048217, abs=5e-7
    )
    found = permutation_null(mcc, codes, factors, correlation="pearson", **REAL)
    expected = (0.193731, 0.000364, 0.485, 0.193437, 0.212381)
    assert found == pytest.approx(expected, abs=5e-7)


def test_a_null_takes_test_rows_whatever_labels_are_called() -> None:
    rng = np.random.default_rng(0)
    factors = np.stack([rng.integers(2, size=300), rng.integers(3, size=300)], axis=1)
    codes, words = rng.standard_normal((300, 2)), np.array(["no", "so", "yes"])
    found = [
        permutation_null(
            distaff.metrics.sap, codes[:200].tolist(), each[:200], test=(codes[200:], each[200:]), draws=19
        )
        for each in (factors, factors + 5, words[factors])
    ]
    assert found[0] == found[1] == found[2]
    assert found[0].mean > 0


def test_a_null_shuffles_what_is_said_of_each_code() -> None:
    rng = np.random.default_rng(0)
    factors = rng.integers(0, 2, size=(400, 2))
    known = np.where(factors == 1, 2.0, -4.0)  # log-variances that tell all
    codes = 1e-3 * rng.standard_normal((400, 2))
    found = permutation_null(distaff.metrics.mig_exact, codes, factors, logvar=known, draws=19)
    assert found.value > 0.5
    assert found.mean < 0.05
    assert found.p == 1 / 20


def slow_cross_fit(codes: np.ndarray, factors: np.ndarray, folds: int, seed: int) -> float:
    order = np.random.default_rng(seed).permutation(len(codes))
    total = 0.0
    for held in np.array_split(order, folds):
        learn = [row for row in range(len(codes)) if row not in set(held)]
        table = np.array(
            [[spearmanr(codes[learn, i], factors[learn, j])[0] for j in range(3)] for i in range(4)]
        )
        for i, j in zip(*linear_sum_assignment(-abs(table)), strict=True):
            sign = 1 if table[i, j] > 0 else -1
            total += sign * spearmanr(codes[held, i], factors[held, j])[0] * len(held) / len(codes)
    return float(total / 3)


@pytest.mark.parametrize("seed", range(3))
def test_cross_fitting_by_loops(seed: int) -> None:
    rng = np.random.default_rng(seed)
    factors = rng.integers(5, size=(83, 3))
    codes = factors @ rng.standard_normal((3, 4)) + rng.standard_normal((83, 4))
    found = mcc(codes, factors, fit="crossfit", folds=4, seed=seed)
    assert found == pytest.approx(slow_cross_fit(codes, factors, 4, seed), abs=1e-12)


@pytest.mark.parametrize("seed", range(3))
def test_aligned_mcc_by_least_squares_and_canonical_correlations(seed: int) -> None:
    rng = np.random.default_rng(seed)
    factors = rng.integers(5, size=(400, 3)).astype(float)
    codes = factors @ rng.standard_normal((3, 4)) + 2 * rng.standard_normal((400, 4)) + 7
    explained = [LinearRegression().fit(codes, factor).score(codes, factor) for factor in factors.T]
    given = {"correlation": "pearson"}
    assert mcc(codes, factors, align="affine", **given) == pytest.approx(np.mean(np.sqrt(explained)))
    first, second = CCA(n_components=3, max_iter=5000, tol=1e-12).fit_transform(codes, factors)
    canonical = [np.corrcoef(first[:, i], second[:, i])[0, 1] for i in range(3)]
    assert mcc(codes, factors, align="cca", **given) == pytest.approx(np.mean(canonical), abs=1e-6)


SETTINGS: dict[str, dict[str, Any]] = {
    "crossfit": {"fit": "crossfit"},
    "affine": {"align": "affine"},
    "cca": {"align": "cca", "correlation": "pearson"},
}


@pytest.mark.parametrize(
    ("name", "truth"),
    [
        ("crossfit", (1, 0.487, 0, 1, -0.011, 0.75)),
        ("affine", (1, 1, 0, 1, 0.022, 0.75)),
        ("cca", (1, 1, 0, 1, 0.010, 0.75)),
    ],
)
def test_truth_of_each_setting(name: str, truth: tuple[float, ...]) -> None:
    factors = SPACE.sample(10_000, 0)
    ideal = (factors - factors.mean(axis=0)) / factors.std(axis=0)
    for (situation, make), expected in zip(SITUATIONS.items(), truth, strict=True):
        value = mcc(make(ideal, np.random.default_rng(3)), factors, **SETTINGS[name])
        assert value == pytest.approx(expected, abs=0.02), situation


def test_copies_and_dead_codes_change_nothing_of_aligned_scores() -> None:
    codes, factors = linear_mixture()
    more = np.concatenate([codes, 3 * codes[:, ::-1], np.ones((500, 2)), 1e26 * codes[:, :1]], axis=1)
    for align in ("affine", "cca"):
        given: dict[str, Any] = {"align": align, "correlation": "pearson", **REAL}
        assert mcc(more, factors, **given) == pytest.approx(mcc(codes, factors, **given), abs=1e-9)


def test_wrong_settings() -> None:
    codes, factors = linear_mixture()
    with pytest.raises(BadInput, match="unknown fit 'crosfit'; did you mean 'crossfit'"):
        mcc(codes, factors, fit="crosfit", **REAL)
    with pytest.raises(BadInput, match=r"unknown align 'linear'.* Allowed: None, affine, cca"):
        mcc(codes, factors, align="linear", **REAL)
    with pytest.raises(BadInput, match="folds=1 is not allowed"):
        mcc(codes, factors, fit="crossfit", folds=1, **REAL)
    with pytest.raises(NotApplicable, match="5 folds need at least 10 rows, got 9"):
        mcc(codes[:9], factors[:9], fit="crossfit", **REAL)
    with pytest.raises(BadInput, match="dci gives several numbers"):
        permutation_null(distaff.metrics.dci, codes, np.arange(1000).reshape(500, 2) % 3, draws=3)
    with pytest.raises(BadInput, match="draws=0 is not allowed"):
        permutation_null(mcc, codes, factors, draws=0, **REAL)


def test_the_card_cross_fits_many_codes_of_few_rows_and_says_why() -> None:
    codes, factors = wide_noise()
    card = distaff.score(codes, factors, metrics="mcc", continuous=True)
    assert card["mcc"].value == mcc(codes, factors, fit="crossfit", continuous=True)
    assert card["mcc"].low < card["mcc"].value < card["mcc"].high
    assert abs(card["mcc"].chance) < 0.1
    assert card["mcc"].ceiling == pytest.approx(1)
    assert card["mcc"].low < 0
    assert "note: mcc is cross-fitted, for 100 codes of 200 rows" in str(card)
    few = distaff.score(codes[:, :10], factors, metrics="mcc", continuous=True, values_only=True)
    assert few["mcc"].value == mcc(codes[:, :10], factors, continuous=True)
    assert not few.protocol["notes"]
