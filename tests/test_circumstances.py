"""What benchmarks note of where, when and with what they measured, and the files that keep it."""

import json
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))
import circumstances


def test_they_name_machine_date_and_versions() -> None:
    found = circumstances.circumstances(threads=3)
    assert found.keys() >= {"processor", "threads", "torch", "date", "commit"}  # what the pages show
    assert (found["threads"], found["torch"]) == (3, version("torch"))
    json.dumps(found)


def test_parts_are_kept_beside_each_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(circumstances, "RESULTS", tmp_path)
    for part, number in (("a", 1), ("b", 2), ("a", 3)):
        circumstances.keep("x.json", part, {"n": number})
    assert json.loads((tmp_path / "x.json").read_text()) == {"a": {"n": 3}, "b": {"n": 2}}
