"""Runs trained as one into their folders: as alone up to rounding, stopped, resumed, parted and diverged."""

from __future__ import annotations

import json
import signal
import time
from pathlib import Path
from typing import Any

import pytest
from torch import Tensor

import distaff
from distaff import registry
from distaff.datasets import DataSet
from distaff.errors import BadInput, Diverged, Interrupted
from distaff.methods.base import Loss
from distaff.methods.beta_vae import BetaVAE
from distaff.methods.state import State
from distaff.networks import conv
from distaff.training import together
from distaff.training import train as training
from distaff.training.checkpoint import load_checkpoint, load_tensors
from distaff.training.many import Many
from distaff.training.run import Run
from distaff.training.together import train_together
from distaff.training.train import Asked

BETAS = (1.0, 4.0, 8.0)


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Narrow networks, and a line of the history every 5 steps."""
    monkeypatch.setattr(conv, "HIDDEN", 16)
    monkeypatch.setattr(conv, "CHANNELS", (4, 4, 8, 8, 8))
    monkeypatch.setattr(training, "LOG_EVERY", 5)


@pytest.fixture
def data() -> DataSet:
    return distaff.load_dataset("dsprites", resolution=16, x=4, y=4, orientation=2, scale=2)


def method(beta: float, **more: Any) -> BetaVAE:
    return BetaVAE(**{"beta": beta, "latents": 3, "batch_size": 4, "precision": "float64"} | more)


def asked(folder: Path, steps: int = 20, betas: tuple[float, ...] = BETAS, **more: Any) -> list[Asked]:
    return [Asked(method(beta, **more), steps, n, folder / str(n)) for n, beta in enumerate(betas)]


def alone(each: Asked, folder: Path, data: DataSet) -> Run:
    """The same run, trained alone."""
    return distaff.train(
        each.method, data, steps=each.steps, seed=each.seed, out=folder, threads=1, show=False
    )


def distance(one: Path, other: Path) -> float:
    """The largest difference of any finished weight."""
    ours, theirs = (load_tensors(folder / "model.safetensors") for folder in (one, other))
    return max(float((ours[name] - theirs[name]).abs().max()) for name in ours)


def company(folder: Path) -> list[list[int]]:
    found: list[list[int]] = json.loads((folder / "config.json").read_text()).get("together", [])
    return found


def test_each_run_has_the_folder_that_it_has_alone(tmp_path: Path, data: DataSet) -> None:
    runs = asked(tmp_path / "a", 13)
    found = train_together(runs, data, show=False)
    for n, each in enumerate(runs):
        expected = alone(each, tmp_path / "b" / str(n), data)
        assert isinstance(found[n], Run)
        assert distance(each.out, expected.folder) < 1e-9
        assert {path.name for path in each.out.iterdir()} == {path.name for path in expected.folder.iterdir()}
        lines = [json.loads(line) for line in (each.out / "history.jsonl").read_text().splitlines()]
        assert [line["step"] for line in lines] == [5, 10, 13]
        for ours, theirs in zip(lines, expected.history(), strict=True):
            assert ours.keys() == theirs.keys()
            ours["images_per_second"] = theirs["images_per_second"]
            assert ours == pytest.approx(theirs)
        assert company(each.out) == [[0, 13, 3]]
        assert company(expected.folder) == []
        images = data.images(range(4))
        mean, theirs = distaff.load_run(each.out).encode(images).mean, expected.encode(images).mean
        assert mean == pytest.approx(theirs, abs=1e-6)


def test_the_last_run_has_the_history_that_it_has_alone(tmp_path: Path, data: DataSet) -> None:
    first, last = asked(tmp_path, 8, BETAS[:2])
    last = last._replace(steps=13)
    _, found = train_together([first, last], data, show=False)
    assert isinstance(found, Run)
    expected = alone(last, tmp_path / "alone", data).history()
    ours = [line["loss"] for line in found.history()]
    assert ours == pytest.approx([line["loss"] for line in expected])


def test_again_does_nothing(tmp_path: Path, data: DataSet, monkeypatch: pytest.MonkeyPatch) -> None:
    train_together(asked(tmp_path, 5), data, show=False)
    before = {path: path.read_bytes() for path in tmp_path.glob("*/*") if path.name != ".lock"}
    monkeypatch.setattr(Many, "step", lambda *_: pytest.fail("there is nothing to do"))
    assert [run.folder for run in train_together(asked(tmp_path, 5), data, show=False)] == [  # type: ignore[union-attr]
        tmp_path / "0",
        tmp_path / "1",
        tmp_path / "2",
    ]
    assert {path: path.read_bytes() for path in before} == before


def stop_after(monkeypatch: pytest.MonkeyPatch, steps: int) -> None:
    """Let SIGTERM come in the step of this number."""
    step, taken = Many.step, []

    def counted(self: Many, steps_: Any) -> Any:
        taken.append(steps_)
        if len(taken) == steps:
            signal.raise_signal(signal.SIGTERM)
        return step(self, steps_)

    monkeypatch.setattr(Many, "step", counted)


def test_stopped_and_run_again_gives_the_same_bytes(
    tmp_path: Path, data: DataSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    train_together(asked(tmp_path / "whole"), data, show=False)
    with monkeypatch.context() as patch:
        stop_after(patch, 7)
        with pytest.raises(Interrupted, match="stopped at step 7 of 20; run the same command again"):
            train_together(asked(tmp_path / "broken"), data, show=False)
    assert load_checkpoint(tmp_path / "broken" / "1" / "checkpoint.safetensors")[1] == 7
    train_together(asked(tmp_path / "broken"), data, show=False)
    for n in range(3):
        whole, broken = tmp_path / "whole" / str(n), tmp_path / "broken" / str(n)
        for name in ("model.safetensors", "checkpoint.safetensors", "config.json"):
            assert (whole / name).read_bytes() == (broken / name).read_bytes()


def test_runs_go_on_alone_and_alone_ones_go_on_together(
    tmp_path: Path, data: DataSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = asked(tmp_path)
    alone(runs[0]._replace(steps=5), runs[0].out, data)
    with monkeypatch.context() as patch:
        stop_after(patch, 3)
        with pytest.raises(Interrupted):
            train_together(runs, data, show=False)
    assert company(runs[0].out) == [[5, 20, 3]]  # planned, and cut where it goes on otherwise
    alone(runs[2], runs[2].out, data)
    train_together(runs, data, show=False)
    assert company(runs[0].out) == [[5, 8, 3], [8, 20, 2]]
    assert company(runs[1].out) == [[0, 3, 3], [3, 15, 2]]  # to where the other was finished
    assert company(runs[2].out) == [[0, 3, 3]]
    for n, each in enumerate(runs):
        assert distance(each.out, alone(each, tmp_path / f"alone {n}", data).folder) < 1e-9


def test_a_run_that_diverges_stops_alone(tmp_path: Path, data: DataSet) -> None:
    runs = asked(tmp_path)
    runs[1] = runs[1]._replace(method=method(4.0, learning_rate=1e9))
    found = train_together(runs, data, show=False)
    assert isinstance(found[1], Diverged)
    with pytest.raises(Diverged) as error:
        alone(runs[1], tmp_path / "alone 1", data)
    assert str(found[1]) == str(error.value)
    assert not (runs[1].out / "model.safetensors").exists()
    for n in (0, 2):
        assert distance(runs[n].out, alone(runs[n], tmp_path / f"alone {n}", data).folder) < 1e-9
    (first, last) = company(runs[0].out)
    assert (first[0], first[2], last[1], last[2]) == (0, 3, 20, 2)
    assert first[1] == last[0]


def test_a_folder_of_another_run_fails_alone(tmp_path: Path, data: DataSet) -> None:
    runs = asked(tmp_path, 5)
    runs[0].out.mkdir(parents=True)
    (runs[0].out / "thesis.tex").write_text("years of work")
    found = train_together(runs, data, show=False)
    assert [type(each) for each in found] == [BadInput, Run, Run]
    assert [path.name for path in runs[0].out.iterdir()] == ["thesis.tex"]


class Asks(BetaVAE):
    """A method whose loss looks at a value half-way."""

    def loss(self, *given: Any) -> Loss:
        loss = super().loss(*given)
        return loss if loss.total.item() > 0 else loss._replace(total=loss.total * 2)


def test_what_cannot_be_vmapped_is_said_before_anything_is_lost(
    tmp_path: Path, data: DataSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(registry.TABLES["methods"], "asks", f"{Asks.__module__}:{Asks.__qualname__}")
    runs = [each._replace(method=Asks(beta=2.0, batch_size=4)) for each in asked(tmp_path, 5)]
    with pytest.raises(BadInput, match=r"cannot be trained as one: .*item\(\)"):
        train_together(runs, data, show=False)
    expected = alone(runs[0], runs[0].out, data)
    assert expected.config.together == ()


def test_checkpoints_take_a_small_share_of_the_time(
    tmp_path: Path, data: DataSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved: list[int] = []

    def slow(run: Run, state: State, step: int, unwritten: Tensor) -> None:
        time.sleep(0.01)
        saved.append(step)

    monkeypatch.setattr(training, "CHECKPOINT_SECONDS", 0.0)
    monkeypatch.setattr(together, "save_checkpoint", slow)
    for share, expected in ((1e-6, [5, 5]), (1e6, [5, 5, 10, 10, 15, 15])):
        monkeypatch.setattr(together, "SAVING", share)
        train_together(asked(tmp_path / str(share), 20, BETAS[:2]), data, show=False)
        assert saved == expected
        saved.clear()


def test_side_by_side_each_is_to_the_last_bit_what_it_is_alone(
    tmp_path: Path, data: DataSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    # a graph's operations, which without a GPU are named one by one
    monkeypatch.setattr("distaff.batches.resident.fits", lambda *_: True)
    monkeypatch.setattr(training, "choose_noise", lambda *_: "device")
    monkeypatch.setattr(Many, "step", lambda *_: pytest.fail("they are stacked"))
    runs = asked(tmp_path / "a")
    runs[1] = runs[1]._replace(method=method("linear:1:8:10"))  # type: ignore[arg-type]
    runs[2] = runs[2]._replace(method=method(8.0, learning_rate=1e9))
    found = train_together(runs, data, show=False)
    assert isinstance(found[2], Diverged)
    for each in runs[:2]:
        expected = alone(each, tmp_path / "b" / each.out.name, data)
        for name in ("model.safetensors", "config.json"):
            assert (each.out / name).read_bytes() == (expected.folder / name).read_bytes()


def test_runs_that_are_not_equally_far_are_stacked(
    tmp_path: Path, data: DataSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("distaff.batches.resident.fits", lambda *_: True)
    monkeypatch.setattr(training, "choose_noise", lambda *_: "device")
    runs = asked(tmp_path, betas=BETAS[:2])
    alone(runs[0]._replace(steps=5), runs[0].out, data)
    train_together(runs, data, show=False)
    assert (company(runs[0].out), company(runs[1].out)) == ([[5, 20, 2]], [[0, 15, 2]])


def test_runs_that_draw_elsewhere_are_stacked(
    tmp_path: Path, data: DataSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run whose noise is the host's has no place in a graph beside those that draw on the device."""
    monkeypatch.setattr("distaff.batches.resident.fits", lambda *_: True)
    given = iter(["device", "host"])
    monkeypatch.setattr(training, "choose_noise", lambda *_: next(given))
    runs = asked(tmp_path, 5, BETAS[:2])
    train_together(runs, data, show=False)
    assert [company(each.out) for each in runs] == [[[0, 5, 2]], [[0, 5, 2]]]
