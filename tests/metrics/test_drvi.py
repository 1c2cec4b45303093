"""DRVI's scores against the numbers of the benchmark's own code and plain statements of their formulas."""

import itertools

import numpy as np
import pytest
from metrics.recipes import overlapping_labels, three_clusters
from scipy.optimize import linear_sum_assignment
from sklearn.metrics import mutual_info_score
from sklearn.preprocessing import KBinsDiscretizer

import distaff
from distaff.errors import BadInput, NotApplicable
from distaff.metrics import drvi
from distaff.metrics.drvi import DRVI, label_matrices

#: LMS, MSAS, MSGS of SMI, SPN and BMMI by drvi-py 0.2.8
PUBLISHED = {
    three_clusters: [
        0.336509,
        0.379837,
        0.251795,
        0.372203,
        0.414877,
        0.325357,
        0.282691,
        0.318648,
        0.207549,
    ],
    overlapping_labels: [
        *(0.482046, 0.482046, 0.290054, 0.469638, 0.469638, 0.248051, 0.413518, 0.413518, 0.271810),
    ],
}


@pytest.mark.parametrize("recipe", PUBLISHED)
def test_the_numbers_of_the_benchmarks_code(recipe) -> None:
    assert list(drvi(*recipe())) == pytest.approx(PUBLISHED[recipe], abs=5e-7)


def slow_smi(code: np.ndarray, label: np.ndarray) -> float:
    binned = KBinsDiscretizer(10, encode="ordinal", strategy="uniform").fit_transform(code[:, None])[:, 0]
    return mutual_info_score(label, binned) / mutual_info_score(label, label)


def slow_spn(order: np.ndarray, label: np.ndarray) -> float:
    ordered, share = label[order], label.mean()
    both = sum(1 for a, b in itertools.pairwise(ordered) if a and b) / (label.sum() - 1)
    return max(0.0, both - share) / (1 - share)


def slow_bmmi(code: np.ndarray, label: np.ndarray) -> float:
    cuts = np.unique(code)[:-1]
    return max([mutual_info_score(label, code > cut) for cut in cuts], default=0) / mutual_info_score(
        label, label
    )


@pytest.mark.parametrize("seed", range(2))
def test_each_pair_of_code_and_label(seed: int) -> None:
    rng = np.random.default_rng(seed)
    factors = np.stack(
        [rng.integers(2, size=80), rng.choice(6, 80, p=[0.4, 0.3, 0.1, 0.1, 0.07, 0.03])], axis=1
    )
    codes = factors @ rng.standard_normal((2, 4)) + rng.standard_normal((80, 4))
    codes[:, 1] = np.round(codes[:, 1])  # runs of equal values
    smi, spn, bmmi = label_matrices(codes, factors, 10, 5)
    counts = np.bincount(factors[:, 1])
    labels = [factors[:, 0] == 1, *(factors[:, 1] == v for v in range(6) if counts[v] >= 5)]
    assert smi.shape == (4, len(labels))
    for i, t in np.ndindex(smi.shape):
        assert smi[i, t] == pytest.approx(slow_smi(codes[:, i], labels[t]), abs=1e-12)
        assert bmmi[i, t] == pytest.approx(slow_bmmi(codes[:, i], labels[t]), abs=1e-12)
        if i != 1:
            assert spn[i, t] == pytest.approx(slow_spn(np.argsort(codes[:, i]), labels[t]), abs=1e-12)
    found = drvi(codes, factors, min_cells=5)
    for name, matrix in (("smi", smi), ("spn", spn), ("bmmi", bmmi)):
        best = np.sort(matrix, axis=0)[::-1]
        pairs = linear_sum_assignment(-matrix)
        assert getattr(found, f"lms_{name}") == pytest.approx(matrix[pairs].sum() / len(labels))
        assert getattr(found, f"msas_{name}") == pytest.approx(best[0].mean())
        assert getattr(found, f"msgs_{name}") == pytest.approx((best[0] - best[1]).mean())


def test_ties_count_as_the_mean_over_all_their_orders() -> None:
    """By going through them all: 2 x 24 orders of runs of 2, 4 and 1 rows."""
    code = np.array([0.0, 0, 1, 1, 1, 1, 2])
    label = np.array([1, 0, 1, 1, 0, 1, 1])
    shares = []
    for first in itertools.permutations([0, 1]):
        for second in itertools.permutations([2, 3, 4, 5]):
            ordered = label[[*first, *second, 6]]
            shares.append(sum(1 for a, b in itertools.pairwise(ordered) if a and b) / (label.sum() - 1))
    p = label.mean()
    _, spn, _ = label_matrices(np.c_[code, code], label[:, None], 10, 2)
    assert spn[0, 0] == pytest.approx(max(0, np.mean(shares) - p) / (1 - p), abs=1e-12)


def test_codes_that_are_mostly_zero_score_what_the_benchmark_scatters_around() -> None:
    """Its shuffles gave .410998 and .397521 for two seeds."""
    codes, labels = overlapping_labels()
    mostly_off = np.where(codes <= 1, 0, codes)
    shuffled = []
    for seed in range(200):
        order = np.random.default_rng(seed).permutation(200)
        matrix = [
            [slow_spn(order[np.argsort(c[order], kind="stable")], label) for label in labels.T]
            for c in mostly_off.T
        ]
        shuffled.append(np.array(matrix))
    _, spn, _ = label_matrices(mostly_off, labels, 10, 2)
    spread = np.std(shuffled, axis=0) / np.sqrt(len(shuffled))
    seen = np.min(shuffled, axis=0) > 0  # where no order is cut off at 0 the means are the same
    assert seen.sum() == 5
    assert (np.abs(np.mean(shuffled, axis=0) - spn)[seen] < 4 * spread[seen] + 1e-12).all()


def test_the_ceiling_is_bounded_by_the_number_of_codes() -> None:
    """Four factors of 35 values: perfect codes have an LMS of 4 / 35 by SPN."""
    factors = distaff.testing.SPACE.sample(4000, 0)
    assert drvi(factors, factors).lms_spn == pytest.approx(4 / 35, abs=1e-3)


def test_the_cards_ceiling_is_that_of_a_code_for_each_label() -> None:
    codes, label = three_clusters()
    for some, most in ((codes, 1), (codes[:, :2], 2 / 3)):
        card = distaff.score(some, label, metrics="drvi")
        for name in ("lms_smi", "lms_spn", "lms_bmmi"):
            assert card[f"drvi.{name}"].ceiling == pytest.approx(most, abs=1e-9)
            assert (card[f"drvi.{name}"].value or 0) <= most
    assert distaff.score(codes, label == 1, metrics="drvi")["drvi.msgs_smi"].ceiling > 0.95  # beside noise


def test_rare_labels_are_left_out_and_named() -> None:
    codes, label = three_clusters()
    words = np.array(["B", "T", "NK"], dtype=object)[label]
    words[:4] = "platelet"
    card = distaff.score(codes, {"x": words}["x"], metrics="drvi", values_only=True)
    assert list(card) == [f"drvi.{field}" for field in DRVI._fields]
    assert card.protocol["notes"] == [
        "drvi is of 3 of 4 labels; left out, with fewer than 10 rows: 0=platelet (4)"
    ]
    kept = words != "platelet"
    relabelled = drvi(codes, words)
    assert relabelled.msas_smi == pytest.approx(
        np.mean([max(slow_smi(z, words == w) for z in codes.T) for w in ("B", "T", "NK")])
    )
    assert relabelled != drvi(codes[kept], words[kept])  # its rows still count as the rest
    with pytest.raises(NotApplicable, match="drvi needs a label that 400 rows carry"):
        drvi(codes, words, min_cells=400)
    with pytest.raises(BadInput, match="min_cells=1 is not allowed"):
        drvi(codes, words, min_cells=1)
