"""A few labelled images of a data set, for semi-supervision, labelled well or badly."""

import numpy as np
from numpy.typing import NDArray

from distaff.datasets.base import DataSet
from distaff.datasets.views.subset import labelled_rows
from distaff.errors import BadInput, unknown

BINS, WRONG, SEEN = 5, 0.1, 2  # of the 2020 study

Labels = NDArray[np.int64]
Sizes = tuple[int, ...]


class LabelledPart:
    """`count` random images of a data set with the labels (count, k) that a labeller gives them.

    `sizes` are the labels' numbers of values. The images and the labeller's choices follow from the seed. The
    labellers are those of Locatello et al. 2020, arXiv:1905.01258 ("Disentangling factors of variations using
    few labels", section 4).
    """

    def __init__(self, data: DataSet, count: int, labeller: str = "perfect", seed: int = 0) -> None:
        if labeller not in LABELLERS:
            raise unknown("labeller", labeller, LABELLERS)
        self._rows = labelled_rows(data, count, seed)
        labels, sizes = whole_labels(data)
        rng = np.random.default_rng([seed, 1])
        self.labels, self.sizes = LABELLERS[labeller](labels[self._rows], sizes, rng)

    def sample(self, size: int, rng: np.random.Generator) -> tuple[NDArray[np.int64], Labels]:
        """The numbers (size,) of `size` of the images, with replacement, and their labels (size, k)."""
        drawn = rng.integers(len(self._rows), size=size)
        return self._rows[drawn], self.labels[drawn]


def whole_labels(data: DataSet) -> tuple[Labels, Sizes]:
    """The labels of all images as whole numbers, the least of each as 0, and their numbers of values."""
    if not data.label_names:
        raise BadInput(f"{data.name} has no labels")
    labels = data.labels(np.arange(len(data)))
    assert labels is not None
    if not np.issubdtype(labels.dtype, np.integer):
        raise BadInput(f"{data.name}: a label term needs labels that are whole numbers")
    labels = labels - labels.min(axis=0)
    sizes = labels.max(axis=0) + 1
    if sizes.min() < 2 or sizes.max() > len(data):
        j = int(sizes.argmin() if sizes.min() < 2 else sizes.argmax())
        raise BadInput(
            f"{data.name}: a label term needs labels of 2 to {len(data)} numbers, from the least to the "
            f"largest; '{data.label_names[j]}' has {sizes[j]}"
        )
    return labels.astype(np.int64), tuple(int(size) for size in sizes)


def perfect(labels: Labels, sizes: Sizes, rng: np.random.Generator) -> tuple[Labels, Sizes]:
    """Every label as it is."""
    return labels, sizes


def binned(labels: Labels, sizes: Sizes, rng: np.random.Generator) -> tuple[Labels, Sizes]:
    """Labels with more than 5 values are told apart in 5 bins of equal width only."""
    fine = np.array(sizes) <= BINS
    return np.where(fine, labels, labels * BINS // sizes), tuple(min(size, BINS) for size in sizes)


def noisy(labels: Labels, sizes: Sizes, rng: np.random.Generator) -> tuple[Labels, Sizes]:
    """A tenth of the labels are replaced by a value at random, which may be the right one."""
    wrong = rng.random(labels.shape) < WRONG
    return np.where(wrong, rng.integers(sizes, size=labels.shape), labels), sizes


def permuted(labels: Labels, sizes: Sizes, rng: np.random.Generator) -> tuple[Labels, Sizes]:
    """The values of every label are renamed at random, so that their order is lost."""
    columns = [rng.permutation(size)[labels[:, j]] for j, size in enumerate(sizes)]
    return np.stack(columns, axis=1), sizes


def partial(labels: Labels, sizes: Sizes, rng: np.random.Generator) -> tuple[Labels, Sizes]:
    """Two of the labels, chosen at random, are seen; the others are not."""
    if len(sizes) < SEEN:
        raise BadInput(f"labeller=partial needs at least {SEEN} labels, got {len(sizes)}")
    seen = np.sort(rng.permutation(len(sizes))[:SEEN])
    return labels[:, seen], tuple(sizes[j] for j in seen)


LABELLERS = {labeller.__name__: labeller for labeller in (perfect, binned, noisy, permuted, partial)}
