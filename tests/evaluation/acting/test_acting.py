"""An agent on codes: it learns what can be known, is kept, and goes on to the same bytes after a stop."""

import json
import random
import re
import shlex
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from commands import distaff as command

import distaff
from distaff.errors import BadInput
from distaff.evaluation.acting import agent
from distaff.evaluation.acting.agent import Lesson, chosen_actions
from distaff.evaluation.acting.returns import FILE, acting, judged, read_acted, scaled
from distaff.training.run import Run
from distaff.worlds.grid import GridWorld

pytest.importorskip("stable_baselines3")


@pytest.fixture(scope="module")
def world() -> GridWorld:
    return GridWorld(distaff.load_dataset("one_square"))


def coordinates(world: GridWorld) -> np.ndarray:
    return scaled(world.space.rows(world.states), world.states)


@pytest.fixture(scope="module")
def fitted(tmp_path_factory: pytest.TempPathFactory) -> Run:
    out, data = tmp_path_factory.mktemp("acting") / "pca", distaff.load_dataset("one_square")
    return distaff.train("pca", data, latents=8, out=out, threads=1, show=False)


@pytest.fixture
def run(fitted: Run, tmp_path: Path) -> Run:
    shutil.copytree(fitted.folder, tmp_path / "run")
    return distaff.load_run(tmp_path / "run")


def test_it_learns_from_what_tells_states_apart_and_not_from_noise(world: GridWorld, tmp_path: Path) -> None:
    found = judged(Lesson(world, coordinates(world), 24_000, 100), tmp_path, show=False)
    (returns,) = found.domains.values()
    assert 0.9 * returns.best < returns.agent <= returns.best
    nothing = np.zeros((121, 2), np.float32)
    (blind,) = judged(Lesson(world, nothing, 3_000, 100), tmp_path, show=False).domains.values()
    assert blind.agent < 0.2 * blind.best


def test_frames_go_through_convolutions(world: GridWorld, tmp_path: Path) -> None:
    lesson = Lesson(world, world.data.images(world.states), 1_200, 100)
    chosen = chosen_actions(lesson, tmp_path, show=False)
    assert chosen.shape == (121,)
    assert len(set(chosen.tolist())) > 1
    (path,) = tmp_path.iterdir()
    assert any(value.ndim == 4 for value in agent.load_tensors(path).values())


def test_after_a_stop_it_goes_on_to_the_same_bytes(
    world: GridWorld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(agent, "PART", 1_000)
    lesson = Lesson(world, coordinates(world), 3_000, 100)
    at_once = chosen_actions(lesson, tmp_path / "a", show=False)
    part, called = agent._part, []

    def stopped(*given: object) -> object:
        called.append(given)
        if len(called) == 3:
            raise KeyboardInterrupt
        return part(*given)

    monkeypatch.setattr(agent, "_part", stopped)
    with pytest.raises(KeyboardInterrupt):
        chosen_actions(lesson, tmp_path / "b", show=False)
    assert [path.name.split(".", 1)[1] for path in (tmp_path / "b").iterdir()] == ["partial.safetensors"]
    np.testing.assert_array_equal(chosen_actions(lesson, tmp_path / "b", show=False), at_once)
    assert len(called) == 4, "two parts were not taken again"
    (first,), (second,) = ([*(tmp_path / name).iterdir()] for name in "ab")
    assert first.name == second.name
    assert first.read_bytes() == second.read_bytes()
    monkeypatch.setattr(agent, "_part", None)
    np.testing.assert_array_equal(chosen_actions(lesson, tmp_path / "a", show=False), at_once)  # read
    for other in ({"seed": 101}, {"steps": 2_000}, {"observations": lesson.observations + 1}):
        with pytest.raises(TypeError):
            chosen_actions(lesson._replace(**other), tmp_path / "a", show=False)


def test_global_generators_are_left_alone(world: GridWorld, tmp_path: Path) -> None:
    kept, drawn, state = np.random.get_state()[1].copy(), torch.get_rng_state(), random.getstate()  # noqa: NPY002
    chosen_actions(Lesson(world, coordinates(world), 1_100, 100), tmp_path, show=False)
    assert random.getstate() == state
    np.testing.assert_array_equal(np.random.get_state()[1], kept)  # noqa: NPY002
    assert torch.equal(torch.get_rng_state(), drawn)


def test_codes_are_scaled_by_what_is_seen_and_idle_ones_stay_small() -> None:
    rng = np.random.default_rng(0)
    codes = rng.standard_normal((500, 3)) * (10, 1e-3, 0) + (5, 1, 2)
    seen = np.arange(100)
    found = scaled(codes, seen)
    np.testing.assert_allclose(found[:100].mean(axis=0), 0, atol=1e-5)
    assert found[:100, 0].std() == pytest.approx(1, rel=1e-5)
    assert found[:100, 1].std() == pytest.approx(
        1e-3 / codes[:100, 0].std() * 10 * codes[:100, 1].std() / 1e-3
    )
    assert (found[:, 2] == 0).all()


def test_a_run_is_judged_and_its_page_shows_it(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, err = command(capsys, "evaluate", run.folder, "--acting", "grid", "--steps", 1500, "--json")
    assert status == 0, err
    told = json.loads(out)
    assert (told["world"], told["steps"], told["seed"]) == ("grid", 1500, 0)
    kept = read_acted(run)
    assert kept is not None
    assert told["domains"] == {"everywhere": vars_of(kept.domains["everywhere"])}
    status, out, _ = command(capsys, "evaluate", run.folder, "--acting", "grid", "--steps", 1500)
    assert [line.split() for line in out.splitlines()][:1] == [["return", "agent", "best", "random"]]
    page = distaff.report(run, show=False).read_text()
    assert "DQN acts in the world grid" in page
    assert {path.suffix for path in run.folder.iterdir()} <= {".json", ".jsonl", ".safetensors", ".html", ""}


def vars_of(returns: object) -> dict[str, float]:
    return {name: getattr(returns, name) for name in ("agent", "best", "random")}


def test_what_is_kept_is_read_and_what_is_damaged_said(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    found = acting(run, "grid", steps=1_100, seed=1, show=False)
    monkeypatch.setattr(agent, "_model", None)
    assert acting(run, "grid", steps=1_100, seed=1, show=False) == found
    with pytest.raises(TypeError):
        acting(run, "grid", steps=1_100, seed=2, show=False)
    (run.folder / FILE).write_text('{"world": "grid"}')
    with pytest.raises(BadInput, match="remove it and evaluate again with --acting"):
        read_acted(run)


def test_wrong_worlds_are_one_line_and_leave_nothing(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    before = sorted(path.name for path in run.folder.iterdir())
    for words, message in (
        (["--acting", "gird"], "unknown world 'gird'; did you mean 'grid'?"),
        (
            ["--acting", "collect"],
            "the world collect is that of runs on the data set collect, not on one_square",
        ),
        (["--acting", "grid", "--steps", "0"], "steps=0 is not allowed"),
        (["--acting", "grid", "--desiderata"], "--acting takes --steps and --seed alone"),
        (["--steps", "5"], "--steps has no effect without --reasoning or --acting"),
    ):
        status, out, err = command(capsys, "evaluate", run.folder, *words)
        assert (status, out, len(err.splitlines())) == (2, "", 1)
        assert message in err
    assert sorted(path.name for path in run.folder.iterdir() if path.name != ".lock") == [
        name for name in before if name != ".lock"
    ]


def test_without_the_extra_it_says_how_to_install_it(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "stable_baselines3", None)
    with pytest.raises(
        BadInput, match=r"acting needs gymnasium and stable-baselines3: pip install 'distaff\[act"
    ):
        acting(run, "grid", show=False)
    assert not (run.folder / FILE).exists()


def test_the_page_on_worlds_can_be_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its commands with fewer steps, then its Python."""
    page = (Path(__file__).parents[3] / "docs" / "worlds_introduction.md").read_text(encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    commands = re.findall(r"^distaff (.*)$", page, re.MULTILINE)
    assert len(commands) == 2
    for words, steps in zip(commands, ("2", "40"), strict=True):
        given = [*shlex.split(re.sub(r" --steps \d+", "", words)), "--steps", steps]
        status, out, err = command(capsys, *given)
        assert status == 0, err
    assert [line.split()[0] for line in out.splitlines()[1:3]] == ["source", "target"]
    exec(page.partition("```python\n")[2].partition("```")[0], names := {})
    assert names["image"].shape == (3, 16, 16)
