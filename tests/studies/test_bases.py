"""Plans in which runs stand on others: told by them, done after them, and failing with them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from msgspec import structs

from distaff import load_run
from distaff.batches.batch import Facts
from distaff.errors import BadInput
from distaff.files import write_json
from distaff.methods.state import State
from distaff.studies.cost import estimate
from distaff.studies.execute import folder_of, given_of, read_scores
from distaff.studies.left import left
from distaff.studies.plan import Plan, PlannedRun, chain, dataset, each, method, product, read_plan, runs_of
from distaff.studies.study import Study

pytestmark = pytest.mark.usefixtures("in_process")

TINY = {"resolution": 16, "x": 4, "y": 4, "orientation": 2, "scale": 2}
DATA = product(dataset("dsprites", **TINY), each(**{"steps": [3], "set.batch_size": [8], "set.latents": [3]}))
DAE = product(each(name=["dae"]), method("autoencoder"))
VISION = product(each(name=["vision"]), method("beta_vae", features="@dae"))


def planned(*parts: list, seeds: int = 2, **more: object) -> Plan:
    runs = runs_of(product(DATA, chain(*parts), each(seed=range(seeds))))
    return Plan("stands", "test", runs, ("mig",), rows=60, representations=("mean",), **more)  # type: ignore[arg-type]


def by_name(plan: Plan, name: str, seed: int = 0) -> PlannedRun:
    return next(run for run in plan.runs if (run.name, run.seed) == (name, seed))


def test_a_name_is_the_run_with_the_same_seed_on_the_same_data() -> None:
    plan = planned(VISION, DAE)
    for seed in (0, 1):
        vision, dae = by_name(plan, "vision", seed), by_name(plan, "dae", seed)
        assert vision.bases == {"features": dae}
        assert "features" not in vision.settings
        assert vision.made.features == f"@{dae.id}"
    other = product(each(name=["vision"]), method("beta_vae", features="@dae/1"))
    assert by_name(planned(other, DAE), "vision", 0).bases["features"].seed == 1


def test_a_run_is_known_by_what_it_stands_on() -> None:
    run = by_name(planned(VISION, DAE), "vision")
    base = run.bases["features"]
    for changed in ({"steps": 4}, {"seed": 5}, {"settings": base.settings | {"corruption": "masking"}}):
        assert structs.replace(run, bases={"features": structs.replace(base, **changed)}).id != run.id
    assert structs.replace(run, bases={"features": structs.replace(base, name="other")}).id == run.id
    assert structs.replace(run, bases={}).id != run.id


def test_runs_on_other_seeds_of_one_base_are_mates() -> None:
    plan = planned(DAE, VISION, product(each(name=["plain"]), method("beta_vae")), seeds=3)
    mates = plan.mates(by_name(plan, "vision"))
    assert [(mate.name, mate.seed) for mate in mates] == [("vision", 1), ("vision", 2)]


def test_waves_and_a_plan_from_its_file(tmp_path: Path) -> None:
    plan = planned(VISION, DAE)
    assert [[run.name for run in wave] for wave in plan.waves] == [["dae"] * 2, ["vision"] * 2]
    write_json(tmp_path / "plan.json", plan)
    again = read_plan(tmp_path)
    assert again == plan
    assert list(again.by_id) == list(plan.by_id)


@pytest.mark.parametrize(
    ("features", "message"),
    [
        ("@dea", "unknown run of a plan 'dea'; did you mean 'dae'"),
        ("@dae/7", "@dae/7 is not one run of the plan: 0 are called dae with seed 7"),
        ("@vision", "a plan has a run that stands on itself"),
        ("@", "unknown run of a plan ''"),
    ],
)
def test_what_no_run_can_stand_on(features: str, message: str) -> None:
    part = product(each(name=["vision"]), method("beta_vae", features=features))
    with pytest.raises(BadInput, match=message):
        planned(part, DAE, seeds=1)


def test_two_of_one_name_and_a_base_that_the_plan_lacks() -> None:
    twice = chain(DAE, product(each(name=["dae"]), method("autoencoder", activation="relu")))
    with pytest.raises(BadInput, match="2 are called dae with seed 0"):
        planned(VISION, twice, seeds=1)
    plan = planned(VISION, DAE, seeds=1)
    with pytest.raises(BadInput, match=r"has a run on autoencoder.*, which it does not have"):
        structs.replace(plan, runs=(by_name(plan, "vision"),))


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Study:
    study = Study(tmp_path_factory.mktemp("studies") / "stands", planned(VISION, DAE))
    counts = study.run(workers=1, show=False)
    assert (counts["runs"], counts["done"], counts["failed"]) == (4, 4, 0)
    return study


def test_what_is_stood_on_is_done_first_and_recorded(done: Study) -> None:
    for seed in (0, 1):
        vision = by_name(done.plan, "vision", seed)
        run, base = load_run(folder_of(done.folder, vision)), folder_of(done.folder, vision.bases["features"])
        assert run.config.bases["features"].seed == seed
        assert run.config.settings["features"] == str(base)
    assert done.run(workers=1, show=False)["done"] == 4
    settings = done.results().query("method == 'beta_vae'")["settings"].map(json.loads)
    assert set(settings.map(lambda each: each["features"])) == {
        f"@{run.id}" for run in done.plan.runs if run.name == "dae"
    }


def test_a_failed_run_fails_those_that_stand_on_it(tmp_path: Path) -> None:
    wide = product(each(name=["dae"]), method("autoencoder", learning_rate=1e9))
    plan = planned(VISION, wide, seeds=1)
    study = Study(tmp_path / "study", plan)
    counts = study.run(workers=1, show=False)
    assert (counts["done"], counts["failed"], counts["waiting"]) == (0, 2, 0)
    dae, vision = by_name(plan, "dae"), by_name(plan, "vision")
    failures = study.failures()
    assert failures[vision.id].startswith(f"it stands on {dae.id} (autoencoder ")
    assert failures[vision.id].endswith(f"which failed: {failures[dae.id]}")
    assert not folder_of(study.folder, vision).exists()
    counts = study.run(workers=1, retry=True, show=False)
    assert counts["failed"] == 2


def test_one_that_only_a_table_knows_is_trained_where_it_is_stood_on(done: Study, tmp_path: Path) -> None:
    plan = done.plan
    study = Study(tmp_path / "study", plan)
    dae = [run for run in plan.runs if run.name == "dae"]
    for run in dae:
        given = read_scores(done.folder, run)
        given.given, given.trained = True, False
        given_of(study.folder, run).parent.mkdir(exist_ok=True)
        write_json(given_of(study.folder, run), given)
    known = {run.id: read_scores(study.folder, run) for run in plan.runs}
    assert left(plan, plan.waves[0], known, {}) == dae, "their weights are wanted"
    assert left(plan, plan.waves[1], known, {}) == [], "which wait for them"
    both = known | {run.id: read_scores(done.folder, run) for run in plan.waves[1]}
    assert left(plan, plan.waves[0], both, {}) == [], "nobody wants their weights"
    assert study.run(workers=1, show=False)["known"] == 0


def test_a_dry_run_counts_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    from distaff.studies import cost

    monkeypatch.setattr(cost, "TIMED", 2)
    monkeypatch.setattr(cost, "_seconds_a_value", lambda plan: 0.0)
    plan = planned(VISION, DAE, product(each(name=["plain"]), method("beta_vae")), seeds=1)
    found = estimate(plan, workers=1)
    assert found["runs"] == 3
    kinds = ["beta_vae on autoencoder at 1x16x16", "autoencoder at 1x16x16", "beta_vae at 1x16x16"]
    assert list(found["step_seconds"]) == kinds
    dae, plain = (estimate(structs.replace(plan, runs=plan.runs[n : n + 1]), 1)["bytes"] for n in (1, 2))
    copies = 8 * sum(p.numel() for p in state_of(plan.runs[1]).modules.parameters())
    assert found["bytes"] == 2 * plain + dae + copies, "a copy of what is stood on in both its files"


def state_of(run: PlannedRun) -> State:
    return run.made.state(Facts((1, 16, 16), 100), torch.Generator())
