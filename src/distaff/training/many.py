"""Many runs as one: weights stacked along a first axis, and one step for all of them.

The runs are of one method on one data set and differ in seeds and in numbers (beta, learning rate, ...). Each
has the batches, noise and schedules that it has alone, by its own (seed, step), and its own place in Adam.
A step is the method's own parts, vmapped over the runs; what comes out is that of runs alone up to rounding.

The states of the runs stay what they are alone, but their tensors are views of the stacked ones: so they are
saved, loaded and taken out like any other.
"""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.func import functional_call

from distaff.batches.batch import Batch
from distaff.batches.feed import Feed
from distaff.batches.stacked import stacked_images, stacked_rows, tensors_of
from distaff.errors import BadInput
from distaff.methods.base import Kept, Method, Stepped
from distaff.methods.state import State
from distaff.networks.as_one import as_one
from distaff.training.stacked_adam import StackedAdam, refused

Terms = dict[str, Tensor]
Rngs = Sequence[torch.Generator]


class Many:
    """N runs as one; `feeds` and `states` are each of one run, and the feeds share one data set.

    `convolutions` are done in one of the ways of distaff.networks.as_one. The states must be on the feeds'
    device, in training mode; where Adam has begun in one, it goes on. BadInput where they cannot go together.
    """

    def __init__(
        self, feeds: Sequence[Feed], states: Sequence[State], convolutions: str = "products"
    ) -> None:
        methods = [feed.learner for feed in feeds]
        if reason := apart(methods, states):
            raise BadInput(f"these runs cannot be trained as one: {reason}")
        self.feeds, self.states, self.convolutions = list(feeds), list(states), convolutions
        self._method, self._modules = methods[0], _Called(states[0].modules)
        names = states[0].optimisers
        self._adams = {name: StackedAdam([state.optimisers[name] for state in states]) for name in names}
        self._parameters = self._by_name()
        self._runs = torch.arange(len(states), device=feeds[0].device)
        self.optimisers: dict[str, torch.optim.Optimizer] = {}  # none of torch, as a graph asks
        #: the settings that are schedules in any run
        self.moving = sorted({name for method in methods for name in method.moving})
        differing = [name for name in numbers_of(self._method) if name not in self.moving]
        values = {name: [getattr(method, name) for method in methods] for name in differing}
        self._constant = {name: self._column(each) for name, each in values.items() if len({*each}) > 1}

    def step(self, steps: int | Sequence[int]) -> Terms:
        """One step of every run, each at its own number. The terms of the history, (N,) each, detached."""
        steps = [steps] * len(self.feeds) if isinstance(steps, int) else steps
        rows, seeds = stacked_rows(self.feeds, steps)
        own = zip(self.feeds, seeds, strict=True)
        rngs = [torch.Generator(feed.noise_device).manual_seed(seed) for feed, seed in own]
        now = [feed.method(step) for feed, step in zip(self.feeds, steps, strict=True)]
        numbers = {name: self._column([getattr(method, name) for method in now]) for name in self.moving}
        return self.take(rows, numbers, rngs)

    def take(self, rows: Batch, numbers: Mapping[str, Tensor], rngs: Rngs) -> Terms:
        """A step on batches of numbers of images (N, n), with what schedules give (N,) by name."""
        batch = stacked_images(self.feeds[0], rows)
        own = self._constant | dict(numbers)
        found, kept = Terms(), Kept()
        for place, part in enumerate(self._method.holding(own).parts()):
            losses, terms, kept = self._losses(place, batch, own, rngs, kept)
            adam = self._adams[part.optimiser]
            adam.step(torch.autograd.grad(losses.sum(), adam.parameters), part.learning_rate)
            found |= {part.name: losses} | terms
        return {name: value.detach() for name, value in found.items()}

    def tensors(self) -> dict[str, Tensor]:
        """All that steps change, stacked."""
        each = {name: adam.tensors() for name, adam in self._adams.items()}
        return {f"{name}/{what}": value for name, found in each.items() for what, value in found.items()}

    def _losses(
        self, place: int, batch: Batch, numbers: dict[str, Tensor], rngs: Rngs, kept: Kept
    ) -> tuple[Tensor, Terms, Kept]:
        """The losses (N,), the terms and what is kept of one part of the step, of all runs."""

        def of_one(weights: Terms, own: Terms, fields: Terms, kept: Kept, run: Tensor) -> Any:
            part = self._method.holding(own).parts()[place]
            given = (dataclasses.replace(batch, **cast(Any, fields)), OwnDraws(rngs, run), kept)
            loss, after = functional_call(self._modules, weights, (part.loss, *given))
            return loss.total, loss.terms, after

        # "same": the draws of all runs are made outright, and each run takes its own
        over = torch.vmap(of_one, randomness="same")
        with as_one(self.convolutions):
            found: tuple[Tensor, Terms, Kept] = over(
                self._parameters, numbers, tensors_of(batch), kept, self._runs
            )
        return found

    def _column(self, values: list[float]) -> Tensor:
        """A number of every run (N,)."""
        return torch.tensor(values, dtype=next(iter(self._parameters.values())).dtype).to(self._runs.device)

    def _by_name(self) -> dict[str, Tensor]:
        """The stacked parameters by the names that they have in a run's modules."""
        stacked: dict[int, Tensor] = {}
        for adam in self._adams.values():
            stacked |= {id(p): s for p, s in zip(adam.first, adam.parameters, strict=True)}
        return {name: stacked[id(p)] for name, p in self._modules.named_parameters()}


class _Called(nn.Module):
    """Modules as an argument of a function, so that their weights can be others for a call."""

    def __init__(self, modules: nn.ModuleDict) -> None:
        super().__init__()
        self.inner = modules

    def forward(self, call: Callable[..., Any], *given: Any) -> Any:
        """What a function makes of the modules and what else is given."""
        return call(self.inner, *given)


class OwnDraws:
    """The generators of all runs, and under vmap the number of the run that draws."""

    def __init__(self, rngs: Rngs, run: Tensor) -> None:
        self._rngs, self._run, self.device = rngs, run, rngs[0].device

    def draw(self, make: Callable[..., Tensor], *given: Any, **more: Any) -> Tensor:
        """What the run draws from its own generator."""
        # a run that was begun on another machine may draw on the host, and those beside it on the device
        each = [make(*given, generator=rng, device=rng.device, **more) for rng in self._rngs]
        every = torch.stack([one.to(self._run.device) for one in each])
        return every.index_select(0, self._run[None]).squeeze(0)


def numbers_of(method: Method) -> list[str]:
    """The settings that are real numbers, in which methods may differ and be trained as one."""
    return [each.name for each in dataclasses.fields(method) if each.type in (float, "float")]


def alike(method: Method) -> tuple[Any, ...]:
    """What methods must share to be trained as one: all but their numbers."""
    numbers = numbers_of(method)
    settings = {each.name: getattr(method, each.name) for each in dataclasses.fields(method)}
    return type(method), *((name, value) for name, value in settings.items() if name not in numbers)


def alone_for(method: Method) -> str:
    """Why no runs of a method can be trained as one, as far as its settings say, or nothing."""
    if not isinstance(method, Stepped) or type(method).step is not Stepped.step:
        return f"{type(method).__name__} has a step of its own"
    return compiled(method)


def compiled(method: Method) -> str:
    """Why a method that is compiled goes with no other, or nothing."""
    return "they have compile=true" if getattr(method, "compile", False) else ""


def apart(methods: Sequence[Method], states: Sequence[State]) -> str:
    """Why runs of these methods cannot be trained as one, or nothing where they can."""
    first, modules = methods[0], states[0].modules
    if reason := alone_for(first):
        return reason
    if any(alike(method) != alike(first) for method in methods):
        return "they differ in more than numbers"
    groups = [group for each in states[0].optimisers.values() for group in each.param_groups]
    if len(modules.state_dict()) > sum(len(group["params"]) for group in groups):
        return "their networks keep more than the weights that are trained"
    return next(filter(None, map(refused, states[0].optimisers.values())), "")
