"""The static site: it builds without a warning, asks nothing of the network, and its pages' commands run."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from commands import distaff
from PIL import Image

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
LOADED = re.compile(r"<(?:script|img|iframe|link)\b[^>]*\b(?:src|href)=\"((?:https?:)?//[^\"]*)\"")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site as `make site` builds it: a link to a page or a heading that is not there is a warning."""
    made = tmp_path_factory.mktemp("site")
    how = ["--quiet", "--fail-on-warning", "--keep-going"]
    built = subprocess.run(
        [sys.executable, "-m", "sphinx", *how, str(DOCS), str(made)], capture_output=True, text=True
    )
    assert built.returncode == 0, built.stderr
    return made


def test_it_loads_nothing_from_the_network(site: Path) -> None:
    pages = sorted(site.rglob("*.html"))
    assert len(pages) > len(list((DOCS / "findings").glob("*.md"))) + 10
    assert {page.name: LOADED.findall(page.read_text(encoding="utf-8")) for page in pages} == {
        page.name: [] for page in pages
    }
    for style in site.rglob("*.css"):
        assert not re.search(r"url\([\"']?(https?:)?//", style.read_text(encoding="utf-8")), style


def test_its_search_is_a_script_that_opens_from_a_file(site: Path) -> None:
    assert (site / "searchindex.js").read_text(encoding="utf-8").startswith("Search.setIndex(")


def test_the_api_has_what_the_package_has(site: Path) -> None:
    import distaff as package

    page = (site / "api.html").read_text(encoding="utf-8")
    modules = {"metrics", "datasets", "testing", "__version__"}
    for name in set(package.__all__) - modules:
        assert f'id="distaff.{name}"' in page, name
    for name in package.metrics.__all__:
        assert f'id="distaff.metrics.{name}"' in page, name


def test_which_method_can_be_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its loop, with two steps in place of thousands."""
    monkeypatch.chdir(tmp_path)
    Path("photographs").mkdir()
    for i in range(4):
        pixels = np.random.default_rng(i).integers(256, size=(16, 16, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(f"photographs/{i}.png")
    page = (DOCS / "which_method.md").read_text(encoding="utf-8")
    betas = re.search(r"for beta in (.*); do", page)
    assert betas is not None
    commands = re.findall(r"^    distaff (.*)$", page, re.MULTILINE)
    assert len(commands) == 2
    for beta in betas[1].split()[:2]:
        for each in commands:
            words = re.sub(r"--steps \d+", "--steps 2", each.replace("$beta", beta))
            status, _, err = distaff(capsys, *shlex.split(words))
            assert status == 0, err
        assert Path(f"runs/beta{beta}/report.html").exists()


def test_names_for_those_who_come_from_elsewhere_are_names_here() -> None:
    """Every method, score and setting in the right-hand columns of the page is one."""
    from distaff import registry
    from distaff.settings import describe

    page = (DOCS / "from_disentanglement_lib.md").read_text(encoding="utf-8")
    parts = dict(zip(*[iter(re.split(r"^## (.*)$", page, flags=re.MULTILINE)[1:])] * 2, strict=True))
    rows = {title: re.findall(r"^\| `.*? \| (.*) \|$", part, re.MULTILINE) for title, part in parts.items()}
    scores = {name.split(".")[0] for row in rows["Scores"] for name in re.findall(r"`([\w.]+)`", row)}
    assert len(scores) > 10
    assert scores <= set(registry.names("metrics"))
    vae = {setting.name for setting in describe(registry.get("methods", "beta_vae"))}
    for row in rows["Methods"]:
        found = re.findall(r"`(\w+)(?:=[\w:]+)?`", row)
        methods = [name for name in found if name in registry.names("methods")]
        own = {s.name for name in methods for s in describe(registry.get("methods", name))} | vae
        assert set(found) - set(methods) <= own, row
