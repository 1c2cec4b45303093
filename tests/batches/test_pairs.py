"""Pairs that share the first factors or the others, and say which factors differ."""

import numpy as np
import pytest

import distaff
from distaff.batches.pairs import Pairs, split_rows
from distaff.errors import BadInput
from distaff.factors import FactorSpace

SPACE = FactorSpace(("a", "b", "c"), (3, 4, 5))


def test_pairs_share_the_first_factors_or_the_others() -> None:
    first = SPACE.sample(4000, 0)
    second, changed = split_rows(SPACE, np.random.default_rng(1), 2, first)
    np.testing.assert_array_equal(changed, first != second)
    left, right = changed[:, :2].any(axis=1), changed[:, 2]
    assert not (left & right).any()
    # drawn anew, the first two agree in 1 of 12 pairs and the last in 1 of 5; each is drawn in half of them
    assert left.mean() == pytest.approx(0.5 * 11 / 12, abs=0.03)
    assert right.mean() == pytest.approx(0.5 * 4 / 5, abs=0.03)
    values = np.bincount(second[changed[:, 2], 2], minlength=5) / changed[:, 2].sum()
    np.testing.assert_allclose(values, 0.2, atol=0.04)


def test_a_batch_says_where_its_images_differ() -> None:
    data = distaff.load_dataset("shifted_patterns")
    batch = Pairs(known=True, split=1).sample(data, 64, np.random.default_rng(0))
    first, second = batch.images.reshape(2, 32, -1)
    np.testing.assert_array_equal((first != second).any(axis=1), batch.changed.any(axis=1))
    assert batch.changed.any(axis=0).all()


@pytest.mark.parametrize("split", [0, 3, -1])
def test_a_split_leaves_factors_on_both_sides(split: int) -> None:
    with pytest.raises(BadInput, match=f"split={split} is not allowed; of 3 factors 1 to 2 may be split off"):
        split_rows(SPACE, np.random.default_rng(0), split, SPACE.sample(5, 0))
