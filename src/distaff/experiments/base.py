"""What an experiment is.

An experiment is a generator function decorated with `experiment`. It is given a `Lab`, where it trains runs,
shows tables and figures and says what it has to say, and yields a `Claim` for everything it judges. Whoever
runs it writes what was found into a folder: experiment.json and report.html.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from distaff.datasets import DataSet, load_dataset
from distaff.methods.base import Codes
from distaff.training.run import Run
from distaff.training.train import train


class Claim(NamedTuple):
    """A claim, the bound it is judged by, what was measured and, where there are several seeds, its range.

    A claim that is not `judged` is reported beside the others: the paper makes it at another scale.
    """

    claim: str
    bound: str
    measured: float
    passed: bool
    low: float | None = None
    high: float | None = None
    judged: bool = True


def claim(
    words: str,
    measured: ArrayLike,
    *,
    low: float | None = None,
    high: float | None = None,
    judged: bool = True,
    seeds: ArrayLike | None = None,
) -> Claim:
    """The claim that a number lies from `low` to `high`. Of several seeds the median is judged.

    Where a number is made of medians already, `seeds` are those of each seed alone, for the range.
    """
    values = np.atleast_1d(np.asarray(measured, dtype=np.float64))
    middle = float(np.median(values))
    values = values if seeds is None else np.atleast_1d(np.asarray(seeds, dtype=np.float64))
    bounds = [f"{sign} {limit:g}" for sign, limit in ((">=", low), ("<=", high)) if limit is not None]
    passed = (low is None or middle >= low) and (high is None or middle <= high)
    least, most = (float(values.min()), float(values.max())) if len(values) > 1 else (None, None)
    return Claim(words, " and ".join(bounds), middle, bool(passed), least, most, judged)


class Scale(NamedTuple):
    """What a scale takes (machine and time, in words) and its numbers by name."""

    takes: str
    numbers: Mapping[str, Any]


def every_label(data: DataSet) -> NDArray[Any]:
    """The labels (n, k) of all images of a data set that has labels; fixed factors are not among them."""
    labels = data.labels(np.arange(len(data)))
    assert labels is not None
    return labels


def every_code(run: Run, seed: int = 0) -> Codes:
    """The codes of all images of a run's data set, with samples drawn by `seed`."""
    return run.encode(run.data.images(np.arange(len(run.data))), seed)


@dataclasses.dataclass
class Lab:
    """Where an experiment works: a folder, the numbers of its scale, and what it has shown so far."""

    folder: Path
    numbers: Mapping[str, Any]
    threads: int | None = None
    show: bool = True
    shown: list[tuple[str, str, Any]] = dataclasses.field(default_factory=list)

    def __getitem__(self, name: str) -> Any:
        """A number of the scale."""
        return self.numbers[name]

    def train(self, name: str, method: str, data: DataSet | str, steps: int = 0, **settings: Any) -> Run:
        """A run in this folder, trained or resumed; `seed` is among the settings that it takes."""
        out = self.folder / "runs" / name
        return train(method, data, steps=steps, out=out, threads=self.threads, show=self.show, **settings)

    def runs(self, name: str, method: str, data: DataSet | str, steps: int = 0, **settings: Any) -> list[Run]:
        """A run for each seed of the scale."""
        return [
            self.train(f"{name}-s{seed}", method, data, steps, seed=seed, **settings)
            for seed in range(self["seeds"])
        ]

    def sprites(self, **options: Any) -> DataSet:
        """dSprites at the scale's resolution and number of places, across and down."""
        places = self["places"]
        return load_dataset("dsprites", resolution=self["resolution"], x=places, y=places, **options)

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


Work = Callable[[Lab], Iterator[Claim]]


@dataclasses.dataclass(frozen=True)
class Experiment:
    """A claim of a paper that can be run: what it says, how, and at which scales."""

    name: str
    about: str
    work: Work
    scales: Mapping[str, Scale]

    def __post_init__(self) -> None:
        object.__setattr__(self, "__doc__", self.about)  # what `distaff list experiments NAME` shows


SCALES = ("quick", "nano", "paper")  # seconds, for tests; ten minutes on two cores; as published


def experiment(takes: tuple[str, str, str], **numbers: tuple[Any, Any, Any]) -> Callable[[Work], Experiment]:
    """Make an experiment of a function; its docstring states the paper, the claim and what is done.

    `takes` and every number are given for each of SCALES.
    """

    def made(work: Work) -> Experiment:
        scales = {
            name: Scale(takes[place], {key: values[place] for key, values in numbers.items()})
            for place, name in enumerate(SCALES)
        }
        return Experiment(work.__name__, work.__doc__ or "", work, scales)

    return made
