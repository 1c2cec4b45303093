"""What stands for a worker of a study in tests of what its tasks come to: they are done in this process.

That a worker is a process of its own, which may die, is tested in tests/studies/test_study.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from distaff.studies import workers
from distaff.studies.plan import read_plan
from distaff.studies.worker import answer
from distaff.studies.workers import Answer

PROCESS = workers._Worker  # for the tests that are about it


class InProcess:
    """What a study asks, in place of a process."""

    def __init__(self, words: Sequence[str]) -> None:
        self._study, *rest = words[3:]
        self._data_dir = rest[0] if rest else None

    def ask(self, task: str) -> list[Answer] | None:
        study = Path(self._study)
        return answer(study, read_plan(study), task, self._data_dir)

    def close(self) -> None:
        """There is no process to wait for."""

    def stop(self) -> None:
        """There is no process to end."""
