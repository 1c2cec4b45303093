"""Images that people name: numbers and files of any size, as the data set would give them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from conftest import ROOMS
from PIL import Image

import distaff
from distaff.datasets import ArrayImages
from distaff.errors import BadInput
from distaff.evaluation.given_image import given_image

ROOM = distaff.load_dataset("rooms", **ROOMS)
GREY = ArrayImages(np.random.default_rng(0).random((9, 16, 16)))


def saved(path: Path, pixels: np.ndarray) -> str:
    Image.fromarray(pixels).save(path)
    return str(path)


def test_a_number_is_an_image_of_the_data_set() -> None:
    found = given_image(ROOM, "53")
    np.testing.assert_array_equal(found.image, ROOM.images([53])[0])
    assert (found.number, found.note) == (53, "")


def test_a_file_of_the_right_size_is_taken_as_it_is(tmp_path: Path) -> None:
    image = ROOM.images([20])[0]
    found = given_image(ROOM, saved(tmp_path / "a.png", image.transpose(1, 2, 0)))
    np.testing.assert_array_equal(found.image, image)
    assert (found.image.dtype, found.number, found.note) == (np.uint8, None, "")


def test_a_file_of_another_size_is_resized_and_that_is_said(tmp_path: Path) -> None:
    pixels = np.zeros((40, 80, 3), dtype=np.uint8)
    pixels[:, 20:60] = (10, 20, 30)  # the middle square
    found = given_image(ROOM, saved(tmp_path / "a.png", pixels))
    assert found.image.shape == (3, 16, 16)
    assert (found.image[:, :, 2:-2].reshape(3, -1) == [[10], [20], [30]]).all(), "the filter is 3 wide"
    assert found.note == "a.png is cropped to its middle square and resized to 16x16 pixels"


def test_colours_become_grey_within_the_range_of_the_data(tmp_path: Path) -> None:
    pixels = np.broadcast_to(np.array([255, 0, 51], dtype=np.uint8), (16, 16, 3))
    found = given_image(GREY, saved(tmp_path / "a.png", pixels))
    low, high = GREY.pixel_range
    assert (found.image.shape, found.image.dtype) == ((1, 16, 16), GREY.images([0]).dtype)
    wanted = low + (high - low) * (0.299 + 0.114 * 0.2)
    np.testing.assert_allclose(found.image, wanted, rtol=0.01)


def test_transparent_parts_are_white_and_that_is_said(tmp_path: Path) -> None:
    found = given_image(ROOM, saved(tmp_path / "a.png", np.zeros((16, 16, 4), dtype=np.uint8)))
    assert (found.image == 255).all()
    assert found.note == "transparent parts are white"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("54", "index out of range: rooms has images 0..53, got 54"),
        ("-1", "index out of range: rooms has images 0..53, got -1"),
        ("nothing.png", "nothing.png does not exist"),
        ("words.png", "cannot be read as an image"),
    ],
)
def test_what_is_no_image_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: str, message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("words.png").write_text("words")
    with pytest.raises(BadInput, match=message) as error:
        given_image(ROOM, given)
    assert "\n" not in str(error.value)
