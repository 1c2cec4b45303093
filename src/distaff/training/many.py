"""Many runs as one: weights stacked along a first axis, and one step for all of them.

The runs are of one method on one data set and differ in seeds and in numbers (beta, learning rate, ...). Each
has the batches, noise and schedules that it has alone, by its own (seed, step), and its own place in Adam.
A step is the method's own parts, vmapped over the runs; what comes out is that of runs alone up to rounding.

The states of the runs stay what they are alone, but their tensors are views of the stacked ones: so they are
saved, loaded and taken out like any other.
"""

import copy
import dataclasses
from collections.abc import Callable, Sequence
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.func import functional_call

from distaff.batches.batch import Batch
from distaff.batches.feed import Feed
from distaff.batches.stacked import stacked, tensors_of
from distaff.errors import BadInput
from distaff.methods.base import Kept, Method, State, Stepped
from distaff.networks.as_one import as_one
from distaff.training.stacked_adam import StackedAdam


class Many:
    """N runs as one, `states` and `feeds` each of one run, in the order of `methods`.

    `convolutions` are done in one of the ways of distaff.networks.as_one. The states must be on the feeds'
    device, in training mode; where Adam has begun in one, it goes on. BadInput where they cannot go together.
    """

    def __init__(
        self,
        methods: Sequence[Method],
        feeds: Sequence[Feed],
        states: Sequence[State],
        convolutions: str = "products",
    ) -> None:
        if reason := apart(methods, states):
            raise BadInput(f"these runs cannot be trained as one: {reason}")
        self.feeds, self.states, self.convolutions = list(feeds), list(states), convolutions
        self._modules = _Called(states[0].modules)
        self._adams = {
            name: StackedAdam([s.optimisers[name] for s in states]) for name in states[0].optimisers
        }
        self._parameters = self._by_name()
        like = next(iter(self._parameters.values()))
        self._places = torch.arange(len(states), device=like.device)
        self._type, self._differing = like.dtype, differing(methods)

    def step(self, steps: int | Sequence[int]) -> dict[str, Tensor]:
        """One step of every run, each at its own number. The terms of the history, (N,) each, detached."""
        steps = [steps] * len(self.states) if isinstance(steps, int) else steps
        batch, rngs = stacked(self.feeds, steps)
        methods = [feed.method(step) for feed, step in zip(self.feeds, steps, strict=True)]
        numbers = {name: self._column([getattr(m, name) for m in methods]) for name in self._differing}
        found, kept = dict[str, Tensor](), Kept()
        for place, parts in enumerate(zip(*(method.parts() for method in methods), strict=True)):
            losses, terms, kept = self._losses(place, methods[0], numbers, batch, rngs, kept)
            adam = self._adams[parts[0].optimiser]
            gradients = torch.autograd.grad(losses.sum(), adam.parameters)
            adam.step(gradients, self._column([part.learning_rate for part in parts]))
            found |= {parts[0].name: losses} | terms
        return {name: value.detach() for name, value in found.items()}

    def _losses(
        self,
        place: int,
        method: Method,
        numbers: dict[str, Tensor],
        batch: Batch,
        rngs: list[torch.Generator],
        kept: Kept,
    ) -> tuple[Tensor, dict[str, Tensor], Kept]:
        """The losses (N,), terms and what is kept of one part of the step, of all runs."""

        def of_one(
            weights: dict[str, Tensor],
            own: dict[str, Tensor],
            fields: dict[str, Tensor],
            kept: Kept,
            run: Tensor,
        ) -> tuple[Tensor, dict[str, Tensor], Kept]:
            part = with_numbers(method, own).parts()[place]
            given = (dataclasses.replace(batch, **cast(Any, fields)), Stacked(rngs, run), kept)
            loss, after = functional_call(self._modules, weights, (part.loss, *given))
            return loss.total, loss.terms, after

        with as_one(self.convolutions):
            # "same": the draws of all runs are made outright, and each run takes its own
            over = torch.vmap(of_one, in_dims=0, randomness="same")
            found: tuple[Tensor, dict[str, Tensor], Kept] = over(
                self._parameters, numbers, tensors_of(batch), kept, self._places
            )
        return found

    def _column(self, values: list[float]) -> Tensor:
        """A number of every run (N,)."""
        return torch.tensor(values, dtype=self._type).to(self._places.device, non_blocking=True)

    def _by_name(self) -> dict[str, Tensor]:
        """The stacked parameters by the names that they have in a run's modules."""
        by_identity: dict[int, Tensor] = {}
        for adam in self._adams.values():
            by_identity |= {id(p): s for p, s in zip(adam.first, adam.parameters, strict=True)}
        return {name: by_identity[id(p)] for name, p in self._modules.named_parameters()}


class _Called(nn.Module):
    """Modules as an argument of a function, so that their weights can be others for a call."""

    def __init__(self, modules: nn.ModuleDict) -> None:
        super().__init__()
        self.modules_ = modules

    def forward(self, call: Callable[..., Any], *given: Any) -> Any:
        """What a function makes of the modules and what else is given."""
        return call(self.modules_, *given)


class Stacked:
    """The generators of all runs, and under vmap the number of the run that draws."""

    def __init__(self, rngs: Sequence[torch.Generator], run: Tensor) -> None:
        self._rngs, self._run = rngs, run

    def draw(self, make: Callable[..., Tensor], *given: Any, **more: Any) -> Tensor:
        """What the run draws from its own generator."""
        every = torch.stack([make(*given, generator=rng, **more) for rng in self._rngs]).to(self._run.device)
        return every.index_select(0, self._run[None]).squeeze(0)


def with_numbers(method: Method, numbers: dict[str, Tensor]) -> Any:
    """The method with tensors in place of some of its numbers, unchecked."""
    changed = copy.copy(method)
    for name, value in numbers.items():
        object.__setattr__(changed, name, value)
    return changed


def differing(methods: Sequence[Method]) -> list[str]:
    """The settings in which methods differ, or which change during training."""
    fields = dataclasses.fields(methods[0])
    values = {each.name: [getattr(method, each.name) for method in methods] for each in fields}
    return [
        each.name
        for each in fields
        if each.type in (float, "float")
        and (
            isinstance(values[each.name][0], str) or any(v != values[each.name][0] for v in values[each.name])
        )
    ]


def apart(methods: Sequence[Method], states: Sequence[State]) -> str:
    """Why runs of these methods cannot be trained as one, or nothing where they can."""
    first = methods[0]
    if not isinstance(first, Stepped) or type(first).step is not Stepped.step:
        return f"{type(first).__name__} has a step of its own"
    if any(together_key(method) != together_key(first) for method in methods):
        return "they differ in more than numbers"
    if getattr(first, "compile", False):
        return "compile=true"
    if any(True for _ in states[0].modules.buffers()) and dict(
        states[0].modules.named_buffers()
    ).keys() & set(states[0].modules.state_dict()):
        return "their networks keep more than weights"
    return next((reason for o in states[0].optimisers.values() if (reason := StackedAdam.refuses(o))), "")


def together_key(method: Method) -> tuple[Any, ...]:
    """What methods must share to be trained as one: all but their numbers."""
    kept = {
        f.name: getattr(method, f.name) for f in dataclasses.fields(method) if f.type not in (float, "float")
    }
    return (type(method), *kept.items())
