"""`distaff explore` as a person meets it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from commands import distaff


@pytest.fixture
def run(trained: Path, tmp_path: Path) -> Path:
    shutil.copytree(trained, tmp_path / "run")
    return tmp_path / "run"


def test_it_writes_a_page_and_prints_its_path(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert distaff(capsys, "explore", run) == (0, f"{run / 'explorer.html'}\n", "")
    text = (run / "explorer.html").read_text()
    assert "<h1>beta_vae on dsprites</h1>" in text
    other = tmp_path / "to be sent" / "page.html"
    assert distaff(capsys, "explore", run, "--out", other) == (0, f"{other}\n", "")
    assert other.read_text() == text, "the same run makes the same page"


def test_help_says_what_it_does(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = distaff(capsys, "explore", "--help")
    assert status == 0
    words = " ".join(out.split())
    assert "explorer.html, in which its decoder runs" in words
    assert "--out" in words
    assert "explore" in distaff(capsys, "--help")[1]


def test_bad_input_is_one_line(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "folder.html"
    folder.mkdir()
    given = {
        ("nowhere",): "nowhere is not a run folder",
        (run, "--out", folder): f"{folder} is a folder, and a file is to be",
        (run, "--out", tmp_path / "page.png"): "page.png must end in .html",
    }
    for words, message in given.items():
        status, out, err = distaff(capsys, "explore", *words)
        assert (status, out, len(err.splitlines())) == (2, "", 1)
        assert message in err
    (run / "model.safetensors").unlink()
    status, _, err = distaff(capsys, "explore", run)
    assert (status, "holds no finished model" in err) == (2, True)
    assert not (run / "explorer.html").exists()
