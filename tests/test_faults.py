"""A small share of benchmarks/faults.py: hostile files, and the scripts' own judgement of them."""

from __future__ import annotations

import random
import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))
import faults

from distaff.errors import BadInput

CASES = 200


def test_hostile_files_are_used_or_refused(tmp_path: Path) -> None:
    found = faults.fuzz(CASES, tmp_path)
    assert found["tried"] == CASES
    assert found["failures"] == []
    tried = found["subjects"].values()
    assert sum(subject["refused"] for subject in tried) > CASES / 2  # most damage shows
    assert sum(subject["succeeded"] for subject in tried) > 0


def test_a_process_that_ends_has_failed_its_case_and_the_next_is_tried(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(faults.files, "ready", sys.exit)
    (tmp_path / "bases").mkdir()
    (tmp_path / "stderr").write_text("Timeout (0:00:20)!")
    found = faults.files.run_cases(3, 5, tmp_path)
    assert [(each["case"], each["outcome"]) for each in found] == [(3, "failed"), (4, "failed")]
    assert found[0]["detail"] == "the process ended: Timeout (0:00:20)!"


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (SystemExit(2), "failed"),
        (KeyError("x"), "failed"),
        (MemoryError(), "failed"),
        (BadInput("no"), "refused"),
    ],
)
def test_only_errors_of_ours_are_right(error: BaseException, outcome: str) -> None:
    with pytest.raises(type(error)) as caught:
        raise error
    assert faults.files.judge(caught.value)[0] == outcome


def test_a_folder_that_differs_is_seen(tmp_path: Path) -> None:
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        for file in faults.runs.FILES:
            (tmp_path / name / file).write_bytes(b"same")
    assert faults.runs.differing(tmp_path / "one", tmp_path / "other") == []
    (tmp_path / "one" / faults.runs.FILES[1]).write_bytes(b"not")
    (tmp_path / "one" / faults.runs.FILES[2]).unlink()
    (tmp_path / "one" / ".model.safetensors.1.partial").touch()
    assert faults.runs.differing(tmp_path / "one", tmp_path / "other") == [
        faults.runs.FILES[2],
        faults.runs.FILES[1],
        ".model.safetensors.1.partial",
    ]


def test_a_bad_stop_is_seen(tmp_path: Path) -> None:
    def judged(phase: str, status: int, line: str) -> str:
        return faults.stopped_well(phase, status, [line], tmp_path)

    assert judged("training", 130, "stopped at step 5 of 9; run the same command again to continue") == ""
    assert "status -2" in judged("scoring", -2, "KeyboardInterrupt")
    assert "status 0" in judged("training", 0, "done")
    assert judged("scoring", 0, "") == ""


@pytest.mark.slow
def test_a_killed_process_is_met_in_its_phase(tmp_path: Path) -> None:
    chance: Any = random.Random(0)
    hit, wrong, status, _ = faults.runs.disturbed(9, "beta_vae", "checkpointing", tmp_path / "run", chance)
    assert (hit, wrong, status) == (True, "", -9)
    assert faults.runs.ended("beta_vae", tmp_path / "run", tmp_path) == ""
