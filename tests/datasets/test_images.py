"""Images of one's own: what is read, what is said, what is refused."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from distaff.datasets import ArrayImages, load_dataset
from distaff.errors import BadInput
from distaff.testing import check_dataset

RNG = np.random.default_rng(0)


def folder_of(path: Path, n: int = 4, size: tuple[int, int] = (24, 20), mode: str = "RGB") -> Path:
    path.mkdir()
    for i in range(n):
        pixels = RNG.integers(256, size=(*size, 3) if mode == "RGB" else size, dtype=np.uint8)
        Image.fromarray(pixels).save(path / f"{i}.png")
    return path


def test_npz_with_factors(tmp_path: Path) -> None:
    path = tmp_path / "mine.npz"
    images = RNG.integers(256, size=(6, 32, 28), dtype=np.uint8)
    np.savez(
        path, images=images, factors=[[0, 0], [0, 1], [0, 2], [1, 0], [1, 1], [1, 2]], factor_names=["a", "b"]
    )
    data = load_dataset(path)
    check_dataset(data)
    assert data.name == "mine"
    assert data.source == "file mine.npz"
    assert data.factors is not None  # the rows walk through a grid
    assert data.label_names == ("a", "b")
    np.testing.assert_array_equal(data.images(np.arange(6))[:, 0], images)


def test_labels_that_are_no_grid() -> None:
    data = ArrayImages(RNG.integers(256, size=(5, 16, 16, 3), dtype=np.uint8), [4, 0, 0, 1, 2])
    check_dataset(data)
    assert data.factors is None
    assert data.label_names == ("factor_0",)
    assert data.image_shape == (3, 16, 16)


@pytest.mark.parametrize("shape", [(5, 20, 24), (5, 20, 24, 1), (5, 1, 20, 24)])
def test_layouts_of_grey(shape: tuple[int, ...]) -> None:
    images = RNG.integers(256, size=shape, dtype=np.uint8)
    data = ArrayImages(images)
    assert data.image_shape == (1, 20, 24)
    np.testing.assert_array_equal(data.images(np.arange(5)).ravel(), images.ravel())


def test_small_images_are_padded_and_it_says_so() -> None:
    images = RNG.random((3, 8, 8)).astype(np.float32)
    data = ArrayImages(images)
    assert data.image_shape == (1, 16, 16)
    assert "8x8 pixels are padded to 16x16" in data.note
    np.testing.assert_array_equal(data.images(np.arange(3))[:, 0, 4:12, 4:12], images)
    assert data.images(np.arange(3))[:, 0, :4].max() == 0
    check_dataset(data)


def test_pixel_ranges() -> None:
    assert ArrayImages(RNG.random((3, 16, 16))).pixel_range == (0, 1)
    wide = ArrayImages(16 * RNG.random((3, 16, 16)))
    assert "pixels taken to run from 0 to" in wide.note
    declared = ArrayImages(RNG.integers(17, size=(3, 16, 16)), pixel_range=[0, 16])
    assert declared.pixel_range == (0, 16)
    check_dataset(declared)
    assert "brightest pixel is 7 of 255" in ArrayImages(np.full((3, 16, 16), 7)).note
    assert ArrayImages(RNG.random((3, 16, 16)) > 0.5).images(np.arange(3)).max() == 255


def test_folder_with_labels(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "mine")
    (folder / "labels.csv").write_text("file,kind,size\n3.png,cat,1\n1.png,dog,2\n2.png,cat,3\n0.png,dog,4\n")
    data = load_dataset(folder)
    check_dataset(data)
    assert data.image_shape == (3, 24, 20)
    np.testing.assert_array_equal(data.labels(np.arange(4)), [[1, 4], [1, 2], [0, 3], [0, 1]])
    assert data.source == "folder mine"


def test_folder_without_labels_in_grey(tmp_path: Path) -> None:
    data = load_dataset(folder_of(tmp_path / "mine", mode="L"))
    check_dataset(data)
    assert data.image_shape == (1, 24, 20)
    assert data.labels(np.arange(2)) is None


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"pictures": np.zeros((3, 16, 16))}, "no array 'images'; it holds: pictures"),
        ({"images": np.zeros((3, 16))}, r"must be \(n, H, W\)"),
        ({"images": np.zeros((3, 16, 16, 4))}, "C of 1 or 3"),
        ({"images": np.zeros((1, 16, 16))}, "at least 2 images"),
        ({"images": np.zeros((3, 129, 16))}, "16 to 128 are allowed"),
        ({"images": np.full((3, 16, 16), np.nan)}, "NaN"),
        ({"images": np.full((3, 16, 16), 300)}, r"0\.\.255"),
        ({"images": np.full((3, 16, 16), "a")}, "must be numbers"),
        ({"images": np.zeros((3, 0, 16))}, "0x16 pixels"),
        ({"images": np.zeros((3, 16, 16)), "factors": [1, 2, 1e300]}, "beyond 2"),
        ({"images": np.zeros((3, 16, 16)), "factors": [1, 2]}, "a row for each of the 3 images"),
        ({"images": np.zeros((3, 16, 16)), "factors": [1, 2, np.inf]}, "NaN or infinite"),
        (
            {"images": np.zeros((3, 16, 16)), "factors": [1, 2, 3], "factor_names": ["a", "b"]},
            "2 names for 1",
        ),
    ],
)
def test_wrong_npz(tmp_path: Path, arrays: dict, message: str) -> None:
    np.savez(tmp_path / "a.npz", **arrays)
    with pytest.raises(BadInput, match=message):
        load_dataset(tmp_path / "a.npz")


def test_wrong_pixel_range(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", images=np.full((3, 16, 16), 5.0))
    np.savez(tmp_path / "flat.npz", images=np.full((3, 16, 16), -1.0))
    with pytest.raises(BadInput, match="no pixel is above -1"):
        load_dataset(tmp_path / "flat.npz")
    for wrong, message in (
        ([0, float("inf")], "finite"),
        ([0, 4], "outside"),
        ([4, 0], "smaller"),
        (4, "two numbers"),
        (["a", 2], "two numbers"),
    ):
        with pytest.raises(BadInput, match=message):
            load_dataset(tmp_path / "a.npz", pixel_range=wrong)
    with pytest.raises(BadInput, match="did you mean 'pixel_range'"):
        load_dataset(tmp_path / "a.npz", pixel_rnge=[0, 4])


def test_wrong_folders(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(BadInput, match=r"holds no \.png"):
        load_dataset(tmp_path / "empty")
    mixed = folder_of(tmp_path / "mixed")
    Image.new("RGB", (30, 30)).save(mixed / "9.png")
    with pytest.raises(BadInput, match=r"mixed sizes: 0\.png is 20x24, 9\.png is 30x30"):
        load_dataset(mixed)
    cut = folder_of(tmp_path / "cut")
    (cut / "2.png").write_bytes((cut / "2.png").read_bytes()[:200])
    with pytest.raises(BadInput, match=r"2\.png cannot be read as an image"):
        load_dataset(cut)
    junk = folder_of(tmp_path / "junk")
    (junk / "2.png").write_bytes(b"junk")
    with pytest.raises(BadInput, match=r"2\.png cannot be read as an image"):
        load_dataset(junk)
    deep = folder_of(tmp_path / "deep")
    Image.fromarray(np.zeros((24, 20), np.uint16)).save(deep / "2.png")
    with pytest.raises(BadInput, match="8 bits"):
        load_dataset(deep)


def test_clutter_is_passed_over(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "a", n=3)
    (folder / "._0.png").write_bytes(b"junk")
    (folder / ".thumbnails").mkdir()
    Image.new("RGB", (5, 5)).save(folder / ".thumbnails" / "0.png")
    (folder / "x.png").mkdir()
    (folder / "LABELS.CSV").write_text("file,a\n0.png,1\n1.png,2\n2.png,10\n")
    data = load_dataset(folder)
    np.testing.assert_array_equal(data.labels(np.arange(3)), [[1], [2], [10]])


def test_transparent_images_are_laid_on_white_and_it_says_so(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    glyph = np.zeros((16, 16, 4), np.uint8)
    glyph[4:8, :, 3] = 255
    for i in range(2):
        Image.fromarray(glyph).save(tmp_path / "a" / f"{i}.png")
    data = load_dataset(tmp_path / "a")
    assert "transparent pixels are laid on white" in data.note
    assert data.images(np.array([0]))[0, :, :4].min() == 255
    assert data.images(np.array([0]))[0, :, 4:8].max() == 0


def test_a_change_anywhere_changes_the_fingerprint() -> None:
    images = RNG.integers(256, size=(600, 16, 16), dtype=np.uint8)
    labels = np.arange(600) % 7
    before = ArrayImages(images, labels).fingerprint()
    assert ArrayImages(images.copy(), labels.copy()).fingerprint() == before
    images[3, 2, 1] ^= 1
    assert ArrayImages(images, labels).fingerprint() != before
    images[3, 2, 1] ^= 1
    labels[3] += 1
    assert ArrayImages(images, labels).fingerprint() != before


def test_wrong_label_files(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "a", n=2)
    table = folder / "labels.csv"
    for text, message in (
        ("file,a\n0.png,1\n", r"no line for '1\.png'"),
        ("file\n0.png\n", "needs a header"),
        ("file,a\n0.png,1\n1.png,2\n0.png,7\n", r"labels '0\.png' twice"),
        ("file,a\n0.png,1\n1.png,\n", "line 3: no value for 'a'"),
        ("file,a\n0.png,1\n1.png,red\n", "'red' is not a number"),
    ):
        table.write_text(text)
        with pytest.raises(BadInput, match=message):
            load_dataset(folder)
    (folder / "more.csv").write_text("")
    with pytest.raises(BadInput, match=r"2 \.csv files"):
        load_dataset(folder)


def test_names_and_paths_that_do_not_exist(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="did you mean 'dsprites'"):
        load_dataset("dsprits")
    (tmp_path / "a.txt").write_text("")
    with pytest.raises(BadInput, match=r"neither a folder of images, nor an \.npz"):
        load_dataset(tmp_path / "a.txt")
