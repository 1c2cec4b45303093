"""Runs side by side in one CUDA graph: each has a branch, in which it takes the steps that it takes alone.

One run's operations are too small for a GPU; in other branches those of other runs go on beside them. Weights
stay apart, so what comes out is that of the runs alone, to the last bit, and any method goes with any other
whose batches are alike.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence

import torch
from torch import Tensor

from distaff.batches.batch import Batch
from distaff.batches.feed import Feed
from distaff.methods.state import State
from distaff.training.graph import Graph, Numbers, take_own

BRANCHES = 16  # more runs than that take turns in them


def graph_of_some(
    feeds: Sequence[Feed], states: Sequence[State], steps: range, branches: int = BRANCHES
) -> Graph:
    """The steps of such runs, which share one data set. Values of terms are (terms, runs)."""
    branched = Branches(feeds[0].device, min(branches, len(feeds)))

    def take(rows: Batch, numbers: Numbers, rngs: Sequence[torch.Generator]) -> dict[str, Tensor]:
        found = []
        with branched() as branch:
            for run, (feed, state) in enumerate(zip(feeds, states, strict=True)):
                with branch(run):
                    found.append(take_own(feed, state, run, rows, numbers, rngs))
        return {name: torch.stack([terms[name] for terms in found]) for name in found[0]}

    moving = sorted({name for feed in feeds for name in feed.learner.moving})
    return Graph(feeds, take, States(states), steps, moving)


class Branches:
    """Streams that leave the current one and come back to it; none where there is no CUDA device."""

    def __init__(self, device: torch.device, count: int) -> None:
        self._streams = [torch.cuda.Stream(device) for _ in range(count)] if device.type == "cuda" else []

    @contextlib.contextmanager
    def __call__(self) -> Iterator[Callable[[int], contextlib.AbstractContextManager[object]]]:
        """What puts a block into the branch of a run, by its number."""
        for stream in self._streams:
            stream.wait_stream(torch.cuda.current_stream(stream.device))
        yield self._branch
        for stream in self._streams:
            torch.cuda.current_stream(stream.device).wait_stream(stream)

    def _branch(self, run: int) -> contextlib.AbstractContextManager[object]:
        streams = self._streams
        return torch.cuda.stream(streams[run % len(streams)]) if streams else contextlib.nullcontext()


class States:
    """The states of some runs, as one that steps change."""

    def __init__(self, states: Sequence[State]) -> None:
        self._states = states

    @property
    def optimisers(self) -> Mapping[str, torch.optim.Optimizer]:
        """Those of all runs."""
        every = enumerate(self._states)
        return {f"{run}/{name}": each for run, state in every for name, each in state.optimisers.items()}

    def tensors(self) -> dict[str, Tensor]:
        """Those of all runs."""
        every = enumerate(self._states)
        return {f"{run}/{name}": each for run, state in every for name, each in state.tensors().items()}
