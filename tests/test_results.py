"""What stands in benchmarks/results/ is what the code beside it makes: parts, names, runs, numbers.

Experiments' results are held by tests/experiments/.
"""

from __future__ import annotations

import ast
import importlib.util
import json
import math
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pytest
from scripts import script

import distaff
from distaff import registry
from distaff.evaluation.decomposition import kl_decomposition
from distaff.evaluation.encode import Encoding
from distaff.studies.cost import factors_of
from distaff.studies.locatello2019 import WEIGHTS
from distaff.studies.locatello2019 import plan as locatello2019
from distaff.testing import SITUATIONS, SPACE

ROOT = Path(__file__).parents[1]
BENCHMARKS = ROOT / "benchmarks"
SCRIPTS = sorted([*BENCHMARKS.glob("*.py"), *(ROOT / "docs").glob("*.py")])
ABOUT = {
    "on",
    "processor",
    "threads",
    "torch",
    "date",
    "commit",
    "cores",
    "machine",
    "versions",
}  # of a part, where and when it was measured


def benchmark(name: str) -> ModuleType:
    """A script of benchmarks/, imported under a name of its own."""
    return script(BENCHMARKS / f"{name}.py")


def result(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((BENCHMARKS / "results" / f"{name}.json").read_text())
    return found


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_a_script_can_be_imported(path: Path) -> None:
    assert script(path).__doc__


def taken(path: Path) -> Iterator[tuple[str, str]]:
    """The modules and names that a script imports from distaff or from benchmarks, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((each.name, "") for each in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from ((node.module, each.name) for each in node.names)


@pytest.mark.parametrize(
    "path", [*sorted(BENCHMARKS.rglob("*.py")), *(ROOT / "examples").glob("*.py")], ids=str
)
def test_what_a_script_takes_from_distaff_is_there(path: Path) -> None:
    """Some import other libraries, which are not installed, and some import late."""
    for module, name in taken(path):
        if module.partition(".")[0] == "distaff":
            found = importlib.import_module(module)
            assert not name or hasattr(found, name) or importlib.util.find_spec(f"{module}.{name}"), module


def test_an_import_of_what_is_gone_is_seen(tmp_path: Path) -> None:
    (tmp_path / "late.py").write_text("def f():\n    from distaff.gone import Gone\n")
    with pytest.raises(ModuleNotFoundError, match=r"distaff\.gone"):
        test_what_a_script_takes_from_distaff_is_there(tmp_path / "late.py")


def test_bounds_are_read_from_what_they_stand_in() -> None:
    met = benchmark("bounds").met
    assert met("a (>= 1.8)", 1.8) is met("b (<= 700)", 700) is met("c (< .03)", 0.029) is True
    assert met("a (>= 1.8)", 1.79) is met("b (<= 700)", 701) is met("c (< .03)", 0.03) is False
    assert met("seconds", 1.0) is met("64 pixels (idle)", 1.0) is None


def test_the_engines_measures_and_bounds_are_those_of_its_code(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = benchmark("engine")
    ones = [defaultdict(lambda: 1.0) for _ in range(20)]
    monkeypatch.setattr(engine, "measured", lambda *calls, **_: ones[: len(calls)])
    for part, found in result("engine").items():
        assert found.keys() - ABOUT == engine.PARTS[part]().keys(), part


def test_faults_were_tried_where_the_code_tries_them() -> None:
    faults, found = benchmark("faults"), result("faults")
    assert found.keys() == faults.KINDS.keys()
    for kind in ("kills", "signals"):
        assert found[kind]["phases"].keys() == {"starting", *faults.runs.TRAINING, *faults.runs.EVALUATION}
        assert sum(found[kind]["phases"].values()) == found[kind]["tried"]
    assert found["fuzz"]["subjects"].keys() <= faults.files.SUBJECTS.keys()  # two are newer than the record
    assert found["threads"]["differences"].keys() == faults.runs.METHODS.keys()
    assert found["threads"]["tolerance"] == faults.TOLERANCE


def test_every_metric_was_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    timed = benchmark("metrics")
    monkeypatch.setattr(timed, "seconds", lambda *_: 1.0)
    found = result("metrics")
    assert found["seconds"].keys() - {*timed.BOOSTED} == timed.measure(slow=False).keys()
    assert {*timed.BOOSTED} <= {*registry.names("metrics")}
    assert found["together"] <= sum(found["seconds"].values())


def test_studies_were_measured_in_the_parts_of_their_code() -> None:
    studies, found = benchmark("studies"), result("studies")
    assert found.keys() == studies.PARTS.keys()
    assert found["collect"]["runs"] == len(locatello2019("paper").runs)
    assert found["kills"]["done"] + found["kills"]["failed"] == found["kills"]["runs"]


FINGERPRINTS = result("fingerprints")


def test_fingerprints_are_of_todays_runs() -> None:
    prints = benchmark("fingerprints")
    expected = {
        prints.folder_of(Path(), data, method, settings).name
        for data in prints.DATA
        for method, settings in prints.cases()
    }
    assert {name.split()[0] for name in FINGERPRINTS if name.endswith(" model")} == expected
    plans = {"of runs": prints.tiny_plan(), **{s: locatello2019(s) for s in ("paper", "desktop", "nano")}}
    for name, made in plans.items():
        assert FINGERPRINTS[f"ids {name}"] == prints.digest([run.id for run in made.runs]), name


@pytest.mark.parametrize("situation", SITUATIONS)
def test_fingerprints_are_todays_scores(situation: str) -> None:
    """Of the metrics that fit nothing, whose numbers do not depend on the machine but for rounding."""
    factors = SPACE.sample(1000, 0)
    ideal = (factors - factors.mean(axis=0)) / factors.std(axis=0)
    codes = SITUATIONS[situation](ideal, np.random.default_rng(1))
    recorded = {
        words.split()[1]: FINGERPRINTS[words]
        for words in FINGERPRINTS
        if words.startswith(f"{situation} ") and words.endswith(" value")
    }
    fast = [name for name in recorded if name in registry.names("metrics")]
    fast = [name for name in fast if registry.get("metrics", name).declaration.cost == "fast"]
    card = distaff.score(codes, factors, metrics=fast, values_only=True)
    for name in fast:
        assert card[name].value == pytest.approx(recorded[name], abs=1e-6), name
    assert {name.partition(".")[0] for name in recorded} <= {*registry.names("metrics")}
    assert len(fast) > 10


@pytest.mark.parametrize(("scale", "whole"), [("nano", True), ("small", False)])
def test_the_kept_study_is_that_of_the_plan(scale: str, whole: bool) -> None:
    """Every run once, with the weights of the paper, and the reconstruction weighted by the pixels lost.

    What is not whole yet has all seeds of a setting, and so the UDR of each.
    """
    table = duckdb.read_parquet(str(BENCHMARKS / "results" / f"locatello2019-{scale}.parquet")).df()
    runs, planned = table.drop_duplicates("run").set_index("run"), locatello2019(scale).by_id
    begun = {planned[name].group for name in runs.index}
    assert {*runs.index} == {run.id for run in planned.values() if run.group in begun}
    assert ({*runs.index} == {*planned}) is whole
    assert {*table[table["metric"] == "udr"].dropna()["run"]} == {*runs.index}
    for name, kept in runs.iterrows():
        run = planned[name]
        assert (kept["method"], kept["dataset"], kept["seed"]) == (run.method, run.dataset, run.seed)
        settings = json.loads(kept["settings"])
        varied, values = WEIGHTS[run.method]
        capacity = settings[varied].split(":") if run.method == "annealed_vae" else []  # linear:0:5:500
        assert float(capacity[2] if capacity else settings[varied]) in values
        assert settings["reconstruction_weight"] == (64 // 16) ** 2


def test_pilots_are_runs_of_their_script_on_seeds_of_their_own() -> None:
    pilots = benchmark("pilots")
    table = pd.read_csv(pilots.TABLE, index_col="run")
    planned = {run.id: (name, run) for name in pilots.PILOTS for run in pilots.planned(name)}
    for run, line in table.iterrows():
        name, made = planned[run]
        assert (name, made.method, made.seed, made.steps) == (line.pilot, line.method, line.seed, line.steps)
    assert (
        min(run.seed for _, run in planned.values())
        >= 100
        > max(run.seed for run in locatello2019("small").runs)
    )
    assert (table["kl"] >= table["total_correlation"]).all()
    most = {name: np.log(math.prod(factors_of(run).values())) for name, (_, run) in planned.items()}
    assert (table["information"] <= table.index.map(most) + 0.01).all()
    assert table["discriminator_says"].notna().equals(table["method"] == "factor_vae")


def test_pilots_of_concepts_are_runs_of_their_script_on_seeds_of_their_own() -> None:
    pilots = benchmark("concept_pilots")
    assert pilots.SEED >= 100
    planned = {
        (method, json.dumps(pilots.settings(own)), steps): pilots.command(method, pilots.settings(own), steps)
        for method, own, steps in pilots.PILOTS
    }
    for line in pd.read_csv(pilots.TABLE).itertuples():
        assert planned[line.method, line.settings, line.steps] == line.command
        assert f"--seed {line.seed} " in line.command


def test_pilots_take_a_kl_apart_as_the_package_does() -> None:
    rng = np.random.default_rng(0)
    mean, logvar = rng.standard_normal((300, 2)) @ [[1, 0.8], [0, 0.6]], np.full((300, 2), -2.0)
    sample = mean + np.exp(-1) * rng.standard_normal(mean.shape)
    codes = Encoding(np.arange(300), mean, logvar, sample)
    ours, theirs = benchmark("pilots").parts_of_kl(codes, np.arange(300)), kl_decomposition(mean, logvar)
    assert ours == pytest.approx({name: getattr(theirs, name) for name in ours}, abs=0.15)


@pytest.mark.parametrize("name", ["demo", "demo_seed1", "demo_seed2", "dsprites64"])
def test_the_runs_of_the_readme_are_those_of_the_script(name: str) -> None:
    found = result(name)
    assert found["command"] == benchmark("readme").COMMANDS[name]
    for score, each in found["scores"].items():
        declared = registry.get("metrics", score.partition(".")[0]).declaration
        assert declared.low <= each["low"] <= each["value"] <= each["high"] <= declared.high
        assert each["higher_is_better"] == declared.higher_is_better


def test_a_latent_tells_of_the_factor_that_it_is_made_of() -> None:
    readme, data = benchmark("readme"), distaff.load_dataset("dsprites", x=4, y=4, orientation=1)
    rows = np.arange(len(data))
    labels = np.asarray(data.labels(rows), dtype=np.float32)
    scale, dead = data.label_names.index("scale"), np.zeros(len(rows), dtype=np.float32)
    mean = np.stack([dead, labels[:, scale], 0.1 * labels[:, 0]], axis=1)
    logvar = np.stack([dead, dead - 6, dead - 4], axis=1)
    encoding = readme.Encoding(rows, mean, logvar, mean)
    first, second = readme.told(SimpleNamespace(data=data), encoding)
    assert (first["latent"], first["factor"], first["share"]) == (1, "scale", 1.0)
    assert (second["latent"], second["factor"], second["share"]) == (2, data.label_names[0], 1.0)
    assert first["nats"] > second["nats"] > 0.05


def test_sparse_codes_are_scored_within_their_bounds() -> None:
    found, script_ = result("sparse_codes"), benchmark("sparse_codes")
    assert found["scores"].keys() == set(script_.SCORES)
    assert found["bounds"] == [script_.SECONDS, script_.MEGABYTES]
    for name, score in found["scores"].items():
        assert score["process seconds"] < script_.SECONDS, name
        assert score["peak MB"] < script_.MEGABYTES, name
        assert score["predicted"] == list(script_.PREDICTED[name])
