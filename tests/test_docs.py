"""What the documents say is what the program does."""

import json
import re
import runpy
import shlex
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from commands import distaff as command
from scripts import script

import distaff
from distaff import registry
from distaff.experiments.claims import is_stale, judged, settings
from distaff.scoring.measure import HALVES
from distaff.testing import SPACE, check_method

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results" / "experiments"


def tables() -> ModuleType:
    return script(ROOT / "docs" / "tables.py")


@pytest.mark.parametrize("page", tables().PAGES)
def test_docs_are_what_the_registry_says(page: str) -> None:
    assert (ROOT / "docs" / page).read_text() == tables().PAGES[page](), "run `make docs`"


def test_every_figure_of_a_finding_is_there_and_no_other() -> None:
    for name in tables().findings():
        folder = ROOT / "docs" / "findings" / name
        shown = re.findall(rf"\]\({name}/(.*?)\)", (folder.parent / f"{name}.md").read_text())
        assert sorted(shown) == sorted(path.name for path in folder.iterdir())
        assert shown


def test_what_failed_is_explained_and_nothing_that_holds_by_todays_claims() -> None:
    for path in RESULTS.glob("*.json"):
        kept, experiment = json.loads(path.read_text()), registry.get("experiments", path.stem)()
        claims = kept["claims"]
        failed = [each for each in claims if each["passed"] is False and each.get("judged", True)]
        explained = path.with_suffix(".md").exists()
        assert explained or not failed, f"{path.stem}: {len(failed)} failed"
        undecided = any(each.get("verdict") == "undecided" for each in claims)
        assert not explained or failed or undecided or is_stale(experiment, kept)


def stale_line(name: str) -> str:
    return (
        f"> **Stale**: made by an older version of this experiment; run `distaff experiment {name} "
        "--scale nano` again."
    )


@pytest.mark.parametrize("path", sorted(RESULTS.glob("*.json")), ids=lambda path: path.stem)
def test_a_result_is_of_todays_predictions_or_its_page_says_that_it_is_stale(path: Path) -> None:
    experiment, kept = registry.get("experiments", path.stem)(), json.loads(path.read_text())
    first, *rest = (ROOT / "docs" / "findings" / f"{path.stem}.md").read_text().splitlines()
    assert (first == stale_line(path.stem)) == is_stale(experiment, kept)
    assert not any("Stale" in line for line in rest)
    if "predictions" in kept:
        told = [(claim.key, claim.words, claim.bound) for claim in experiment.claims]
        assert [(each["key"], each["claim"], each["bound"]) for each in kept["claims"]] == told
        assert kept["predictions"] == experiment.predictions.sha256, (
            "run it again, or keep what was predicted"
        )


def test_a_page_is_stale_until_its_predictions_are_run_again(monkeypatch: pytest.MonkeyPatch) -> None:
    pages = tables()
    udr = registry.get("experiments", "udr")()
    claims = judged(udr, "nano", [udr.found(claim.key, [0.5, 0.5]) for claim in udr.claims])
    result = {"experiment": "udr", "scale": "nano", "claims": claims, "figures": [], "tables": {}}
    result |= {"predictions": udr.predictions.sha256, "settings": settings(udr.at("nano"))}
    monkeypatch.setattr(pages, "_result", lambda name: result)
    assert pages.finding("udr").startswith("# udr\n")
    result["predictions"] = "of another file"
    assert pages.finding("udr").splitlines()[0] == stale_line("udr")


def test_every_data_set_that_needs_no_file_has_its_contact_sheet() -> None:
    from distaff import registry

    for name in registry.names("datasets"):
        sheet = ROOT / "docs" / "images" / "datasets" / f"{name}.png"
        assert sheet.exists() == (not registry.get("datasets", name).places), "run `make docs`"


def code_blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)


def test_the_readme_example_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    example = "\n".join(code_blocks("python"))
    assert len(example.splitlines()) >= 8
    example = re.sub(r"steps=[\d_]+", "steps=30", example)  # the same calls, sooner done
    for cost in HALVES:
        monkeypatch.setitem(HALVES, cost, 2)
    exec(compile(example, "README.md", "exec"), {"__name__": "readme"})
    assert list(tmp_path.glob("runs/*/report.html"))


def test_the_readme_names_the_scores_without_chance() -> None:
    factors = SPACE.sample(1000, 0)
    codes = factors / factors.std(axis=0) + 0.3 * np.random.default_rng(0).standard_normal(factors.shape)
    beside = {"logvar": np.full(codes.shape, -3.0), "mates": [codes[:, ::-1]]}
    declared = {name: registry.get("metrics", name).declaration for name in registry.names("metrics")}
    given = {"factors", *beside}
    quick = [name for name, each in declared.items() if each.cost != "slow" and given.issuperset(each.needs)]
    card = distaff.score(codes, factors, metrics=quick, **beside)
    without = [name for name in card if card[name].chance is None]
    assert without == [name for name in card if card[name].ceiling is None]
    assert all(card[name].low is not None for name in card)
    sentence = re.search(r"Two have neither(.*?)\. Without", (ROOT / "README.md").read_text(), re.DOTALL)
    assert sentence is not None
    assert re.findall(r"`(.*?)`", sentence[1]) == without
    assert len(without) == 2
    needless = distaff.score(codes, mates=beside["mates"])
    assert len(needless) > 3
    assert all(needless[name].ceiling is None for name in needless)


def test_the_readme_shows_the_commands_of_its_runs() -> None:
    text = (ROOT / "README.md").read_text().replace("\\\n", "").replace("    ", "")
    for name in ("demo", "dsprites64"):
        result = json.loads((ROOT / "benchmarks" / "results" / f"{name}.json").read_text())
        assert result["command"] in text, name


@pytest.mark.parametrize("name", ["digits", "photographs"])
def test_examples_make_data_sets(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from distaff.datasets import load_dataset
    from distaff.testing import check_dataset

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", [name])
    runpy.run_path(str(ROOT / "examples" / f"{name}.py"))
    check_dataset(load_dataset({"digits": "digits.npz", "photographs": "photographs"}[name]))


def test_the_world_model_logs_its_scores(capsys: pytest.CaptureFixture[str]) -> None:
    """Cut by one rule: 3,000 steps become 20."""
    source = (ROOT / "examples" / "world_model.py").read_text()
    cut = source.replace("STEPS = 3000\n", "STEPS = 20\n")
    assert cut != source
    exec(compile(cut, "world_model.py", "exec"), {"__name__": "example"})
    lines = capsys.readouterr().out.splitlines()
    assert [int(line.split()[0]) for line in lines] == list(range(2, 21, 2))
    for line in lines:
        assert re.fullmatch(r"\d+ loss [\d.]+ mig [\d.]+ linear_r2\.\w+ [\d.]+ linear_r2\.\w+ [\d.]+", line)


def test_the_makefile_demo_is_the_one_in_the_readme() -> None:
    makefile = (ROOT / "Makefile").read_text()
    result = json.loads((ROOT / "benchmarks" / "results" / "demo.json").read_text())
    recipe = re.search(r"\$\(BIN\)/(distaff train.*?)\n\t\$\(BIN\)/distaff evaluate", makefile, re.DOTALL)
    assert recipe is not None
    command = re.sub(r"\s*\\\n\s*", " ", recipe[1]).replace("$(RUN)", "runs/demo")
    assert command == result["command"]


def test_the_method_of_your_own_is_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = (ROOT / "docs" / "methods_introduction.md").read_text(encoding="utf-8")
    (tmp_path / "my_methods.py").write_text(page.partition("```python\n")[2].partition("```")[0])
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setitem(registry.TABLES["methods"], "small_codes", "my_methods:SmallCodes")
    made = registry.get("methods", "small_codes")
    check_method(made(), steps=60)
    data = distaff.load_dataset("dsprites", resolution=16, x=4, y=4, orientation=1)
    run = distaff.train("small_codes", data, size_weight=0.2, steps=2, out=tmp_path / "run", show=False)
    assert {"loss", "reconstruction", "kl", "size"} <= run.history()[-1].keys()


def gone(name: str, smaller: dict[str, str], capsys: pytest.CaptureFixture[str]) -> tuple[str, list[str]]:
    """A page of docs/, made smaller by patterns that stand in it; what each of its commands printed."""
    page = (ROOT / "docs" / name).read_text(encoding="utf-8").replace("\\\n", "")
    for long, short in smaller.items():
        assert re.search(long, page)
        page = re.sub(long, short, page)
    printed = []
    for words in re.findall(r"^distaff (.*)$", page, re.MULTILINE):
        status, out, err = command(capsys, *shlex.split(words))
        assert status == 0, err
        assert out
        printed.append(out)
    return page, printed


def python_of(page: str) -> dict[str, Any]:
    """What the first Python of a page defines."""
    names: dict[str, Any] = {}
    exec(page.partition("```python\n")[2].partition("```")[0], names)
    return names


def test_the_way_to_concepts_can_be_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    """The commands of docs/concepts.md on smaller images and fewer steps, then its Python."""
    smaller = {r"resolution=\d+": "resolution=16", r"colour=\d": "colour=3", r"--steps \d+": "--steps 2"}
    monkeypatch.chdir(tmp_path)
    page, printed = gone("concepts.md", smaller, capsys)
    assert len(printed) == 11
    drawn = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.png"))
    assert len(drawn) == 5
    assert drawn[-1] in page
    names = python_of(page)
    assert names["made"].images.shape == (5, 3, 16, 16)
    assert len(names["seen"].concepts) == 133


def test_the_way_to_an_explorer_can_be_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The commands of docs/explorer.md on smaller images and fewer steps, then its Python."""
    smaller = {r"resolution=\d+": "resolution=16", r"--steps \d+": "--steps 2"}
    monkeypatch.chdir(tmp_path)
    page, printed = gone("explorer.md", smaller, capsys)
    assert len(printed) == 2
    out = printed[-1]
    assert f"\n    {out}" in page
    Path(out.strip()).unlink()
    names = python_of(page)
    assert names["path"] == Path(out.strip())
    assert names["path"].exists()


def test_the_demo_shows_three_seeds_beside_its_own() -> None:
    lines = script(ROOT / "benchmarks" / "demo_scores.py").beside({"mig": 0.25}).split("\n")
    assert lines[0].split() == ["beta_vae_score", "factor_vae_score", "mig"]
    assert lines[1].split() == ["this", "run", "-", "-", "0.250"]
    for seed, name in enumerate(("demo", "demo_seed1", "demo_seed2")):
        result = json.loads((ROOT / "benchmarks" / "results" / f"{name}.json").read_text())
        assert lines[2 + seed].split()[:2] == ["seed", f"{seed},"]
        assert lines[2 + seed].split()[-1] == f"{result['scores']['mig']['value']:.3f}"
    assert [line.split()[0] for line in lines[5:]] == ["chance", "ceiling"]
