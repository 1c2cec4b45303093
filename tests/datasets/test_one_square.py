"""The square, pixel by pixel."""

import numpy as np

import distaff


def test_every_image_is_the_square_at_its_place() -> None:
    data = distaff.load_dataset("one_square")
    images = data.images(np.arange(len(data)))
    assert images.shape == (121, 1, 12, 12)
    for (x, y), image in zip(data.labels(np.arange(121)), images[:, 0], strict=True):
        expected = np.zeros((12, 12), np.uint8)
        for row in (y, y + 1):
            for column in (x, x + 1):
                expected[row, column] = 255
        np.testing.assert_array_equal(image, expected)
