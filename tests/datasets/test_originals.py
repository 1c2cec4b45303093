"""Readers of published files, on small files written here in the published format, and on damaged ones."""

import gzip
import os
import pickle
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy.io import savemat

from distaff.datasets import cars3d, celeba, load_dataset, mpi3d, smallnorb
from distaff.datasets.originals import map_npz
from distaff.datasets.squares import squares
from distaff.errors import BadInput
from distaff.factors import FactorSpace
from distaff.testing import check_dataset

RNG = np.random.default_rng(0)


# MPI3D: an .npz with `images`, uint8, in grid order


def small_mpi3d(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mpi3d, "REST", (2, 1, 2, 2, 2))


@pytest.mark.parametrize("kinds", [4, 6])
@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_mpi3d(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kinds: int, save) -> None:
    small_mpi3d(monkeypatch)
    images = RNG.integers(256, size=(kinds * kinds * 16, 64, 64, 3), dtype=np.uint8)
    save(tmp_path / "mpi3d_toy.npz", images=images)
    data = load_dataset("mpi3d_toy", data_dir=tmp_path)
    assert data.factors.sizes == (kinds, kinds, 2, 1, 2, 2, 2)
    assert data.source == "file mpi3d_toy.npz"
    index = np.array([3, 0, len(images) - 1, 3])
    np.testing.assert_array_equal(data.images(index), images[index].transpose(0, 3, 1, 2))
    cached = (tmp_path / "mpi3d_toy.images.npy").exists()
    assert cached == (save is np.savez_compressed), "an uncompressed archive is mapped where it lies"
    small = load_dataset("mpi3d_toy", data_dir=tmp_path, resolution=32)
    mean = images[:4].reshape(4, 32, 2, 32, 2, 3).mean(axis=(2, 4)).transpose(0, 3, 1, 2)
    assert np.abs(small.images(np.arange(4)) - mean).max() <= 0.5


def test_mpi3d_says_what_is_wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(BadInput, match=r"mpi3d_real needs mpi3d_real\.npz .* no data folder was given"):
        load_dataset("mpi3d_real")
    with pytest.raises(BadInput, match="holds none; the file is published at https"):
        load_dataset("mpi3d_real", data_dir=tmp_path)
    path = tmp_path / "mpi3d_real.npz"
    path.write_bytes(b"not an archive")
    with pytest.raises(BadInput, match=r"damaged or no \.npz file"):
        load_dataset("mpi3d_real", data_dir=tmp_path)
    np.savez(path, images=np.zeros((5, 64, 64, 3), np.uint8))
    with pytest.raises(
        BadInput, match=r"images must be uint8 \(460800 or 1036800, 64, 64, 3\), got uint8 \(5,"
    ):
        load_dataset("mpi3d_real", data_dir=tmp_path)
    np.savez(path, pictures=np.zeros(5))
    with pytest.raises(BadInput, match="no array 'images'; it holds: pictures"):
        load_dataset("mpi3d_real", data_dir=tmp_path)


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_archives_that_are_cut_short_or_pickled(tmp_path: Path, compression: int) -> None:
    header = (
        b"\x93NUMPY\x01\x00v\x00{'descr': '|u1', 'fortran_order': False, 'shape': (9, 9), }".ljust(127)
        + b"\n"
    )
    with zipfile.ZipFile(tmp_path / "short.npz", "w", compression) as archive:
        archive.writestr("images.npy", header + bytes(40))
    with pytest.raises(BadInput, match="cut short"):
        map_npz(tmp_path / "short.npz", "images", tmp_path / "cache.npy")
    bomb = header.replace(b"'|u1'", b"'|O' ") + pickle.dumps(print)
    with zipfile.ZipFile(tmp_path / "bomb.npz", "w", compression) as archive:
        archive.writestr("images.npy", bomb)
    with pytest.raises(BadInput, match="pickled objects, which are never loaded"):
        map_npz(tmp_path / "bomb.npz", "images", tmp_path / "cache.npy")
    assert not (tmp_path / "cache.npy").exists()


# Cars3D: 183 MATLAB files with `im` (height, width, channel, azimuth, elevation)


def write_cars(folder: Path, names: list[str]) -> None:
    folder.mkdir(exist_ok=True)
    for number, name in enumerate(names):
        im = np.zeros((128, 128, 3, 24, 4), dtype=np.uint8)
        im[:, :, 0] = 10 * number
        im[:, :, 1] = np.arange(24)[:, None]
        im[:, :, 2] = np.arange(4)
        im[:16, :, 2] = 200  # a bar on top, so that height and width are not confused
        savemat(folder / name, {"im": im}, do_compression=True)


def test_cars3d(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cars3d, "FILES", 3)
    monkeypatch.setattr(cars3d.Cars3D, "factors", FactorSpace(("elevation", "azimuth", "object"), (4, 24, 3)))
    write_cars(tmp_path / "cars", ["car_b.mat", "car_a.mat", "car_c.mat"])  # written in another order
    data = load_dataset("cars3d", data_dir=tmp_path)
    check_dataset(data)
    rows = np.array([[0, 0, 0], [3, 23, 2], [1, 5, 1]])
    images = data.images(data.factors.index(rows))
    assert (images[:, 2, 2, :] > 150).all(), "the bar lies on top"
    pixels = images[:, :, 32, 32]
    written = [10, 0, 20]  # a was written second
    np.testing.assert_array_equal(pixels, [[written[r[2]], r[1], r[0]] for r in rows])
    assert (tmp_path / "cars3d.images.npy").exists()
    assert load_dataset("cars3d", data_dir=tmp_path).fingerprint() == data.fingerprint()
    savemat(tmp_path / "cars" / "car_c.mat", {"im": np.zeros((9, 9))})
    (tmp_path / "cars3d.images.npy").unlink()
    with pytest.raises(BadInput, match=r"car_c.mat: im must be uint8 \(128, 128, 3, 24, 4\), got float64"):
        load_dataset("cars3d", data_dir=tmp_path)
    (tmp_path / "cars" / "car_c.mat").write_bytes(b"MATLAB 5.0 no")
    with pytest.raises(BadInput, match=r"car_c\.mat cannot be read as a MATLAB file"):
        load_dataset("cars3d", data_dir=tmp_path)
    (tmp_path / "cars" / "car_c.mat").unlink()
    with pytest.raises(BadInput, match=r"holds 2 \.mat files; Cars3D has 3"):
        load_dataset("cars3d", data_dir=tmp_path)


# SmallNORB: magic number, dimensions, at least three sizes, little-endian numbers


def norb(magic: int, array: np.ndarray) -> bytes:
    sizes = [*array.shape, 1, 1][: max(3, array.ndim)]
    return struct.pack(f"<ii{len(sizes)}i", magic, array.ndim, *sizes) + array.tobytes()


def write_norb(folder: Path) -> dict[tuple[int, ...], int]:
    """Both chunks with 2 categories, 2 + 2 instances, 2 elevations, 2 azimuths, 1 light; shades differ."""
    brightness = {}
    for chunk, instances in zip(smallnorb.CHUNKS, ((1, 3), (0, 2)), strict=True):
        rows = [(c, i, e, a, 0) for e in (1, 0) for c in (0, 1) for a in (0, 1) for i in instances]
        images = np.zeros((len(rows), 2, 96, 96), dtype=np.uint8)
        for place, row in enumerate(rows):
            brightness[row] = len(brightness) * 7 + 5
            images[place, 0] = brightness[row]
            images[place, 1] = 255  # the right camera is not used
        info = np.array([(i, e, 2 * a, light) for _, i, e, a, light in rows], dtype="<i4")
        categories = np.array([row[0] for row in rows], dtype="<i4")
        (folder / f"{chunk}-dat.mat").write_bytes(norb(507333717, images))
        (folder / f"{chunk}-cat.mat").write_bytes(norb(507333716, categories))
        (folder / f"{chunk}-info.mat").write_bytes(norb(507333716, info))
    return brightness


def test_smallnorb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    space = FactorSpace(smallnorb.SmallNORB.factors.names, (2, 4, 2, 2, 1))
    monkeypatch.setattr(smallnorb.SmallNORB, "factors", space)
    brightness = write_norb(tmp_path)
    data = load_dataset("smallnorb", data_dir=tmp_path)
    assert data.label_names == ("category", "elevation", "azimuth", "lighting")
    assert data.factors is None, "the hidden instance leaves no grid"
    assert "hidden: instance" in data.note
    check_dataset(data)
    seen = load_dataset("smallnorb", data_dir=tmp_path, hide=[])
    for row, value in brightness.items():
        image = seen.images(space.index(np.array([row])))
        assert (image == value).all(), row
        np.testing.assert_array_equal(seen.labels(space.index(np.array([row])))[0], row)
    assert seen.images(np.arange(4)).shape == (4, 1, 64, 64)


def test_smallnorb_is_cut_to_pixels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lanczos' filter overshoots beside edges; the original's 8-bit values must not wrap around."""
    sharp = np.zeros((96, 96), np.uint8)
    sharp[:, 48:] = 255
    small = squares(sharp[None, None], 0, 255, 64)[0, 0]
    assert small[:, :28].max() == 0
    assert small[:, 36:].min() == 255


def test_squares_are_what_pillow_makes_of_whole_pictures() -> None:
    """Cars and toys are made smaller channel by channel, to the bytes of the picture made smaller at once."""
    picture = np.random.default_rng(0).integers(256, size=(128, 128, 3), dtype=np.uint8)
    whole = np.asarray(Image.fromarray(picture).resize((64, 64), Image.Resampling.LANCZOS))
    small = squares(picture.transpose(2, 0, 1)[None], 0, 255, 64)[0]
    np.testing.assert_array_equal(small, whole.transpose(2, 0, 1))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "no NORB file: magic number 0"),
        (struct.pack("<iiiii", 12345, 3, 1, 1, 1), "no NORB file: magic number 12345"),
        (struct.pack(">iiiii", 507333717, 3, 1, 1, 1), "no NORB file"),
        (struct.pack("<ii", 507333717, 4), "is cut short"),
        (struct.pack("<iiiii", 507333717, 3, 2, 2, 2) + bytes(7), "which does not fit its sizes"),
        (struct.pack("<iiiii", 507333717, 3, 2, 2, 2) + bytes(9), "which does not fit its sizes"),
        (struct.pack("<iiiii", 507333717, 3, -2, -2, 2) + bytes(8), "which does not fit its sizes"),
        (struct.pack("<iiiiii", 507333717, 4, *[2**16] * 4), "which does not fit its sizes"),
    ],
)
def test_damaged_norb_files(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "x.mat").write_bytes(content)
    with pytest.raises(BadInput, match=message):
        smallnorb.read_norb(tmp_path / "x.mat")


def test_smallnorb_files_that_do_not_fit_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_norb(tmp_path)
    with pytest.raises(BadInput, match="do not hold each of the 48600 combinations once"):
        load_dataset("smallnorb", data_dir=tmp_path)
    (tmp_path / f"{smallnorb.CHUNKS[1]}-info.mat").unlink()
    with pytest.raises(BadInput, match=r"testing-info\.mat does not exist"):
        load_dataset("smallnorb", data_dir=tmp_path)


# IDX: two zero bytes, 8, the number of dimensions, big-endian sizes, bytes


def idx(array: np.ndarray) -> bytes:
    return bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()


@pytest.mark.parametrize("zipped", [False, True])
def test_idx(tmp_path: Path, zipped: bool) -> None:
    images, labels = (
        RNG.integers(256, size=(30, 28, 28), dtype=np.uint8),
        RNG.integers(10, size=30, dtype=np.uint8),
    )
    end = ".gz" if zipped else ""
    pack = gzip.compress if zipped else bytes
    path = tmp_path / f"train-images-idx3-ubyte{end}"
    path.write_bytes(pack(idx(images)))
    assert load_dataset(path).labels(np.arange(3)) is None
    (tmp_path / f"train-labels-idx1-ubyte{end}").write_bytes(pack(idx(labels)))
    data = load_dataset(path)
    check_dataset(data)
    assert data.name == "train"
    np.testing.assert_array_equal(data.images(np.arange(30))[:, 0], images)
    np.testing.assert_array_equal(data.labels(np.arange(30))[:, 0], labels)
    (tmp_path / f"train-labels-idx1-ubyte{end}").write_bytes(pack(idx(labels[:9])))
    with pytest.raises(BadInput, match="holds 30 images, and the labels beside it are 9"):
        load_dataset(path)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("images-idx3-ubyte", b"\0\0\x08\x01\0\0\0\x01x", "no IDX file of bytes with 3 dimensions"),
        ("images-idx3-ubyte", b"\0\0\x0d\x03" + bytes(12), "no IDX file of bytes with 3 dimensions"),
        ("images-idx3-ubyte", b"\0\0\x08\x03\0\0", "is cut short"),
        (
            "images-idx3-ubyte",
            b"\0\0\x08\x03" + struct.pack(">3I", 2, 20, 20) + bytes(9),
            "does not fit its sizes",
        ),
        ("images-idx3-ubyte.gz", b"no gzip", "cannot be unpacked"),
    ],
)
def test_damaged_idx_files(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(BadInput, match=message):
        load_dataset(tmp_path / name)


# SVHN: a MATLAB file with X (32, 32, 3, n) and y (n, 1), 10 for the digit 0


def test_svhn(tmp_path: Path) -> None:
    x = RNG.integers(256, size=(32, 32, 3, 20), dtype=np.uint8)
    y = RNG.integers(1, 11, size=(20, 1), dtype=np.uint8)
    savemat(tmp_path / "test_32x32.mat", {"X": x, "y": y})
    data = load_dataset("svhn", data_dir=tmp_path, split="test")
    check_dataset(data)
    np.testing.assert_array_equal(data.images(np.array([7]))[0], x[..., 7].transpose(2, 0, 1))
    np.testing.assert_array_equal(data.labels(np.arange(20)), y % 10)
    with pytest.raises(BadInput, match=r"svhn needs train_32x32\.mat"):
        load_dataset("svhn", data_dir=tmp_path)
    savemat(tmp_path / "test_32x32.mat", {"X": x[:9], "y": y})
    with pytest.raises(BadInput, match=r"X must be uint8 \(32, 32, 3, n\), got uint8 \(9, 32, 3, 20\)"):
        load_dataset("svhn", data_dir=tmp_path, split="test")
    for wrong in (y[:9], y + 0.5, y * np.nan, y.astype(str)):
        savemat(tmp_path / "test_32x32.mat", {"X": x, "y": wrong})
        with pytest.raises(BadInput, match=r"y must be \(20, 1\)"):
            load_dataset("svhn", data_dir=tmp_path, split="test")
    savemat(tmp_path / "test_32x32.mat", {"X": x[..., :1], "y": y[:1]})
    with pytest.raises(BadInput, match="at least 2 images are needed, got 1"):
        load_dataset("svhn", data_dir=tmp_path, split="test")


# CelebA: 178x218 JPEG files and a list of attributes


def write_celeba(folder: Path, size: tuple[int, int] = (178, 218)) -> None:
    (folder / "img_align_celeba").mkdir(exist_ok=True)
    lines = ["3", "Bald Smiling "]
    for number, values in enumerate(("-1  1", " 1 -1", " 1  1"), start=1):
        photograph = Image.new("RGB", size, (60 * number, 0, 0))
        photograph.paste((0, 255, 0), (0, 0, size[0], 38))  # above the face
        photograph.save(folder / "img_align_celeba" / f"00000{number}.jpg")
        lines.append(f"00000{number}.jpg {values}")
    (folder / "list_attr_celeba.txt").write_text("\n".join(lines) + "\n")


def test_celeba(tmp_path: Path) -> None:
    write_celeba(tmp_path)
    data = load_dataset("celeba", data_dir=tmp_path)
    assert data.label_names == ("Bald", "Smiling")
    np.testing.assert_array_equal(data.labels(np.arange(3)), [[0, 1], [1, 0], [1, 1]])
    red = data.images(np.arange(3))[:, 0].mean(axis=(1, 2))
    np.testing.assert_allclose(red, [60, 120, 180], atol=2)
    assert data.images(np.arange(3))[:, 1].max() < 60, "what lies above the face is cut off"
    assert (tmp_path / "celeba.images.npy").exists()
    check_dataset(data)


def test_a_cache_is_made_again_for_another_file_even_an_older_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_mpi3d(monkeypatch)
    path = tmp_path / "mpi3d_toy.npz"
    for value, date in ((7, 2_000_000_000), (99, 1_500_000_000)):
        np.savez_compressed(path, images=np.full((256, 64, 64, 3), value, np.uint8))
        os.utime(path, (date, date))
        assert (load_dataset("mpi3d_toy", data_dir=tmp_path).images(np.arange(2)) == value).all()
    (tmp_path / "mpi3d_toy.images.npy").write_bytes(b"")
    with pytest.raises(BadInput, match=r"mpi3d_toy\.images\.npy is damaged: .*; remove it"):
        load_dataset("mpi3d_toy", data_dir=tmp_path)


def test_celeba_says_what_is_wrong(tmp_path: Path) -> None:
    write_celeba(tmp_path, (100, 100))
    with pytest.raises(BadInput, match=r"000001\.jpg has 100x100 pixels; aligned ones have 178x218"):
        load_dataset("celeba", data_dir=tmp_path)
    assert not (tmp_path / "celeba.images.npy").exists(), "half a cache must not stay"
    for text, message in (
        ("three\nBald\n", "is no attribute list"),
        ("2\nBald\na.jpg 1\n", "announces 2 images and lists 1"),
        ("2\nBald Smiling\na.jpg 1\nb.jpg 1\n", "line 3: a file name and 2 values"),
        ("2\nBald\na.jpg 0\nb.jpg 1\n", "line 3: a file name and 1 values of -1 or 1"),
        ("0\nBald\n", "at least 2 images"),
        ("2\nBald Bald\na.jpg 1 1\nb.jpg 1 1\n", "attributes of different names"),
    ):
        (tmp_path / "list_attr_celeba.txt").write_text(text)
        with pytest.raises(BadInput, match=message):
            celeba.read_attributes(tmp_path / "list_attr_celeba.txt")
