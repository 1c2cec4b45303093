"""The guides of docs/guides can be followed: their blocks run in order, in an empty folder.

One rule makes them shorter: a number of training steps (`steps=`, `--steps`) becomes 20.
"""

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
from commands import distaff as command

GUIDES = Path(__file__).parents[1] / "docs" / "guides"
STEPS = re.compile(r"(steps[= ])[\d_]+")
BLOCK = re.compile(r"^```(python|console)\n(.*?)^```", re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("page", sorted(GUIDES.glob("*.md")), ids=lambda page: page.stem)
def test_a_guide_can_be_followed(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {"__name__": "guide"}
    blocks = BLOCK.findall(STEPS.sub(r"\g<1>20", page.read_text(encoding="utf-8")))
    assert blocks
    for language, block in blocks:
        if language == "python":
            exec(compile(block, page.name, "exec"), names)
            assert "print(" not in block or capsys.readouterr().out
            continue
        for words in re.findall(r"^\$ distaff (.*)$", block.replace("\\\n", ""), re.MULTILINE):
            status, out, err = command(capsys, *shlex.split(words))
            assert status == 0, err
            assert out
