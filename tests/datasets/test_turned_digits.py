"""Turned digits: what a turn does, and which digits they are."""

import numpy as np
import pytest
from scipy import ndimage
from sklearn.datasets import load_digits

import distaff
from distaff.datasets.turned_digits import turn
from distaff.errors import BadInput


def test_a_turn_is_that_of_scipy() -> None:
    """A quarter turn to the left is exact; any other is linear interpolation, as SciPy does it."""
    images = np.random.default_rng(0).random((3, 8, 8))
    np.testing.assert_allclose(turn(images, np.zeros(3), 8), images, atol=1e-12)
    quarter = turn(images, np.full(3, np.pi / 2), 8)
    np.testing.assert_allclose(quarter, np.rot90(images, axes=(1, 2)), atol=1e-12)
    for degrees in (-40.0, 25.0):
        found = turn(images, np.full(3, np.deg2rad(degrees)), 8)
        for before, after in zip(images, found, strict=True):
            padded = np.pad(before, 4)  # so that both fade to 0 at the edge alike
            expected = ndimage.rotate(padded, degrees, reshape=False, order=1)[4:-4, 4:-4]
            np.testing.assert_allclose(after, expected, atol=1e-9)


def test_every_image_is_a_writing_of_its_digit() -> None:
    data = distaff.load_dataset("turned_digits", writings=3, angles=3)
    assert data.factors.sizes == (10, 3, 3)
    originals = load_digits()
    for index in range(1, len(data), 3):  # those that are not turned
        digit, writing, angle = data.labels([index])[0]
        assert angle == 1
        own = originals.images[np.flatnonzero(originals.target == digit)[writing]]
        image = data.unit_images([index])[0, 0]
        blocks = image.reshape(8, 2, 8, 2).mean(axis=(1, 3))[1:-1, 1:-1]
        blurred = (
            ndimage.correlate1d(ndimage.correlate1d(own / 16, [1, 6, 1], axis=0), [1, 6, 1], axis=1) / 64
        )
        np.testing.assert_allclose(blocks, blurred[1:-1, 1:-1], atol=2 / 255)


def test_left_and_right_are_the_ends() -> None:
    data = distaff.load_dataset("turned_digits")
    images = data.unit_images(data.factors.index([[7, 0, 0], [7, 0, 2], [7, 0, 4]]))[:, 0]
    original = load_digits().images[7][None] / 16
    for degrees, image in zip((-60, 0, 60), images, strict=True):
        np.testing.assert_allclose(image, turn(original, np.deg2rad([degrees]), 16)[0], atol=0.5 / 255 + 1e-9)


@pytest.mark.parametrize("given", [{"writings": 1}, {"writings": 171}, {"angles": 1}])
def test_bad_input(given: dict) -> None:
    with pytest.raises(BadInput, match="is out of range"):
        distaff.load_dataset("turned_digits", **given)
