"""A study of tiny runs: run, killed, resumed, failed, retried, extended, and its table."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from subprocess import Popen
from typing import Any

import numpy as np
import pandas as pd
import pytest
from in_process import PROCESS, InProcess
from msgspec import structs

import distaff
from distaff import registry
from distaff.errors import BadInput
from distaff.evaluation.encode import encode_run
from distaff.evaluation.posterior import latent_kl
from distaff.files import read_json, write_json
from distaff.metrics.declare import metric
from distaff.metrics.udr import udr
from distaff.studies import workers
from distaff.studies.execute import execute, folder_of, lock_of, read_scores
from distaff.studies.on_ray import needs
from distaff.studies.plan import Plan, chain, each, product, runs_of
from distaff.studies.study import Study

GRID = {"data.resolution": [16], "data.x": [4], "data.y": [4], "data.orientation": [2], "data.scale": [2]}
TINY = product(
    each(dataset=["dsprites"], steps=[4], **GRID),
    each(**{"set.batch_size": [4], "set.latents": [3]}),
)
BETAS = each(method=["beta_vae"], strength=["beta"], **{"set.beta": [1.0, 4.0]})
GAMMAS = each(method=["dip_vae_i"], strength=["lambda_od"], **{"set.lambda_od": [2.0]})


def tiny(seeds: int = 2, metrics: tuple[str, ...] = ("mig",), **more: object) -> Plan:
    part = product(TINY, chain(BETAS, GAMMAS), each(seed=range(seeds)))
    return Plan("tiny", "test", runs_of(part), metrics, rows=100, **more)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Study:
    study = Study(tmp_path_factory.mktemp("studies") / "tiny", tiny())
    counts = study.run(workers=2, show=False)
    assert (counts["runs"], counts["done"], counts["failed"]) == (6, 6, 0)
    return study


def test_the_table_has_a_row_per_run_representation_and_score(done: Study) -> None:
    table = done.results()
    assert list(table.columns[:6]) == ["run", "dataset", "method", "strength", "strength_name", "seed"]
    assert len(table) == 6 * (2 * 1 + 7)
    assert set(table["representation"]) == {"mean", "sampled", "model"}
    assert set(table.loc[table["representation"] == "model", "metric"]) == {
        "kl",
        "reconstruction",
        "elbo",
        "total_correlation",
        "active",
        "informative",
        "udr",
    }
    assert sorted(table["strength"].unique()) == [1, 2, 4]
    assert not table.duplicated(["run", "representation", "metric"]).any()


def test_a_longer_run_goes_on_from_the_shorter_one(tmp_path: Path) -> None:
    lengths = product(each(dataset=["dsprites"], **GRID), each(seed=[0, 1], steps=[3, 5, 9]))
    plan = Plan(
        "lengths", "test", runs_of(product(lengths, BETAS[:1], each(**{"set.latents": [3]}))), ("mig",)
    )
    study = Study(tmp_path / "study", plan)
    study.run(workers=1, show=False)
    begun = [[other.steps for other in plan.shorter(run)] for run in plan.runs]
    assert sorted(begun) == [[], [], [3], [3], [5, 3], [5, 3]]
    longest = next(run for run in plan.runs if run.steps == 9)
    folder = folder_of(study.folder, longest)
    alone = distaff.train(
        longest.made,
        distaff.load_dataset("dsprites", **longest.options),
        steps=9,
        seed=longest.seed,
        out=tmp_path / "alone",
        threads=1,
        show=False,
    )
    for name in ("model.safetensors", "checkpoint.safetensors"):
        assert (folder / name).read_bytes() == (alone.folder / name).read_bytes()
    assert [line["step"] for line in distaff.load_run(folder).history()] == [3, 5, 9]  # where it went on
    assert not (lock_of(study.folder, longest) / "beginning").exists()


def test_a_longer_run_begins_anew_where_the_shorter_one_has_no_checkpoint_left(tmp_path: Path) -> None:
    lengths = product(each(dataset=["dsprites"], **GRID), each(seed=[0], steps=[0, 3, 5]))
    plan = Plan("lengths", "test", runs_of(product(lengths, BETAS[:1])), ("mig",))
    *shorter, longest = plan.runs
    for run in shorter:  # of no steps too
        execute(tmp_path, plan, run)
        (folder_of(tmp_path, run) / "checkpoint.safetensors").unlink()
    execute(tmp_path, plan, longest)
    assert [line["step"] for line in distaff.load_run(folder_of(tmp_path, longest)).history()] == [5]


def test_scores_are_those_of_the_run(done: Study) -> None:
    planned = done.plan.runs[0]
    run = distaff.load_run(folder_of(done.folder, planned))
    assert run.config.threads == 1
    card = distaff.evaluate(run, rows=100, metrics=["mig"], values_only=True, show=False)
    table = done.results()
    ours = table[(table["run"] == planned.id) & (table["representation"] == "mean")]
    assert ours["value"].tolist() == [card["mig"].value]


def test_udr_is_of_the_runs_with_other_seeds(done: Study) -> None:
    first, second = done.plan.runs[:2]
    assert done.plan.mates(first) == [second]
    one, other = (
        encode_run(distaff.load_run(folder_of(done.folder, run)), 100, show=False) for run in (first, second)
    )
    expected = udr(one.mean, [other.mean], kl=latent_kl(one), mates_kl=[latent_kl(other)])
    found = read_scores(done.folder, first).scores["model"]["udr"]
    assert found == pytest.approx(expected)


def test_elbo_is_minus_reconstruction_and_kl(done: Study) -> None:
    scores = read_scores(done.folder, done.plan.runs[0]).scores["model"]
    assert scores["elbo"] == pytest.approx(-scores["reconstruction"] - scores["kl"])
    history = distaff.load_run(folder_of(done.folder, done.plan.runs[0])).history()
    assert scores["reconstruction"] == pytest.approx(history[-1]["reconstruction"], rel=0.1)


def test_again_does_nothing(done: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "answers", lambda *_: pytest.fail("there is nothing to do"))
    before = (done.folder / "results.parquet").read_bytes()
    assert Study(done.folder, tiny()).run(show=False)["done"] == 6
    assert (done.folder / "results.parquet").read_bytes() == before


def test_a_new_metric_scores_from_the_kept_codes(
    done: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import shutil

    monkeypatch.setattr(workers, "_Worker", InProcess)
    folder = tmp_path / "study"
    shutil.copytree(done.folder, folder)
    more = tiny(metrics=("mig", "sap"))
    codes = {
        path: path.stat().st_mtime_ns
        for path in folder.glob("runs/*/*")
        if path.name not in ("study.json", ".lock")
    }
    study = Study(folder, more)
    assert study.status()["done"] == 0
    assert study.run(workers=1, show=False)["done"] == 6
    assert {path: path.stat().st_mtime_ns for path in codes} == codes
    table = study.results()
    assert set(table.loc[table["representation"] == "mean", "metric"]) == {"mig", "sap"}
    old = done.results()
    pd.testing.assert_frame_equal(
        table[table["metric"] == "mig"].reset_index(drop=True),
        old[old["metric"] == "mig"].reset_index(drop=True),
    )


def test_killed_workers_cost_nothing_but_time(tmp_path: Path) -> None:
    study, stop = Study(tmp_path / "study", tiny(4)), threading.Event()
    killed: set[int] = set()

    def kill() -> None:
        chance = np.random.default_rng(0)
        while not stop.is_set():
            time.sleep(0.3)
            pids = [pid for pid in _children(str(study.folder)) if pid not in killed]
            if pids and len(killed) < 3:
                os.kill(pid := int(chance.choice(pids)), signal.SIGKILL)
                killed.add(pid)

    thread = threading.Thread(target=kill)
    thread.start()
    counts = study.run(workers=2, show=False)
    stop.set()
    thread.join()
    assert killed
    assert (counts["done"], counts["failed"]) == (12, 0)
    assert not study.results().duplicated(["run", "representation", "metric"]).any()


def _children(folder: str) -> list[int]:
    """The workers of a study."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().split(b"\0")
        except OSError:
            continue
        if b"distaff.studies.worker" in words and folder.encode() in words:
            found.append(int(path.parent.name))
    return found


def test_a_worker_that_is_stopped_while_it_starts_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    worker = PROCESS([sys.executable, "-c", "import time; time.sleep(100)"])

    def stopped_meanwhile(*words: Any, **how: Any) -> Popen[str]:
        process = Popen(*words, **how)
        worker.stop()
        return process

    monkeypatch.setattr(workers.subprocess, "Popen", stopped_meanwhile)
    began = time.monotonic()
    assert worker.ask("run a") is None
    assert time.monotonic() - began < 50


def test_what_a_failed_run_takes_from_others_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plan = tiny(3)
    study = Study(tmp_path, structs.replace(plan, runs=plan.runs[:3], udr_mates=1))
    assert [mate.seed for mate in study.plan.mates(plan.runs[0])] == [1]
    (tmp_path / "failed").mkdir()
    write_json(
        tmp_path / "failed" / f"{plan.runs[1].id}.json", {"task": plan.runs[1].id, "error": "it broke"}
    )
    counts = study.run(workers=1)
    assert (counts["done"], counts["failed"]) == (2, 1)
    assert (
        "1 runs have no udr: of the runs that they are compared with some failed" in capsys.readouterr().err
    )
    assert study.results().query("metric == 'udr'")["run"].tolist() == [plan.runs[2].id]


def test_a_failed_run_is_kept_and_tried_again_on_request(tmp_path: Path) -> None:
    plan = tiny(1)
    study = Study(tmp_path / "study", plan)
    bad = folder_of(study.folder, plan.runs[1])
    bad.mkdir(parents=True)
    (bad / "config.json").write_text("{}")
    counts = study.run(workers=1, show=False)
    assert (counts["done"], counts["failed"]) == (2, 1)
    (error,) = study.failures().values()
    assert "config.json" in error
    assert study.run(workers=1, show=False)["failed"] == 1
    (bad / "config.json").unlink()
    assert study.run(workers=1, show=False)["failed"] == 1
    counts = study.run(workers=1, retry=True, show=False)
    assert (counts["done"], counts["failed"]) == (3, 0)


def test_without_metrics_runs_are_trained_and_no_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "_Worker", InProcess)
    plan = structs.replace(tiny(1, ()), udr_mates=0)
    study = Study(tmp_path / "plain", plan)
    assert study.status() == {
        "runs": 3, "done": 0, "known": 0, "running": 0, "failed": 0, "waiting": 3, "dead": None,
        "core_seconds_left": None,
    }  # fmt: skip
    assert study.run(workers=1, show=False)["done"] == 3
    assert len(study.results()) == 0
    for run in plan.runs:
        folder = folder_of(study.folder, run)
        assert distaff.load_run(folder).config.seed == 0
        assert not (folder / "encoding.npz").exists()
    scored = Study(study.folder, structs.replace(plan, metrics=("mig",)))
    assert scored.status()["waiting"] == 3, "what is trained is not scored"
    assert scored.run(workers=1, show=False)["done"] == 3
    assert set(scored.results()["metric"]) >= {"mig", "kl"}


def test_metrics_of_means_are_not_made_of_samples(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "_Worker", InProcess)
    plan = tiny(1, ("mig", "gaussian_total_correlation"), of_means=("mig",))
    study = Study(tmp_path / "study", plan)
    assert study.run(workers=1, show=False)["done"] == 3
    made = study.results().groupby("representation")["metric"].unique().map(set)
    assert made["mean"] == {"mig", "gaussian_total_correlation"}
    assert made["sampled"] == {"gaussian_total_correlation"}
    both = Study(study.folder, structs.replace(plan, of_means=()))
    assert both.status()["waiting"] == 3
    assert both.run(workers=1, show=False)["done"] == 3
    assert "mig" in set(both.results().query("representation == 'sampled'")["metric"])


def test_two_at_once_are_one(tmp_path: Path) -> None:
    plan = tiny(1)
    study = Study(tmp_path / "study", plan)
    from distaff.training.lock import only_one

    with only_one(study.folder), pytest.raises(BadInput, match="in use by another distaff process"):
        Study(study.folder, plan).run(show=False)
    execute(study.folder, plan, plan.runs[0])
    before = read_json(folder_of(study.folder, plan.runs[0]) / "study.json")
    execute(study.folder, plan, plan.runs[0])
    assert read_json(folder_of(study.folder, plan.runs[0]) / "study.json") == before


def test_another_plan_is_refused(done: Study, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="holds a study of 6 other runs"):
        Study(done.folder, tiny(1))
    with pytest.raises(BadInput, match="holds a study with rows 100, not 50"):
        Study(done.folder, structs.replace(done.plan, rows=50))
    with pytest.raises(BadInput, match="holds a study with udr_mates"):
        Study(done.folder, structs.replace(done.plan, udr_mates=0))
    bins = {done.plan.metrics[0]: {"bins": 3}}
    with pytest.raises(BadInput, match="holds a study with metric_options"):
        Study(done.folder, structs.replace(done.plan, metric_options=done.plan.metric_options | bins))
    assert Study(done.folder).plan == done.plan
    (tmp_path / "x").touch()
    with pytest.raises(BadInput, match="is not empty and holds no study"):
        Study(tmp_path, tiny())
    with pytest.raises(BadInput, match="holds no study"):
        Study(tmp_path / "nothing")


def test_sql(done: Study) -> None:
    found = done.query("SELECT method, count(*) AS n FROM results GROUP BY method ORDER BY method")
    assert found["n"].tolist() == [4 * 9, 2 * 9]
    with pytest.raises(BadInput, match=r"the query cannot be answered: .*nothing"):
        done.query("SELECT nothing FROM results")
    with pytest.raises(BadInput, match=r"the query cannot be answered: .*nothing"):
        done.query("SELECT CAST(method || 'nothing' AS INTEGER) FROM results")
    with pytest.raises(BadInput, match="the query is empty"):
        done.query("")


def test_what_a_task_has_of_a_cluster() -> None:
    assert needs("train a b c", {"CPU": 8.0}) == {"num_cpus": 1, "num_gpus": 0.0, "max_retries": 2}
    with_gpus = {"CPU": 8.0, "GPU": 2.0}
    assert [needs(task, with_gpus)["num_gpus"] for task in ("train a b", "run a", "udr a")] == [1, 0.25, 0]


@pytest.mark.slow
@pytest.mark.parametrize(("gpus", "together"), [(0, 1), (1, 2)])  # Ray takes our word for it that there are
def test_a_ray_cluster_that_loses_a_worker(tmp_path: Path, gpus: int, together: int) -> None:
    ray = pytest.importorskip("ray")
    from ray.cluster_utils import Cluster

    os.environ["RAY_DISABLE_USAGE_STATS"] = "1"
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
    other = [cluster.add_node(num_cpus=1, num_gpus=gpus) for _ in range(2)]
    study = Study(tmp_path / "study", tiny(6))

    def lose() -> None:
        while study.status()["done"] < 3:
            time.sleep(0.5)
        cluster.remove_node(other[0], allow_graceful=False)

    thread = threading.Thread(target=lose)
    thread.start()
    try:
        counts = study.run(ray=cluster.address, together=together, show=False)
    finally:
        thread.join()
        ray.shutdown()
        cluster.shutdown()
    assert (counts["done"], counts["failed"]) == (18, 0)
    assert len(study.results()) == 18 * 9


def test_an_unreachable_ray_cluster_is_one_line(tmp_path: Path) -> None:
    pytest.importorskip("ray")
    with pytest.raises(BadInput, match=r"no Ray cluster answers at --ray 127.0.0.1:1"):
        Study(tmp_path / "study", tiny(1)).run(ray="127.0.0.1:1", show=False)


OWN = """
from distaff.methods.vae import VAE
from distaff.studies.plan import Plan, dataset, each, method, product, runs_of

class Mine(VAE):
    pass

def plan(scale):
    data = dataset("dsprites", resolution=16, shape=[1], orientation=1, scale=2, x=4, y=4)
    part = product(data, method("mine"), each(steps=[2], seed=[0]))
    return Plan("mine", scale, runs_of(part), ("mig",), rows=100)
"""


def test_workers_and_the_command_line_know_what_is_registered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "own_things.py").write_text(OWN)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(workers, "_Worker", PROCESS)
    own = "methods mine own_things:Mine; studies mine own_things:plan"
    try:
        registry.register_all(own)
        registry.register_all(own)  # as it is known already
        study = Study(tmp_path / "study", registry.get("studies", "mine")("small"))
        assert study.run(workers=1, show=False)["done"] == 1
        with pytest.raises(BadInput, match="holds 'methods mine'; give KIND NAME MODULE:ATTRIBUTE"):
            registry.register_all("methods mine")
        registry.register("methods", "gone", "own_things:Gone")
        with pytest.raises(BadInput, match=r"gone is registered as own_things:Gone: .* no attribute 'Gone'"):
            registry.get("methods", "gone")
    finally:
        registry.OWN.clear()
        for kind, name in (("methods", "mine"), ("studies", "mine"), ("methods", "gone")):
            registry.TABLES[kind].pop(name, None)
    environment = os.environ | {registry.REGISTERED: own, "PYTHONPATH": str(tmp_path)}
    words = [sys.executable, "-m", "distaff.cli", "list", "studies"]
    told = subprocess.run(words, env=environment, capture_output=True, text=True, check=False)
    assert "own_things" not in told.stderr
    assert "mine" in told.stdout


def failing(codes: np.ndarray, factors: np.ndarray) -> float:
    """Fails until there is a file "mended"."""
    if not Path("mended").exists():
        raise RuntimeError("not today")
    return 0.5


@pytest.fixture
def flaky(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, in_process: None) -> str:
    """The name of a metric that fails, in an empty folder where it may be mended."""
    monkeypatch.chdir(tmp_path)
    made, get = metric(source="a test")(failing), registry.get
    monkeypatch.setitem(registry.TABLES["metrics"], "failing", "studies.test_study:failing")
    monkeypatch.setattr(registry, "get", lambda kind, name: made if name == "failing" else get(kind, name))
    return "failing"


def test_a_metric_that_fails_is_told_and_made_on_request(flaky: str) -> None:
    study = Study("study", tiny(1, metrics=(flaky, "mig"), representations=("mean",)))
    assert study.run(workers=1, show=False)["failed"] == 3
    assert all("not today" in reason for reason in study.failures().values())
    assert np.isfinite(study.query("select value from results where metric = 'mig'")["value"]).all()
    Path("mended").touch()
    assert study.run(workers=1, retry=True, show=False)["failed"] == 0
    assert (study.query(f"select value from results where metric = '{flaky}'")["value"] == 0.5).all()


def test_who_stands_on_a_run_that_lacks_a_metric_is_trained(flaky: str) -> None:
    base = each(dataset=["dsprites"], steps=[4], method=["autoencoder"], name=["seen"], seed=[0], **GRID)
    above = product(TINY, each(method=["beta_vae"], seed=[0], **{"set.features": ["@seen"]}))
    study = Study("study", Plan("tiny", "test", runs_of(chain(base, above)), (flaky,), udr_mates=0))
    study.run(workers=1, show=False)
    assert [read_scores(study.folder, run).trained for run in study.plan.runs] == [True, True]


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"metrics": ("mig_exact",)}, "mig_exact needs logvar, which a study does not give"),
        ({"metric_options": {"mig": {"bims": 3}}}, "unknown option of mig 'bims'; did you mean 'bins'?"),
        ({"metric_options": {"mgi": {}}}, "unknown metric 'mgi'"),
    ],
)
def test_metrics_that_cannot_be_are_refused_before_training(more: dict, message: str) -> None:
    with pytest.raises(BadInput, match=re.escape(message)):
        tiny(1, **more)


@pytest.mark.parametrize(
    ("strength", "message"),
    [
        ("betaa", "unknown strength of beta_vae 'betaa'; did you mean 'beta'?"),
        ("network", "must be a number"),
    ],
)
def test_strengths_that_are_none_are_refused_before_training(strength: str, message: str) -> None:
    runs = runs_of(product(TINY, each(method=["beta_vae"], strength=[strength]), each(seed=[0])))
    with pytest.raises(BadInput, match=re.escape(message)):
        Plan("tiny", "test", runs, ("mig",))


def test_a_plan_takes_numbers_of_numpy_and_keeps_its_metrics(done: Study) -> None:
    seeds = runs_of(
        product(TINY, BETAS, each(seed=np.arange(2), **{"set.reconstruction_weight": np.arange(1, 3)}))
    )
    assert len({run.id for run in seeds}) == len(seeds)
    with pytest.raises(BadInput, match="holds a study with mig too"):
        Study(done.folder, tiny(metrics=("sap",)))


def test_options_of_a_metric_without_factors(tmp_path: Path, in_process: None) -> None:
    name = "gaussian_total_correlation"
    plan = tiny(1, metrics=(name,), metric_options={name: {}}, representations=("mean",))
    study = Study(tmp_path / "study", plan)
    assert study.run(workers=1, show=False)["failed"] == 0
    assert np.isfinite(study.query(f"select value from results where metric = '{name}'")["value"]).all()


def test_a_damaged_record_of_scores_is_made_again(tmp_path: Path, in_process: None) -> None:
    study = Study(tmp_path / "study", tiny(1))
    study.run(workers=1, show=False)
    before = study.results()
    (folder_of(study.folder, study.plan.runs[0]) / "study.json").write_text("{")
    assert study.status()["done"] == 2
    study.run(workers=1, show=False)
    pd.testing.assert_frame_equal(study.results(), before)


def test_mates_stand_on_a_base_alike() -> None:
    """On that of their own seed, or all on one."""
    base = each(dataset=["dsprites"], steps=[4], method=["autoencoder"], name=["seen"], seed=range(3), **GRID)
    own = product(TINY, each(method=["beta_vae"], seed=range(3), **{"set.features": ["@seen"]}))
    one = product(TINY, each(method=["beta_vae"], seed=[2], **{"set.features": ["@seen/0"]}))
    plan = Plan("tiny", "test", runs_of(chain(base, own, one)), ("mig",))
    first, last = plan.runs[3], plan.runs[-1]
    assert [mate.seed for mate in plan.mates(first)] == [1, 2]
    assert plan.mates(last) == []


def test_a_file_that_changed_is_no_part_of_the_same_study(tmp_path: Path, in_process: None) -> None:
    def write(seed: int) -> None:
        rng = np.random.default_rng(seed)
        images, labels = rng.integers(0, 256, size=(40, 16, 16)), rng.integers(0, 3, size=40)
        np.savez(tmp_path / "mine.npz", images=images, labels=labels)

    write(0)
    runs = each(dataset=[str(tmp_path / "mine.npz")], steps=[2], method=["vae"], seed=range(2))
    study = Study(tmp_path / "study", Plan("own", "test", runs_of(runs), ("mig",), udr_mates=0))
    assert study.run(workers=1, show=False)["done"] == 2
    shutil.rmtree(folder_of(study.folder, study.plan.runs[1]))
    write(1)
    assert study.run(workers=1, show=False)["failed"] == 1
    assert "holds other images or labels than when" in next(iter(study.failures().values()))
    write(0)
    assert study.run(workers=1, retry=True, show=False)["done"] == 2


def test_a_comparison_that_fails_is_told_and_its_runs_are_sound(
    tmp_path: Path, in_process: None, capsys: pytest.CaptureFixture[str]
) -> None:
    plan = tiny(2)
    study = Study(tmp_path / "study", structs.replace(plan, runs=plan.runs[:2], udr_mates=1))
    assert study.run(workers=1, show=False)["done"] == 2
    first, second = (folder_of(study.folder, run) for run in study.plan.runs)
    (first / "study.json").unlink()
    for name in ("encoding.npz", "model.safetensors"):
        (second / name).write_bytes(b"")
    counts = study.run(workers=1)
    assert (counts["done"], counts["failed"], study.failures()) == (2, 0, {})
    assert f"{study.plan.runs[0].id} has no udr: " in capsys.readouterr().err
