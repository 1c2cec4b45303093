"""Sparse codes score as the same codes in an array do, and never become one."""

import inspect
from typing import Any

import numpy as np
import pytest
import scipy.sparse
from metrics.recipes import sparse_of_all_kinds as world
from scipy.stats import rankdata, spearmanr

from distaff import metrics, registry
from distaff.errors import BadInput, NotApplicable
from distaff.metrics import sparse_codes
from distaff.metrics.best_latent import areas, firing, ranks
from distaff.metrics.information import discretise, entropy, mutual_information
from distaff.metrics.mcc import signed_correlation
from distaff.metrics.needs import NEEDS
from distaff.tables import Sparse, as_table

TAKEN = [n for n in registry.names("metrics") if not registry.get("metrics", n).declaration.only_dense]


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
    family = {"mig", "mig_sup", "modularity", "dcimig", "jemmig", "average_maximal_mutual_information"}
    assert family | {"mcc", "best_latent"} <= set(TAKEN)


SETTINGS: dict[str, list[dict[str, Any]]] = {
    "mcc": [{"correlation": "pearson"}, {"fit": "crossfit"}, {"continuous": [2]}],
    "mig": [{"bins": 7}, {"continuous": True}],
    "mig_sup": [{"least_variance": 1e-3}],
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


@pytest.mark.parametrize("bins", [2, 20])
def test_bins_and_what_they_know(bins: int) -> None:
    codes, factors = world()
    sparse = as_table(scipy.sparse.csc_array(codes), "codes").codes
    binned, dense = sparse_codes.discretise(sparse, bins), discretise(codes, bins)
    for j in range(codes.shape[1]):
        own = np.full(len(codes), binned.zeros[j])
        inside = slice(sparse.starts[j], sparse.starts[j + 1])
        own[sparse.rows[inside]] = binned.bins[inside]
        assert (own == dense[:, j]).all(), j
    assert mutual_information(binned, factors) == pytest.approx(mutual_information(dense, factors), abs=1e-14)
    assert entropy(binned) == pytest.approx(entropy(dense), abs=1e-14)


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
