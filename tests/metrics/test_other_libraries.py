"""Our values against other libraries' on the same arrays; other_libraries.json has the commits."""

import json
import runpy
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from distaff import metrics
from distaff.metrics.dci import completeness, disentanglement
from distaff.metrics.information import entropy

HERE = Path(__file__).parent
RECORD = json.loads((HERE / "other_libraries.json").read_text())
SITUATIONS = ("ideal", "mixed", "noise", "dead", "rotated", "missing")
TRAIN = 2000
RECIPE = SimpleNamespace(
    **runpy.run_path(str(HERE.parents[1] / "benchmarks" / "other_libraries" / "arrays.py"))
)


def theirs(situation: str, name: str, library: str = "disentanglement_lib") -> Any:
    return RECORD["values"][situation][name][library]


def parts(situation: str) -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    codes, factors = RECIPE.arrays(situation)
    return (codes[:TRAIN], factors[:TRAIN]), (codes[TRAIN:], factors[TRAIN:])


@pytest.mark.parametrize("situation", SITUATIONS)
@pytest.mark.parametrize(
    ("name", "ours"),
    [
        ("mig", lambda c, f: metrics.mig(c, f)),
        ("modularity", lambda c, f: metrics.modularity(c, f)),
        ("sap_continuous", lambda c, f: metrics.sap(c, f, continuous=True)),
        ("irs_0.99", lambda c, f: metrics.irs(c, f)),
        ("irs_1.0", lambda c, f: metrics.irs(c, f, quantile=1.0)),
        ("gaussian_total_correlation", lambda c, f: metrics.gaussian_total_correlation(c)),
        ("gaussian_wasserstein_correlation", lambda c, f: metrics.gaussian_wasserstein_correlation(c)),
        (
            "gaussian_wasserstein_correlation_norm",
            lambda c, f: metrics.gaussian_wasserstein_correlation_norm(c),
        ),
        ("mutual_info_score", lambda c, f: metrics.code_mutual_information(c)),
    ],
)
def test_what_is_deterministic_in_disentanglement_lib_is_equal(situation: str, name: str, ours: Any) -> None:
    expected, value = theirs(situation, name), ours(*RECIPE.arrays(situation))
    if expected is None:  # theirs is not a number: the total correlation of dead codes
        assert (situation, name) == ("dead", "gaussian_total_correlation")
        codes, factors = RECIPE.arrays("dead")
        assert value == pytest.approx(ours(codes[:, :8], factors), abs=1e-12)
        return
    assert value == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("library", ["disentanglement_lib"])
@pytest.mark.parametrize("name", ["importance", "importance_zero_row", "importance_zero"])
def test_dci_of_an_importance_matrix_is_equal(name: str, library: str) -> None:
    matrix = np.abs(np.random.default_rng(7).standard_normal((10, 5))) ** 3
    if name == "importance_zero_row":
        matrix[4] = 0
    matrix = np.zeros((10, 5)) if name == "importance_zero" else matrix
    record = RECORD["matrices"][name]
    expected = {key: record[key][library] if isinstance(record[key], dict) else record[key] for key in record}
    assert disentanglement(matrix) == pytest.approx(expected["disentanglement"], abs=1e-9)
    assert completeness(matrix) == pytest.approx(expected["completeness"], abs=1e-9)


def test_matrices_are_equal() -> None:
    codes, factors = RECIPE.arrays("mixed")
    record = {
        key: value["disentanglement_lib"]
        for key, value in RECORD["matrices"]["mixed"].items()
        if "disentanglement_lib" in value
    }
    ours = metrics.mutual_information_matrix(codes, factors)
    np.testing.assert_allclose(ours, record["mutual_information"], atol=1e-9)
    np.testing.assert_allclose(entropy(factors), record["factor_entropies"], atol=1e-9)
    ours = metrics.predictability_matrix(codes, factors, continuous=True)
    np.testing.assert_allclose(ours, record["sap_continuous"], atol=1e-9)


@pytest.mark.parametrize("situation", SITUATIONS)
def test_fitted_scores_lie_within_their_spread(situation: str) -> None:
    learn, test = parts(situation)
    sap, spread = metrics.sap(*learn, test=test), theirs(situation, "sap_discrete")
    assert spread["min"] - 1e-9 <= sap <= spread["max"] + 1e-9
    explicitness = metrics.explicitness(*learn, test=test)
    expected = theirs(situation, "explicitness_test")
    if isinstance(expected, float):  # theirs fails on dead codes
        assert explicitness == pytest.approx(expected, abs=2e-3)  # they stop after 100 rounds
    two = (learn[0], learn[1][:, :2]), (test[0], test[1][:, :2])
    dci = metrics.dci(*two[0], test=two[1], learner="gradient_boosting")
    for field in ("disentanglement", "completeness"):
        spread = theirs(situation, f"dci_two_factors.{field}")
        assert spread["min"] - 0.01 <= getattr(dci, field) <= spread["max"] + 0.01
    spread = theirs(situation, "dci_two_factors.informativeness_test")
    assert spread["min"] - 0.01 <= dci.informativeness <= spread["max"] + 0.01


@pytest.mark.parametrize("situation", ["grid", "grid_dead"])
def test_votes_on_a_grid_lie_within_their_spread(situation: str) -> None:
    codes, factors = RECIPE.grid_arrays(dead=situation == "grid_dead")
    for ours, name in (
        (metrics.beta_vae_score, "beta_vae.eval_accuracy"),
        (metrics.factor_vae_score, "factor_vae_threshold_0.05.eval_accuracy"),
    ):
        values = [ours(codes, factors, votes=(2000, 1000), seed=seed) for seed in range(5)]
        spread = theirs(situation, name)
        sd = (
            np.std(values, ddof=1) + (spread["max"] - spread["min"]) / 2.33
        ) / 2  # 2.33 sd: range of 5 normal draws
        assert np.mean(values) == pytest.approx((spread["min"] + spread["max"]) / 2, abs=3 * sd)


def test_downstream_accuracy_lies_within_their_spread() -> None:
    for situation in ("mixed", "noise"):
        codes, factors = RECIPE.arrays(situation)
        for size, seeds in ((100, 3), (1000, 1)):  # one of the latter takes as long as all of the former
            values = [
                metrics.downstream(codes, factors, learners="logistic_regression", sizes=(size,), seed=seed)
                for seed in range(seeds)
            ]
            spread = theirs(situation, f"downstream_logistic.{size}.mean_test_accuracy")
            mean = np.mean([getattr(value, f"lr{size}") for value in values])
            assert spread["min"] - 0.015 <= mean <= spread["max"] + 0.015


@pytest.mark.parametrize("similarity", ["lasso", "spearman"])
@pytest.mark.parametrize("permuted", [False, True])
def test_udr_in_their_variant_is_equal(similarity: str, permuted: bool) -> None:
    codes, _ = RECIPE.arrays("mixed")
    rng = np.random.default_rng(3)
    order, signs = rng.permutation(10), rng.choice([-1, 1], size=10)
    models = [codes, codes[:, order] * signs, RECIPE.arrays("noise")[0]]
    kl = np.ones(10)
    kl[-2:] = 0.001
    kls = [kl, kl[order] if permuted else kl, kl]
    key = f"udr_{similarity}{'_kl_permuted' if permuted else ''}.model_scores"
    expected = RECORD["values"]["models"][key]["disentanglement_lib"]
    for i in range(3):
        others = [j for j in range(3) if j != i]
        ours = metrics.udr(
            models[i],
            [models[j] for j in others],
            kl=kls[i],
            mates_kl=[kls[j] for j in others],
            similarity=similarity,
            variant="disentanglement_lib",
        )
        assert ours == pytest.approx(expected[i], abs=1e-9)


@pytest.mark.parametrize("situation", ["ideal", "mixed", "noise", "rotated", "missing"])
def test_dcimig_and_jemmig_equal_ubisofts(situation: str) -> None:
    codes, factors = RECIPE.arrays(situation)
    for name in ("dcimig", "jemmig"):
        expected = theirs(situation, name, "ubisoft")
        assert getattr(metrics, name)(codes, factors) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("situation", ["ideal", "mixed", "noise", "rotated"])
def test_mcc_equals_theirs_where_every_factor_has_a_code(situation: str) -> None:
    codes, factors = RECIPE.arrays(situation)
    for correlation in ("spearman", "pearson"):
        expected = theirs(situation, f"mcc_{correlation}", "slow_disentanglement")
        ours = metrics.mcc(codes, factors, correlation=correlation)
        # to spare codes they pair noise in place of factors, which may take a code away from a factor
        tolerance = 0.01 if situation in ("mixed", "noise") else 1e-9
        assert expected["min"] - tolerance <= ours <= expected["max"] + tolerance


@pytest.mark.parametrize("situation", ["ideal", "mixed", "rotated"])
def test_infomec_equals_the_authors(situation: str) -> None:
    codes, factors = RECIPE.arrays(situation)
    ours = metrics.infomec(codes, factors, test=(codes, factors))  # they score the rows they learned from
    for field in ("infom", "infoe", "infoc"):
        expected = theirs(situation, field, "latent_quantization")
        value = expected if isinstance(expected, float) else (expected["min"] + expected["max"]) / 2
        assert getattr(ours, field) == pytest.approx(value, abs=0.01), field


def test_the_mig_of_6_is_not_ours() -> None:
    _, factors = RECIPE.grid_arrays()
    codes = (factors - factors.mean(axis=0)) / factors.std(axis=0)
    wrong = theirs("grid_ideal", "mig", "disentangling_vae")
    assert wrong["max"] > 6
    right = metrics.mig_exact(codes, factors, np.full(codes.shape, 2 * np.log(0.01)))
    assert right == pytest.approx(1.0, abs=1e-3)
