"""Sparse codes score as the same codes in an array do, and never become one."""

import inspect
import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import scipy.sparse
from metrics.recipes import sparse_of_all_kinds as world
from scipy.stats import rankdata, spearmanr

from distaff import metrics, registry
from distaff.errors import BadInput, NotApplicable
from distaff.metrics import sparse_codes, sparse_regression
from distaff.metrics.arrays import standardised, varying
from distaff.metrics.best_latent import areas, firing, ranks
from distaff.metrics.information import codes_in_bins, discretise, entropy, mutual_information
from distaff.metrics.mcc import signed_correlation
from distaff.metrics.needs import NEEDS
from distaff.metrics.sparse_codes import SparseBins
from distaff.metrics.sparse_regression import apart, scaled
from distaff.tables import Sparse, as_table
from distaff.testing.metrics import ROWS, SITUATIONS, SPACE

TAKEN = [n for n in registry.names("metrics") if not registry.get("metrics", n).declaration.only_dense]


FAMILY = ("mig", "mig_sup", "modularity", "dcimig", "jemmig", "average_maximal_mutual_information")
TWO_WAYS = (20, "zero_quantile")
FORMS = (scipy.sparse.csr_matrix, scipy.sparse.csr_array, scipy.sparse.csc_array, scipy.sparse.coo_array)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("name", TAKEN)
def test_every_score_that_takes_them_is_that_of_the_array(name: str, seed: int) -> None:
    codes, factors = world(seed=seed)
    function = getattr(metrics, name)
    dense, sparse = function(codes, factors), function(FORMS[seed](codes), factors)
    assert sparse == pytest.approx(dense, abs=1e-12)
    assert np.ravel(dense)[0] > 0


def test_those_that_take_them_are_those_of_the_specification() -> None:
    assert {*FAMILY, "mcc", "best_latent"} <= set(TAKEN)


SETTINGS: dict[str, list[dict[str, Any]]] = {
    "mcc": [{"correlation": "pearson"}, {"fit": "crossfit"}, {"continuous": [2]}],
    "mig": [{"bins": 7}, {"continuous": True}, {"bins": "zero_quantile", "continuous": True}],
    "mig_sup": [{"least_variance": 1e-3}],
    "linear_r2": [{"continuous": True}, {"seed": 3}],
    **{name: [{"bins": "zero_quantile"}] for name in ("modularity", "dcimig", "jemmig")},
    "average_maximal_mutual_information": [{"bins": "zero_quantile"}],
}


@pytest.mark.parametrize(
    ("name", "given"), [(n, each) for n, settings in SETTINGS.items() for each in settings]
)
def test_so_with_settings(name: str, given: dict[str, Any]) -> None:
    codes, factors = world()
    function = getattr(metrics, name)
    sparse = function(scipy.sparse.csr_array(codes), factors, **given)
    assert sparse == pytest.approx(function(codes, factors, **given), abs=1e-12)


@pytest.mark.parametrize("seed", range(3))
def test_each_part_against_the_array(seed: int) -> None:
    codes, factors = world(seed=seed)
    sparse = as_table(scipy.sparse.csr_array(codes), "codes").codes
    for correlation in ("pearson", "spearman"):
        found = sparse_codes.signed_correlation(sparse, factors, correlation)
        expected = signed_correlation(codes, factors, correlation)
        if correlation == "pearson":
            found[8] = expected[8]  # it varies by the rounding of its mean alone
        assert found == pytest.approx(expected, abs=1e-12)
    above, of_zeros = sparse_codes.ranks(sparse)
    for j, column in enumerate(codes.T):
        own = above.matrix[:, [j]].toarray()[:, 0] + of_zeros[j]
        assert own == pytest.approx(rankdata(column), abs=0)
    mean, variance = sparse_codes.moments(sparse)
    assert mean == pytest.approx(codes.mean(axis=0), rel=1e-12)
    assert variance == pytest.approx(codes.var(axis=0), rel=1e-9, abs=1e-25)
    there = factors[:, 2:] == np.arange(7)
    for one, other in zip(sparse_codes.firing(sparse, there), firing(codes, there), strict=True):
        assert (one == other).all()
    assert areas(ranks(sparse), there) == pytest.approx(areas(ranks(codes), there), abs=1e-12)


def in_an_array(binned: SparseBins) -> np.ndarray:
    codes, found = binned.codes, np.tile(binned.zeros, (len(binned.codes), 1))
    found[codes.rows, codes.columns] = binned.bins
    return found


@pytest.mark.parametrize("bins", [2, 20])
def test_bins_and_what_they_know(bins: int) -> None:
    codes, factors = world()
    sparse = as_table(scipy.sparse.csc_array(codes), "codes").codes
    binned, dense = sparse_codes.discretise(sparse, bins), discretise(codes, bins)
    assert (in_an_array(binned) == dense).all()
    assert mutual_information(binned, factors) == pytest.approx(mutual_information(dense, factors), abs=1e-14)
    assert entropy(binned) == pytest.approx(entropy(dense), abs=1e-14)


def slow_zeros_and_quantiles(code: np.ndarray) -> list[int]:
    """Bin 0 of zeros; of the others the number of twentieth parts that lie below, 1 to 19."""
    on = sorted(value for value in code if value != 0)
    ends = [on[math.ceil(Fraction(i, 19) * len(on)) - 1] for i in range(1, 19)] if on else []
    return [0 if value == 0 else 1 + sum(value > end for end in ends) for value in code]


def test_a_bin_of_zeros_and_others_of_equal_mass() -> None:
    codes, factors = world(400, seed=5)
    sparse = as_table(scipy.sparse.csr_array(codes), "codes").codes
    binned, dense = (codes_in_bins(each, "zero_quantile") for each in (sparse, codes))
    assert (in_an_array(binned) == dense).all()
    assert dense.T.tolist() == [slow_zeros_and_quantiles(code) for code in codes.T]
    assert mutual_information(binned, factors) == pytest.approx(mutual_information(dense, factors), abs=1e-14)
    counts = np.bincount(dense[:, 20], minlength=20)
    assert counts[0] == (codes[:, 20] == 0).sum()
    assert np.ptp(counts[1:]) <= 1


def test_they_see_what_equal_bins_lose_to_the_tail() -> None:
    rng = np.random.default_rng(0)
    factor = rng.integers(4, size=(3000, 1))
    codes = np.where(factor > 0, factor + 0.1 * rng.random((3000, 1)), 0) * np.ones((1, 2))
    codes[:3] = 1000.0
    for given in (codes, scipy.sparse.csr_array(codes)):
        known = {bins: metrics.mutual_information_matrix(given, factor, bins=bins)[0, 0] for bins in TWO_WAYS}
        assert known[20] < 0.01
        assert known["zero_quantile"] > 0.97 * np.log(4)


@pytest.mark.parametrize("name", FAMILY)
def test_the_truth_table_is_that_of_equal_bins(name: str) -> None:
    """20 bins carry 16 values whichever way they are cut."""
    function, factors = getattr(metrics, name), SPACE.sample(ROWS, 0)
    for situation, make in SITUATIONS.items():
        codes = make(standardised(factors), np.random.default_rng(0))
        low, high = function.declaration.truth[situation]
        assert low <= function(codes, factors, bins="zero_quantile") <= high, situation


def test_other_bins_are_refused() -> None:
    codes, factors = world(50)
    for bins in ("quantile", 1, True, 2.5):
        words = f"^bins={bins!r} is not allowed; it must be a whole number of at least 2, or 'zero_quantile'$"
        with pytest.raises(BadInput, match=words):
            metrics.mig(scipy.sparse.csr_array(codes), factors, bins=bins)
        with pytest.raises(BadInput, match=words):
            metrics.drvi(codes, factors, bins=bins)


def test_linear_r2_of_other_rows_of_more_codes_than_rows_and_of_codes_that_nearly_repeat() -> None:
    codes, factors = world(150, 90)
    codes[:100, 11] += 1e6 + codes[:100, 12]  # nowhere 0 where it is learned from, far from it, then mostly 0
    codes[100:, 13] += 1e6
    near = codes * (1 + 1e-4 * np.random.default_rng(0).random(codes.shape))
    same = np.concatenate([codes, -codes, 1e-3 * codes], axis=1)
    for given in (codes, codes[:, :40], same, np.concatenate([codes[:, 10:20], near[:, 10:20]], axis=1)):
        one, other = slice(100), slice(100, 150)
        dense = metrics.linear_r2(given[one], factors[one], test=(given[other], factors[other]))
        sparse = scipy.sparse.csr_array(given)
        found = metrics.linear_r2(sparse[one], factors[one], test=(sparse[other], factors[other]))
        assert found == pytest.approx(dense, abs=1e-8)
        assert dense.codes_from_factors > 0


def test_the_operator_is_standardised_codes() -> None:
    codes, _ = world(60)
    learn, score = (as_table(scipy.sparse.csr_array(c), "codes").codes for c in (codes[:40], codes[40:]))
    parts, arrays = apart(learn, score)
    there = [np.concatenate([p.matrix.toarray(), a], axis=1) for p, a in zip(parts, arrays, strict=True)]
    for made, expected in zip(scaled(learn, score), there, strict=True):
        kept = varying(there[0]) | (np.arange(40) >= len(parts[0].fires))
        expected = standardised(expected, like=there[0])[:, kept]
        assert made.operator.matmat(np.eye(expected.shape[1])) == pytest.approx(expected, abs=1e-9)
        assert made.operator.rmatmat(np.eye(len(expected))) == pytest.approx(expected.T, abs=1e-9)


def test_too_many_steps_are_no_value(monkeypatch: pytest.MonkeyPatch) -> None:
    codes, factors = world(60)
    monkeypatch.setattr(sparse_regression, "STEPS", 2)
    with pytest.raises(NotApplicable, match=r"take more than 2 steps here, .*; give an array of them"):
        metrics.linear_r2(scipy.sparse.csr_array(codes), factors)


def test_spearman_as_scipy_has_it() -> None:
    codes, factors = world(80, 12, seed=4)
    matrix = metrics.correlation_matrix(scipy.sparse.csr_array(codes), factors)
    assert matrix[2, 1] == pytest.approx(abs(spearmanr(codes[:, 2], factors[:, 1])[0]), abs=1e-12)


def test_no_array_of_the_codes_is_ever_made(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not for values, halves, chance and ceiling, health or warnings; nor would one fit: it had 160 TB."""
    rng = np.random.default_rng(0)
    n, d, z = 20_000, 2**20, 60_000
    factors = rng.integers(3, size=(n, 2))
    given = (rng.exponential(size=z), (rng.integers(n, size=z), rng.integers(d, size=z)))
    codes = scipy.sparse.coo_array(given, shape=(n, d))
    kind = type(scipy.sparse.csc_array((1, 1)))
    for name in ("toarray", "todense"):
        monkeypatch.setattr(kind, name, lambda *_: pytest.fail("an array of sparse codes"))
    assert metrics.mcc(codes, factors) > 0
    assert metrics.linear_r2(codes, factors).factors_from_codes >= 0


@pytest.mark.parametrize("name", [n for n in registry.names("metrics") if n not in TAKEN])
def test_the_others_say_in_one_line_why_not(name: str) -> None:
    codes, factors = world(60)
    function = getattr(metrics, name)
    needed = [NEEDS[need].example(np.ones(codes.shape), factors, 0) for need in function.declaration.needs]
    with pytest.raises(NotApplicable, match=rf"^{name} takes no sparse codes, for .*; these do: mig, .*$"):
        function(scipy.sparse.csr_array(codes), *needed)


def test_those_that_do_not_say_why() -> None:
    for name in registry.names("metrics"):
        assert bool(registry.get("metrics", name).declaration.only_dense) != (name in TAKEN), name


def test_what_was_given_is_left_as_it_is() -> None:
    codes, factors = world(50)
    matrix = scipy.sparse.csr_array(codes)
    matrix.data[:3] = 0  # stored zeros
    before = matrix.data.copy(), matrix.indices.copy()
    dense = matrix.toarray()
    assert metrics.best_latent(matrix, factors, test=(matrix, factors)) == pytest.approx(
        metrics.best_latent(dense, factors, test=(dense, factors)), abs=1e-12
    )
    assert (matrix.data == before[0]).all()
    assert (matrix.indices == before[1]).all()
    twice = scipy.sparse.coo_array(([1.0, 2.0, 5.0], ([0, 0, 1], [0, 0, 1])), shape=(2, 2))
    assert as_table(twice, "codes").codes.matrix.toarray().tolist() == [[3, 0], [0, 5]]


def test_align_and_unlike_halves_are_refused() -> None:
    codes, factors = world(50)
    sparse = scipy.sparse.csr_array(codes)
    with pytest.raises(NotApplicable, match="mcc takes no sparse codes with align='affine': it compares all"):
        metrics.mcc(sparse, factors, align="affine")
    for one, other in ((sparse, codes), (codes, sparse)):
        with pytest.raises(BadInput, match="give both alike"):
            metrics.best_latent(one, factors, test=(other, factors))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: c * 1e31, r"beyond 1e\+30; rescale them"),
        (
            lambda c: np.where(c == c.max(), np.nan, c),
            r"NaN or infinite values, first in column .*missing='drop'",
        ),
        (lambda c: np.where(c == c.max(), np.inf, c), "NaN or infinite values, first in column"),
        (lambda c: c[:-1], "codes have 299 rows and factors 300; they must describe the same rows$"),
        (lambda c: c * 1j, "codes must be numbers, got complex128"),
        (lambda c: c[:, :0], r"codes must have shape \(rows, columns\), got \(300, 0\)"),
    ],
)
def test_bad_sparse_codes(change: Any, message: str) -> None:
    codes, factors = world()
    with pytest.raises(BadInput, match=message):
        metrics.mig(scipy.sparse.csr_array(change(np.minimum(codes, 10))), factors)


def test_sparse_has_what_arrays_have_of_rows_and_columns() -> None:
    codes, _ = world(20, 12)
    sparse = as_table(scipy.sparse.csr_array(codes), "codes").codes
    assert isinstance(sparse, Sparse)
    assert (len(sparse), sparse.shape) == (20, (20, 12))
    rows = np.array([3, 3, 0, 19])
    assert (sparse[rows].matrix.toarray() == codes[rows]).all()
    assert (sparse[:, rows % 12].matrix.toarray() == codes[:, rows % 12]).all()
    low, high = sparse.ranges()
    assert (low == codes.min(axis=0)).all()
    assert (high == codes.max(axis=0)).all()
    assert "toarray" not in inspect.getsource(sparse_codes)
