"""google-research/disentanglement_lib: every score, the matrices behind them, and UDR.

Metric code as it stands, with stand-ins for gin, absl and six and without TensorFlow. 20 histogram bins. mig,
modularity, sap_continuous, irs and the unsupervised scores see all 3000 rows; the others train on rows
0..1999 and test, if they do, on the rest. dci_two_factors: factor columns 0 and 1 alone.
downstream_logistic.N: rows shuffled by default_rng(seed), N train, the next 1000 test. grid: 2000 and 1000
votes of 64 rows, 10000 rows for the variances. Learners have the defaults of the scikit-learn named here. By
hand with scikit-learn 0.23.2, on ideal, mixed and noise: mig, modularity and sap_discrete the same,
explicitness within 2e-5, dci_two_factors within .003.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.other_libraries.arrays import (
    BINS,
    ROWS,
    SPLIT,
    TRAIN,
    arrays,
    grid_arrays,
    importance_matrices,
    models,
)
from benchmarks.other_libraries.common import (
    Found,
    Grid,
    Rows,
    Scores,
    attempt,
    part_of,
    same,
    spread,
    stub_google,
)


def prepare(folder: Path) -> None:
    """Make its metrics in `folder` importable, with 20 histogram bins."""
    stub_google()
    sys.path.insert(0, str(folder))
    utils = module("metrics.utils")
    utils.make_discretizer = lambda target: utils._histogram_discretize(target, num_bins=BINS)
    utils.make_predictor_fn = lambda: utils.logistic_regression_cv


def module(name: str) -> Any:
    """A module of its evaluation."""
    return importlib.import_module(f"disentanglement_lib.evaluation.{name}")


def scores(codes: np.ndarray, factors: np.ndarray) -> Scores:
    """Every score of one situation, through the functions that take a ground truth."""

    def score(function: Any, **settings: Any) -> Any:
        truth, settings["batch_size"] = Rows(codes, factors), ROWS
        return attempt(function, truth, same, np.random.RandomState(0), **settings)

    yield ("mig", part_of(score(module("metrics.mig").compute_mig, num_train=ROWS), "discrete_mig"))
    explicit, utils = module("metrics.modularity_explicitness"), module("metrics.utils")
    information = utils.discrete_mutual_info(utils.make_discretizer(codes.T), factors.T)
    yield "modularity", attempt(explicit.modularity, information)
    scores = score(explicit.compute_modularity_explicitness, **SPLIT)
    yield "modularity_train_rows", part_of(scores, "modularity_score")
    yield "explicitness_train", part_of(scores, "explicitness_score_train")
    yield "explicitness_test", part_of(scores, "explicitness_score_test")
    sap = module("metrics.sap_score").compute_sap
    scores = score(sap, num_train=ROWS, num_test=0, continuous_factors=True)
    yield "sap_continuous", part_of(scores, "SAP_score")
    yield ("sap_continuous_train_rows", part_of(score(sap, continuous_factors=True, **SPLIT), "SAP_score"))
    trees = spread(lambda _: part_of(score(sap, continuous_factors=False, **SPLIT), "SAP_score"), 3)
    yield "sap_discrete", trees
    irs = module("metrics.irs").compute_irs
    yield "irs_0.99", part_of(score(irs, num_train=ROWS, diff_quantile=0.99), "IRS")
    yield "irs_1.0", part_of(score(irs, num_train=ROWS, diff_quantile=1.0), "IRS")
    yield "", score(module("metrics.unsupervised_metrics").unsupervised_metrics, num_train=ROWS)
    dci = module("metrics.dci")._compute_dci
    for name, count, runs in (("dci_two_factors", 2, 3), ("dci", 5, 1)):
        train, test = factors[:TRAIN, :count], factors[TRAIN:, :count]
        yield (name, spread(lambda _, y=train, t=test: dci(codes[:TRAIN].T, y.T, codes[TRAIN:].T, t.T), runs))
    yield "downstream_logistic", downstream(codes, factors)


def downstream(codes: np.ndarray, factors: np.ndarray) -> dict[str, Any]:
    """Cross-validated logistic regression from 100 and 1000 rows; rows are shuffled by default_rng(seed)."""
    task = module("metrics.downstream_task").compute_downstream_task

    def run(seed: int, count: int) -> Any:
        rows = np.random.default_rng(seed).permutation(ROWS)
        truth = Rows(codes[rows], factors[rows])
        state = np.random.RandomState(seed)
        scores = task(truth, same, state, num_train=[count], num_test=1000, batch_size=ROWS)
        return {key.split(":")[1]: scores[key] for key in scores if "mean_" in key}

    return {str(count): spread(lambda seed, count=count: run(seed, count), 3) for count in (100, 1000)}


def votes(truth: Grid) -> Scores:
    """BetaVAE and FactorVAE scores from 2000 and 1000 votes of 64 rows, over five random states."""
    settings = {"batch_size": 64, "num_train": 2000, "num_eval": 1000}
    beta, factor, state = module("metrics.beta_vae"), module("metrics.factor_vae"), np.random.RandomState
    found = spread(lambda seed: beta.compute_beta_vae_sklearn(truth, same, state(seed), **settings), 5)
    yield "beta_vae", found
    prune = factor._prune_dims
    settings["num_variance_estimate"] = 10000
    for threshold in (0.0, 0.05):
        factor._prune_dims = lambda variances, threshold=threshold: prune(variances, threshold)
        found = spread(lambda seed: factor.compute_factor_vae(truth, same, state(seed), **settings), 5)
        yield f"factor_vae_threshold_{threshold}", found


def udr() -> Scores:
    """UDR of three models, all 3000 rows in one batch; the KLs follow the positions, or the columns."""
    compute = module("udr.metrics.udr").compute_udr_sklearn
    codes, kls, order = models()
    for name, kl in (("", kls), ("_kl_permuted", [kls[0], kls[1][order], kls[2]])):
        functions = [lambda rows, z=z, q=q: (z[rows[:, 0]], q) for z, q in zip(codes, kl, strict=True)]
        for matrix in ("lasso", "spearman"):
            rows = np.arange(ROWS)[:, None]
            scores = compute(Rows(rows, rows), functions, 0, ROWS, ROWS, correlation_matrix=matrix)
            pairs = [[part[0] for part in line] for line in scores["pairwise_disentanglement_scores"]]
            yield f"udr_{matrix}{name}.pairwise", pairs
            yield f"udr_{matrix}{name}.model_scores", scores["model_scores"]
            if not name:
                yield f"udr_{matrix}.correlations_0_1", scores["raw_correlations"][0][1]


def others(situations: list[str]) -> Iterator[Found]:
    """BetaVAE and FactorVAE on the grids, UDR of the models, and the matrices."""
    for situation in situations:
        if situation in ("grid", "grid_dead"):
            codes, _ = grid_arrays(situation == "grid_dead")
            yield from (("values", situation, *score) for score in votes(Grid(codes)))
        elif situation == "models":
            yield from (("values", situation, *score) for score in udr())
        elif situation == "matrices":
            yield from matrices()


def matrices() -> Iterator[Found]:
    """DCI's aggregation of fixed matrices, and the matrices of `mixed`."""
    dci, utils = module("metrics.dci"), module("metrics.utils")
    for name, matrix in importance_matrices().items():
        yield "matrices", name, "disentanglement", attempt(dci.disentanglement, matrix)
        yield "matrices", name, "completeness", attempt(dci.completeness, matrix)
    codes, factors = arrays("mixed")
    information = utils.discrete_mutual_info(utils.make_discretizer(codes.T), factors.T)
    yield "matrices", "mixed", "mutual_information", information
    yield "matrices", "mixed", "factor_entropies", utils.discrete_entropy(factors.T)
    sap = module("metrics.sap_score").compute_score_matrix(codes.T, factors.T, None, None, True)
    yield "matrices", "mixed", "sap_continuous", sap
    irs = module("metrics.irs").scalable_disentanglement_score(
        utils.make_discretizer(factors.T).T, codes, 1.0
    )
    yield "matrices", "mixed", "irs_1.0", irs["IRS_matrix"]
