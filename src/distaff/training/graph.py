"""Training steps that a GPU takes without waiting for Python: each of them is one CUDA graph, launched again.

At batches of 64 a step's kernels are done sooner than Python names them. So a step is recorded once: images
gathered from bytes that lie on the device, forward, backward, Adam, and the terms for the log. What changes
from step to step lies on the device beforehand: row numbers, labels and scheduled numbers of up to AHEAD
steps are drawn on the host, by (seed, step) as ever, and copied at once, while the device is busy with the
steps before. A counter there says which step it is. Noise is drawn within the graph, by a generator that is
seeded before every launch from (seed, step), so that these alone decide. Nothing else crosses the bus.
"""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
import torch
from torch import Tensor

from distaff.batches.batch import Batch
from distaff.batches.feed import Feed
from distaff.methods.state import State

AHEAD = 100  # steps whose rows are drawn at a time
WARM_UP = 3  # steps before one is recorded, in which libraries choose their kernels and take their memory

Numbers = Mapping[str, Tensor]
#: a step of runs: of row numbers and what comes with them, each (runs, ...), numbers by name, each (runs,),
#: and the generator of each run's noise it makes terms by name
Take = Callable[[Batch, Numbers, Sequence[torch.Generator]], dict[str, Tensor]]


class Uncapturable(Exception):
    """Steps that cannot be one graph; the message says why."""


class Changed(Protocol):
    """All that steps change: tensors by name, in places that stay, and the optimisers that hold some."""

    @property
    def optimisers(self) -> Mapping[str, torch.optim.Optimizer]: ...

    def tensors(self) -> dict[str, Tensor]: ...


class Steps(Protocol):
    """Takes the steps of a run in their order."""

    def step(self, step: int) -> tuple[list[str], Tensor]:
        """Take one step. The names of its terms, and their values (terms, ...) on the device."""


class OneByOne:
    """Steps of a run whose operations Python names one by one."""

    def __init__(self, feed: Feed, state: State) -> None:
        self._feed, self._state = feed, state

    def step(self, step: int) -> tuple[list[str], Tensor]:
        """Take one step."""
        batch, rng = self._feed.at(step)
        terms = self._feed.method(step).step(self._state, batch, rng)
        return list(terms), torch.stack(list(terms.values()))


class Graph:
    """The steps of some runs as one CUDA graph; elsewhere the same operations, one by one.

    `take` is a step, which changes the `state` alone and is given the `numbers` of these names, such as
    those that follow a schedule. Uncapturable, with the state as it was, for batches
    that are more than arrays, images not on the device, and a step that asks for a value half-way.
    """

    def __init__(
        self, feeds: Sequence[Feed], take: Take, state: Changed, steps: range, numbers: Sequence[str] = ()
    ) -> None:
        if not all(feed.resident for feed in feeds):
            raise Uncapturable("its images do not fit on the device")
        self._feeds, self._take, self._state, self._stop = feeds, take, state, steps.stop
        self._device, self._numbers = feeds[0].device, list(numbers)
        self._rngs = [torch.Generator(feed.noise_device) for feed in feeds]
        self._now = torch.zeros(1, dtype=torch.int64, device=self._device)  # the place among the steps drawn
        self._names, self._values = [""], torch.empty(0)
        self._drawn = self._draw(steps.start)
        self._inputs = {
            name: torch.zeros((AHEAD, *values.shape[1:]), dtype=values.dtype, device=self._device)
            for name, values in self._drawn.arrays.items()
        }
        self._load()
        self._launch = self._recorded() if self._device.type == "cuda" else self._one

    def step(self, step: int) -> tuple[list[str], Tensor]:
        """Take one step."""
        place = step - self._drawn.first
        for rng, seed in zip(self._rngs, self._drawn.seeds[place], strict=True):
            rng.manual_seed(seed)
        self._launch()
        if place + 1 == len(self._drawn.seeds) and step + 1 < self._stop:
            self._drawn = self._draw(step + 1)
            self._load()
        return self._names, self._values.clone()

    def _draw(self, first: int) -> Drawn:
        """The steps from the first on, to the next of which AHEAD is a divisor."""
        kinds = {value.dtype for value in self._state.tensors().values()}
        real = np.float64 if torch.float64 in kinds else np.float32
        end = min(first - first % AHEAD + AHEAD, self._stop)
        return drawn(self._feeds, dict.fromkeys(self._numbers, real), range(first, end))

    def _load(self) -> None:
        """Put what was drawn where the graph reads it, behind the steps that are on their way."""
        for name, values in self._drawn.arrays.items():
            waiting = values.pin_memory() if self._device.type == "cuda" else values
            self._inputs[name][: len(values)].copy_(waiting, non_blocking=True)
        self._now.zero_()

    def _one(self) -> None:
        """A step, whose number is on the device."""
        now: dict[str, Any] = {
            name: values.index_select(0, self._now)[0] for name, values in self._inputs.items()
        }
        numbers = {name: now.pop(name) for name in self._numbers}
        rows = dataclasses.replace(self._drawn.like, **now)
        terms = self._take(rows, numbers, self._rngs)
        self._names, self._values = list(terms), torch.stack(list(terms.values()))
        self._now += 1

    def _recorded(self) -> Callable[[], None]:
        """What launches a step that was recorded after some steps to warm up, which are undone."""
        graph, stream = torch.cuda.CUDAGraph(), torch.cuda.Stream(self._device)
        with undone(self._state):
            stream.wait_stream(torch.cuda.current_stream(self._device))
            try:
                with torch.cuda.stream(stream):  # which a recording that fails does not leave
                    for _ in range(WARM_UP):
                        self._one()
                    for rng in self._rngs:
                        graph.register_generator_state(rng)
                    with capturable(self._state), torch.cuda.graph(graph, stream=stream):
                        self._one()
            except torch.OutOfMemoryError:  # whoever chose how many runs go together takes fewer
                raise
            except RuntimeError as error:
                raise Uncapturable(str(error.__context__ or error).splitlines()[0]) from None
            finally:
                torch.cuda.synchronize(self._device)
        self._now.zero_()
        return graph.replay


class Drawn(NamedTuple):
    """What runs see in steps in a row, by name, each (steps, runs, ...), and the seeds of their noise."""

    first: int
    arrays: dict[str, Tensor]
    seeds: list[list[int]]
    like: Batch  # of the first run, for what is no array


def drawn(feeds: Sequence[Feed], numbers: Mapping[str, type], steps: range) -> Drawn:
    """What the feeds and their methods' numbers, of some type, give in these steps, or Uncapturable."""
    rows = [[feed.rows(step) for feed in feeds] for step in steps]
    like, arrays = rows[0][0][0], {}
    for field in dataclasses.fields(Batch):
        value = getattr(like, field.name)
        if isinstance(value, np.ndarray):
            every = [[getattr(batch, field.name) for batch, _ in row] for row in rows]
            if len({each.shape for row in every for each in row}) > 1:
                raise Uncapturable(f"'{field.name}' of their batches has more than one shape")
            arrays[field.name] = np.array(every)
        elif value is not None and field.name != "population":
            raise Uncapturable(f"'{field.name}' of its batches is no array")
    for name, real in numbers.items():
        values = [[getattr(feed.method(step), name) for feed in feeds] for step in steps]
        arrays[name] = np.array(values, dtype=real)
    tensors = {name: torch.from_numpy(values) for name, values in arrays.items()}
    return Drawn(steps.start, tensors, [[seed for _, seed in row] for row in rows], like)


def graph_of(feed: Feed, state: State, steps: range) -> Graph:
    """The steps of one run."""

    def take(rows: Batch, numbers: Numbers, rngs: Sequence[torch.Generator]) -> dict[str, Tensor]:
        return take_own(feed, state, 0, rows, numbers, rngs)

    return Graph([feed], take, state, steps, feed.learner.moving)


def take_own(
    feed: Feed, state: State, run: int, rows: Batch, numbers: Numbers, rngs: Sequence[torch.Generator]
) -> dict[str, Tensor]:
    """The step of one of the runs whose rows, numbers and generators these are."""
    own: dict[str, Any] = {
        field.name: value[run]
        for field in dataclasses.fields(rows)
        if isinstance(value := getattr(rows, field.name), Tensor)
    }
    method = feed.learner.holding({name: numbers[name][run] for name in feed.learner.moving})
    terms: dict[str, Tensor] = method.step(state, feed.looked_up(dataclasses.replace(rows, **own)), rngs[run])
    return terms


@contextlib.contextmanager
def undone(state: Changed) -> Iterator[None]:
    """Leave the state as it was before the block, in the same memory."""
    before = {name: value.clone() for name, value in state.tensors().items()}
    try:
        yield
    finally:
        for name, value in state.tensors().items():
            if name in before:
                value.copy_(before[name])
            else:  # of an optimiser, made at its first step
                value.zero_()


@contextlib.contextmanager
def capturable(state: Changed) -> Iterator[None]:
    """Let the optimisers step in a graph for the block; fused ones do the same then, but say if they may."""
    groups = [group for optimiser in state.optimisers.values() for group in optimiser.param_groups]
    for group in groups:
        group["capturable"] = True
    try:
        yield
    finally:
        for group in groups:
            group["capturable"] = False
