"""Dictionaries and the bookkeeping of sparse autoencoders: published values, and plain statements."""

import doctest
from itertools import permutations
from typing import Any

import numpy as np
import pytest
import scipy.sparse
from metrics.recipes import learned_dictionary

from distaff import metrics
from distaff.errors import BadInput
from distaff.metrics import (
    dictionary_detection,
    dictionary_mcc,
    dictionary_uniqueness,
    reconstruction,
    sparsity,
)

F = learned_dictionary()


def test_the_numbers_of_published_code() -> None:
    assert dictionary_mcc(F["learned"], F["true"]).value == pytest.approx(0.777265, abs=5e-7)
    assert dictionary_mcc(F["random"], F["true"]).value == pytest.approx(0.589198, abs=5e-7)
    assert dictionary_uniqueness(F["learned"], F["true"]).value == pytest.approx(0.541667, abs=5e-7)
    assert dictionary_uniqueness(F["random"], F["true"]).value == pytest.approx(0.520833, abs=5e-7)
    detected = dictionary_detection(F["codes"], F["features"], F["learned"], F["true"])
    assert detected == pytest.approx((0.330745, 0.542677, 0.398014), abs=5e-7)
    assert sparsity(F["codes"]) == pytest.approx((3.325, 8, 48, 1000), abs=5e-7)
    found = reconstruction(F["inputs"], F["reconstructed"])
    assert found.explained_variance == pytest.approx(0.397966, abs=5e-7)
    assert found.shrinkage == pytest.approx(0.267644, abs=5e-7)


def test_shifted_inputs_are_explained_as_well_and_never_beyond_1() -> None:
    """The published fault gives .431726, and 1.00026 where all is shifted by 10."""

    def faulty(x: np.ndarray, y: np.ndarray) -> float:
        error = np.square(x - y).sum(axis=1).mean()
        return float(1 - error / (np.square(x).sum(axis=1).mean() - np.square(x).mean() ** 2))

    x, y = F["inputs"], F["reconstructed"]
    assert faulty(x, y) == pytest.approx(0.431726, abs=5e-7)
    assert faulty(x + 10, y + 10) == pytest.approx(1.00026, abs=5e-6)
    shifted = reconstruction(x + 10, y + 10).explained_variance
    assert shifted == pytest.approx(reconstruction(x, y).explained_variance, abs=1e-12)


def test_chance_is_that_of_random_directions_of_the_sizes_published() -> None:
    rng = np.random.default_rng(0)
    many, few = rng.standard_normal((1024, 256)), rng.standard_normal((32, 16))
    assert dictionary_mcc(many, rng.standard_normal((1024, 256)), draws=1).value == pytest.approx(
        0.205, abs=0.002
    )
    found = dictionary_mcc(few[:, ::-1], few, draws=20)
    assert found.chance == pytest.approx(found.value, abs=0.05)
    assert dictionary_mcc(F["random"], F["true"], draws=20).chance == pytest.approx(0.589, abs=0.02)
    assert dictionary_mcc(few, few, draws=0) == (1, None, 1)
    assert dictionary_mcc(few, few, seed=3) == dictionary_mcc(few, few, seed=3)


@pytest.mark.parametrize("seed", range(3))
def test_pairing_by_every_order(seed: int) -> None:
    rng = np.random.default_rng(seed)
    learned, true = rng.standard_normal((5, 3)), rng.standard_normal((4, 3))
    cosine = [[abs(a @ b) / np.sqrt(a @ a * (b @ b)) for b in true] for a in learned]
    best = max(sum(cosine[i][j] for j, i in enumerate(order[:4])) for order in permutations(range(5)))
    assert dictionary_mcc(learned, true).value == pytest.approx(best / 4, abs=1e-12)
    assert dictionary_mcc(true, learned).value == pytest.approx(best / 5, abs=1e-12)
    assert dictionary_mcc(true, learned).ceiling == 4 / 5
    nearest = {max(range(4), key=lambda j: row[j]) for row in cosine}
    found = dictionary_uniqueness(learned, true)
    assert (found.value, found.ceiling) == (len(nearest) / 5, 4 / 5)


def test_order_signs_and_sizes_change_nothing_and_turning_does() -> None:
    rng = np.random.default_rng(0)
    true = rng.standard_normal((20, 8))
    changed = -3.0 * true[rng.permutation(20)] * rng.uniform(0.1, 9, size=(20, 1))
    for score in (dictionary_mcc, dictionary_uniqueness):
        assert score(changed, true).value == pytest.approx(1)
    turned = true @ np.linalg.qr(rng.standard_normal((8, 8)))[0]
    assert dictionary_mcc(turned, true).value < 0.8
    assert dictionary_mcc(np.zeros((20, 8)), true, draws=0).value == 0


def test_a_code_detects_the_feature_of_its_own_direction() -> None:
    codes, features = F["codes"], F["features"]
    unit = [each / np.linalg.norm(each, axis=1, keepdims=True) for each in (F["learned"], F["true"])]
    nearest = np.abs(unit[0] @ unit[1].T).argmax(axis=1)
    scores = []
    for i, j in enumerate(nearest):
        fires, there = codes[:, i] > 0, features[:, j] > 0
        both = (fires & there).sum()
        scores.append(
            [
                both / max(fires.sum(), 1),
                both / max(there.sum(), 1),
                2 * both / max(fires.sum() + there.sum(), 1),
            ]
        )
    found = dictionary_detection(scipy.sparse.csr_array(codes), features, F["learned"], F["true"])
    assert found == pytest.approx(np.mean(scores, axis=0), abs=1e-12)


def test_sparse_codes_are_counted_as_they_are() -> None:
    matrix = scipy.sparse.csr_array(F["codes"])
    matrix.data[:5] = 0
    assert sparsity(matrix) == sparsity(matrix.toarray())


def test_reconstructions_by_loops_and_without_variance() -> None:
    x, y = F["inputs"], F["reconstructed"]
    ratios = [np.sqrt(b @ b / (a @ a)) for a, b in zip(x, y, strict=True) if np.sqrt(a @ a) > 1e-6]
    assert reconstruction(x, y).shrinkage == pytest.approx(np.mean(ratios))
    bias = sum(b @ b for b in y) / sum(a @ b for a, b in zip(x, y, strict=True))
    assert reconstruction(x, y).relative_bias == pytest.approx(bias)
    best = reconstruction(x, y / bias)
    assert best.relative_bias == pytest.approx(1)
    assert best.explained_variance > max(
        reconstruction(x, s * y / bias).explained_variance for s in (0.9, 1.1)
    )
    still = np.ones((4, 2))
    assert reconstruction(still, still) == (1, 1, 1)
    assert reconstruction(still, 0 * still) == (0, 0, 0)
    assert reconstruction(0 * still, 0 * still) == (1, 0, 0)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: dictionary_mcc(F["learned"].T, F["true"]),
            r"have 48 dimensions and true ones 16; .*weight\.T",
        ),
        (lambda: dictionary_mcc(F["learned"], F["true"], draws=-1), "draws=-1 is not allowed"),
        (lambda: dictionary_mcc(np.full((2, 16), np.nan), F["true"]), "learned: codes hold NaN"),
        (lambda: dictionary_mcc(scipy.sparse.csr_array(F["learned"]), F["true"]), "learned: a sparse matrix"),
        (
            lambda: reconstruction(F["inputs"], F["codes"]),
            r"\(1000, 16\) and their reconstructions \(1000, 48\)",
        ),
        (
            lambda: dictionary_detection(F["codes"], F["features"], F["true"], F["learned"]),
            "need the same rows, and a direction for each of their columns, got 32 learned and 48 true ones",
        ),
    ],
)
def test_bad_input_is_one_line(call: Any, message: str) -> None:
    with pytest.raises(BadInput, match=message):
        call()


@pytest.mark.parametrize(
    "name",
    ["dictionary_mcc", "dictionary_uniqueness", "dictionary_detection", "sparsity", "reconstruction"],
)
def test_the_example_gives_its_number(name: str) -> None:
    function = getattr(metrics, name)
    (found,) = doctest.DocTestFinder(recurse=False).find(function, name, globs={name: function})
    report: list[str] = []
    assert found.examples
    assert not doctest.DocTestRunner().run(found, out=report.append).failed, "".join(report)


def test_inputs_may_be_small() -> None:
    inputs = 1e-6 * np.random.default_rng(0).standard_normal((100, 5))
    nothing = reconstruction(inputs, np.zeros((100, 5))).explained_variance
    assert nothing == pytest.approx(reconstruction(1e6 * inputs, np.zeros((100, 5))).explained_variance)
