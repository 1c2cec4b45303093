"""Training: resumed to the same bytes, refused where it would mix settings, safe when the disk is full."""

import errno
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
import torch

import distaff
from distaff import registry
from distaff.datasets import DataSet
from distaff.errors import BadInput, Diverged
from distaff.evaluation import desiderata
from distaff.evaluation.acting import returns as acting
from distaff.evaluation.evaluate import CARDS
from distaff.training import train as training
from distaff.training.checkpoint import load_checkpoint
from distaff.training.lock import only_one

SMALL = {"resolution": 16, "x": 8, "y": 8, "orientation": 1}


def small_data() -> DataSet:
    return distaff.load_dataset("dsprites", **SMALL)


def start(out: Path, **changed) -> distaff.Run:
    settings = {"learning_rate": 1e-3, "steps": 300, "threads": 1, "show": False} | changed
    return distaff.train("beta_vae", changed.pop("data", small_data()), out=out, **settings)


def lines(folder: Path) -> list[dict[str, float]]:
    """The history but for what the clock says."""
    rate = "images_per_second"
    return [{key: line[key] for key in line.keys() - {rate}} for line in distaff.load_run(folder).history()]


def weights(folder: Path) -> bytes:
    return (folder / "model.safetensors").read_bytes()


def test_a_run_folder_holds_what_it_should(trained: Path) -> None:
    assert {p.name for p in trained.iterdir()} >= {
        "config.json", "history.jsonl", "checkpoint.safetensors", "model.safetensors",
    }  # fmt: skip
    config = json.loads((trained / "config.json").read_text())
    assert config["method"] == "beta_vae"
    assert config["settings"]["beta"] == 1.0
    assert config["dataset"]["source"] == "drawn"
    assert config["versions"]["torch"] == str(torch.__version__)
    history = [json.loads(line) for line in (trained / "history.jsonl").read_text().splitlines()]
    assert [line["step"] for line in history] == [100, 200, 300]
    assert history[-1].keys() == {"step", "loss", "reconstruction", "kl", "images_per_second"}
    assert history[-1]["loss"] < history[0]["loss"]


def test_the_same_command_again_returns_at_once_and_changes_nothing(trained: Path) -> None:
    before = {p.name: p.stat().st_mtime_ns for p in trained.iterdir() if p.name != ".lock"}
    run = start(trained, beta=1.0)
    assert run.config.steps == 300
    assert {p.name: p.stat().st_mtime_ns for p in trained.iterdir() if p.name != ".lock"} == before


def test_seed_and_settings_alone_decide_the_bytes(tmp_path: Path, trained: Path) -> None:
    torch.manual_seed(123)  # global state must not matter
    assert weights(start(tmp_path / "a", beta=1.0).folder) == weights(trained)
    assert weights(start(tmp_path / "b", beta=1.0, seed=1).folder) != weights(trained)


def test_extending_equals_training_longer_at_once(tmp_path: Path, trained: Path) -> None:
    shutil.copytree(trained, tmp_path / "a")
    judged = [
        tmp_path / "a" / name for name in (*CARDS.values(), desiderata.FILE, acting.FILE, "report.html")
    ]
    for path in judged:
        path.write_text("{}")
    start(tmp_path / "a", beta=1.0, steps=450)
    start(tmp_path / "b", beta=1.0, steps=450)
    assert weights(tmp_path / "a") == weights(tmp_path / "b")
    assert not any(path.exists() for path in judged)  # they were of the shorter run
    steps = [line["step"] for line in distaff.load_run(tmp_path / "a").history()]
    assert steps == [100, 200, 300, 400, 450]


@pytest.mark.parametrize("damage", [None, b"junk"])
def test_extending_never_gives_up_what_is_finished(
    tmp_path: Path, trained: Path, damage: bytes | None
) -> None:
    shutil.copytree(trained, tmp_path / "a")
    (tmp_path / "a" / "checkpoint.safetensors").unlink()
    if damage:
        (tmp_path / "a" / "checkpoint.safetensors").write_bytes(damage)
    before = {p.name: p.read_bytes() for p in (tmp_path / "a").iterdir()}
    with pytest.raises(BadInput, match="is damaged" if damage else "has lost checkpoint.safetensors"):
        start(tmp_path / "a", beta=1.0, steps=450)
    assert {p.name: p.read_bytes() for p in (tmp_path / "a").iterdir()} == before


def test_a_run_that_diverged_when_extended_may_be_as_it_was(tmp_path: Path) -> None:
    changed = {"learning_rate": "constant:1e-4:1e6:20"}
    before = weights(start(tmp_path / "a", steps=20, **changed).folder)
    with pytest.raises(Diverged):
        start(tmp_path / "a", steps=60, **changed)
    with pytest.raises(BadInput, match="has taken 20 steps already; 10 is fewer"):
        start(tmp_path / "a", steps=10, **changed)
    run = start(tmp_path / "a", steps=20, **changed)
    assert weights(run.folder) == before
    assert distaff.load_run(run.folder).config.steps == 20


def test_a_run_from_before_it_was_extended_says_so(tmp_path: Path) -> None:
    start(tmp_path / "a", steps=2)
    early = distaff.load_run(tmp_path / "a")
    start(tmp_path / "a", steps=4)
    with pytest.raises(BadInput, match="has 4 steps now, and 2 when it was loaded"):
        early.encode(small_data().images(np.arange(3)))


def test_steps_mean_nothing_to_what_is_fitted_at_once(tmp_path: Path) -> None:
    def fitted(steps: int) -> bytes:
        run = distaff.train("pca", small_data(), latents=3, steps=steps, out=tmp_path / "a", show=False)
        return weights(run.folder)

    first = fitted(100)
    (tmp_path / "a" / "report.html").write_text("kept")
    assert fitted(50) == fitted(20_000) == first
    assert (tmp_path / "a" / "report.html").read_text() == "kept"


def test_the_callers_torch_changes_nothing(tmp_path: Path) -> None:
    usual = weights(start(tmp_path / "a", steps=3).folder)
    torch.set_default_dtype(torch.float64)
    try:
        with torch.no_grad():
            inside = start(tmp_path / "b", steps=3)
            codes = inside.encode(small_data().images(np.arange(3)))
    finally:
        torch.set_default_dtype(torch.float32)
    with torch.inference_mode():
        assert weights(start(tmp_path / "c", steps=3).folder) == usual
    assert weights(inside.folder) == usual
    np.testing.assert_array_equal(
        distaff.load_run(tmp_path / "a").encode(small_data().images(np.arange(3))).mean, codes.mean
    )


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"beta": 2.0}, r"settings\.beta=1\.0, not 2\.0"),
        ({"beta": 1.0, "seed": 4}, "seed=0, not 4"),
        ({"beta": 1.0, "threads": 2, "steps": 400}, "threads=1, not 2"),
        ({"beta": 1.0, "steps": 200}, "was asked for 300 steps; 200 is fewer"),
    ],
)
def test_other_settings_are_an_error_and_lose_nothing(trained: Path, changed: dict, message: str) -> None:
    before = {p.name: p.read_bytes() for p in trained.iterdir()}
    with pytest.raises(BadInput, match=message):
        start(trained, **changed)
    assert {p.name: p.read_bytes() for p in trained.iterdir()} == before


def test_a_finished_run_is_found_where_it_could_not_be_made(tmp_path: Path, trained: Path) -> None:
    """As one of another machine's GPU, to say where its data lie now."""
    shutil.copytree(trained, tmp_path / "run")
    config = json.loads((tmp_path / "run" / "config.json").read_text())
    (tmp_path / "run" / "config.json").write_text(json.dumps(config | {"device": "cuda"}))
    assert weights(start(tmp_path / "run", beta=1.0).folder) == weights(trained)


def test_another_data_set_is_an_error(trained: Path) -> None:
    other = distaff.load_dataset("dsprites", **(SMALL | {"x": 4}))
    with pytest.raises(BadInput, match=r"dataset\.factors="):
        distaff.train("beta_vae", other, beta=1.0, learning_rate=1e-3, steps=300, out=trained, threads=1)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"steps": -1}, "steps=-1 is not allowed"),
        ({"seed": -1}, "seed=-1 is not allowed"),
        ({"seed": None}, "seed=None is not allowed"),
        ({"device": None}, "unknown device 'None'"),
        ({"threads": 0}, "threads=0 is not allowed"),
        ({"device": "gpu"}, "unknown device 'gpu'"),
        ({"beta": "a"}, "beta='a' is not allowed"),
    ],
)
def test_bad_input_writes_nothing(tmp_path: Path, arguments: dict, message: str) -> None:
    with pytest.raises(BadInput, match=message):
        start(tmp_path / "a", **arguments)
    assert not (tmp_path / "a").exists()


def test_a_folder_with_other_things_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(BadInput, match="not empty and not a run folder"):
        start(tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.tex"]


# A process whose checkpoints come every few steps, so that a kill falls between, before and inside them.
KILLED = f"""
import sys, distaff
from distaff.training import train
train.LOG_EVERY, train.CHECKPOINT_SECONDS = 20, 0.0
data = distaff.load_dataset("dsprites", **{SMALL})
run = distaff.train("beta_vae", data, beta=1.0, learning_rate=1e-3, steps=600, out=sys.argv[1], threads=1)
card = distaff.evaluate(run, metrics=["mig", "factor_vae_score"], rows=500, values_only=True)
"""


@pytest.mark.parametrize("kills", [3, pytest.param(12, marks=pytest.mark.slow)])
def test_killed_at_random_and_run_again_ends_with_the_same_bytes(tmp_path: Path, kills: int) -> None:
    command = [sys.executable, "-c", KILLED]
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    subprocess.run([*command, str(whole)], check=True, capture_output=True)
    chance = random.Random(time.time_ns())  # any moment must do
    resumed: list[int] = []
    while not (broken / "scores.json").exists():
        process = subprocess.Popen([*command, str(broken)], stderr=subprocess.PIPE, text=True)
        assert process.stderr is not None
        killed = kills > 0
        if killed:
            before = _checkpoint_time(broken)
            while process.poll() is None and _checkpoint_time(broken) == before:
                time.sleep(0.005)  # until training is under way
            time.sleep(chance.uniform(0, 0.6))
            process.send_signal(signal.SIGKILL)
            kills -= 1
        lines = process.communicate(timeout=240)[1]
        assert killed or process.returncode == 0, lines
        resumed += [int(line.split()[-1]) for line in lines.splitlines() if line.startswith("resumed")]
    assert resumed
    assert min(resumed) > 0
    for name in ("model.safetensors", "scores.json", "encoding.npz", "checkpoint.safetensors"):
        assert (broken / name).read_bytes() == (whole / name).read_bytes(), name
    steps = [line["step"] for line in distaff.load_run(broken).history()]
    assert steps == list(range(20, 601, 20))


def _checkpoint_time(folder: Path) -> int:
    try:
        return (folder / "checkpoint.safetensors").stat().st_mtime_ns
    except FileNotFoundError:
        return 0


def test_a_request_to_stop_saves_the_work(tmp_path: Path) -> None:
    begun = tmp_path / "a" / "history.jsonl"

    def stop() -> None:
        while not begun.exists() or not begun.read_text():
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=stop).start()
    with pytest.raises(KeyboardInterrupt, match=r"stopped at step \d+ of 400; run the same command again"):
        start(tmp_path / "a", steps=400)
    assert not (tmp_path / "a" / "model.safetensors").exists()
    start(tmp_path / "a", steps=400)
    start(tmp_path / "b", steps=400)
    assert weights(tmp_path / "a") == weights(tmp_path / "b")
    assert lines(tmp_path / "a") == lines(tmp_path / "b")


def test_a_full_disk_keeps_the_last_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "CHECKPOINT_SECONDS", 0.0)
    write, writes = Path.write_bytes, []

    def fill(path: Path, data: bytes) -> int:
        writes.append(path)
        if len(writes) == 3:
            write(path, data[: len(data) // 2])
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
        return write(path, data)

    monkeypatch.setattr(Path, "write_bytes", fill)
    with pytest.raises(OSError, match="No space left"):
        start(tmp_path / "a", steps=600)
    monkeypatch.undo()
    left = {p.name for p in (tmp_path / "a").iterdir()}
    assert left == {".lock", "config.json", "history.jsonl", "checkpoint.safetensors"}
    assert load_checkpoint(tmp_path / "a" / "checkpoint.safetensors")[1] == 200
    start(tmp_path / "a", steps=600)
    start(tmp_path / "b", steps=600)
    assert weights(tmp_path / "a") == weights(tmp_path / "b")


def test_a_loss_that_is_no_number_stops_the_run(tmp_path: Path) -> None:
    with pytest.raises(Diverged, match=r"became (nan|inf) at step \d+"):
        start(tmp_path / "a", learning_rate=1e6)
    assert not (tmp_path / "a" / "model.safetensors").exists()


def test_one_process_at_a_time(tmp_path: Path) -> None:
    with only_one(tmp_path / "a"), pytest.raises(BadInput, match="in use by another distaff process"):
        start(tmp_path / "a")


@pytest.mark.parametrize("damage", [b"", b"junk", b"\xff" * 100])
@pytest.mark.parametrize("name", ["checkpoint.safetensors", "model.safetensors", "config.json"])
def test_damaged_run_folders(tmp_path: Path, trained: Path, name: str, damage: bytes) -> None:
    shutil.copytree(trained, tmp_path / "a")
    (tmp_path / "a" / name).write_bytes(damage)
    if name == "checkpoint.safetensors":
        (tmp_path / "a" / "model.safetensors").unlink()
    with pytest.raises(BadInput, match=name.replace(".", r"\.")):
        start(tmp_path / "a", beta=1.0).encode(small_data().images(np.arange(3)))


def test_a_checkpoint_of_another_method_does_not_fit(tmp_path: Path, trained: Path) -> None:
    start(tmp_path / "other", latents=4, steps=20)
    shutil.copytree(trained, tmp_path / "a")
    (tmp_path / "a" / "model.safetensors").unlink()
    shutil.copy(tmp_path / "other" / "checkpoint.safetensors", tmp_path / "a")
    with pytest.raises(BadInput, match="do not fit"):
        start(tmp_path / "a", beta=1.0)


DRAWN = [name for name in registry.names("datasets") if not registry.get("datasets", name).places]


def one_by_one(name: str) -> dict[str, int]:
    """A part of a data set's grid with at most two values of each factor, so that it trains at once."""
    factors = registry.get("datasets", name).factors
    return (
        {factor: min(size, 2) for factor, size in zip(factors.names, factors.sizes, strict=True)}
        if factors
        else {}
    )


@pytest.mark.parametrize("name", DRAWN)
def test_every_data_set_that_needs_no_file_trains(name: str, tmp_path: Path) -> None:
    settings = registry.get("datasets", name).__dataclass_fields__
    small = {"resolution": 16} if "resolution" in settings else {}
    data = distaff.load_dataset(name, **small, **one_by_one(name))
    run = distaff.train("beta_vae", data, steps=10, batch_size=8, out=tmp_path / "run", threads=1, show=False)
    assert np.isfinite(run.history()[-1]["loss"])


@pytest.mark.slow
@pytest.mark.parametrize("name", DRAWN)
def test_every_data_set_trains_200_steps_through_the_command_line(name: str, tmp_path: Path) -> None:
    words = ["train", "beta_vae", "--dataset", name, "--steps", "200", "--out", str(tmp_path / "run")]
    more = ["--set", "learning_rate=1e-3", "--threads", "1"]
    command = [sys.executable, "-m", "distaff.cli", *words, *more]
    subprocess.run(command, check=True, capture_output=True, timeout=900)
    losses = [line["loss"] for line in distaff.load_run(tmp_path / "run").history()]
    assert losses[-1] < losses[0]
