"""Plans, and the study of 2019 in the published order."""

from __future__ import annotations

import json
import math
from collections import defaultdict
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from commands import distaff
from in_process import InProcess
from msgspec import structs

from distaff import registry
from distaff.batches.batch import Facts
from distaff.errors import BadInput
from distaff.files import read_json, write_json
from distaff.studies.cost import estimate, factors_of, shape_of
from distaff.studies.locatello2019 import plan as locatello2019
from distaff.studies.plan import (
    Plan,
    PlannedRun,
    chain,
    dataset,
    each,
    method,
    product,
    read_plan,
    runs_of,
    zipped,
)

BASE = each(method=["beta_vae"], dataset=["dsprites"], steps=[10])


def test_parts_are_joined() -> None:
    assert each(a=[1, 2], b=[3, 4]) == [
        {"a": 1, "b": 3},
        {"a": 1, "b": 4},
        {"a": 2, "b": 3},
        {"a": 2, "b": 4},
    ]
    assert product(each(a=[1, 2]), each(b=[3])) == [{"a": 1, "b": 3}, {"a": 2, "b": 3}]
    assert chain(each(a=[1]), each(b=[2])) == [{"a": 1}, {"b": 2}]
    assert zipped(each(a=[1, 2]), each(b=[3, 4])) == [{"a": 1, "b": 3}, {"a": 2, "b": 4}]


def test_methods_and_data_sets_are_parts() -> None:
    assert method("vae", latents=3) == [{"method": "vae", "set.latents": 3}]
    assert dataset("dsprites", x=[1, 2]) == [{"dataset": "dsprites", "data.x": [1, 2]}]
    (run,) = runs_of(product(method("vae"), dataset("rooms"), each(name=["a"], steps=[1], seed=[2])))
    assert run == PlannedRun("vae", {}, "rooms", {}, 1, 2, name="a")


def test_what_cannot_be_joined() -> None:
    with pytest.raises(BadInput, match="a plan gives beta twice, as 1 and 2"):
        product(each(beta=[1]), each(beta=[2]))
    with pytest.raises(BadInput, match="parts of 1, 2 cannot be zipped"):
        zipped(each(a=[1]), each(b=[1, 2]))


@pytest.mark.parametrize(
    ("part", "message"),
    [
        (each(method=["vae"], dataset=["dsprites"], seed=[0]), "does not say the steps of a run"),
        (product(BASE, each(seed=[0], stps=[1])), "unknown key of a plan 'stps'; did you mean 'steps'"),
        (product(BASE, each(**{"seed": [0], "set.bta": [1]})), "unknown setting of beta_vae 'bta'"),
        (product(BASE, each(seed=[0, 0])), "runs 0 and 1 of test are the same: beta_vae on dsprites, seed 0"),
        (product(BASE, each(seed=[0]), chain(each(**{"set.beta": [4.0]}), [{}])), "runs 0 and 1 of test"),
        ([], "the plan of test has no runs"),
    ],
)
def test_wrong_plans(part: list, message: str) -> None:
    with pytest.raises(BadInput, match=message):
        Plan("test", "nano", runs_of(part), ("mig",))


def test_wrong_scores() -> None:
    runs = runs_of(product(BASE, each(seed=[0])))
    with pytest.raises(BadInput, match="unknown metric 'mgi'; did you mean 'mig'"):
        Plan("test", "nano", runs, ("mgi",))
    with pytest.raises(BadInput, match="unknown representation 'average'"):
        Plan("test", "nano", runs, ("mig",), representations=("average",))


def test_a_run_is_known_by_all_that_determines_it() -> None:
    run = PlannedRun("beta_vae", {"beta": 4}, "dsprites", {}, 10, 0, "beta")
    for same in ({"settings": {"beta": 4.0}}, {"settings": {}}, {"strength": ""}, {"name": "ours"}):
        assert structs.replace(run, **same).id == run.id
    for other in (
        {"seed": 1},
        {"steps": 11},
        {"settings": {"beta": 5}},
        {"options": {"x": 2}},
        {"method": "vae", "settings": {}},
        {"dataset": "rooms"},
    ):
        assert structs.replace(run, **other).id != run.id


def test_settings_that_came_later_leave_the_ids_of_older_runs() -> None:
    run = PlannedRun("vae", {}, "dsprites", {}, 10, 0)
    assert run.id == "7473be667437"  # from before a VAE had a beta, a sigma or a reconstruction_weight
    assert structs.replace(run, settings={"beta": 1.0, "reconstruction_weight": 1}).id == run.id
    assert structs.replace(run, settings={"beta": 2.0}).id != run.id


def test_a_plan_comes_back_from_json(tmp_path: Path) -> None:
    plan = locatello2019("nano")
    write_json(tmp_path / "plan.json", plan)
    again = read_plan(tmp_path)
    assert list(again.by_id) == list(plan.by_id)
    assert again == plan
    whole = read_json(tmp_path / "plan.json")
    unmade = whole["runs"][0] | {"settings": {"bta": 1}}
    for damaged in (
        {},
        [],
        {"runs": 3},
        whole | {"more": 1},
        whole | {"rows": "1"},
    ):
        write_json(tmp_path / "plan.json", damaged)
        with pytest.raises(BadInput, match=r"plan\.json is damaged: .+"):
            read_plan(tmp_path)
    write_json(tmp_path / "plan.json", whole | {"runs": [unmade]})
    with pytest.raises(BadInput, match=r"plan\.json: unknown setting of beta_vae 'bta'"):
        read_plan(tmp_path)


def test_mates_have_other_seeds_and_nothing_else_different() -> None:
    plan = Plan("t", "t", runs_of(product(BASE, each(**{"set.beta": [1, 2]}), each(seed=range(4)))), ("mig",))
    for run in plan.runs:
        mates = plan.mates(run)
        assert len(mates) == 3
        assert all(mate.settings == run.settings for mate in mates)
        assert len({run.seed, *(mate.seed for mate in mates)}) == 4
    assert [mate.seed for mate in structs.replace(plan, udr_mates=2).mates(plan.runs[3])] == [0, 1]


def test_the_published_order() -> None:
    plan = locatello2019("paper")
    assert len(plan.runs) == 12_600
    expected = {
        0: ("dsprites", "beta_vae", 1, 0),
        49: ("dsprites", "beta_vae", 1, 49),
        5 * 50: ("dsprites", "beta_vae", 16, 0),
        6 * 50 + 7: ("dsprites", "factor_vae", 10, 7),
        1800 + 12 * 50: ("color_dsprites", "dip_vae_i", 1, 0),
        2 * 1800 + 19 * 50: ("noisy_dsprites", "dip_vae_ii", 2, 0),
        3 * 1800 + 29 * 50: ("scream_dsprites", "beta_tc_vae", 10, 0),
        4 * 1800 + 30 * 50: ("smallnorb", "annealed_vae", 5, 0),
        5 * 1800: ("cars3d", "beta_vae", 1, 0),
        12_599: ("shapes3d", "annealed_vae", 100, 49),
    }
    for number, facts in expected.items():
        run = plan.runs[number]
        assert (run.dataset, run.method, run.strength_value, run.seed) == facts
        assert run.steps == 300_000
    dip = [run.made for run in plan.runs[12 * 50 : 24 * 50 : 50]]
    assert [(m.lambda_od, m.lambda_d) for m in dip[:2]] == [(1, 10), (2, 20)]
    assert [(m.lambda_od, m.lambda_d) for m in dip[6:8]] == [(1, 1), (2, 2)]
    assert plan.runs[30 * 50].made.gamma == 1000
    assert plan.runs[30 * 50].made.capacity == "linear:0:5:100000"


def test_smaller_scales_have_the_papers_weights_and_the_reconstruction_of_64_pixels() -> None:
    paper: dict[str, set[tuple[float, ...]]] = defaultdict(set)
    ours = ("beta", "gamma", "lambda_od", "lambda_d", "alpha")

    def weights(run: PlannedRun) -> tuple[float, ...]:
        fixed = run.method == "annealed_vae"
        return tuple(getattr(run.made, name) for name in ours if hasattr(run.made, name) and not fixed)

    for run in locatello2019("paper").runs:
        paper[run.method].add(weights(run))
    for scale, pixels in (("quick", 16), ("nano", 16), ("small", 16), ("desktop", 32)):
        for run in locatello2019(scale).runs:
            assert shape_of(run)[1] == pixels
            assert run.made.reconstruction_weight == (64 / pixels) ** 2
            assert weights(run) in paper[run.method], "all weights are among the published ones"


def test_smaller_scales() -> None:
    nano, small = locatello2019("nano"), locatello2019("small")
    assert len(nano.runs) == 6 * 3 * 4 * 2
    assert len(small.runs) == 6 * 6 * 6 * 2
    assert small.metrics_of("mean") == list(small.metrics)
    assert {*small.metrics} - {*small.metrics_of("sampled")} == {"dci", "downstream"}
    assert {run.steps for run in small.runs} == {5000}
    for run in small.runs:
        assert 16_000 <= math.prod(factors_of(run).values()) <= 25_000
    assert {run.made.beta for run in nano.runs if run.method == "beta_vae"} == {1, 4, 16}
    for plan in (nano, small, locatello2019("desktop")):
        factor = [run.made for run in plan.runs if run.method == "factor_vae"]
        assert {made.discriminator_width for made in factor} == {256}
        assert {made.discriminator_learning_rate / made.learning_rate for made in factor} == {1.0}
    assert len(locatello2019("desktop").runs) == 36 * 10 * 5
    with pytest.raises(BadInput, match="unknown scale 'huge'"):
        locatello2019("huge")


def test_channels_are_those_of_the_images() -> None:
    for name in registry.names("datasets"):
        kind = registry.get("datasets", name)
        if not kind.places:
            assert kind().image_shape[0] == kind.channels, name
            assert shape_of(PlannedRun("vae", {}, name, {}, 10, 0)) == kind().image_shape, name
    run = PlannedRun("vae", {}, "smallnorb", {"resolution": 32}, 10, 0)
    assert shape_of(run) == (1, 32, 32)
    run = PlannedRun("vae", {}, "dsprites", {"shape": [2], "orientation": 1, "x": 4, "y": [0, 1]}, 10, 0)
    assert factors_of(run) == {"scale": 6, "x": 4, "y": 2}
    assert sum(factors_of(PlannedRun("vae", {}, "dsprites", {}, 10, 0)).values()) == 3 + 6 + 40 + 32 + 32
    assert factors_of(PlannedRun("vae", {}, "celeba", {}, 10, 0)) == {"a": 2, "b": 2}


def weights_of(run: PlannedRun) -> list[torch.nn.Parameter]:
    facts = Facts(shape_of(run), 1000)
    return list(run.made.state(facts, torch.Generator().manual_seed(0)).modules.parameters())


def test_a_dry_run_opens_no_data(monkeypatch: pytest.MonkeyPatch) -> None:
    from distaff.studies import cost

    monkeypatch.setattr(cost, "TIMED", 2)
    monkeypatch.setattr(cost, "_seconds_a_value", lambda plan: 10.0)
    part = each(method=["vae", "factor_vae"], dataset=["smallnorb"], steps=[10**6], seed=[0])
    plan = Plan("t", "t", runs_of(part), ("mig",), rows=64 * 3000)
    found = estimate(plan, workers=4)
    assert found["runs"] == 2
    assert set(found["step_seconds"]) == {"vae at 1x64x64", "factor_vae at 1x64x64"}
    steps = 10**6 + 3000 / 3  # a batch is encoded in a third of the time of a step
    training = sum(found["step_seconds"].values()) * steps / 3600
    assert found["training_core_hours"] == pytest.approx(training, abs=0.02)
    assert found["scoring_core_hours"] == round(2 * 10 * sum(factors_of(plan.runs[0]).values()) / 3600, 2)
    whole = found["training_core_hours"] + found["scoring_core_hours"]
    assert found["core_hours"] == pytest.approx(whole, abs=0.02)
    assert found["hours"] == pytest.approx(found["core_hours"] / 4, abs=0.01)
    weights = sum(p.numel() for run in plan.runs for p in weights_of(run))
    assert found["bytes"] == 16 * weights + 2 * (12 * plan.rows * 10 + 200 * 10**4)
    monkeypatch.undo()
    unscored = estimate(Plan("t", "t", plan.runs, ()), workers=4)
    assert unscored["scoring_core_hours"] == 0
    assert unscored["bytes"] == 16 * weights + 2 * 200 * 10**4, "nothing is encoded"


def test_a_dry_run_counts_no_steps_that_a_shorter_run_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    from distaff.studies import cost

    monkeypatch.setattr(cost, "_measured", lambda run, shape: (3600.0, 1))
    lengths = each(method=["vae"], dataset=["dsprites"], steps=[50, 200, 100], seed=[0, 1])
    assert estimate(Plan("t", "t", runs_of(lengths), ()), workers=1)["training_core_hours"] == 2 * 200


def test_scoring_is_timed_with_the_plans_own_metrics_and_options(monkeypatch: pytest.MonkeyPatch) -> None:
    from distaff.studies import cost

    seen, clock = [], iter([10.0, 13.0, 13.0, 23.0, 23.0, 26.0])

    def watched(name: str) -> Any:
        def metric(*given: Any, **options: Any) -> None:
            seen.append((name, [values.shape for values in given], options))

        metric.declaration = registry.get("metrics", name).declaration
        return metric

    metrics = {name: watched(name) for name in ("mig", "dci", "gaussian_total_correlation")}
    monkeypatch.setattr(cost.registry, "get", lambda kind, name: metrics[name])
    monkeypatch.setattr(cost.time, "process_time", lambda: next(clock))
    plan = SimpleNamespace(
        metrics=metrics,
        metric_options={"dci": {"learner": "lightgbm"}},
        rows=50,
        representations=("mean", "sampled"),
        metrics_of=lambda which: [name for name in metrics if which == "mean" or name != "dci"],
    )
    assert cost._seconds_a_value(plan) == (3 + 3 + 10 + 3 + 3) / 8, "two factors of four values"
    both = [(50, 10), (50, 2)]
    assert seen == [
        ("mig", both, {}),
        ("dci", both, {"learner": "lightgbm"}),
        ("gaussian_total_correlation", both[:1], {}),
    ]


def test_the_command_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from distaff.studies import locatello2019 as module
    from distaff.studies import workers
    from distaff.studies.study import Study

    run = partial(distaff, capsys)
    tiny = {"scale": 2, "orientation": 2, "x": 4, "y": 4}
    monkeypatch.setattr(module, "GRIDS", {"nano": {"dsprites": tiny}})
    small = module.SCALES["nano"]._replace(datasets=("dsprites",), strengths=(0,), seeds=1, steps=3, rows=90)
    monkeypatch.setitem(module.SCALES, "nano", small)
    monkeypatch.setattr(workers, "_Worker", InProcess)
    monkeypatch.setattr(module, "METRICS", ("mig",))
    monkeypatch.chdir(tmp_path)
    words = ("study", "run", "locatello2019", "--scale", "nano", "--workers", "1")
    status, out, _ = run(*words, "--dry-run", "--json")
    assert (status, json.loads(out)["runs"]) == (0, 6)
    assert not list(tmp_path.iterdir())
    assert run("study", "status")[0] == 2
    status, out, _ = run(*words)
    assert status == 0
    assert "6 runs, 6 done, 0 running, 0 failed, 0 waiting" in out
    status, out, _ = run("study", "status", "--json")
    assert json.loads(out)["done"] == 6
    status, out, _ = run("study", "query", "SELECT count(DISTINCT run) AS n FROM results", "--json")
    assert json.loads(out) == [{"n": 6}]
    status, out, _ = run("study", "report")
    assert status == 0
    assert Path(out.strip()).read_text().startswith("<!doctype html>")
    assert run("study", "run", "locatello2019", "--scale", "tiny")[0] == 2
    assert run("study", "run", "lcatello2019")[0] == 2
    assert run("study", "query", "SELECT", "--out", "elsewhere")[0] == 2
    assert Study("runs/locatello2019-nano").plan.scale == "nano"
