"""Published originals given by their path are recognised by what they hold."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from distaff.datasets import dsprites, load_dataset, mpi3d, shapes3d
from distaff.errors import BadInput
from distaff.factors import FactorSpace
from distaff.testing import check_dataset

RNG = np.random.default_rng(0)
SIZES = {dsprites.DSprites: (3, 2, 2, 2, 2), shapes3d.Shapes3D: (2, 2, 2, 1, 1, 2)}


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    for kind, sizes in SIZES.items():
        monkeypatch.setattr(kind, "factors", FactorSpace(kind.factors.names, sizes))
    monkeypatch.setattr(mpi3d, "REST", (2, 1, 2, 2, 2))


def save_sprites(path: Path, n: int = 48, **more: Any) -> np.ndarray:
    imgs = RNG.integers(2, size=(n, 64, 64), dtype=np.uint8)
    classes = np.zeros((n, 6), np.int64)
    pickled = np.array([{"author": "Matthey"}], dtype=object)
    np.savez_compressed(
        path, metadata=pickled, imgs=imgs, latents_classes=classes, latents_values=classes, **more
    )
    return imgs


@pytest.mark.parametrize("name", [dsprites.ORIGINAL, "dsprites.npz", "my sprites.NPZ"])
def test_dsprites(tmp_path: Path, name: str) -> None:
    imgs = save_sprites(tmp_path / "saved.npz")
    path = (tmp_path / "saved.npz").rename(tmp_path / name)
    data = load_dataset(path)
    check_dataset(data)
    assert (data.name, data.source) == ("dsprites", f"file {name}")
    assert data.label_names == ("shape", "scale", "orientation", "x", "y")
    np.testing.assert_array_equal(data.images(np.arange(48))[:, 0], 255 * imgs)
    assert (tmp_path / "dsprites.bits.npy").exists(), "the cache lies beside the file"
    part = load_dataset(path, resolution=32, shape=[0, 2], x=1)
    assert part.image_shape == (1, 32, 32)
    assert part.factors.sizes == (2, 2, 2, 2)
    assert part.spec == {"name": str(path), "options": {"resolution": 32, "shape": [0, 2], "x": 1}}
    assert load_dataset(path, hide=["shape"]).label_names == ("scale", "orientation", "x", "y")


def test_settings_of_a_recognised_file_are_those_of_its_data_set(tmp_path: Path) -> None:
    save_sprites(tmp_path / "a.npz")
    with pytest.raises(BadInput, match="resolution=48 is not allowed; it must be one of: 16, 32, 64"):
        load_dataset(tmp_path / "a.npz", resolution=48)
    for wrong in ("pixel_range", "original", "data_dir_"):
        with pytest.raises(
            BadInput, match=rf"setting of a\.npz '{wrong}'.*Allowed: resolution, shape, scale"
        ):
            load_dataset(tmp_path / "a.npz", **{wrong: [0, 1]})
    with pytest.raises(BadInput, match="unknown setting of dsprites 'original'"):
        load_dataset("dsprites", original=str(tmp_path / "a.npz"))


@pytest.mark.parametrize(
    ("more", "n"),
    [({}, 47), ({"factors": np.zeros(48)}, 47)],
)
def test_a_part_of_dsprites_is_ones_own(tmp_path: Path, more: dict[str, Any], n: int) -> None:
    if more:
        more = {"factors": np.arange(n)}
    save_sprites(tmp_path / dsprites.ORIGINAL, n, **more)
    data = load_dataset(tmp_path / dsprites.ORIGINAL)
    assert data.name == dsprites.ORIGINAL.removesuffix(".npz")
    assert "images are taken from 'imgs'" in data.note
    assert "'metadata' is not read, for it holds objects" in data.note
    assert len(data) == n


@pytest.mark.parametrize("options", [{}, {"chunks": (4, 16, 16, 3), "compression": "gzip"}])
@pytest.mark.parametrize("name", ["3dshapes.h5", "shapes.hdf5", "renamed"])
def test_shapes3d(tmp_path: Path, name: str, options: dict[str, Any]) -> None:
    images = RNG.integers(256, size=(16, 64, 64, 3), dtype=np.uint8)
    with h5py.File(tmp_path / name, "w") as file:
        file.create_dataset("images", data=images, **options)
        file["labels"] = np.zeros((16, 6))
    data = load_dataset(tmp_path / name)
    check_dataset(load_dataset(tmp_path / name, scale=1, shape=1))
    assert (data.name, data.source) == ("shapes3d", f"file {name}")
    np.testing.assert_array_equal(data.images(np.arange(16)), images.transpose(0, 3, 1, 2))
    assert load_dataset(tmp_path / name, resolution=16, wall_hue=1).image_shape == (3, 16, 16)


def test_other_hdf5_files(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "mine.h5", "w") as file:
        file["images"] = np.zeros((5, 64, 64, 3), np.uint8)
    with h5py.File(tmp_path / "linked.h5", "w") as file:
        file["images"] = h5py.ExternalLink(str(tmp_path / "full.h5"), "images")
    with h5py.File(tmp_path / "full.h5", "w") as file:
        file["images"] = np.zeros((16, 64, 64, 3), np.uint8)
    for name in ("mine", "linked"):
        with pytest.raises(
            BadInput, match=rf"{name}\.h5: the only HDF5 file of images .*save yours as an \.npz"
        ):
            load_dataset(tmp_path / f"{name}.h5")
    (tmp_path / "cut.h5").write_bytes((tmp_path / "full.h5").read_bytes()[:900])
    with pytest.raises(BadInput, match=r"cut\.h5 cannot be read as HDF5"):
        load_dataset(tmp_path / "cut.h5")


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
@pytest.mark.parametrize(
    ("name", "kinds", "found"),
    [
        ("mpi3d_toy.npz", 6, "mpi3d_toy"),
        ("mpi3d_realistic.npz", 6, "mpi3d_realistic"),
        ("mpi3d_real.npz", 6, "mpi3d_real"),
        ("real3d_complicated_shapes_ordered.npz", 4, "mpi3d_real"),
        ("My_Realistic copy.npz", 6, "mpi3d_realistic"),
        ("robot.npz", 4, "mpi3d_real"),
        ("robot.npz", 6, "mpi3d"),
    ],
)
def test_mpi3d(tmp_path: Path, name: str, kinds: int, found: str, save: Any) -> None:
    images = RNG.integers(256, size=(kinds * kinds * 16, 64, 64, 3), dtype=np.uint8)
    save(tmp_path / name, images=images)
    data = load_dataset(tmp_path / name)
    assert (data.name, data.source, data.factors.sizes[:2]) == (found, f"file {name}", (kinds, kinds))
    index = np.array([5, 0, len(images) - 1])
    np.testing.assert_array_equal(data.images(index), images[index].transpose(0, 3, 1, 2))
    assert (tmp_path / f"{found}.images.npy").exists() == (save is np.savez_compressed)
    part = load_dataset(tmp_path / name, resolution=32, colour=2)
    check_dataset(
        load_dataset(
            tmp_path / name, size=1, camera_height=1, resolution=16, colour=3, shape=[1, 2], background=2
        )
    )
    assert len(part) == len(images) * 2 // kinds


@pytest.mark.parametrize(
    "arrays",
    [
        {"images": np.zeros((255, 64, 64, 3), np.uint8)},
        {"images": np.zeros((256, 64, 64, 3), np.float32)},
        {"images": np.zeros((256, 64, 64, 3), np.uint8), "factors": np.arange(256)},
        {"X": np.zeros((256, 64, 64, 3), np.uint8)},
    ],
)
def test_what_only_looks_like_mpi3d_is_ones_own(tmp_path: Path, arrays: dict[str, Any]) -> None:
    np.savez(tmp_path / "mpi3d_toy.npz", **arrays)
    data = load_dataset(tmp_path / "mpi3d_toy.npz")
    assert "colour" not in data.label_names


def test_damaged_originals_are_refused(tmp_path: Path) -> None:
    save_sprites(tmp_path / "a.npz")
    whole = (tmp_path / "a.npz").read_bytes()
    (tmp_path / "a.npz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(BadInput, match=r"a\.npz cannot be read as \.npz"):
        load_dataset(tmp_path / "a.npz")
    with zipfile.ZipFile(tmp_path / "b.npz", "w") as archive:
        archive.writestr("images.npy", "no array")
    with pytest.raises(BadInput, match=r"b\.npz"):
        load_dataset(tmp_path / "b.npz")


@pytest.mark.parametrize("name", ["x" * 5000, "a\0b", "none.npz", "none.h5"])
def test_paths_that_are_no_files(tmp_path: Path, name: str) -> None:
    with pytest.raises(BadInput, match=r"unknown data set|does not exist|not a file"):
        load_dataset(tmp_path / name)


def test_a_file_that_cannot_be_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save_sprites(tmp_path / "a.npz")

    def refuse(*_: Any, **__: Any) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(BadInput, match=r"a\.npz cannot be read as \.npz: .*Permission denied"):
        load_dataset(tmp_path / "a.npz")
