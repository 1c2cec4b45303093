"""An experiment from its plan to its folder: training, judgement, what goes wrong."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
from commands import distaff
from matplotlib.figure import Figure

from distaff import registry, started
from distaff.errors import BadInput
from distaff.experiments import base, every
from distaff.experiments.base import Experiment, Finding, Lab, Runs
from distaff.experiments.claims import is_stale, judged, line, overview, passed, tally
from distaff.experiments.conduct import RunsFailed, conduct, dry_run
from distaff.experiments.every import LOG, conduct_all
from distaff.experiments.predictions import SCALES, Claim, Predictions, read_predictions
from distaff.experiments.verdict import Measured
from distaff.studies.plan import Part, Plan, dataset, each, method, product, runs_of

pytestmark = pytest.mark.usefixtures("in_process")

DATA = {"resolution": 16, "x": 4, "y": 4, "orientation": 1}


def claim(key: str, words: str, **bounds: Any) -> Claim:
    return Claim(key=key, words=words, reason="it is so", **bounds)


class Scale(base.Scale, frozen=True):
    learning_rate: float = 1e-3
    steps: int = 2


class Trained(Experiment[Scale]):
    """Two kinds of runs, and one that starts where they ended.

    What is done.
    """

    scales: ClassVar = {name: Scale("no time") for name in SCALES}
    predictions = Predictions(
        (
            claim("count", "Runs of the first stage", low=4, high=4, since="quick", exact=True),
            claim("latents", "Latents of the second stage", low=2, since="quick"),
            claim("later", "A number that is not looked at yet", high=0.0, since="paper"),
        )
    )

    def runs(self, scale: Scale) -> Part:
        kinds = product(each(name=["small"]), method("vae", latents=2))
        kinds += product(each(name=["large"]), method("vae", latents=3, learning_rate=scale.learning_rate))
        return product(kinds, dataset("dsprites", **DATA), each(steps=[scale.steps], seed=[0, 1]))

    def then(self, lab: Lab[Scale], runs: Runs) -> Part:
        most = max(run.method.latents for run in runs)
        return product(method("pca", latents=most), dataset("dsprites", **DATA), each(steps=[0], seed=[0]))

    def judge(self, lab: Lab[Scale], runs: Runs) -> Iterator[Finding]:
        figure = Figure()
        figure.subplots().plot([1, 2])
        lab.figure("A line", figure)
        *first, last = runs
        assert [run.config.seed for run in runs["large"]] == [0, 1]
        assert [run.method.latents for run in runs["small"] + runs["large"]] == [2, 2, 3, 3]
        assert first[0].data is last.data
        yield self.found("later", [1.0, 2.0])
        yield self.found("latents", [last.method.latents] * 2)
        yield self.found("count", len(first))


@pytest.fixture
def trained(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(registry.TABLES, "experiments", {"trained": f"{__name__}:Trained"})


@pytest.fixture(scope="module")
def first_time(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], Path]:
    """What the experiment found when it was conducted for the first time, and its folder."""
    folder = tmp_path_factory.mktemp("conduct") / "trained"
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(registry.TABLES, "experiments", {"trained": f"{__name__}:Trained"})
        return conduct("trained", "quick", folder, workers=1, show=False), folder


@pytest.fixture
def conducted(first_time: tuple[dict[str, Any], Path], trained: None, tmp_path: Path) -> dict[str, Any]:
    """What it found, with its folder copied to `tmp_path`."""
    found, folder = first_time
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    return found


def test_runs_are_trained_and_judged_and_kept(conducted: dict[str, Any], tmp_path: Path) -> None:
    found = conducted
    assert [each["key"] for each in found["claims"]] == ["count", "latents", "later"], "as declared"
    assert [each["verdict"] for each in found["claims"]] == ["holds", "holds", "not judged"]
    assert [each["passed"] for each in found["claims"]] == [True, True, None]
    assert found["claims"][1] | {"measured": 3.0, "seeds": 2, "bound": ">= 2"} == found["claims"][1]
    assert found["passed"] is True
    assert json.loads((tmp_path / "experiment.json").read_text()) == json.loads(json.dumps(found))
    assert "A line" in (tmp_path / "report.html").read_text()
    (figure,) = found["figures"]
    assert (tmp_path / figure["file"]).read_bytes().startswith(b"\x89PNG")
    weights = sorted(tmp_path.glob("*/runs/*/model.safetensors"))
    assert len(weights) == 5
    stamps = [path.stat().st_mtime_ns for path in weights]
    assert not list(tmp_path.glob("*/runs/*/encoding.npz")), "nothing is encoded but what is judged"
    again = conduct("trained", "quick", tmp_path, workers=1, show=False)
    assert again["claims"] == found["claims"]
    assert [path.stat().st_mtime_ns for path in weights] == stamps, "they are trained once"


def test_failed_runs_leave_nothing_to_judge(trained, tmp_path: Path, monkeypatch, capsys) -> None:
    broken = Scale("no time", 1e30, steps=60)
    monkeypatch.setitem(Trained.scales, "quick", broken)
    words = ["experiment", "trained", "--scale", "quick", "--out", tmp_path, "--workers", "1"]
    status, out, err = distaff(capsys, *words, "--json")
    assert (status, out) == (1, "")
    assert "2 of 4 runs" in err
    assert "--retry" in err
    assert not (tmp_path / "experiment.json").exists()
    monkeypatch.setattr("distaff.studies.workers.answers", lambda *given: pytest.fail("without --retry"))
    with pytest.raises(RunsFailed, match="2 of 4 runs"):
        conduct("trained", "quick", tmp_path, show=False)


def test_a_dry_run_says_what_the_runs_take(trained, capsys) -> None:
    status, out, _ = distaff(capsys, "experiment", "trained", "--scale", "nano", "--dry-run", "--json")
    assert status == 0
    assert json.loads(out) | {"runs": 4, "runs_by_method": {"vae": 4}} == json.loads(out)
    assert dry_run("trained", "paper", workers=3)["workers"] == 3
    with pytest.raises(BadInput, match=r"scale of .* 'nanoo'.*nano"):
        dry_run("trained", "nanoo")


class Plain(Experiment[base.Scale]):
    """Nothing is trained.

    Only judged.
    """

    scales: ClassVar = {name: base.Scale("no time") for name in SCALES}
    predictions = Predictions(
        (claim("one", "a number", low=0.4), claim("two", "another", high=1.0, since="quick", seen="nano"))
    )


PLAIN = Plain()


def records(scale: str = "nano", **values: Any) -> list[dict[str, Any]]:
    return judged(PLAIN, scale, [PLAIN.found(key, each) for key, each in values.items()])


@pytest.mark.parametrize(
    ("one", "two", "said"),
    [
        ([0.5, 0.5], [0.0, 0.0], True),
        ([0.3, 0.3], [0.0, 0.0], False),
        ([0.3, 0.3], [-9.0, 9.0], False),
        ([0.5, 0.5], [-9.0, 9.0], None),
        ([0.5], [0.0], None),
        ([0.5, 0.5], [0.0], True),
        ([np.nan, 1.0], [0.0, 0.0], None),
    ],
)
def test_an_experiment_passes_where_all_that_is_judged_holds(one, two, said) -> None:
    assert passed(records(one=one, two=two)) is said


def test_what_is_no_number_is_null_in_a_record() -> None:
    nothing = Measured(np.nan, np.nan, np.inf, 3)
    one, two = records(one=nothing, two=Measured(0.5, np.nan, np.nan, 3))
    assert [one[key] for key in ("measured", "low", "high")] == [None, None, None]
    assert (one["verdict"], two["verdict"]) == ("undecided", "undecided")
    assert line(two) == "another: 0.5, 3 seeds, bound <= 1: undecided"


def test_a_claim_waits_for_its_scale() -> None:
    assert [each["verdict"] for each in records("quick", one=[0.1, 0.1], two=[0.1, 0.1])] == [
        "not judged",
        "holds",
    ]
    assert passed(records("quick", one=[0.1, 0.1], two=[0.1, 0.1])) is True


def test_every_claim_is_judged_once() -> None:
    with pytest.raises(ValueError, match="does not judge two"):
        records(one=[0.5, 0.6])
    with pytest.raises(ValueError, match="judges one twice"):
        judged(PLAIN, "nano", [PLAIN.found("one", [1.0, 1.0])] * 2)
    with pytest.raises(KeyError, match="no claim three; it declares: one, two"):
        PLAIN.found("three", 1.0)


def test_a_claim_is_told_in_one_line() -> None:
    one, two = records(one=[0.5, 0.7], two=np.nan)
    assert line(one) == "a number: 0.6 (-0.671 to 1.87), 2 seeds, bound >= 0.4: undecided"
    assert line(two) == "another: no number, bound <= 1: undecided"
    assert (
        tally([one, two]) == "0 of 1 (1 undecided) stated before results; 0 of 1 (1 undecided) stated after"
    )
    assert tally([one]) == "0 of 1 (1 undecided) stated before results"
    assert tally(records("small", one=[0.5, 0.5], two=[0.5, 0.5])) == "2 of 2 stated before results"
    assert tally(records("quick", one=[1.0], two=[1.0])) == "none judged"


def test_a_result_of_other_predictions_or_settings_is_stale(conducted: dict[str, Any], monkeypatch) -> None:
    kept = conducted
    assert (kept["predictions"], kept["settings"]) == ("", {"learning_rate": 1e-3, "steps": 2})
    assert not is_stale(Trained(), kept)
    assert is_stale(Trained(), kept | {"predictions": "another"})
    assert is_stale(Trained(), {key: value for key, value in kept.items() if key != "predictions"})
    monkeypatch.setitem(Trained.scales, "quick", Scale("in no time", steps=2))
    assert not is_stale(Trained(), kept), "in other words"
    monkeypatch.setitem(Trained.scales, "quick", Scale("no time", steps=3))
    assert is_stale(Trained(), kept)


def test_predictions_are_read_with_the_hash_of_their_file(tmp_path: Path) -> None:
    path = tmp_path / "made_up.toml"
    path.write_text(
        '[[claims]]\nkey = "one"\nwords = "a number"\nlow = 1\nreason = "as ever"\nseen = "nano"\n'
    )
    found = read_predictions(path)
    assert found.claims == (Claim(key="one", words="a number", low=1.0, reason="as ever", seen="nano"),)
    assert found.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert [found.claims[0].is_foretold(scale) for scale in SCALES] == [False, False, True, True]
    for wrong in (
        "key",
        "[[claims]]\nkey = 1",
        '[[claims]]\nkey = "one"\nwords = "w"\nreason = "r"\nlows = 1',
    ):
        path.write_text(wrong)
        with pytest.raises(BadInput, match=r"made_up\.toml holds no predictions"):
            read_predictions(path)


def test_the_folder_of_another_experiment_is_refused(tmp_path: Path) -> None:
    (tmp_path / "experiment.json").write_text(json.dumps({"experiment": "another", "scale": "quick"}))
    with pytest.raises(BadInput, match="does not hold beta_vae_metric_failure"):
        conduct("beta_vae_metric_failure", "quick", tmp_path)
    with pytest.raises(BadInput, match=r"scale of beta_vae_metric_failure 'nanoo'.*nano"):
        conduct("beta_vae_metric_failure", "nanoo", tmp_path)


def test_all_runs_what_has_not_finished_and_prints_one_table(tmp_path: Path, monkeypatch, capsys) -> None:
    names = ["beta_vae_metric_failure", "ica_cocktail_party"]
    table = {name: registry.TABLES["experiments"][name] for name in names}
    monkeypatch.setitem(registry.TABLES, "experiments", table)
    first = conduct("ica_cocktail_party", "quick", tmp_path / "ica_cocktail_party-quick", show=False)
    stamp = (tmp_path / "ica_cocktail_party-quick" / "report.html").stat().st_mtime_ns
    found = conduct_all("quick", tmp_path)
    assert "beta_vae_metric_failure: " in capsys.readouterr().err
    assert "at scale quick" in (tmp_path / "beta_vae_metric_failure-quick" / LOG).read_text()
    assert [each["experiment"] for each in found] == names
    assert found[1] == json.loads(json.dumps(first))
    assert (tmp_path / "ica_cocktail_party-quick" / "report.html").stat().st_mtime_ns == stamp
    lines = overview(found).splitlines()
    claims = [claim for each in found for claim in each["claims"]]
    assert len(lines) == 1 + len(claims) + 1
    assert all(each["claim"] in lines[1 + n] for n, each in enumerate(claims))
    assert lines[-1] == f"claims that hold: {tally(claims)}"


def test_where_some_fail_the_others_are_done(tmp_path: Path, monkeypatch) -> None:
    made = registry.TABLES["experiments"]["beta_vae_metric_failure"]
    unknown = {"nobody_knows": made, "beta_vae_metric_failure": made}
    monkeypatch.setitem(registry.TABLES, "experiments", unknown)
    with pytest.raises(RunsFailed, match=r"^nobody_knows: distaff: .*nobody_knows.*log\.txt\)$"):
        conduct_all("quick", tmp_path, show=False)
    assert (tmp_path / "beta_vae_metric_failure-quick" / "experiment.json").exists()
    with pytest.raises(BadInput, match=r"scale of .* 'nanoo'"):
        conduct_all("nanoo", tmp_path)


def test_all_ends_what_it_has_begun_when_it_is_stopped(tmp_path: Path) -> None:
    words = [sys.executable, "-m", "distaff", "experiment", "all", "--scale", "paper", "--out", str(tmp_path)]
    process = subprocess.Popen([*words, "--workers", "2"], stderr=subprocess.DEVNULL)
    while len(locks := [path for path in tmp_path.glob("*/.lock") if path.read_text()]) < 2:
        time.sleep(0.05)
        assert process.poll() is None
    process.terminate()
    assert process.wait(timeout=60) == 130
    for lock in locks:
        with pytest.raises(ProcessLookupError):
            os.kill(int(lock.read_text().split()[0]), 0)


def test_a_process_that_misses_that_it_is_to_end_is_asked_again(tmp_path: Path, monkeypatch) -> None:
    deaf = tmp_path / "deaf"
    deaf.write_text(
        f"""#!/bin/sh
        case $4 in ends) until [ -e {tmp_path}/heard ]; do sleep .05; done; exit 0;; esac
        trap 'echo . >> {tmp_path}/asked; [ $(wc -l < {tmp_path}/asked) = 2 ] && exit 130' TERM
        touch {tmp_path}/heard
        while :; do sleep .05; done"""
    )
    deaf.chmod(0o700)
    monkeypatch.setattr(every.sys, "executable", str(deaf))
    monkeypatch.setattr(started, "ASK_AGAIN", 0.5)
    folders = {name: tmp_path / name for name in ("ends", "stays")}
    ended = every._ended({name: [name] for name in folders}, folders, 2)
    assert next(ended) == ("ends", 0)
    ended.close()
    assert (tmp_path / "asked").read_text() == ".\n.\n"


def test_seconds_are_those_of_all_calls(tmp_path: Path) -> None:
    (tmp_path / "seconds.json").write_text("1000")
    found = conduct("beta_vae_metric_failure", "quick", tmp_path, show=False)
    assert 1000 <= found["seconds"] < 1300


def test_a_result_says_where_its_runs_were_trained(conducted: dict[str, Any], tmp_path: Path) -> None:
    assert conducted["devices"] == ["cpu"]
    for path in tmp_path.rglob("config.json"):
        path.write_text(path.read_text().replace('"device": "cpu"', '"device": "cuda:0"'))
    assert conduct("trained", "quick", tmp_path, workers=1, show=False)["devices"] == ["cuda"]


class Scored(Experiment[Scale]):
    """Runs are scored, and scores alone are judged.

    What is done.
    """

    scales: ClassVar = {name: Scale("no time") for name in SCALES}
    predictions = Plain.predictions

    def plan(self, scale: str) -> Plan:
        part = product(method("vae", latents=2), dataset("dsprites", **DATA), each(steps=[2], seed=[0, 1]))
        return Plan("scored", scale, runs_of(part), metrics=("mig",), rows=50)

    def judge(self, lab: Lab[Scale], runs: Runs) -> Iterator[Finding]:
        table = lab.results
        yield self.found("one", table[(table.metric == "mig") & (table.representation == "mean")]["value"])
        yield self.found("two", [0.0, 0.0])


def test_an_experiment_takes_the_scores_that_a_table_knows(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setitem(registry.TABLES, "experiments", {"scored": f"{__name__}:Scored"})
    found = conduct("scored", "quick", tmp_path / "first", workers=1, show=False)
    monkeypatch.setattr(
        "distaff.studies.workers.answers", lambda *given: pytest.fail("nothing is left to do")
    )
    table = tmp_path / "first" / "study" / "results.parquet"
    again = conduct("scored", "quick", tmp_path / "again", known=table, show=False)
    assert again["claims"] == found["claims"]
    assert not list(tmp_path.glob("again/study/runs/*"))
