"""Labelled parts: the five labellers against loops, their images, seeds and errors."""

import dataclasses

import numpy as np
import pytest

from distaff.batches.labelled import LABELLERS, LabelledPart, whole_labels
from distaff.datasets import DataSet, Hidden, labelled_rows, load_dataset
from distaff.datasets.images import ArrayImages
from distaff.errors import BadInput
from distaff.methods.vae import VAE

SIZES = (3, 6, 12, 40)  # up to 5 values, and more
RNG = np.random.default_rng(0)
LABELS = np.stack([RNG.integers(size, size=4000) for size in SIZES], axis=1)


def sprites() -> DataSet:
    """1,152 images of shape (3), scale (6), x (8) and y (8), each unlike the others."""
    return load_dataset("dsprites", resolution=16, x=8, y=8, orientation=1)


def labelled(labeller: str, seed: int = 0) -> tuple[np.ndarray, tuple[int, ...]]:
    return LABELLERS[labeller](LABELS, SIZES, np.random.default_rng(seed))


def test_perfect_labels_are_the_labels() -> None:
    labels, sizes = labelled("perfect")
    np.testing.assert_array_equal(labels, LABELS)
    assert sizes == SIZES


def test_binned_labels_fall_in_5_bins_of_equal_width() -> None:
    labels, sizes = labelled("binned")
    expected = LABELS.copy()
    for i, j in np.ndindex(LABELS.shape):
        if SIZES[j] > 5:  # which fifth of 0 to 1 the value's share of its range lies in
            expected[i, j] = sum(LABELS[i, j] / SIZES[j] >= edge / 5 for edge in (1, 2, 3, 4))
    np.testing.assert_array_equal(labels, expected)
    assert sizes == (3, 5, 5, 5)


def test_a_tenth_of_noisy_labels_is_drawn_anew_and_uniformly() -> None:
    labels, sizes = labelled("noisy")
    assert sizes == SIZES
    for j, size in enumerate(SIZES):
        wrong = labels[:, j] != LABELS[:, j]
        expected = 0.1 * (1 - 1 / size)  # a draw may be the right one
        error = np.sqrt(expected * (1 - expected) / len(LABELS))
        assert abs(wrong.mean() - expected) < 4 * error
        assert set(labels[wrong, j]) == set(range(size))
    both = np.corrcoef((labels != LABELS).T)
    assert abs(both - np.eye(4)).max() < 4 / np.sqrt(len(LABELS))


def test_permuted_labels_are_renamed_one_to_one() -> None:
    labels, sizes = labelled("permuted")
    assert sizes == SIZES
    for j, size in enumerate(SIZES):
        names = {before: set(labels[LABELS[:, j] == before, j]) for before in range(size)}
        assert all(len(after) == 1 for after in names.values())
        assert set.union(*names.values()) == set(range(size))
    assert abs(np.corrcoef(labels[:, 3], LABELS[:, 3])[0, 1]) < 0.6, "40 values have lost their order"


def test_two_of_the_labels_are_seen() -> None:
    seen = set()
    for seed in range(60):
        labels, sizes = labelled("partial", seed)
        columns = tuple(j for j in range(4) if any(np.array_equal(LABELS[:, j], own) for own in labels.T))
        assert labels.shape == (4000, 2)
        np.testing.assert_array_equal(labels, LABELS[:, columns])
        assert sizes == tuple(SIZES[j] for j in columns)
        seen.add(columns)
    assert len(seen) == 6, "every two of four"


@pytest.mark.parametrize("labeller", ["noisy", "permuted", "partial"])
def test_the_seed_alone_decides(labeller: str) -> None:
    first, same = (LabelledPart(sprites(), 200, labeller, seed=4) for _ in range(2))
    np.testing.assert_array_equal(first.labels, same.labels)
    images = [part.sample(50, np.random.default_rng(1))[0] for part in (first, same)]
    np.testing.assert_array_equal(*images)
    other = LabelledPart(sprites(), 200, labeller, seed=5)
    assert not np.array_equal(other.labels, first.labels)


def test_the_labellers_choices_follow_from_the_seed_too() -> None:
    assert len({LabelledPart(sprites(), 1, "partial", seed).sizes for seed in range(30)}) > 3


@pytest.mark.parametrize("labeller", list(LABELLERS))
def test_images_do_not_depend_on_the_labeller(labeller: str) -> None:
    part = LabelledPart(sprites(), 30, labeller, seed=2)
    assert len(part.labels) == 30
    rows = labelled_rows(sprites(), 30, 2)
    drawn = np.random.default_rng(3).integers(30, size=20)
    numbers, labels = part.sample(20, np.random.default_rng(3))
    np.testing.assert_array_equal(numbers, rows[drawn])
    np.testing.assert_array_equal(labels, part.labels[drawn])


def test_sampled_images_have_their_own_labels() -> None:
    data = sprites()
    part = LabelledPart(data, 100)
    numbers, labels = part.sample(500, np.random.default_rng(0))
    assert part.sizes == (3, 6, 8, 8)
    np.testing.assert_array_equal(numbers, data.factors.index(labels))
    assert len(np.unique(labels, axis=0)) == 100, "all of them are drawn, and no others"


def test_all_images_may_be_labelled_and_no_more() -> None:
    whole = LabelledPart(sprites(), len(sprites()))
    assert len(np.unique(whole.labels, axis=0)) == len(sprites())
    for count in (0, 1153):
        with pytest.raises(BadInput, match=f"labelled_images={count} is not allowed; dsprites has 1 to 1152"):
            LabelledPart(sprites(), count)


def test_sizes_count_the_values_of_all_images() -> None:
    part = LabelledPart(sprites(), 1)
    assert part.sizes == (3, 6, 8, 8)
    assert LabelledPart(sprites(), 1, "binned").sizes == (3, 5, 5, 5)


def test_hidden_factors_are_not_labelled() -> None:
    assert LabelledPart(Hidden(sprites(), ["scale"]), 10).labels.shape == (10, 3)


def made(factors: object) -> DataSet:
    return ArrayImages(np.random.default_rng(0).integers(256, size=(6, 16, 16)), factors)


@pytest.mark.parametrize(
    ("factors", "message"),
    [
        (None, "arrays has no labels"),
        ([0.5, 1, 2, 3, 4, 5], "a label term needs labels that are whole numbers"),
        ([[1, 0]] * 6, "'factor_0' has 1"),
        ([[0, 0], [1, 7], [0, 0], [1, 0], [0, 0], [1, 0]], "'factor_1' has 8"),
    ],
)
def test_labels_that_no_term_can_use(factors: object, message: str) -> None:
    with pytest.raises(BadInput, match=message):
        LabelledPart(made(factors), 3)


def test_labels_in_memory() -> None:
    labels, sizes = whole_labels(made([[0, 2], [1, 1], [0, 0], [1, 2], [0, 1], [1, 0]]))
    assert labels.tolist() == [[0, 2], [1, 1], [0, 0], [1, 2], [0, 1], [1, 0]]
    assert sizes == (2, 3)
    again = whole_labels(made([[0, 102], [1, 101], [0, 100], [1, 102], [0, 101], [1, 100]]))
    assert (again[0].tolist(), again[1]) == (labels.tolist(), sizes)  # each from its least
    assert whole_labels(made([-1, 0, 1, 0, 1, 0]))[0].ravel().tolist() == [0, 1, 2, 1, 2, 1]


def test_the_labellers_are_the_choices_of_the_setting() -> None:
    field = next(field for field in dataclasses.fields(VAE) if field.name == "labeller")
    assert field.metadata["choices"] == tuple(LABELLERS)
    with pytest.raises(BadInput, match="unknown labeller 'perfekt'"):
        LabelledPart(sprites(), 10, "perfekt")
