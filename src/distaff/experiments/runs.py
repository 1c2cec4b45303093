"""The finished runs of an experiment."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

from distaff.datasets import DataSet, load_dataset
from distaff.errors import BadInput
from distaff.studies.execute import folder_of
from distaff.studies.plan import PlannedRun
from distaff.studies.study import SHOWN, Study
from distaff.training.run import Run, load_run


class RunsFailed(RuntimeError):
    """Some runs of an experiment failed, so that nothing can be judged."""


@dataclasses.dataclass(frozen=True)
class Runs:
    """Finished runs in the order of their plan. `runs[NAME]` are those that the plan calls so.

    A run is loaded when it is asked for; runs on the same data share it.
    """

    planned: tuple[tuple[Path, PlannedRun], ...] = ()
    _data: dict[str, DataSet] = dataclasses.field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.planned)

    def __iter__(self) -> Iterator[Run]:
        return (self._run(*each) for each in self.planned)

    def __getitem__(self, name: str) -> list[Run]:
        found = [self._run(folder, run) for folder, run in self.planned if run.name == name]
        if not found:
            raise KeyError(f"no run is called {name}; there are: {', '.join(self.names)}")
        return found

    @property
    def names(self) -> list[str]:
        """What the plan calls its runs, each name once."""
        return list(dict.fromkeys(run.name for _, run in self.planned))

    def named(self) -> Iterator[tuple[str, Run]]:
        """Every run with its name."""
        return ((run.name, self._run(folder, run)) for folder, run in self.planned)

    def and_then(self, others: Runs) -> Runs:
        """These runs and others after them."""
        return Runs(self.planned + others.planned, self._data)

    def _run(self, folder: Path, run: PlannedRun) -> Run:
        key = repr((run.dataset, run.options))
        if key not in self._data:
            self._data[key] = load_dataset(run.dataset, **run.options)
        return load_run(folder, data=self._data[key])


def runs_in(study: Study) -> Runs:
    """The runs of a study that has done all of them. Raises RunsFailed where some failed."""
    failures, counts = study.failures(), study.status()
    if counts["done"] == counts["runs"]:
        return Runs(tuple((folder_of(study.folder, run), run) for run in study.plan.runs))
    if not failures:
        raise BadInput(f"{study.folder} has {counts['waiting']} runs that are not done; run it again")
    told = "; ".join(f"{run}: {error}" for run, error in list(failures.items())[:SHOWN])
    raise RunsFailed(
        f"{len(failures)} of {counts['runs']} runs in {study.folder} failed, so nothing is judged: {told}; "
        "the same command with --retry tries them again"
    )
