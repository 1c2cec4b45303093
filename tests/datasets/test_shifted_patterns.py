"""The patterns, pixel by pixel."""

import numpy as np

import distaff
from distaff.datasets.shifted_patterns import PATTERNS


def test_every_image_is_its_pattern_rolled() -> None:
    data = distaff.load_dataset("shifted_patterns")
    images = data.images(np.arange(len(data)))
    assert images.shape == (32, 1, 8, 8)
    for (pattern, shift), image in zip(data.labels(np.arange(32)), images[:, 0], strict=True):
        lines = list(PATTERNS.values())[pattern].split()
        for y in range(8):
            for x in range(8):
                assert image[y, (x + shift) % 8] == (255 if lines[y][x] == "#" else 0)


def test_no_two_images_are_the_same() -> None:
    images = distaff.load_dataset("shifted_patterns").images(np.arange(32))
    assert len(np.unique(images.reshape(32, -1), axis=0)) == 32
