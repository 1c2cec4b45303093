"""Training many runs as one, each to the folder, history and checkpoints that it has alone.

On a GPU that draws the noise they go side by side, in branches of one graph; else their weights are stacked.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass

import torch
from torch import Tensor

from distaff.batches.feed import Feed
from distaff.batches.resident import on_device
from distaff.datasets import DataSet
from distaff.errors import BadInput, Diverged, Interrupted
from distaff.interrupt import heard
from distaff.methods.state import State
from distaff.networks.threads import torch_threads
from distaff.progress import progress, say
from distaff.settings import whole_number
from distaff.training import train as alone
from distaff.training.allocator import keep_freed_memory
from distaff.training.device import arithmetic, choose_device, usual_torch
from distaff.training.folder import (
    finish,
    in_company,
    is_finished,
    save_checkpoint,
)
from distaff.training.graph import Steps, Uncapturable
from distaff.training.history import Window
from distaff.training.many import Many
from distaff.training.run import Run
from distaff.training.side_by_side import graph_of_some
from distaff.training.train import Asked

SAVING = 0.05  # the share of the time that checkpoints may take


@dataclass
class Member:
    """A run among those that are trained as one: its place among those asked for, and how far it is."""

    place: int
    run: Run
    feed: Feed
    state: State
    done: int
    window: Window

    @property
    def stop(self) -> int:
        """The number of its steps."""
        return self.run.config.steps

    @property
    def is_due(self) -> bool:
        """Whether a line of its history is to be written now."""
        return self.done % alone.LOG_EVERY == 0 or self.done == self.stop


def train_together(
    asked: Sequence[Asked],
    data: DataSet,
    *,
    threads: int = 1,
    device: str = "auto",
    noise: str = "auto",
    convolutions: str | None = None,
    show: bool = True,
) -> list[Run | Exception]:
    """Train runs of one method on a data set as one. The run of each, or the error that it ended with.

    The methods may differ in their numbers, the runs in their seeds and in how far they are. Each is what
    `train` makes of it alone, to the last bit in branches of a GPU's graph, and up to rounding where weights
    are stacked: either may go on with the other's folder, and the config says which steps were stacked. A run
    that diverges stops alone. Convolutions of stacked weights are done in one of the ways of
    distaff.networks.as_one, by default the quickest one of the device.

    Raises BadInput where the methods cannot be trained as one, and Interrupted when it was asked to stop and
    all were saved.
    """
    chosen, found = choose_device(device), dict[int, Run | Exception]()
    there, count = on_device(data, chosen), whole_number("threads", threads, 1)
    way = convolutions or WAY.get(chosen.type, "products")
    with ExitStack() as held:
        held.enter_context(usual_torch())
        members = []
        for place, each in enumerate(asked):
            try:
                name, _ = alone.named(each.method, {})
                entered = alone.asked_for(name, each, data, there, count, chosen, noise)
                run, feed = held.enter_context(entered)
                member = None if is_finished(run) else _member(place, run, feed)
                if member and member.done == member.stop:  # and killed before its weights were written
                    finish(run, member.state, member.stop)
                if member and member.done < member.stop:
                    members.append(member)
                else:
                    found[place] = run
            except (BadInput, Diverged) as error:
                found[place] = error
        keep_freed_memory()
        tf32 = bool(members) and getattr(members[0].run.method, "precision", "") == "tf32"
        with torch_threads(count), arithmetic(tf32):
            while len(members) > 1:
                ended = _until_one_ends(members, way, show)
                found |= ended
                members = [member for member in members if member.place not in ended]
        for member in members:  # the last one
            found[member.place] = _alone(member, show)
    return [found[place] for place in range(len(asked))]


#: by kind of device, the quickest way of convolutions of stacked weights (benchmarks/gpu.py)
WAY = {"cpu": "grouped", "cuda": "mixed"}


def _member(place: int, run: Run, feed: Feed) -> Member:
    """A run from where its checkpoint is on."""
    state, done = alone.begun(run, feed, run.config.steps)
    return Member(place, run, feed, state, done, alone.window_of(run))


def _until_one_ends(members: list[Member], way: str, show: bool) -> dict[int, Run | Exception]:
    """Train runs as one until some of them are finished or have failed: those, by their places."""
    ended, values, saved, cost = dict[int, Run | Exception](), list[Tensor](), time.monotonic(), 0.0
    first, words = members[0], f"training {len(members)} as one"
    with progress(words, first.stop, first.done, show) as report, heard() as asked_to_stop:
        taken = _steps(members, way, show)
        while not ended:
            names, terms = taken.step(first.done)
            values.append(terms)
            for member in members:
                member.done += 1
            if not asked_to_stop and not any(member.is_due for member in members):
                continue
            _pass_on(members, names, values)
            values = []
            ended = _written(members)
            report(first.done, first.window.words)
            began = time.monotonic()
            if ended or asked_to_stop or began - saved > max(alone.CHECKPOINT_SECONDS, cost / SAVING):
                ended |= _saved([member for member in members if member.place not in ended])
                saved, cost = time.monotonic(), time.monotonic() - began
            if asked_to_stop:
                raise Interrupted(
                    f"stopped at step {first.done} of {first.stop}; run the same command again to continue"
                )
    return ended


def _steps(members: list[Member], way: str, show: bool) -> Steps:
    """What takes the steps, on a GPU side by side where the runs are equally far, else stacked.

    Side by side they are what they are alone, to the last bit; stacked ones have configs that say so.
    """
    first, feeds, states = members[0], [each.feed for each in members], [each.state for each in members]
    left = range(first.done, min(member.stop for member in members))
    if all(member.run.config.noise == "device" and member.done == first.done for member in members):
        try:
            taken = graph_of_some(feeds, states, left)
            _in_company(members, 1)
            return taken
        except Uncapturable as reason:
            if show:
                say(f"{first.run.config.method} takes its steps one by one, which a GPU waits for: {reason}")
    many = Many(feeds, states, way)
    _in_company(members, len(members))
    return EachItsOwn(many, members)


def _in_company(members: list[Member], runs: int) -> None:
    for member in members:
        member.run = in_company(member.run, member.done, runs)


class EachItsOwn:
    """Steps of many runs whose operations Python names one by one, each run at its own number."""

    def __init__(self, many: Many, members: list[Member]) -> None:
        self._many, self._members, self._begun = many, members, False

    def step(self, step: int) -> tuple[list[str], Tensor]:
        """Take one step. BadInput where the first one shows that the method's loss cannot be vmapped."""
        try:
            terms = self._many.step([member.done for member in self._members])
        except (RuntimeError, TypeError, ValueError) as error:
            if self._begun or isinstance(error, torch.OutOfMemoryError):
                raise
            reason = str(error).strip().splitlines()[0]
            raise BadInput(f"these runs cannot be trained as one: {reason}") from None
        self._begun = True
        return list(terms), torch.stack(list(terms.values()))


def _pass_on(members: list[Member], names: list[str], values: list[Tensor]) -> None:
    """Give each run's window its terms of some steps, each (terms, N), in one copy from the device."""
    for n, own in enumerate(torch.stack(values).cpu().unbind(2)):
        for step in own:
            members[n].window.add(names, step)


def _written(members: list[Member]) -> dict[int, Run | Exception]:
    """Write the histories' lines that are due, and the weights of runs that are finished; what has ended."""
    ended: dict[int, Run | Exception] = {}
    for member in members:
        try:
            if member.is_due:
                member.window.write(member.done)
            if member.done == member.stop:
                finish(member.run, member.state, member.stop)
                ended[member.place] = member.run
        except (Diverged, BadInput) as error:
            ended[member.place] = error
    return ended


def _saved(members: list[Member]) -> dict[int, Run | Exception]:
    """Write checkpoints; the error of each run that has one."""
    ended: dict[int, Run | Exception] = {}
    for member in members:
        try:
            save_checkpoint(member.run, member.state, member.done, member.window.check(member.done))
        except (Diverged, BadInput) as error:
            ended[member.place] = error
    return ended


def _alone(member: Member, show: bool) -> Run | Exception:
    """Train the last run from its checkpoint on, as it is trained alone."""
    run = member.run
    try:
        with alone.on_threads(run.method, run.config.threads):
            return alone.train_alone(run, member.feed, show, member.window)
    except (Diverged, BadInput) as error:
        return error
