"""A study whose runs are trained as one: which, with what results, and what becomes of those that cannot."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Any

import pytest
import torch
from in_process import PROCESS
from msgspec import structs
from typer.testing import CliRunner

import distaff
from distaff.cli import app
from distaff.cli.study import cost_in_words
from distaff.errors import BadInput, Diverged, Interrupted
from distaff.studies import as_one, workers
from distaff.studies.as_one import at_most, groups, train_as_one
from distaff.studies.cost import estimate
from distaff.studies.execute import folder_of, read_scores
from distaff.studies.plan import Plan, chain, each, product, runs_of
from distaff.studies.study import Study
from distaff.studies.worker import answer
from distaff.training.checkpoint import load_tensors
from distaff.training.many import Many
from distaff.training.together import train_together

pytestmark = pytest.mark.usefixtures("in_process")

GRID = {"data.resolution": [16], "data.x": [4], "data.y": [4], "data.orientation": [2], "data.scale": [2]}
SMALL = {"set.batch_size": [4], "set.latents": [3], "set.precision": ["float64"]}
BASE = product(each(dataset=["dsprites"], steps=[4], **GRID), each(**SMALL))
BETAS = each(method=["beta_vae"], strength=["beta"], **{"set.beta": [1.0, 4.0]})
OTHERS = chain(each(method=["dip_vae_i"]), each(method=["qlae"]))


def plan(seeds: int = 2, metrics: tuple[str, ...] = ("mig",), part: Any = None) -> Plan:
    runs = runs_of(product(BASE, chain(BETAS, OTHERS) if part is None else part, each(seed=range(seeds))))
    return Plan("tiny", "test", runs, metrics, rows=100, udr_mates=1)


def together_in(study: Study) -> dict[str, list[list[int]]]:
    """Of each run, which steps its config says were trained as one."""
    paths = {run.id: folder_of(study.folder, run) / "config.json" for run in study.plan.runs}
    return {name: json.loads(path.read_text()).get("together", []) for name, path in paths.items()}


def test_a_study_trains_groups_as_one_and_gives_the_same_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "_Worker", PROCESS)
    ours, theirs = Study(tmp_path / "as_one", plan()), Study(tmp_path / "alone", plan())
    counts = ours.run(workers=1, together=3, show=False)
    assert (counts["runs"], counts["done"], counts["failed"]) == (8, 8, 0)
    assert theirs.run(workers=1, show=False)["done"] == 8
    # of four of beta_vae three go together, and so do two of dip_vae_i; qlae goes alone
    found = [together_in(ours)[run.id] for run in ours.plan.runs]
    assert found == [[[0, 4, 3]]] * 3 + [[]] + [[[0, 4, 2]]] * 2 + [[], []]
    assert not any(together_in(theirs).values())
    keys = ["run", "representation", "metric"]
    tables = [study.results().sort_values(keys).reset_index(drop=True) for study in (ours, theirs)]
    assert tables[0][keys].equals(tables[1][keys])
    assert tables[0]["value"].to_numpy() == pytest.approx(
        tables[1]["value"].to_numpy(), abs=1e-6, nan_ok=True
    )


def test_again_trains_nothing_and_a_metric_more_is_scored_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    part = BETAS
    Study(tmp_path, plan(1, part=part)).run(workers=1, together=2, show=False)
    monkeypatch.setattr(
        Study, "_do", lambda *given: pytest.fail("there is nothing to do") if given[2] else None
    )
    study = Study(tmp_path, plan(1, part=part))
    assert study.run(workers=1, together=2, show=False)["done"] == 2
    more = Study(tmp_path, plan(1, ("mig", "sap"), part))
    assert more._groups(more.plan.runs, 2) == []


def test_groups_share_all_but_numbers_and_seeds() -> None:
    steps = product(
        each(dataset=["dsprites"], **GRID), each(**SMALL), BETAS, each(steps=[4, 8]), each(seed=[0, 1])
    )
    found = groups(runs_of(steps), 3)
    assert [len(group) for group in found] == [3, 3]  # the fourth of each has none to go with
    assert [{run.steps for run in group} for group in found] == [{4}, {8}]
    sizes = product(BASE, each(method=["beta_vae"], seed=[0, 1]))
    for one in sizes:
        one["set.latents"] = 3 + one["seed"]
    assert groups(runs_of(sizes), 8) == []
    assert groups(plan(part=OTHERS).runs[2:], 8) == []  # qlae
    assert at_most(5) == 5


def test_on_a_gpu_methods_with_steps_of_their_own_go_along(monkeypatch: pytest.MonkeyPatch) -> None:
    part = chain(each(method=["qlae"]), each(method=["pca"], **{"set.images": [50]}))
    part = product(each(dataset=["dsprites"], steps=[4], **GRID), part, each(seed=[0, 1]))
    assert groups(runs_of(part), 8) == []
    monkeypatch.setattr(as_one, "on_gpu", lambda: True)
    assert [[run.method for run in group] for group in groups(runs_of(part), 8)] == [["qlae"] * 2]
    assert (at_most(None), at_most(3), as_one.processes(4)) == (as_one.BRANCHES, 3, 1)


def test_a_run_that_diverges_fails_alone(tmp_path: Path) -> None:
    rates = each(method=["beta_vae"], **{"set.learning_rate": [1e-3, 1e9, 1e-4]})
    study = Study(tmp_path, structs.replace(plan(1, (), rates), udr_mates=0))
    counts = study.run(workers=1, together=3, show=False)
    assert (counts["done"], counts["failed"]) == (2, 1)
    ((failed, error),) = study.failures().items()
    assert failed == study.plan.runs[1].id
    assert "became" in error or "no longer finite" in error


def test_what_turns_out_not_to_go_together_is_trained_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    study = Study(tmp_path, plan(1, part=BETAS))

    def refuse(*_: Any, **__: Any) -> None:
        raise BadInput("these runs cannot be trained as one: its loss asks for a value")

    monkeypatch.setattr(as_one, "train_together", refuse)
    assert train_as_one(tmp_path, study.plan.runs) == {}
    assert (
        "cannot be trained as one: its loss asks for a value; each is trained alone"
        in capsys.readouterr().err
    )


def test_half_as_many_go_together_where_memory_is_short(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:

    study, sizes = Study(tmp_path, plan(3, (), BETAS)), []

    def short(asked: Any, *given: Any, **more: Any) -> Any:
        sizes.append(len(asked))
        if len(asked) > 2:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return train_together(asked, *given, **more)

    monkeypatch.setattr(as_one, "train_together", short)
    assert train_as_one(tmp_path, study.plan.runs) == {}
    assert sizes == [6, 3, 2, 3, 2]
    trained = [as_one.is_trained(tmp_path, run) for run in study.plan.runs]
    assert trained == [False, True, True] * 2


def test_a_worker_answers_for_each_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    study = Study(tmp_path, plan(1, part=BETAS))
    first, second = (run.id for run in study.plan.runs)
    monkeypatch.setattr(
        "distaff.studies.worker.train_as_one", lambda *_: {second: Diverged("loss became nan at step 3")}
    )
    found = answer(tmp_path, study.plan, f"train {first} {second}", None)
    assert [(one.task, one.error) for one in found] == [
        (f"run {first}", ""),
        (f"run {second}", "loss became nan at step 3"),
    ]


def test_a_dry_run_says_what_it_changes() -> None:
    alone, ours = estimate(plan(), 2), estimate(plan(), 2, 3)
    assert alone["together"]["most"] == 1
    assert (ours["together"]["runs"], ours["together"]["groups"]) == (5, 2)
    assert set(ours["together"]["step_seconds"]) == {
        "3 beta_vae at 1x16x16",
        "2 dip_vae_i at 1x16x16",
    }
    assert all(one > 0 for one in ours["together"]["step_seconds"].values())
    words = cost_in_words(ours)
    assert "5 of the runs are trained as one, 2 groups of up to 3" in words
    assert "qlae alone: QLAE has a step of its own" in words
    assert "as one" not in cost_in_words(alone)


def test_a_run_alone_is_scored_as_one_is(tmp_path: Path) -> None:
    study = Study(tmp_path, plan(1, part=BETAS))
    study.run(workers=1, together=2, show=False)
    run = study.plan.runs[0]
    card = distaff.evaluate(distaff.load_run(folder_of(tmp_path, run)), rows=100, metrics=["mig"], show=False)
    assert read_scores(tmp_path, run).scores["mean"]["mig"] == pytest.approx(card["mig"].value)


def test_a_study_that_is_stopped_as_one_goes_on_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study, step = Study(tmp_path, plan(1, (), BETAS)), Many.step

    def stopped(self: Many, steps: Any) -> Any:
        signal.raise_signal(signal.SIGTERM)
        return step(self, steps)

    with monkeypatch.context() as patch:
        patch.setattr(Many, "step", stopped)
        with pytest.raises(Interrupted, match="stopped at step 1 of 4"):
            train_as_one(tmp_path, study.plan.runs)
    assert study.run(workers=1, together=1, show=False)["done"] == 2
    assert list(together_in(study).values()) == [[[0, 1, 2]]] * 2
    other = Study(tmp_path / "alone", plan(1, (), BETAS))
    other.run(workers=1, show=False)
    for run in study.plan.runs:
        ours, theirs = (load_tensors(folder_of(s.folder, run) / "model.safetensors") for s in (study, other))
        assert all(torch.allclose(ours[name], theirs[name], rtol=0, atol=1e-9) for name in theirs)


def test_the_command_line_takes_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for words in (["study", "run", "locatello2019"], ["experiment", "mechanisms"]):
        result = CliRunner().invoke(app, [*words, "--together", "0", "--out", str(tmp_path / "x")])
        assert isinstance(result.exception, BadInput)
        assert "--together 0 is not allowed; it must be at least 1" in str(result.exception)
    assert not (tmp_path / "x").exists()
