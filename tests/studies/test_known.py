"""Runs that a table knows: not trained, kept as they are, and nothing else taken from the table."""

import json
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest
from commands import distaff
from in_process import PROCESS
from msgspec import structs

from distaff import registry
from distaff.errors import BadInput
from distaff.studies import study as module
from distaff.studies import workers
from distaff.studies.execute import folder_of, read_scores
from distaff.studies.known import known_runs, take_known
from distaff.studies.plan import Plan, each, product, runs_of
from distaff.studies.study import Begun, Study

pytestmark = pytest.mark.usefixtures("in_process")

GRID = {"data.resolution": [16], "data.x": [4], "data.y": [4], "data.orientation": [2], "data.scale": [2]}
TINY = product(
    each(dataset=["dsprites"], steps=[4], **GRID),
    each(method=["beta_vae"], strength=["beta"], **{"set.beta": [1.0, 4.0], "set.batch_size": [4]}),
)


def tiny(seeds: int = 2, metrics: tuple[str, ...] = ("mig",), **more: object) -> Plan:
    return Plan("tiny", "test", runs_of(product(TINY, each(seed=range(seeds)))), metrics, rows=100, **more)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """Half of the plan of three seeds: the runs of beta 1."""
    plan = tiny(3)
    half = structs.replace(plan, runs=plan.runs[:3])
    study = Study(tmp_path_factory.mktemp("studies") / "first", half)
    assert study.run(workers=1, show=False)["done"] == 3
    return study


def table_of(study: Study) -> Path:
    return study.folder / "results.parquet"


def write(table: pd.DataFrame, path: Path) -> Path:
    with duckdb.connect() as connection:
        connection.register("given", table)
        connection.execute(f"COPY given TO '{path}' (FORMAT parquet)")
    return path


def test_slices_add_up(first: Study, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    study = Study(tmp_path / "second", tiny(3))
    counts = study.run(workers=1, known=table_of(first))
    assert (counts["runs"], counts["done"], counts["known"], counts["waiting"]) == (6, 6, 3, 0)
    assert "holds the scores of 3 of 6 runs" in capsys.readouterr().err
    old, whole = first.results(), study.results()
    assert not whole.duplicated(["run", "representation", "metric"]).any()
    pd.testing.assert_frame_equal(whole[whole["run"].isin(old["run"])].reset_index(drop=True), old)
    assert len(whole) == 2 * len(old), "the new runs have all their scores, udr too"
    assert not any(folder_of(study.folder, run).exists() for run in study.plan.runs[:3])
    assert Study(study.folder).status()["known"] == 3, "the folder needs no table any more"
    third = Study(tmp_path / "third", tiny(3))
    assert third.run(workers=1, known=table_of(study), show=False)["known"] == 6
    assert table_of(third).read_bytes() == table_of(study).read_bytes()


def test_what_is_done_here_stays(first: Study, tmp_path: Path) -> None:
    changed = write(first.results().assign(value=0.5), tmp_path / "changed.parquet")
    before = first.results()
    assert take_known(first.folder, first.plan, changed, show=False) == 3
    assert first.status()["known"] == 0
    first.collect()
    pd.testing.assert_frame_equal(first.results(), before)


def test_other_runs_and_parts_are_not_taken(
    first: Study, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plan = tiny(3, metrics=("mig", "sap"))
    assert known_runs(plan, table_of(first)) == {}
    assert "0 of 6 runs, and of 3 a part" in capsys.readouterr().err
    table = first.results().assign(run=lambda t: t["run"].where(t["run"] != plan.runs[0].id, "elsewhere"))
    path = write(table, tmp_path / "other.parquet")
    assert list(known_runs(tiny(3), path)) == [run.id for run in plan.runs[1:3]]
    assert "2 of 6 runs; 1 other runs in it are left aside" in capsys.readouterr().err


def test_a_score_without_a_number_is_known(first: Study, tmp_path: Path) -> None:
    table = first.results()
    is_mig = (table["metric"] == "mig") & (table["run"] == first.plan.runs[0].id)
    path = write(table.assign(value=table["value"].mask(is_mig)), tmp_path / "gaps.parquet")
    (tmp_path / "study").mkdir()
    assert take_known(tmp_path / "study", tiny(3), path, show=False) == 3
    assert read_scores(tmp_path / "study", first.plan.runs[0]).scores["mean"]["mig"] is None


def test_a_known_run_that_gets_another_metric_is_trained(first: Study, tmp_path: Path) -> None:
    study = Study(tmp_path / "study", first.plan)
    assert study.run(workers=1, known=table_of(first), show=False)["known"] == 3
    more = Study(study.folder, structs.replace(first.plan, metrics=("mig", "modularity")))
    assert more.run(workers=1, show=False)["known"] == 0
    assert more.status()["done"] == 3
    model = more.results().query("representation == 'model' and metric == 'kl'")["value"]
    np.testing.assert_allclose(model, first.results().query("metric == 'kl'")["value"], rtol=1e-5)


def test_a_run_whose_mates_are_in_the_table_alone_has_no_udr(
    first: Study, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    study = Study(tmp_path / "study", structs.replace(first.plan, runs=tiny(4).runs[:4]))
    counts = study.run(workers=1, known=table_of(first))
    assert (counts["done"], counts["known"]) == (4, 3)
    assert "1 runs have no udr" in capsys.readouterr().err
    with_udr = study.results().query("metric == 'udr'")["run"].tolist()
    assert with_udr == [run.id for run in first.plan.runs]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.drop(columns=["run", "value"]), "it has no column run, value; it has: dataset"),
        (lambda t: t.assign(value="much"), "its column value holds"),
        (lambda t: pd.concat([t, t]), "two values of a score of run"),
    ],
)
def test_what_is_no_results_table_is_refused_in_one_line(
    first, tmp_path, capsys, monkeypatch, change, message
) -> None:
    monkeypatch.setitem(registry.TABLES, "studies", {"tiny": f"{__name__}:planned"})
    path = write(change(first.results()), tmp_path / "bad.parquet")
    words = ("study", "run", "tiny", "--out", tmp_path / "study", "--known", path)
    status, _, err = distaff(capsys, *words)
    assert status == 2
    assert message in err
    assert len(err.splitlines()) == 1
    path.write_text("not a table")
    assert distaff(capsys, *words)[0] == 2
    assert distaff(capsys, *words[:-1], tmp_path / "nothing.parquet")[0] == 2


def test_a_dry_run_counts_what_is_left(first, tmp_path, capsys, monkeypatch) -> None:
    monkeypatch.setitem(registry.TABLES, "studies", {"tiny": f"{__name__}:planned"})
    words = ("study", "run", "tiny", "--out", tmp_path / "study", "--dry-run", "--json", "--known")
    status, out, _ = distaff(capsys, *words, table_of(first))
    assert (status, json.loads(out)["runs"]) == (0, 3)
    assert not (tmp_path / "study").exists()


def planned(scale: str) -> Plan:
    """A tiny study."""
    return tiny(3)


def test_a_table_that_was_scored_otherwise_is_refused(first: Study, tmp_path: Path) -> None:
    (tmp_path / "study").mkdir()
    with pytest.raises(BadInput, match=r'scored with .*"rows": 100.* this study is with .*"rows": 50'):
        take_known(tmp_path / "study", structs.replace(tiny(3), rows=50), table_of(first), show=False)


def test_a_slice_of_hours_ends_with_a_whole_group(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    plan = tiny(3)
    begun, tasks = Begun(plan, 1), [f"run {run.id}" for run in plan.runs]
    assert begun.wants(tasks[0])
    now[0] = 3601.0
    assert [begun.wants(task) for task in tasks] == [True] * 3 + [False] * 3
    assert begun.wants(f"udr {plan.runs[5].id}")
    assert all(Begun(plan, None).wants(task) for task in tasks)


def test_a_slice_has_a_table_and_udr_of_what_it_did(tmp_path: Path) -> None:
    study = Study(tmp_path / "study", tiny(2))
    counts = study.run(workers=1, hours=1e-9, show=False)
    assert counts["waiting"] == 4, "there was no time to begin anything"
    assert len(study.results()) == 0
    with pytest.raises(BadInput, match="--hours is for local processes"):
        study.run(hours=1, ray="auto")


def test_an_interrupted_study_has_a_table_of_what_is_done(tmp_path: Path, monkeypatch) -> None:
    study, every = Study(tmp_path / "study", tiny(1)), workers.answers
    monkeypatch.setattr(workers, "_Worker", PROCESS)  # which has not begun the second run when it is stopped

    def stopped(*given, **more):
        yield next(every(*given, **more))
        raise KeyboardInterrupt

    monkeypatch.setattr(workers, "answers", stopped)
    with pytest.raises(KeyboardInterrupt):
        study.run(workers=1, show=False)
    assert study.results()["run"].nunique() == 1


def test_a_part_of_a_metric_or_no_score_of_the_model_is_a_part(first: Study, tmp_path: Path) -> None:
    table, plan = first.results(), tiny(3)
    parts = table[table["metric"] == "mig"].assign(metric="mig.other")  # as if it had two numbers
    both = pd.concat([table.replace({"metric": {"mig": "mig.one"}}), parts])
    assert len(known_runs(plan, write(both, tmp_path / "both.parquet"), show=False)) == 3
    lacking = both[(both["metric"] != "mig.other") | (both["run"] != plan.runs[0].id)]
    assert len(known_runs(plan, write(lacking, tmp_path / "part.parquet"), show=False)) == 2
    models = table[(table["representation"] != "model") | (table["run"] != plan.runs[0].id)]
    assert len(known_runs(plan, write(models, tmp_path / "model.parquet"), show=False)) == 2


def test_of_a_metric_that_is_not_applicable_there_is_one_row(first: Study, tmp_path: Path) -> None:
    table, plan = first.results(), tiny(3)
    other = table["run"] == plan.runs[0].id
    table.loc[~other, "metric"] = table.loc[~other, "metric"].replace({"mig": "mig.one"})
    assert len(known_runs(plan, write(table, tmp_path / "one.parquet"), show=False)) == 3
