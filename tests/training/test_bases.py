"""Runs that stand on finished runs: complete without them, resumed to the same bytes, refused where unfit."""

import hashlib
import json
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

import distaff
from distaff import registry
from distaff.batches.batch import Batch, Facts
from distaff.datasets import DataSet
from distaff.errors import BadInput
from distaff.methods.base import Codes, Loss
from distaff.methods.frozen import Frozen, frozen
from distaff.methods.vae import VAE
from distaff.settings import setting
from distaff.training.checkpoint import load_tensors
from distaff.training.folder import DERIVED

SMALL = {"resolution": 16, "x": 4, "y": 4, "orientation": 1}
HOW = {"batch_size": 8, "latents": 3, "threads": 1, "show": False}


@dataclass(frozen=True)
class OnTop(VAE):
    """A VAE of which the codes are asked to be near those of a finished beta-VAE."""

    base: str = setting("none", "a run to be near to", run=("beta_vae",), needed=True)

    def networks(self, facts: Facts, rng: torch.Generator) -> nn.ModuleDict:
        modules = super().networks(facts, rng)
        modules["base"] = frozen(facts.bases["base"])
        return modules

    def loss(self, modules: nn.ModuleDict, batch: Batch, rng: torch.Generator) -> Loss:
        found = super().loss(modules, batch, rng)
        near = (modules["encoder"](batch.images)[:, :3] - base_codes(modules, batch.images)).square().mean()
        return Loss(found.total + near, found.terms | {"near": near})


def base_codes(modules: nn.ModuleDict, images: torch.Tensor) -> torch.Tensor:
    base = modules["base"]
    assert isinstance(base, Frozen)
    codes: Codes = base.encode(images, torch.Generator())
    return codes.mean


@pytest.fixture(autouse=True)
def registered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(registry.TABLES["methods"], "on_top", f"{__name__}:OnTop")


def small_data() -> DataSet:
    return distaff.load_dataset("dsprites", **SMALL)


@pytest.fixture(scope="module")
def bases(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a denoiser `dae` and a beta-VAE `vision` that looks through it."""
    folder = tmp_path_factory.mktemp("bases")
    distaff.train("autoencoder", small_data(), corruption="masking", steps=20, out=folder / "dae", **HOW)
    distaff.train("beta_vae", small_data(), features=folder / "dae", steps=20, out=folder / "vision", **HOW)
    return folder


def on_top(out: Path, base: Path, **changed: object) -> distaff.Run:
    given = HOW | {"steps": 20, "base": base, "data": small_data()} | changed
    return distaff.train("on_top", given.pop("data"), out=out, **given)  # type: ignore[arg-type]


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_run_holds_what_it_stands_on_and_needs_no_other_folder(bases: Path, tmp_path: Path) -> None:
    shutil.copytree(bases, tmp_path / "gone")
    run = on_top(tmp_path / "a", tmp_path / "gone" / "vision")
    images = run.data.images(np.arange(40))
    before = run.encode(images), run.decode(run.encode(images).mean)
    shutil.rmtree(tmp_path / "gone")
    again = distaff.load_run(tmp_path / "a")
    np.testing.assert_array_equal(again.encode(images).mean, before[0].mean)
    np.testing.assert_array_equal(again.decode(before[0].mean), before[1])
    inner = base_codes(again.modules, next(again.batches(images))).numpy()
    np.testing.assert_array_equal(inner, distaff.load_run(bases / "vision").encode(images).mean)


@pytest.mark.parametrize("name", ["model.safetensors", "checkpoint.safetensors"])
def test_what_it_stands_on_does_not_move(bases: Path, tmp_path: Path, name: str) -> None:
    before = {each: files(bases / each) for each in ("dae", "vision")}
    own = load_tensors(on_top(tmp_path / "a", bases / "vision").folder / name)
    prefix = "model/base." if name.startswith("checkpoint") else "base."
    taken = {key.removeprefix(prefix): value for key, value in own.items() if key.startswith(prefix)}
    vision = load_tensors(bases / "vision" / "model.safetensors")
    assert taken.keys() == vision.keys()
    assert all(torch.equal(taken[key], vision[key]) for key in vision)
    dae = load_tensors(bases / "dae" / "model.safetensors")
    assert all(torch.equal(vision[f"features.{key}"], dae[key]) for key in dae)
    assert not [key for key in own if key.startswith("optimiser/") and key.split("/")[2] not in own_numbers()]
    assert {each: files(bases / each) for each in ("dae", "vision")} == before


def own_numbers() -> set[str]:
    """The numbers of the parameters of a VAE that stands on nothing, as its optimiser counts them."""
    plain = registry.get("methods", "vae")(latents=3, batch_size=8)
    modules = plain.state(Facts((1, 16, 16), 10), torch.Generator()).modules
    return {str(number) for number, _ in enumerate(modules.parameters())}


def test_the_config_says_what_it_stands_on(bases: Path, tmp_path: Path) -> None:
    config = json.loads((on_top(tmp_path / "a", bases / "vision").folder / "config.json").read_text())
    vision = config["bases"]["base"]
    digest = hashlib.sha256((bases / "vision" / "model.safetensors").read_bytes()).hexdigest()
    assert (vision["method"], vision["steps"], vision["seed"], vision["sha256"]) == (
        "beta_vae",
        20,
        0,
        digest,
    )
    assert vision["settings"]["latents"] == 3
    assert vision["dataset"] == config["dataset"]
    assert vision["bases"]["features"]["method"] == "autoencoder"
    assert vision["bases"]["features"]["settings"]["corruption"] == "masking"
    assert "bases" not in vision["bases"]["features"]
    assert "bases" not in json.loads((bases / "dae" / "config.json").read_text())


def test_a_base_that_was_moved_is_the_same(bases: Path, tmp_path: Path) -> None:
    first = on_top(tmp_path / "a", bases / "vision")
    whole = on_top(tmp_path / "b", bases / "vision", steps=40)
    shutil.copytree(bases / "vision", tmp_path / "moved")
    longer = on_top(first.folder, tmp_path / "moved", steps=40)
    assert files(longer.folder)["model.safetensors"] == files(whole.folder)["model.safetensors"]


def test_a_base_that_was_trained_further_since_is_an_error(bases: Path, tmp_path: Path) -> None:
    shutil.copytree(bases / "vision", tmp_path / "vision")
    run = on_top(tmp_path / "a", tmp_path / "vision")
    before = files(run.folder)
    distaff.train("beta_vae", small_data(), features=bases / "dae", steps=25, out=tmp_path / "vision", **HOW)
    with pytest.raises(BadInput, match=r"trained further since .*a took it, from 20 to 25 steps; choose"):
        on_top(run.folder, tmp_path / "vision", steps=40)
    assert files(run.folder) == before


def test_another_base_is_an_error(bases: Path, tmp_path: Path) -> None:
    run = on_top(tmp_path / "a", bases / "vision")
    before = files(run.folder)
    distaff.train("beta_vae", small_data(), steps=20, out=tmp_path / "other", **HOW)
    with pytest.raises(BadInput, match=r"a stands on another run than base=.*other; choose another --out"):
        on_top(run.folder, tmp_path / "other")
    assert files(run.folder) == before
    with pytest.raises(BadInput, match=r"was made with settings\.features='.*dae', not 'none'"):
        distaff.train("beta_vae", small_data(), steps=20, out=bases / "vision", **HOW)


def unfinished(folder: Path, bases: Path) -> Path:
    shutil.copytree(bases / "vision", folder)
    (folder / "model.safetensors").unlink()
    return folder


def on_data(**changed: object):
    return lambda folder, bases: (
        distaff.train(
            "beta_vae", distaff.load_dataset("dsprites", **(SMALL | changed)), steps=2, out=folder, **HOW
        ).folder
    )


def with_other_images(folder: Path, bases: Path) -> Path:
    shutil.copytree(bases / "vision", folder)
    config = json.loads((folder / "config.json").read_text())
    config["dataset"]["fingerprint"] = "0" * 16
    (folder / "config.json").write_text(json.dumps(config))
    return folder


def with_other_weights(folder: Path, bases: Path) -> Path:
    shutil.copytree(bases / "vision", folder)
    shutil.copy(bases / "dae" / "model.safetensors", folder)
    return folder


@pytest.mark.parametrize(
    ("base", "message"),
    [
        (lambda folder, bases: folder, "base=.*is not a run folder: it has no config.json"),
        (unfinished, "base=.*is not finished: it has no model.safetensors; train it to its end"),
        (lambda folder, bases: bases / "dae", "dae is a run of autoencoder; it must be a run of beta_vae"),
        (on_data(x=3), "was trained on dsprites orientation=1 resolution=16 x=3 y=4 .*, and this is .* x=4"),
        (on_data(resolution=32), "was trained on .*resolution=32.* of 1x32x32, and this is .* of 1x16x16"),
        (with_other_images, "was trained on other images of dsprites"),
        (with_other_weights, "base=.* cannot be built: these weights do not fit the method"),
        (
            lambda folder, bases: Path("none"),
            "base is missing; give the folder of a finished run of beta_vae",
        ),
    ],
)
def test_what_cannot_be_stood_on_writes_nothing(bases: Path, tmp_path: Path, base, message: str) -> None:
    with pytest.raises(BadInput, match=message) as error:
        on_top(tmp_path / "a", base(tmp_path / "base", bases))
    assert "\n" not in str(error.value)
    assert not (tmp_path / "a").exists()


def test_the_command_line_takes_a_base(bases: Path, tmp_path: Path) -> None:
    command = ["train", "beta_vae", "--dataset", "dsprites", "--steps", "3", "--out", str(tmp_path / "a")]
    for key, value in SMALL.items():
        command += ["--data", f"{key}={value}"]
    command += ["--set", f"features={bases / 'dae'}", "--set", "batch_size=8", "--threads", "1"]
    subprocess.run([sys.executable, "-m", "distaff.cli", *command], check=True, capture_output=True)
    assert distaff.load_run(tmp_path / "a").config.bases["features"].steps == 20


# A process whose checkpoints come every few steps, so that a kill falls between, before and inside them.
KILLED = f"""
import sys, distaff
from distaff.training import train
train.LOG_EVERY, train.CHECKPOINT_SECONDS = 20, 0.0
data = distaff.load_dataset("dsprites", **{SMALL})
distaff.train("beta_vae", data, features=sys.argv[1], steps=400, out=sys.argv[2], **{HOW})
"""


def test_killed_and_run_again_ends_with_the_same_bytes(bases: Path, tmp_path: Path) -> None:
    shutil.copytree(bases / "dae", tmp_path / "dae")
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    command = [sys.executable, "-c", KILLED, str(tmp_path / "dae")]
    subprocess.run([*command, str(whole)], check=True, capture_output=True)
    process = subprocess.Popen([*command, str(broken)], stderr=subprocess.PIPE)
    while process.poll() is None and not (broken / "checkpoint.safetensors").exists():
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert not (broken / "model.safetensors").exists()
    subprocess.run([*command, str(broken)], check=True, capture_output=True)
    for name in ("model.safetensors", "checkpoint.safetensors", "config.json"):
        assert (broken / name).read_bytes() == (whole / name).read_bytes(), name


def test_a_frozen_run_never_trains(bases: Path, tmp_path: Path) -> None:
    run = on_top(tmp_path / "a", bases / "vision", steps=1)
    modules = run.modules.train()
    assert modules["encoder"].training
    assert not any(module.training for module in modules["base"].modules())
    assert not any(parameter.requires_grad for parameter in modules["base"].parameters())
    assert "model.safetensors" in DERIVED  # a longer run loses its model, and so can no longer be stood on
