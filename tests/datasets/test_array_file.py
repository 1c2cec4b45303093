"""Arrays of images in files: under the names that people give them, beside what is not read."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from distaff.datasets import ArrayImages, load_dataset
from distaff.errors import BadInput
from distaff.testing import check_dataset

RNG = np.random.default_rng(0)
IMAGES = RNG.integers(256, size=(6, 16, 20, 3), dtype=np.uint8)
CLASSES = np.array([3, 1, 0, 2, 1, 3])
PICKLED = np.array([{"title": "dSprites"}], dtype=object)


def saved(path: Path, **arrays: Any) -> Path:
    np.savez(path, **arrays)
    return path


@pytest.mark.parametrize(
    ("images", "factors"),
    [
        ("imgs", "latents_classes"),
        ("X", "y"),
        ("x", "y"),
        ("data", "labels"),
        ("x_train", "y_train"),
        ("X_train", "Y_train"),
        ("arr_0", "arr_1"),
        ("frames", "target"),
        ("observations", "classes"),
        ("image", "label"),
        ("images", "targets"),
        ("data", "factors"),
        ("Imgs", None),
        ("images", None),
    ],
)
def test_usual_names_are_found_and_said(tmp_path: Path, images: str, factors: str | None) -> None:
    arrays = {images: IMAGES, "notes": PICKLED, "extra": np.arange(3)} | (
        {factors: CLASSES} if factors else {}
    )
    data = load_dataset(saved(tmp_path / "a.npz", **arrays))
    check_dataset(data)
    np.testing.assert_array_equal(data.images(np.arange(6)), IMAGES.transpose(0, 3, 1, 2))
    if factors:
        np.testing.assert_array_equal(data.labels(np.arange(6)), CLASSES[:, None])
    assert (f"images are taken from '{images}'" in data.note) == (images != "images")
    assert (f"from '{factors}'" in data.note) == (factors not in (None, "factors"))
    assert "'notes' is not read, for it holds objects" in data.note
    assert "array 'extra' is not read" in data.note


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"x": IMAGES, "data": IMAGES}, r"several .* the images: x \(6, 16, 20, 3\), data .*'images'"),
        ({"X": IMAGES, "y": CLASSES, "labels": CLASSES}, r"the factors: y \(6\), labels \(6\); .*'factors'"),
        ({"pictures": IMAGES}, r"no array 'images'; it holds: pictures \(6, 16, 20, 3\)\. Name the array"),
        ({"notes": PICKLED}, r"no array 'images'; it holds: notes \(objects\)"),
        ({}, "no array 'images'; it holds: nothing"),
        ({"images": PICKLED}, "pickled objects, which are never loaded"),
        ({"images": IMAGES, "factors": PICKLED}, "pickled objects, which are never loaded"),
        ({"X": IMAGES[0]}, r"an array \(16, 20, 3\) is a single image.*stack .* to \(n, 16, 20, 3\)"),
        ({"images": IMAGES[0]}, r"an array \(16, 20, 3\) is a single image"),
        ({"images": IMAGES[0, :, :, 0]}, r"an array \(16, 20\) is a single image"),
        ({"images": IMAGES.astype("m8[s]")}, "images must be numbers, got timedelta64"),
        ({"X": IMAGES.astype("M8[s]")}, "no array 'images'"),
        ({"images": IMAGES + 1j}, "images must be numbers, got complex"),
        ({"images": IMAGES[:1]}, "at least 2 images are needed, got 1"),
        ({"data": np.zeros((50, 784))}, r"an array \(50, 784\) is .*reshape rows of pixels"),
    ],
)  # fmt: skip
def test_what_cannot_be_found(tmp_path: Path, arrays: dict[str, Any], message: str) -> None:
    with pytest.raises(BadInput, match=message) as caught:
        load_dataset(saved(tmp_path / "a.npz", **arrays))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("more", "note"),
    [
        ({"x": np.zeros((6, 2)), "X": IMAGES}, "images are taken from 'X'; array 'x' is not read"),
        ({"X": IMAGES, "x": np.array(["a"] * 6)}, "images are taken from 'X'; array 'x' is not read"),
        ({"X": IMAGES, "y": CLASSES[:5]}, "array 'y' is not read, for it has 5 rows and there are 6 images"),
        ({"X": IMAGES, "y": CLASSES, "labels": CLASSES[:2]}, "from 'y'; array 'labels' is not read, for"),
        ({"X": IMAGES, "y": CLASSES, "label": np.zeros((6, 2, 2))}, "factors from 'y'; array 'label' is not"),
        ({"images": IMAGES, "X": IMAGES, "factors": CLASSES, "y": CLASSES}, "'X' is not read; array 'y'"),
    ],
)  # fmt: skip
def test_the_only_candidate_is_taken(tmp_path: Path, more: dict[str, Any], note: str) -> None:
    data = load_dataset(saved(tmp_path / "a.npz", **more))
    assert note in data.note
    assert len(data) == 6


def test_text_labels_keep_their_words(tmp_path: Path) -> None:
    data = load_dataset(saved(tmp_path / "a.npz", X=IMAGES, y=np.array(list("cabbac"))))
    assert data.words == {"factor_0": ("a", "b", "c")}
    np.testing.assert_array_equal(data.labels(np.arange(6))[:, 0], [2, 0, 1, 1, 0, 2])


def test_a_bare_array(tmp_path: Path) -> None:
    np.save(tmp_path / "mine.npy", IMAGES)
    data = load_dataset(tmp_path / "mine.npy")
    check_dataset(data)
    assert (data.name, data.source, data.note, data.label_names) == ("mine", "file mine.npy", "", ())
    np.save(tmp_path / "pickled.npy", PICKLED)
    (tmp_path / "text.npy").write_text("no array")
    for name, message in (("pickled", "pickled objects"), ("text", "neither a .npy nor")):
        with pytest.raises(BadInput, match=message):
            load_dataset(tmp_path / f"{name}.npy")


# Pixels


@pytest.mark.parametrize("dtype", [np.uint8, np.int64, np.uint16])
def test_zeros_and_ones_are_black_and_white(tmp_path: Path, dtype: Any) -> None:
    bits = RNG.integers(2, size=(5, 16, 16)).astype(dtype)
    data = load_dataset(saved(tmp_path / "a.npz", imgs=bits))
    check_dataset(data)
    assert data.pixel_range == (0, 255)
    np.testing.assert_array_equal(data.images(np.arange(5))[:, 0], np.where(bits == 1, 255, 0))
    assert "pixels are 0 and 1 only, taken as black and white" in data.note
    declared = ArrayImages(bits, pixel_range=[0, 1])
    assert declared.pixel_range == (0, 1)
    assert declared.images(np.arange(5)).max() == 1


@pytest.mark.parametrize(("low", "high"), [(0, 0), (1, 1), (0, 2)])
def test_other_small_numbers_are_kept(low: int, high: int) -> None:
    pixels = np.full((3, 16, 16), low, np.uint8)
    pixels[1:, 2:] = high
    data = ArrayImages(pixels)
    np.testing.assert_array_equal(data.images(np.arange(3))[:, 0], pixels)
    assert "black and white" not in data.note


@pytest.mark.parametrize(
    ("pixels", "said"),
    [
        (
            np.full((3, 16, 16), 40_000, np.uint16),
            "40000 of uint16; .*--data pixel_range=[0,65535] (from Python",
        ),
        (np.full((3, 16, 16), 300, np.int64), "300..300 of int64; .*--data pixel_range=[0,300] (from Python"),
        (np.full((3, 16, 16), -7), "-7..-7 of int64; .*--data pixel_range=[-7,-7]"),
        (np.full((3, 16, 16), -1.0), "no pixel is above -1; .*--data pixel_range=[LOW,HIGH]"),
    ],
)
def test_hints_about_pixels_name_the_flag(tmp_path: Path, pixels: np.ndarray, said: str) -> None:
    with pytest.raises(BadInput) as caught:
        load_dataset(saved(tmp_path / "a.npz", images=pixels))
    for part in said.split(".*"):
        assert part in str(caught.value)


@pytest.mark.parametrize(
    ("pixels", "said"),
    [
        (np.arange(768).reshape(3, 16, 16) % 40, "brightest pixel is 39 of 255; .*--data pixel_range=[0,39]"),
        (np.linspace(0, 255, 768).reshape(3, 16, 16), "run from 0 to 255; .*--data pixel_range=[LOW,HIGH]"),
        (np.linspace(-1, 1, 768).reshape(3, 16, 16), "run from -1 to 1; .*--data pixel_range=[LOW,HIGH]"),
        (np.zeros((3, 16, 16)), "all images are equal"),
        (np.full((2, 16, 16), 300.0), "all images are equal"),
    ],
)
def test_notes_about_pixels(pixels: np.ndarray, said: str) -> None:
    for part in said.split(".*"):
        assert part in ArrayImages(pixels).note


def test_uint16_with_its_range_declared(tmp_path: Path) -> None:
    deep = RNG.integers(65536, size=(4, 16, 16), dtype=np.uint16)
    data = load_dataset(saved(tmp_path / "a.npz", x=deep), pixel_range=[0, 65535])
    check_dataset(data)
    np.testing.assert_allclose(data.unit_images(np.arange(4))[:, 0], deep / 65535, atol=1e-7)
    with pytest.raises(BadInput, match=r"outside --data pixel_range=\[0,9\]"):
        load_dataset(tmp_path / "a.npz", pixel_range=[0, 9])


@pytest.mark.parametrize(
    "same",
    [range(5), [0, 0, 0, 1], [0] * 2000 + [1]],
)
def test_equal_images_are_told_only_where_all_are(same: Any) -> None:
    pixels = np.repeat(np.array([*same], np.uint8)[:, None, None], 16, axis=1).repeat(16, axis=2)
    assert "equal" not in ArrayImages(pixels * 9).note
    assert "all images are equal" in ArrayImages(pixels * 0).note


# Sizes


def blocks(images: np.ndarray, side: int) -> np.ndarray:
    """Square images (n, S, S, ...) averaged over blocks down to `side`."""
    n, size = images.shape[:2]
    step = size // side
    return images.reshape(n, side, step, side, step, *images.shape[3:]).mean(axis=(2, 4))


@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.float64, bool])
@pytest.mark.parametrize("channels", ["", "last", "first"])
def test_resolution_of_arrays(tmp_path: Path, dtype: Any, channels: str) -> None:
    """Where nothing changes within 32 pixels, the filter's middle is the block's mean."""
    coarse = RNG.integers(2, size=(3, 4, 4, 3)).astype(float)
    fine = coarse.repeat(64, axis=1).repeat(64, axis=2)
    wide = np.concatenate([np.zeros((3, 256, 30, 3)), fine, np.ones((3, 256, 30, 3))], axis=2)
    scale = 255 if dtype == np.uint8 else 1
    images = (wide * scale).astype(dtype)
    given = {"": images[..., 0], "last": images, "first": images.transpose(0, 3, 1, 2)}[channels]
    path = saved(tmp_path / "a.npz", images=given)
    with pytest.raises(BadInput, match=r"256x316 pixels; .*give --data resolution=64"):
        load_dataset(path)
    data = load_dataset(path, resolution=32)
    check_dataset(data)
    assert "every image is cropped to its middle square and resized to 32x32 pixels" in data.note
    found = data.unit_images(np.arange(3)).transpose(0, 2, 3, 1)
    expected = coarse[..., :1] if channels == "" else coarse
    np.testing.assert_allclose(found[:, 4::8, 4::8], expected, atol=0.02)


def test_resolution_of_idx_and_small_images(tmp_path: Path) -> None:
    images = RNG.integers(256, size=(5, 28, 28), dtype=np.uint8)
    path = tmp_path / "t-images-idx3-ubyte.gz"
    path.write_bytes(gzip.compress(struct.pack(">4B3I", 0, 0, 8, 3, *images.shape) + images.tobytes()))
    data = load_dataset(path, resolution=56)
    assert data.image_shape == (1, 56, 56)
    assert "resized to 56x56 pixels; 5 of 5 are smaller and were enlarged" in data.note
    plain = images.astype(float) - images.mean()
    found = blocks(data.images(np.arange(5))[:, 0].astype(float), 28) - images.mean()
    assert (plain * found).sum() / np.sqrt((plain**2).sum() * (found**2).sum()) > 0.97
    assert load_dataset(path, resolution=28).note == ""
    with pytest.raises(BadInput, match=r"'background'.*Allowed: pixel_range, resolution, hide"):
        load_dataset(path, background="black")


def test_floats_stay_in_their_range(tmp_path: Path) -> None:
    sharp = np.full((2, 200, 200), -1.0)
    sharp[:, :, 100:] = 1
    data = ArrayImages(sharp, pixel_range=[-1, 1], resolution=16)
    check_dataset(data)
    assert data.images(np.arange(2)).min() == -1
    assert data.images(np.arange(2)).max() == 1


def test_names_in_capitals_and_hints_about_channels(tmp_path: Path) -> None:
    images = np.random.default_rng(0).integers(2, 256, size=(3, 16, 16), dtype=np.uint8)
    np.savez(tmp_path / "a.npz", IMAGES=images, Factors=[0, 1, 2])
    data = load_dataset(tmp_path / "a.npz")
    assert data.labels(np.arange(3)).ravel().tolist() == [0, 1, 2]
    assert "taken for 3 grey images; one in colour would be (1, 3, H, W)" in data.note
    np.savez(tmp_path / "b.npz", images=np.zeros((3, 16, 16, 4), np.uint8))
    with pytest.raises(BadInput, match=r"leave out the alpha channel: images\[\.\.\., :3\]"):
        load_dataset(tmp_path / "b.npz")
    np.savez(tmp_path / "c.npz", images=images, labels=np.array(["a", "b", "c"], dtype=object))
    assert "words are saved by .astype(str)" in load_dataset(tmp_path / "c.npz").note
