"""What other libraries return on fixed arrays, for tests and for the documentation.

    python benchmarks/other_libraries.py --disentanglement-lib DIR     # one or more checkouts, see --help
    python benchmarks/other_libraries.py --ubisoft DIR --situations mixed noise

Runs the metric code of the given checkouts, as it stands there, and merges what it returns into
tests/metrics/other_libraries.json. Libraries that need an old scikit-learn can so be run one by one, with an
interpreter of their own (its versions go into the file). The import of this file needs NumPy alone.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import json
import signal
import subprocess
import sys
import tempfile
import types
import warnings
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np

RESULT = Path(__file__).parents[1] / "tests" / "metrics" / "other_libraries.json"
ROWS, TRAIN, BINS = 3000, 2000, 20
SIZES, GRID_SIZES = (3, 6, 40, 32, 32), (3, 4, 5, 6)
SITUATIONS = {
    "ideal": "codes = (factors - mean) / standard deviation (ddof 0), column by column",
    "mixed": "rng = default_rng(2020); M = rng.standard_normal((5, 10)) * (rng.random((5, 10)) < 0.4); "
    "codes = ideal @ M + 0.3 * rng.standard_normal((3000, 10))",
    "noise": "codes = default_rng(2021).standard_normal((3000, 10)); the factors tell nothing",
    "dead": "mixed, with columns 8 and 9 set to 0",
    "rotated": "ideal @ (identity - 2/5 * ones((5, 5))), a reflection that mixes all factors into all codes",
    "missing": "ideal without its last column, so that no code follows the last factor",
}
GRIDS = {
    "grid": "the complete grid of four factors with 3, 4, 5 and 6 values, last one fastest (360 rows); "
    "codes = standardised factors @ default_rng(2022).standard_normal((4, 3))",
    "grid_ideal": "the same grid; codes = standardised factors",
    "grid_dead": "grid, with a fourth code that is always 0",
}
NEAR_ZERO_KL = 0.001
PATIENCE = 200  # seconds for one score; a Munkres assignment of NaNs never ends
Found = tuple[str, str, str, Any]  # section of the file, situation, metric, value


def arrays(situation: str) -> tuple[np.ndarray, np.ndarray]:
    """The codes (3000, d) and factors (3000, 5) of one of SITUATIONS."""
    rng = np.random.default_rng(2019)
    factors = np.stack([rng.integers(size, size=ROWS) for size in SIZES], axis=1)
    ideal = (factors - factors.mean(axis=0)) / factors.std(axis=0)
    rng = np.random.default_rng(2020)
    mixing = rng.standard_normal((5, 10)) * (rng.random((5, 10)) < 0.4)
    mixed = ideal @ mixing + 0.3 * rng.standard_normal((ROWS, 10))
    dead = mixed.copy()
    dead[:, 8:] = 0
    codes = {
        "ideal": ideal,
        "mixed": mixed,
        "noise": np.random.default_rng(2021).standard_normal((ROWS, 10)),
        "dead": dead,
        "rotated": ideal @ (np.eye(5) - 2 / 5 * np.ones((5, 5))),
        "missing": ideal[:, :-1],
    }
    return codes[situation], factors


def grid_arrays(dead: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """The codes (360, 3 or 4) and factors (360, 4) of GRIDS: one row for every combination of values."""
    factors = np.indices(GRID_SIZES).reshape(len(GRID_SIZES), -1).T
    ideal = (factors - factors.mean(axis=0)) / factors.std(axis=0)
    codes = ideal @ np.random.default_rng(2022).standard_normal((4, 3))
    return np.hstack([codes, np.zeros((len(codes), int(dead)))]), factors


def importance_matrices() -> dict[str, np.ndarray]:
    """Matrices (10 codes, 5 factors) that stand in for the importances of a fitted model."""
    full = np.abs(np.random.default_rng(7).standard_normal((10, 5))) ** 3
    row = full.copy()
    row[4] = 0
    return {"importance": full, "importance_zero_row": row, "importance_zero": np.zeros((10, 5))}


def models() -> tuple[list[np.ndarray], list[np.ndarray], np.ndarray]:
    """Three models for UDR: their codes, KLs that mark the last two codes of each, and the permutation.

    The models are `mixed`, `mixed` with columns permuted and signs flipped, and `noise`.
    """
    rng = np.random.default_rng(3)
    mixed, _ = arrays("mixed")
    order, signs = rng.permutation(10), rng.choice([-1.0, 1.0], size=10)
    kl = np.where(np.arange(10) < 8, 1.0, NEAR_ZERO_KL)
    return [mixed, mixed[:, order] * signs, arrays("noise")[0]], [kl, kl, kl], order


def plain(value: Any) -> Any:
    """A value for JSON: NaN becomes null, infinities become strings."""
    if isinstance(value, dict):
        return {str(key): plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple | np.ndarray):
        return [plain(part) for part in value]
    if value is None or isinstance(value, str | bool):
        return value
    if isinstance(value, int | np.integer):
        return int(value)
    value = complex(value).real if abs(complex(value).imag) < 1e-9 else repr(complex(value))
    if isinstance(value, str) or np.isfinite(value):
        return value
    return None if np.isnan(value) else repr(float(value))


def attempt(function: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
    """What the function returns, or the error it ends with; its warnings and prints are kept quiet."""
    with warnings.catch_warnings(), redirect_stdout(StringIO()), redirect_stderr(StringIO()):
        warnings.simplefilter("ignore")
        signal.alarm(PATIENCE)
        try:
            return function(*arguments, **options)
        except Exception as error:
            return {"error": f"{type(error).__name__}: {str(error).split(chr(10))[0][:120]}"}
        finally:
            signal.alarm(0)


def give_up(*_: Any) -> None:
    """The answer to the alarm that `attempt` sets."""
    raise TimeoutError(f"no result after {PATIENCE} seconds")


def spread(function: Callable[[int], Any], runs: int) -> Any:
    """The smallest and largest of each value over runs with the seeds 0, 1 ..., for NumPy's generator too."""
    results = []
    for seed in range(runs):
        np.random.seed(seed)  # noqa: NPY002  the other libraries draw from it
        results.append(attempt(function, seed))
        if isinstance(results[-1], dict) and "error" in results[-1]:
            return results[-1]
    if isinstance(results[0], dict):
        return {key: extremes([result[key] for result in results]) for key in results[0]}
    return extremes(results)


def extremes(values: list[float]) -> dict[str, float | None]:
    """Smallest and largest value, how many there are, and how many of them are NaN if any."""
    finite = [value for value in values if not np.isnan(value)]
    found = {"min": min(finite, default=None), "max": max(finite, default=None), "runs": len(values)}
    return found | ({"nan": len(values) - len(finite)} if len(finite) < len(values) else {})


def part_of(scores: dict[str, Any], key: str) -> Any:
    """One score of several, or the error."""
    return scores.get(key, scores)


def flat(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    """The entries of a dictionary of scores under dotted names; one error or value under the name itself."""
    if isinstance(value, dict) and not {"error", "min"} & value.keys():
        for key, part in value.items():
            yield from flat(f"{name}.{key}".strip("."), part)
    else:
        yield name, value


def stub(name: str, **content: Any) -> types.ModuleType:
    """Put a module with this content, and nothing else, in the place of one that is not installed."""
    module = types.ModuleType(name)
    module.__dict__.update(content)
    sys.modules[name] = module
    return module


def stub_google() -> None:
    """Stand-ins for gin, absl and six, all that disentanglement_lib's metrics need of its old stack."""

    def configurable(target: Any = None, *_: Any, **__: Any) -> Any:
        return target if callable(target) else lambda function: function

    gin = stub("gin", configurable=configurable, REQUIRED=object())
    gin.tf = stub("gin.tf", configurable=configurable, REQUIRED=gin.REQUIRED)  # type: ignore[attr-defined]
    silent = types.SimpleNamespace(info=lambda *_: None, warning=lambda *_: None)
    stub("absl", logging=silent)
    six = stub("six", range=range)
    six.moves = stub("six.moves", range=range)  # type: ignore[attr-defined]


class Rows:
    """Ground truth for disentanglement_lib that hands out given rows in order; observations are the codes."""

    def __init__(self, codes: np.ndarray, factors: np.ndarray) -> None:
        self.codes, self.factors, self.next = codes, factors, 0

    def sample(self, count: int, _: Any) -> tuple[np.ndarray, np.ndarray]:
        """The next rows."""
        rows = np.arange(self.next, self.next + count)
        self.next += count
        return self.factors[rows], self.codes[rows]

    def sample_observations(self, count: int, random_state: Any) -> np.ndarray:
        """The codes of the next rows."""
        return self.sample(count, random_state)[1]


class Grid:
    """Ground truth for disentanglement_lib over the complete grid; observations are the codes."""

    num_factors = len(GRID_SIZES)

    def __init__(self, codes: np.ndarray) -> None:
        self.codes = codes

    def sample_factors(self, count: int, random_state: Any) -> np.ndarray:
        """Uniform values, one factor after the other."""
        return np.stack([random_state.randint(size, size=count) for size in GRID_SIZES], axis=1)

    def sample_observations_from_factors(self, factors: np.ndarray, _: Any) -> np.ndarray:
        """The codes of these combinations."""
        return self.codes[np.ravel_multi_index(tuple(factors.T), GRID_SIZES)]

    def sample_observations(self, count: int, random_state: Any) -> np.ndarray:
        """The codes of random combinations."""
        return self.sample_observations_from_factors(self.sample_factors(count, random_state), random_state)


def same(observations: np.ndarray) -> np.ndarray:
    """The representation of an observation that is a code already."""
    return observations


def google_modules(folder: Path) -> Callable[[str], Any]:
    """Import disentanglement_lib's metrics from a checkout, with 20 histogram bins."""
    stub_google()
    sys.path.insert(0, str(folder))
    package = "disentanglement_lib.evaluation."
    utils = importlib.import_module(package + "metrics.utils")
    utils.make_discretizer = lambda target: utils._histogram_discretize(target, num_bins=BINS)
    utils.make_predictor_fn = lambda: utils.logistic_regression_cv
    return lambda name: importlib.import_module(package + name)


def google_lib(folder: Path, situations: list[str]) -> Iterator[Found]:
    """disentanglement_lib: rows 0..1999 train and 2000..2999 test where it splits, else all 3000 rows."""
    get = google_modules(folder)
    for situation in situations:
        if situation == "grid_ideal":
            continue
        if situation in GRIDS:
            scores = google_votes(get, Grid(grid_arrays(situation == "grid_dead")[0]))
        elif situation == "models":
            scores = google_udr(get)
        elif situation in SITUATIONS:
            scores = google_scores(get, *arrays(situation))
        else:
            yield from google_matrices(get)
            continue
        yield from listed(situation, scores)


def listed(situation: str, scores: Iterator[tuple[str, Any]]) -> Iterator[Found]:
    """Named scores of a situation, one line for each number, without the warnings of their makers."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name, value in scores:
            for key, part in flat(name, value):
                yield "values", situation, key, part


def google_scores(
    get: Callable[[str], Any], codes: np.ndarray, factors: np.ndarray
) -> Iterator[tuple[str, Any]]:
    """Every score of one situation, through the functions that take a ground truth."""

    def score(function: Any, **settings: Any) -> Any:
        return attempt(
            function, Rows(codes, factors), same, np.random.RandomState(0), batch_size=ROWS, **settings
        )

    split = {"num_train": TRAIN, "num_test": ROWS - TRAIN}
    yield "mig", part_of(score(get("metrics.mig").compute_mig, num_train=ROWS), "discrete_mig")
    modules, utils = get("metrics.modularity_explicitness"), get("metrics.utils")
    information = utils.discrete_mutual_info(utils.make_discretizer(codes.T), factors.T)
    yield "modularity", attempt(modules.modularity, information)
    scores = score(modules.compute_modularity_explicitness, **split)
    yield "modularity_train_rows", part_of(scores, "modularity_score")
    yield "explicitness_train", part_of(scores, "explicitness_score_train")
    yield "explicitness_test", part_of(scores, "explicitness_score_test")
    sap = get("metrics.sap_score").compute_sap
    scores = score(sap, num_train=ROWS, num_test=0, continuous_factors=True)
    yield "sap_continuous", part_of(scores, "SAP_score")
    yield "sap_continuous_train_rows", part_of(score(sap, continuous_factors=True, **split), "SAP_score")
    yield (
        "sap_discrete",
        spread(lambda _: part_of(score(sap, continuous_factors=False, **split), "SAP_score"), 3),
    )
    irs = get("metrics.irs").compute_irs
    yield "irs_0.99", part_of(score(irs, num_train=ROWS, diff_quantile=0.99), "IRS")
    yield "irs_1.0", part_of(score(irs, num_train=ROWS, diff_quantile=1.0), "IRS")
    yield "", score(get("metrics.unsupervised_metrics").unsupervised_metrics, num_train=ROWS)
    dci = get("metrics.dci")._compute_dci
    for name, count, runs in (("dci_two_factors", 2, 3), ("dci", 5, 1)):
        train, test = factors[:TRAIN, :count], factors[TRAIN:, :count]
        yield name, spread(lambda _, y=train, t=test: dci(codes[:TRAIN].T, y.T, codes[TRAIN:].T, t.T), runs)
    yield "downstream_logistic", google_downstream(get, codes, factors)


def google_downstream(get: Callable[[str], Any], codes: np.ndarray, factors: np.ndarray) -> dict[str, Any]:
    """Cross-validated logistic regression from 100 and 1000 rows; rows are shuffled by default_rng(seed)."""
    task = get("metrics.downstream_task").compute_downstream_task

    def run(seed: int, count: int) -> Any:
        rows = np.random.default_rng(seed).permutation(ROWS)
        truth = Rows(codes[rows], factors[rows])
        state = np.random.RandomState(seed)
        scores = task(truth, same, state, num_train=[count], num_test=1000, batch_size=ROWS)
        return {key.split(":")[1]: scores[key] for key in scores if "mean_" in key}

    return {str(count): spread(lambda seed, count=count: run(seed, count), 3) for count in (100, 1000)}


def google_votes(get: Callable[[str], Any], truth: Grid) -> Iterator[tuple[str, Any]]:
    """BetaVAE and FactorVAE scores from 2000 and 1000 votes of 64 rows, over five random states."""
    settings = {"batch_size": 64, "num_train": 2000, "num_eval": 1000}
    beta, factor = get("metrics.beta_vae"), get("metrics.factor_vae")
    state = np.random.RandomState
    yield (
        "beta_vae",
        spread(lambda seed: beta.compute_beta_vae_sklearn(truth, same, state(seed), **settings), 5),
    )
    prune = factor._prune_dims
    settings["num_variance_estimate"] = 10000
    for threshold in (0.0, 0.05):
        factor._prune_dims = lambda variances, threshold=threshold: prune(variances, threshold)
        found = spread(lambda seed: factor.compute_factor_vae(truth, same, state(seed), **settings), 5)
        yield f"factor_vae_threshold_{threshold}", found


def google_udr(get: Callable[[str], Any]) -> Iterator[tuple[str, Any]]:
    """UDR of three models, all 3000 rows in one batch; the KLs follow the positions, or the columns."""
    udr = get("udr.metrics.udr").compute_udr_sklearn
    codes, kls, order = models()
    for name, kl in (("", kls), ("_kl_permuted", [kls[0], kls[1][order], kls[2]])):
        functions = [lambda rows, z=z, q=q: (z[rows[:, 0]], q) for z, q in zip(codes, kl, strict=True)]
        for matrix in ("lasso", "spearman"):
            rows = np.arange(ROWS)[:, None]
            scores = udr(Rows(rows, rows), functions, 0, ROWS, ROWS, correlation_matrix=matrix)
            pairs = [[part[0] for part in line] for line in scores["pairwise_disentanglement_scores"]]
            yield f"udr_{matrix}{name}.pairwise", pairs
            yield f"udr_{matrix}{name}.model_scores", scores["model_scores"]
            if not name:
                yield f"udr_{matrix}.correlations_0_1", scores["raw_correlations"][0][1]


def google_matrices(get: Callable[[str], Any]) -> Iterator[Found]:
    """DCI's aggregation of fixed matrices, and the matrices of `mixed`."""
    dci, utils = get("metrics.dci"), get("metrics.utils")
    for name, matrix in importance_matrices().items():
        yield "matrices", name, "disentanglement", attempt(dci.disentanglement, matrix)
        yield "matrices", name, "completeness", attempt(dci.completeness, matrix)
    codes, factors = arrays("mixed")
    information = utils.discrete_mutual_info(utils.make_discretizer(codes.T), factors.T)
    yield "matrices", "mixed", "mutual_information", information
    yield "matrices", "mixed", "factor_entropies", utils.discrete_entropy(factors.T)
    sap = get("metrics.sap_score")
    yield (
        "matrices",
        "mixed",
        "sap_continuous",
        sap.compute_score_matrix(codes.T, factors.T, None, None, True),
    )
    irs = get("metrics.irs").scalable_disentanglement_score(utils.make_discretizer(factors.T).T, codes, 1.0)
    yield "matrices", "mixed", "irs_1.0", irs["IRS_matrix"]


def chosen(situations: list[str]) -> list[str]:
    """Those of SITUATIONS that are asked for, in their order."""
    return [situation for situation in SITUATIONS if situation in situations]


def package(name: str, folder: Path) -> None:
    """Make the modules of a package importable without running its __init__, which asks for much more."""
    for loaded in [module for module in sys.modules if module.startswith(f"{name}.")]:
        del sys.modules[loaded]
    stub(name, __path__=[str(folder)])


def ubisoft(folder: Path, situations: list[str]) -> Iterator[Found]:
    """ubisoft-laforge-disentanglement-metrics: 20 bins, factors as they are unless a score needs numbers."""
    stub("matplotlib").pyplot = stub("matplotlib.pyplot")  # type: ignore[attr-defined]
    sys.path.insert(0, str(folder / "src"))
    for situation in chosen(situations):
        yield from listed(situation, ubisoft_scores(*arrays(situation)))


def ubisoft_scores(codes: np.ndarray, factors: np.ndarray) -> Iterator[tuple[str, Any]]:
    """Every score of one situation."""

    def score(name: str, **settings: Any) -> Any:
        function = getattr(importlib.import_module(f"metrics.{name}"), name)
        np.random.seed(0)  # noqa: NPY002  scikit-learn's trees draw from it
        return attempt(function, factors, codes, **settings)

    for name in ("mig", "mig_sup", "dcimig", "jemmig", "modularity"):
        yield name, score(name, continuous_factors=False, nb_bins=BINS)
        yield f"{name}_default", score(name)
    yield "explicitness_train", score("explicitness", continuous_factors=False)
    yield "explicitness_train_unscaled", score("explicitness", continuous_factors=False, scale=False)
    yield "irs_1.0", score("irs", continuous_factors=False)
    yield "sap_continuous", score("sap")
    yield "sap_discrete", score("sap", continuous_factors=False, regression=False)
    dci = score("dci")
    names = ("disentanglement", "completeness", "informativeness")
    yield "dci_lasso", dict(zip(names, dci, strict=True)) if isinstance(dci, tuple) else dci


def info_scores(folder: Path, situation: str) -> Iterator[tuple[str, Any]]:
    """InfoM, InfoC and InfoE with the nearest-neighbour estimate, and with codes cut into 20 bins."""
    stub("ipdb")
    package("disentangle", folder / "disentangle")
    package("disentangle.metrics", folder / "disentangle" / "metrics")
    compute = importlib.import_module("disentangle.metrics.infomec").compute_infomec
    codes, factors = arrays(situation)

    def run(latents: np.ndarray, discrete: bool) -> dict[str, Any]:
        scores = compute(factors, latents, discrete)
        return {key: scores[key] for key in ("infom", "infoc", "infoe")} | {
            "active": int(np.sum(scores["active_latents"]))
        }

    yield "", spread(lambda _: run(codes, False), 3)
    yield "binned", spread(lambda _: run(in_bins(codes), True), 1)


def in_bins(codes: np.ndarray) -> np.ndarray:
    """The number 1..20 of each code's bin, as a float; a code that never varies is in one bin."""
    edges = [np.histogram_bin_edges(code, BINS)[:-1] for code in codes.T]
    return np.stack([np.digitize(*pair) for pair in zip(codes.T, edges, strict=True)], axis=1).astype(float)


def latent_quantization(folder: Path, situations: list[str]) -> Iterator[Found]:
    """latent_quantization: the InfoMEC of its infomec.py, and that of its training script."""
    for situation in chosen(situations):
        yield from listed(situation, info_scores(folder, situation))
        yield from listed(situation, training_scores(situation))
    if "matrices" in situations:
        codes, factors = arrays("mixed")
        np.random.seed(0)  # noqa: NPY002  the nearest-neighbour estimate adds noise from it
        nmi = importlib.import_module("disentangle.metrics.infomec").compute_nmi(factors, codes, False)
        yield "matrices", "mixed", "nearest_neighbour_information_over_entropy", nmi.T


def training_scores(situation: str) -> Iterator[tuple[str, Any]]:
    """InfoM and InfoC as logged in training, with NumPy for jax.numpy and so in double precision."""
    stub_jax()
    functions = importlib.import_module("disentangle.metrics.mutual_information")
    codes, factors = arrays(situation)

    def run(estimator: str) -> dict[str, float]:
        information, active = functions.compute_pairwise_mutual_information(
            codes, factors, continuous_latents=True, estimator=estimator, bins=BINS
        )
        ratio = functions.compute_mutual_information_ratio
        names = {"infom": "modularity", "infoc": "compactness"}
        return {name: ratio(information, active, kind) for name, kind in names.items()}

    yield "training", spread(lambda _: run("continuous-discrete"), 3)
    yield "training_bins", spread(lambda _: run("discrete-discrete"), 1)


def tripod(folder: Path, situations: list[str]) -> Iterator[Found]:
    """tripod: InfoMEC with its other rule for active latents, and DCI from random forests."""
    for situation in chosen(situations):
        yield from listed(situation, info_scores(folder, situation))
        stub_jax()
        dci = importlib.import_module("disentangle.metrics.dci").compute_dci
        codes, factors = arrays(situation)
        scores = {"dci_forest": spread(lambda _, f=dci, x=codes, y=factors: f(y, x), 3)}
        yield from listed(situation, iter(scores.items()))


def stub_jax() -> None:
    """NumPy in the place of jax.numpy, whose functions have the same names."""
    stub("jax", numpy=np)
    sys.modules["jax.numpy"] = np


def slow_disentanglement(folder: Path, situations: list[str]) -> Iterator[Found]:
    """slow_disentanglement: the mean correlation coefficient of all rows, over three random states."""
    stub_google()
    for name in ("disentanglement_lib", "disentanglement_lib.evaluation"):
        stub(name)
    stub("disentanglement_lib.evaluation.metrics", utils=None)
    sys.path.insert(0, str(folder))
    compute = importlib.import_module("mcc_metric.metric")._compute_mcc
    for situation in chosen(situations):
        codes, factors = arrays(situation)
        for kind in ("Pearson", "Spearman"):

            def run(seed: int, x: np.ndarray = codes, y: np.ndarray = factors, kind: str = kind) -> float:
                return compute(x.T, y.T, kind, np.random.RandomState(seed))["meanabscorr"]

            yield from listed(situation, iter([(f"mcc_{kind.lower()}", spread(run, 3))]))


def correlated_factors(folder: Path, situations: list[str]) -> Iterator[Found]:
    """disentangling-correlated-factors: MIG, SAP and modularity, which bin the factors too."""
    stub("fastargs")
    stub("fastargs.decorators", param=lambda *_: lambda function: function)
    package("dent", folder / "dent")
    package("dent.metrics", folder / "dent" / "metrics")

    def score(module: str, name: str, situation: str, **settings: Any) -> Any:
        codes, factors = arrays(situation)
        metric = getattr(importlib.import_module(f"dent.metrics.{module}"), name)
        return metric(device="cpu", num_bins=BINS, **settings)(stats_qzx=[codes], gt_factors=factors)

    split = {"num_train": TRAIN, "num_test": ROWS - TRAIN}
    for situation in chosen(situations):
        scores = {
            "mig": attempt(score, "mig", "MIG", situation, num_workers=1),
            "modularity": attempt(score, "modularity_d", "Modularityd", situation),
            "sap_discrete": spread(lambda _, s=situation: score("sap_d", "SAPd", s, **split), 3),
        }
        yield from listed(situation, iter(scores.items()))


def disentangling_vae(folder: Path, situations: list[str]) -> Iterator[Found]:
    """disentangling-vae: MIG and AAM of Gaussian posteriors on the grid, codes = standardised factors.

    The entropies come as they are, and from one code at a time, where the reshaping of (rows, codes) into
    (codes, rows) that it does instead of a transposition does no harm. All rows are used in place of 10,000.
    """
    import torch

    if "grid_ideal" not in situations:
        return
    for name in ("disvae", "disvae.utils", "disvae.models"):
        package(name, folder / Path(*name.split(".")))
    stub("disvae.models.losses", get_loss_f=None)
    stub("disvae.utils.modelIO", save_metadata=None)
    evaluator = importlib.import_module("disvae.evaluate").Evaluator
    original = evaluator._estimate_latent_entropies

    def together(self: Any, samples: Any, params: Any) -> Any:
        return original(self, samples, params, n_samples=len(samples))

    def one_by_one(self: Any, samples: Any, params: Any) -> Any:
        parts = [torch.split(part, 1, dim=1) for part in (samples, *params)]
        return torch.cat([together(self, x, tuple(part)) for x, *part in zip(*parts, strict=True)])

    for name, function in (("", together), ("one_code_at_a_time", one_by_one)):
        evaluator._estimate_latent_entropies = function
        scores = spread(lambda seed: posterior_scores(evaluator, seed), 3)
        yield from listed("grid_ideal", ((f"{name}.{key}".strip("."), part) for key, part in scores.items()))


def posterior_scores(evaluator: Any, seed: int) -> dict[str, float]:
    """What disentangling-vae's evaluator makes of posteriors with deviation .01 around the factors."""
    import torch

    factors = grid_arrays()[1]
    mean = torch.tensor((factors - factors.mean(axis=0)) / factors.std(axis=0), dtype=torch.float32)
    torch.manual_seed(seed)
    samples = mean + 0.01 * torch.randn_like(mean)
    with tempfile.TemporaryDirectory() as folder:
        model = types.SimpleNamespace(to=lambda _: None)
        instance = evaluator(model, None, save_dir=folder)
        instance._compute_q_zCx = lambda _: (samples, (mean, torch.full_like(mean, float(np.log(1e-4)))))
        data = types.SimpleNamespace(lat_sizes=np.array(GRID_SIZES), lat_names=("a", "b", "c", "d"))
        scores = instance.compute_metrics(types.SimpleNamespace(dataset=data))
    return {"mig": scores["MIG"], "aam": scores["AAM"]}


class Disent:
    """A data set for disent: rows of a situation in order, or draws from the grid."""

    def __init__(self, codes: np.ndarray, factors: np.ndarray) -> None:
        self.rows, self.gt_data = Rows(codes, factors), self
        self.grid, self.num_factors = Grid(codes), factors.shape[1]

    def sample_factors(self, count: int) -> np.ndarray:
        """Uniform factors of the grid."""
        return self.grid.sample_factors(count, np.random)

    def dataset_batch_from_factors(self, factors: np.ndarray, mode: str) -> np.ndarray:
        """The codes of these combinations."""
        return self.grid.sample_observations_from_factors(factors, mode)

    def dataset_sample_batch(self, count: int, mode: str) -> np.ndarray:
        """The codes of random combinations."""
        return self.dataset_batch_from_factors(self.sample_factors(count), mode)

    def dataset_sample_batch_with_factors(self, count: int, mode: str) -> tuple[np.ndarray, np.ndarray]:
        """The next rows."""
        return self.rows.sample(count, mode)[::-1]


def disent(folder: Path, situations: list[str]) -> Iterator[Found]:
    """disent: MIG and SAP of arrays, FactorVAE on the grid with its settings but 2000 and 1000 votes."""
    package("disent", folder / "disent")
    package("disent.metrics", folder / "disent" / "metrics")
    stub("disent.dataset", DisentDataset=object)
    stub("disent.util", to_numpy=np.asarray)
    stub("disent.util.function", wrapped_partial=lambda function, **_: function)

    def score(name: str, data: tuple[np.ndarray, np.ndarray], **settings: Any) -> Any:
        function = getattr(importlib.import_module(f"disent.metrics._{name}"), f"metric_{name}").unwrap
        return {key.split(".")[1]: value for key, value in function(Disent(*data), same, **settings).items()}

    votes = {"num_train": 2000, "num_eval": 1000}
    for situation in {"grid", "grid_dead"} & set(situations):
        data = grid_arrays(situation == "grid_dead")
        found = spread(lambda _, data=data: score("factor_vae", data, **votes), 5)
        yield from listed(situation, iter([("factor_vae_threshold_0.0", found)]))
    for situation in chosen(situations):
        data, split = arrays(situation), {"num_train": TRAIN, "num_test": ROWS - TRAIN, "batch_size": ROWS}
        yield (
            "values",
            situation,
            "mig",
            score("mig", data, num_train=ROWS, batch_size=ROWS)["discrete_score"],
        )
        for kind in ("continuous", "discrete"):
            key = "sap_continuous_train_rows" if kind == "continuous" else "sap_discrete"
            found = attempt(score, "sap", data, continuous_factors=kind == "continuous", **split)
            yield "values", situation, key, part_of(found, "score")


def latentverse(folder: Path, situations: list[str]) -> Iterator[Found]:
    """latentverse: its scores of all factors together, with the seed it sets by itself."""
    package("latentverse", folder / "src" / "latentverse")
    package("latentverse.evaluations", folder / "src" / "latentverse" / "evaluations")
    run = importlib.import_module("latentverse.evaluations.disentanglement").run_disentanglement
    for situation in chosen(situations):
        found = attempt(run, *arrays(situation))
        scores = found.get("metrics", found)
        names = {
            "MIG": "mig",
            "SAP": "sap_continuous",
            "TC": "gaussian_total_correlation",
            "DCI": "dci_information",
        }
        yield from listed(situation, ((names.get(key, key), part) for key, part in scores.items()))


LIBRARIES: dict[str, tuple[str, Callable[[Path, list[str]], Iterator[Found]], str]] = {
    "disentanglement_lib": (
        "google-research/disentanglement_lib",
        google_lib,
        "Metric code as it stands, with stand-ins for gin, absl and six and without TensorFlow. 20 "
        "histogram bins. mig, modularity, sap_continuous, irs and the unsupervised scores see all 3000 "
        "rows; the others train on rows 0..1999 and test, if they do, on the rest. dci_two_factors: factor "
        "columns 0 and 1 alone. downstream_logistic.N: rows shuffled by default_rng(seed), N train, the "
        "next 1000 test. grid: 2000 and 1000 votes of 64 rows, 10000 rows for the variances. Learners have "
        "the defaults of the scikit-learn named here. By hand with scikit-learn 0.23.2, on ideal, mixed and"
        " noise: mig, modularity and sap_discrete the same, explicitness within 2e-5, dci_two_factors "
        "within .003.",
    ),
    "ubisoft": (
        "ubisoft/ubisoft-laforge-disentanglement-metrics",
        ubisoft,
        "All 3000 rows, no split. 20 bins and continuous_factors=False, but *_default: as the functions are"
        " called without settings (10 bins, factors binned too). mig and mig_sup divide by the entropy of "
        "the binned code. explicitness_train is 2 (AUC - .5), *_unscaled the AUC; sap_continuous (R2) and "
        "dci_lasso take the factors as numbers; sap_discrete is the accuracy of a tree on the rows it was "
        "trained on.",
    ),
    "latent_quantization": (
        "kylehkhsu/latent_quantization",
        latent_quantization,
        "infom, infoc, infoe: infomec.py with continuous latents (10 neighbours; active: range > largest / "
        "20). binned: discrete latents, codes cut into 20 equal bins. training: InfoM and InfoC of "
        "mutual_information.py (3 neighbours; active: range > largest / 8); training_bins: the same with 20"
        " bins; NumPy stands in for jax.numpy. active: number of active latents. The neighbour estimate "
        "adds tiny noise from NumPy's generator.",
    ),
    "tripod": (
        "kylehkhsu/tripod",
        tripod,
        "As latent_quantization but active: interquartile range > largest / 10 (binned: > .1). dci_forest: "
        "its DCI from random forests: D, C and I, the accuracy on a tenth of the rows.",
    ),
    "slow_disentanglement": (
        "bethgelab/slow_disentanglement",
        slow_disentanglement,
        "MCC of all 3000 rows. Random rows fill the factors up to the number of codes, so that results "
        "differ between random states. With a constant code its assignment does not end.",
    ),
    "correlated_factors": (
        "facebookresearch/disentangling-correlated-factors",
        correlated_factors,
        "20 bins, of codes and of factors. sap_discrete: LinearSVC on the binned codes, trained on 2000 "
        "random rows and tested on the others.",
    ),
    "disentangling_vae": (
        "YannDubs/disentangling-vae",
        disentangling_vae,
        "Needs a complete grid and posteriors: standardised factors as means, standard deviation .01. "
        "one_code_at_a_time: the same functions called with single codes, which avoids its reshape of (rows, "
        "codes) into (codes, rows) in the place of a transposition.",
    ),
    "disent": (
        "nmichlo/disent",
        disent,
        "Metric files alone, with stand-ins for its data sets. Pruning as set by the library (threshold 0).",
    ),
    "latentverse": (
        "broadinstitute/ml4h-latentverse",
        latentverse,
        "run_disentanglement on codes and all factors. It takes every factor here as continuous: mig "
        "divides a nearest-neighbour estimate for regression by the entropy of the discrete values.",
    ),
}


def commit(folder: Path) -> str | None:
    """The commit in the file COMMIT of an unpacked archive, or of a git checkout."""
    note = folder / "COMMIT"
    if note.exists():
        return note.read_text().strip()
    found = subprocess.run(["git", "-C", str(folder), "rev-parse", "HEAD"], capture_output=True, text=True)
    return found.stdout.strip() or None


def versions() -> str:
    """Python, NumPy, SciPy and scikit-learn of this interpreter."""
    names = ("numpy", "scipy", "sklearn")
    found = [f"{name} {importlib.import_module(name).__version__}" for name in names]
    return ", ".join([f"Python {sys.version_info.major}.{sys.version_info.minor}", *found])


def record(library: str, about: dict[str, Any], found: list[Found]) -> None:
    """Put the values of one library into their places in RESULT."""
    result: dict[str, Any] = {"arrays": {}, "libraries": {}, "values": {}, "matrices": {}}
    if RESULT.exists():
        result |= json.loads(RESULT.read_text())
    result["arrays"] = recipes()
    result["libraries"][library] = about
    for section, name, metric, value in found:
        result[section].setdefault(name, {}).setdefault(metric, {})[library] = plain(value)
    RESULT.write_text(json.dumps(result, indent=1) + "\n")


def main() -> None:
    """Run the libraries given, tell of each value, and rewrite RESULT."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    for library in LIBRARIES:
        parser.add_argument(f"--{library.replace('_', '-')}", type=Path, metavar="DIR")
    everything = [*SITUATIONS, *GRIDS, "models", "matrices"]
    parser.add_argument("--situations", nargs="+", choices=everything, default=everything)
    options = vars(parser.parse_args())
    signal.signal(signal.SIGALRM, give_up)
    for library, (repository, run, note) in LIBRARIES.items():
        if folder := options[library]:
            about = {"repository": repository, "commit": commit(folder), "versions": versions(), "note": note}
            found = []
            for line in run(folder.resolve(), options["situations"]):
                found.append(line)
                print(library, *line[1:3], str(plain(line[3]))[:90], sep="  ", flush=True)
            record(library, about, found)


def recipes() -> dict[str, str]:
    """How the arrays are made, in words."""
    return {
        "factors": "rng = default_rng(2019); 3000 rows; column j is rng.integers((3, 6, 40, 32, 32)[j], "
        "size=3000)",
        **SITUATIONS,
        **GRIDS,
        "models": "mixed; mixed[:, order] * signs with rng = default_rng(3), order = rng.permutation(10), "
        "signs = rng.choice([-1, 1], size=10); noise. KL 1 but .001 for the last two codes of each model "
        "(*_kl_permuted: the permuted model has KL[order]); all rows in one batch, filter_low_kl at its .01",
        "importance": "abs(default_rng(7).standard_normal((10, 5))) ** 3, codes by factors; "
        "importance_zero_row: row 4 set to 0; importance_zero: zeros((10, 5))",
        "values": "null is NaN; min and max are over runs with seeds 0, 1 ...; error is what was raised",
    }


if __name__ == "__main__":
    main()
