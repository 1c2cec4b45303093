"""What an experiment is: a plan at four scales, and a judge of its runs.

An experiment declares its `scales`, predicts its `claims` in a file beside it (see `predictions`), plans its
`runs`, and judges them: `judge` is given a `Lab`,
where it shows tables and figures and says what it has to say, and the finished runs, and yields a `Finding`
for every claim. What is fitted without runs is fitted by the judge. Whoever conducts it has the runs trained
and writes what was found into a folder: experiment.json and report.html.
"""

from __future__ import annotations

import dataclasses
import functools
import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Generic, NamedTuple, TypeVar

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from msgspec import Struct
from numpy.typing import ArrayLike, NDArray

from distaff.datasets import DataSet, load_dataset
from distaff.errors import unknown
from distaff.experiments.predictions import Claim, Predictions, read_predictions
from distaff.experiments.verdict import Measured, exactly, over_seeds
from distaff.methods.base import Codes
from distaff.studies.plan import Part, Plan, PlannedRun, runs_of
from distaff.studies.study import Study
from distaff.training.config import read_config
from distaff.training.run import Run, load_run

#: metric options of plans whose pilots were scored when the forest was the default learner
DCI_BY_FOREST: dict[str, dict[str, Any]] = {"dci": {"learner": "random_forest"}}


class Scale(Struct, frozen=True):
    """How much of an experiment there is. `takes` says the machine and the time, in words.

    What a subclass gives its numbers as defaults are those of scale nano.
    """

    takes: str


class SeededScale(Scale, frozen=True, kw_only=True):
    """A scale of `seeds` from `first_seed` on.

    Where nano has seen the first ones at the settings of small, small has others.
    """

    seeds: int = 1
    first_seed: int = 0

    @property
    def numbered(self) -> range:
        """The seeds themselves."""
        return range(self.first_seed, self.first_seed + self.seeds)


S = TypeVar("S", bound=Scale)


class Finding(NamedTuple):
    """What was measured for a claim."""

    claim: Claim
    measured: Measured


def every_label(data: DataSet) -> NDArray[Any]:
    """The labels (n, k) of all images of a data set that has labels; fixed factors are not among them."""
    labels = data.labels(np.arange(len(data)))
    assert labels is not None
    return labels


def every_code(run: Run, seed: int = 0) -> Codes:
    """The codes of all images of a run's data set, with samples drawn by `seed`."""
    return run.encode(run.data.images(np.arange(len(run.data))), seed)


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

    @property
    def devices(self) -> list[str]:
        """Where those that were trained here were: cpu, cuda, mps."""
        configs = (folder / "config.json" for folder, _ in self.planned)
        return sorted({read_config(path).device.partition(":")[0] for path in configs if path.exists()})

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
        # judges hand arrays of the CPU to a run's networks, and measure alike wherever it was trained
        return load_run(folder, data=self._data[key], device="cpu")


@dataclasses.dataclass
class Lab(Generic[S]):
    """Where an experiment is judged: a folder, its scale, its study's results, and what it has shown."""

    folder: Path
    scale: S
    show: bool = True
    shown: list[tuple[str, str, Any]] = dataclasses.field(default_factory=list)

    @property
    def results(self) -> pd.DataFrame:
        """The table of the study's scores, where the experiment's plan has metrics."""
        return Study(self.folder / "study").results()

    def table(self, title: str, rows: pd.DataFrame | Sequence[Mapping[str, Any]]) -> pd.DataFrame:
        """Show a table, and return it."""
        frame = pd.DataFrame(rows)
        self.shown.append(("table", title, frame))
        return frame

    def figure(self, title: str, figure: Figure) -> None:
        """Show a figure."""
        self.shown.append(("figure", title, figure))

    def say(self, words: str) -> None:
        """A paragraph, for what the numbers do not say."""
        self.shown.append(("words", "", words))


class Experiment(Generic[S]):
    """A claim of a paper that can be run: its `scales`, one for each of SCALES, and its `predictions`.

    A subclass's docstring states the paper, the claim and what is done.
    """

    scales: ClassVar[Mapping[str, Any]]

    def __init__(self, name: str = "") -> None:
        #: what it is registered as, which is also the name of its file unless it is given
        self.name = name or type(self).__module__.rpartition(".")[2]

    @functools.cached_property
    def predictions(self) -> Predictions:
        """What is claimed: the file NAME.toml beside the subclass's NAME.py."""
        return read_predictions(Path(inspect.getfile(type(self))).with_suffix(".toml"))

    @property
    def claims(self) -> tuple[Claim, ...]:
        """The claims that are judged."""
        return self.predictions.claims

    def at(self, scale: str) -> S:
        """The numbers of a scale. Raises BadInput where there is no such scale."""
        if scale not in self.scales:
            raise unknown(f"scale of {self.name}", scale, self.scales)
        found: S = self.scales[scale]
        return found

    def runs(self, scale: S) -> Part:
        """The runs to train, as the parts of a plan; none unless a subclass plans some."""
        return []

    def plan(self, scale: str) -> Plan | None:
        """The study of the experiment's runs at a scale, trained and not scored; None without runs."""
        return self.planned(scale, self.runs(self.at(scale)))

    def planned(self, scale: str, part: Part) -> Plan | None:
        """A plan of runs that are trained and not scored; None without any."""
        return Plan(self.name, scale, runs_of(part), metrics=(), udr_mates=0) if part else None

    def then(self, lab: Lab[S], runs: Runs) -> Part:
        """More runs, that depend on what the first have learned; none unless a subclass plans some."""
        return []

    def judge(self, lab: Lab[S], runs: Runs) -> Iterator[Finding]:
        """What was found for every claim, each of them once."""
        raise NotImplementedError

    def found(self, key: str, values: ArrayLike | Measured) -> Finding:
        """What was measured for a claim: a value per seed, or a number with an interval of its own."""
        by_key = {claim.key: claim for claim in self.claims}
        if key not in by_key:
            raise KeyError(f"{self.name} declares no claim {key}; it declares: {', '.join(by_key)}")
        if isinstance(values, Measured):
            return Finding(by_key[key], values)
        return Finding(by_key[key], exactly(values) if by_key[key].exact else over_seeds(values))

    def found_by_data(
        self, table: pd.DataFrame, of_data: Callable[[pd.DataFrame], Mapping[str, ArrayLike]]
    ) -> Iterator[Finding]:
        """What was measured for the claims called DATA_KEY, of a table of runs by `data`.

        `of_data` is given the rows of one data set, and gives a value per seed for each KEY.
        """
        for data, rows in table.groupby("data", sort=False):
            for key, values in of_data(rows).items():
                yield self.found(f"{data}_{key}", values)
