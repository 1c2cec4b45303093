"""Paintings against areas that are known."""

import numpy as np
import pytest

from distaff.drawing.painting import Painting, X, Y, arc, ellipse

FIXED = np.array([[1.0, 0.5, 0.0]], dtype=np.float32)


def test_a_mask_is_the_part_of_each_pixel_that_is_covered() -> None:
    picture = Painting()
    picture.add((X > 0) & (X < 2.25) & (np.abs(Y) < 1), 1)
    masks = picture.masks(2, FIXED)
    assert masks.shape == (5, 64, 64)
    np.testing.assert_array_equal(masks[1, 31:33, 31:36], [[0, 1, 1, 0.25, 0]] * 2)
    np.testing.assert_array_equal(masks[:2].sum(axis=0), np.ones((64, 64)))
    assert masks[1].sum() == 4.5
    assert not masks[2:].any()


def test_what_is_painted_last_is_seen_in_its_own_light() -> None:
    picture = Painting()
    picture.add(np.abs(X) + 0 * Y < 8, 1)
    picture.dim(np.abs(X) + 0 * Y < 4, 0.5)
    picture.add((np.abs(X) < 2) & (np.abs(Y) < 2), 2, 0.8)
    masks = picture.masks(2, FIXED)
    np.testing.assert_allclose(masks[:, 32, 32], [0, 0, 0.8, 0.4, 0])
    np.testing.assert_allclose(masks[:, 10, 33], [0, 0.5, 0, 0, 0])
    np.testing.assert_allclose(masks[:, 10, 38], [0, 1, 0, 0, 0])
    np.testing.assert_allclose(masks[:, 10, 50], [1, 0, 0, 0, 0])


@pytest.mark.parametrize(("centre", "half"), [((0, 0), (5, 9)), ((3.3, -7.1), (12, 4))])
def test_the_area_of_an_ellipse(centre: tuple[float, float], half: tuple[float, float]) -> None:
    inside = ellipse(X, Y, centre, half)
    assert inside.sum() / 16 == pytest.approx(np.pi * half[0] * half[1], rel=0.01)
    assert (X + 0 * Y)[inside].mean() == pytest.approx(centre[0], abs=0.05)
    assert (Y + 0 * X)[inside].mean() == pytest.approx(centre[1], abs=0.05)


def test_the_ends_of_an_arc_sag() -> None:
    inside = arc(X, Y, (2, 1), (8, 1), 3)
    assert inside.sum() / 16 == pytest.approx(16 * 2, rel=0.01)
    heights = [(Y + 0 * X)[inside & (np.abs(X - x) < 0.2)].mean() for x in (2, 6, 9.8)]
    np.testing.assert_allclose(heights, [1, 1.75, 3.85], atol=0.15)
