"""A run: encode, decode, load again, on data of one's own."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

import distaff
from distaff.datasets import ArrayImages
from distaff.errors import BadInput
from distaff.files import read_json, write_json


def test_encode_and_decode(trained: Path) -> None:
    run = distaff.load_run(trained)
    images = run.data.images(np.arange(700))
    codes = run.encode(images)
    assert codes.mean.shape == codes.logvar.shape == codes.sample.shape == (700, 10)
    assert codes.mean.dtype == np.float32
    np.testing.assert_allclose(run.encode(images[300:310]).mean, codes.mean[300:310], atol=1e-5)
    np.testing.assert_array_equal(run.encode(images, seed=3).sample, run.encode(images, seed=3).sample)
    spread = (codes.sample - codes.mean) / np.exp(codes.logvar / 2)
    assert spread.std() == pytest.approx(1, abs=0.05)
    decoded = run.decode(codes.mean[:5])
    assert decoded.shape == (5, 1, 16, 16)
    assert 0 <= decoded.min() <= decoded.max() <= 1
    resemblance = np.corrcoef(run.decode(codes.mean).ravel(), images.ravel())[0, 1]
    assert resemblance > 0.3  # it has learned where the sprites are


def test_it_encodes_where_it_was_trained_or_is_told(
    trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(trained, tmp_path / "a")
    config = read_json(tmp_path / "a" / "config.json")
    write_json(tmp_path / "a" / "config.json", config | {"device": "cuda"})
    assert distaff.load_run(tmp_path / "a").device.type == "cpu"
    with pytest.raises(BadInput, match="device 'cuda' is not available"):
        _ = distaff.load_run(tmp_path / "a", device="cuda").device
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr("torch.cuda.device_count", lambda: 1)
    assert distaff.load_run(tmp_path / "a").device.type == "cuda"
    told = distaff.load_run(tmp_path / "a", device=torch.device("cpu"))
    assert told.encode(told.data.images(np.arange(3))).mean.shape == (3, 10)


def test_wrong_images(trained: Path) -> None:
    with pytest.raises(BadInput, match="images must be"):
        distaff.load_run(trained).encode(np.zeros((2, 1, 32, 32), np.uint8))


def test_images_that_are_not_as_the_data_sets(tmp_path: Path, trained: Path) -> None:
    shapes = np.random.default_rng(0).random((40, 16, 16)) < 0.5
    of_bytes = distaff.train("vae", shapes, steps=3, out=tmp_path / "a", show=False)
    given = of_bytes.data.images(np.arange(40))
    expected = of_bytes.encode(given).mean
    np.testing.assert_array_equal(of_bytes.encode(shapes[:, None]).mean, expected)
    np.testing.assert_array_equal(of_bytes.encode(torch.from_numpy(given)).mean, expected)
    for dark in (shapes[:, None].astype(np.uint8), shapes[:, None].astype(np.float32)):
        with pytest.warns(UserWarning, match=r"brightest pixel is 1 of 255.*images \* 255"):
            of_bytes.encode(dark)
    with pytest.raises(BadInput, match="images must be numbers, got <U"):
        of_bytes.encode(np.full((2, 1, 16, 16), "a"))
    with pytest.raises(BadInput, match="images hold NaN"):
        of_bytes.encode(np.full((2, 1, 16, 16), np.nan))
    of_floats = distaff.train("vae", shapes * 0.5, steps=3, out=tmp_path / "b", show=False)
    noisy = of_floats.data.images(np.arange(40)) + np.float32(0.8)
    assert of_floats.encode(noisy).mean.shape == (40, 10)
    with pytest.raises(BadInput, match="pixels run from 0 to 255, where 0 is black and 1 is white"):
        of_floats.encode(given)
    with pytest.raises(BadInput, match="codes hold NaN"):
        of_floats.decode(np.full((2, 10), np.nan))
    with pytest.raises(BadInput, match="codes must be numbers"):
        of_floats.decode([["a"] * 10])


def test_data_that_moved_is_found_by_training_again(tmp_path: Path) -> None:
    images = np.random.default_rng(0).integers(256, size=(40, 16, 16))
    np.savez(tmp_path / "mine.npz", images=images)
    distaff.train("vae", tmp_path / "mine.npz", steps=2, out=tmp_path / "a", show=False)
    (tmp_path / "mine.npz").rename(tmp_path / "moved.npz")
    with pytest.raises(BadInput, match="is not there any more; where the same data lie elsewhere"):
        _ = distaff.load_run(tmp_path / "a").data
    weights = (tmp_path / "a" / "model.safetensors").read_bytes()
    distaff.train("vae", tmp_path / "moved.npz", steps=2, out=tmp_path / "a", show=False)
    assert (tmp_path / "a" / "model.safetensors").read_bytes() == weights
    assert len(distaff.load_run(tmp_path / "a").data) == 40
    np.savez(tmp_path / "other.npz", images=images[::-1])
    with pytest.raises(BadInput, match=r"was made with other images or labels than .*other\.npz has"):
        distaff.train("vae", tmp_path / "other.npz", steps=2, out=tmp_path / "a", show=False)


def test_data_made_by_hand_is_passed_again(tmp_path: Path) -> None:
    data = ArrayImages(np.random.default_rng(0).random((40, 8, 8)))
    distaff.train("vae", data, steps=3, out=tmp_path / "a", show=False)
    with pytest.raises(BadInput, match="pass it as data="):
        _ = distaff.load_run(tmp_path / "a").data
    assert distaff.load_run(tmp_path / "a", data=data).data is data
    other = ArrayImages(np.random.default_rng(1).random((40, 8, 8)))
    with pytest.raises(BadInput, match="is not the one"):
        _ = distaff.load_run(tmp_path / "a", data=other).data


def test_a_path_is_found_from_another_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    np.savez(tmp_path / "mine.npz", images=np.random.default_rng(0).random((40, 16, 16)))
    monkeypatch.chdir(tmp_path)
    distaff.train("vae", "mine.npz", steps=3, out="a", show=False)
    monkeypatch.chdir("/")
    assert len(distaff.load_run(tmp_path / "a").data) == 40


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("method", "os:system"),
        ("method", 3),
        ("settings", {"beat": 1}),
        ("settings", []),
        ("dataset", {"name": "dsprites"}),
        ("steps", "many"),
        ("format", 99),
    ],
)
def test_hostile_configs(tmp_path: Path, trained: Path, key: str, value: object) -> None:
    shutil.copytree(trained, tmp_path / "a")
    config = json.loads((trained / "config.json").read_text())
    (tmp_path / "a" / "config.json").write_text(json.dumps(config | {key: value}))
    with pytest.raises(BadInput):
        distaff.load_run(tmp_path / "a")


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"steps": "many"}, r"Expected `int`, got `str` - at `\$\.steps`"),
        ({"threads": 0}, r"Expected `int` >= 1 - at `\$\.threads`"),
        ({"seed": 10**400}, r"Expected `int` <= \d+ - at `\$\.seed`"),
        ({"dataset": {}}, r"missing required field `name` - at `\$\.dataset`"),
        ({"format": 99}, r"has format 99; this version reads format 2"),
    ],
)
def test_a_damaged_config_is_one_line(tmp_path: Path, trained: Path, changed: dict, message: str) -> None:
    config = json.loads((trained / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps(config | changed))
    with pytest.raises(BadInput, match=rf"config\.json .*{message}"):
        distaff.load_run(tmp_path)


def test_a_run_from_before_a_setting_goes_on(tmp_path: Path, trained: Path) -> None:
    shutil.copytree(trained, tmp_path / "a")
    config = json.loads((trained / "config.json").read_text())
    for later in ("reconstruction_weight", "sigma"):
        assert config["settings"].pop(later) == 1
    config["of a newer version"] = {}
    (tmp_path / "a" / "config.json").write_text(json.dumps(config))
    run = distaff.load_run(tmp_path / "a")
    more = {"beta": 1.0, "learning_rate": 1e-3, "steps": 310, "threads": 1, "show": False}
    distaff.train("beta_vae", run.data, out=tmp_path / "a", **more)
    assert distaff.load_run(tmp_path / "a").config.settings["sigma"] == 1
    assert distaff.load_run(tmp_path / "a").history()[-1]["step"] == 310
    with pytest.raises(BadInput, match=r"settings\.reconstruction_weight=1\.0, not 4\.0"):
        distaff.train("beta_vae", run.data, out=tmp_path / "a", reconstruction_weight=4, **more)


def test_not_a_run_folder(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="not a run folder"):
        distaff.load_run(tmp_path)


def test_numbers_of_numpy_are_numbers(tmp_path: Path) -> None:
    write_json(tmp_path / "file.json", {"beta": np.float64(0.5), "steps": np.int64(3), "labels": (1, 2)})
    assert read_json(tmp_path / "file.json") == {"beta": 0.5, "steps": 3, "labels": [1, 2]}


def test_a_config_of_another_format_says_so_first(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"format": 3, "method": "vae"}')
    with pytest.raises(BadInput, match="has format 3; this version reads format 2"):
        distaff.load_run(tmp_path)


def test_a_run_without_symbols_says_so(tmp_path: Path) -> None:
    data = distaff.load_dataset("dsprites", resolution=16, x=4, y=4, orientation=1)
    run = distaff.train("beta_vae", data, steps=1, out=tmp_path / "run", show=False)
    with pytest.raises(BadInput, match="is a run of beta_vae, which knows no symbols"):
        run.encode_symbols(np.zeros((2, 3)))
    with pytest.raises(BadInput, match="BetaVAE has no symbols: its codes cannot be turned into words"):
        run.decode_symbols(np.zeros((2, 10)))
