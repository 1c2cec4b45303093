"""What a method is.

A method is a frozen dataclass of hyper-parameters. It says what its batches are, makes its state from a
seed, improves that state by one step (a fitted method by its only one, on all images), and turns images into
codes and, if it can, codes into images.
"""

import copy
import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, ClassVar, NamedTuple, Self

import torch
from torch import Tensor, nn

from distaff import schedules
from distaff.batches.batch import Base, Batch, Facts
from distaff.errors import BadInput
from distaff.methods.state import State, descend
from distaff.settings import RunSetting, Settings, run_settings, setting


class Codes(NamedTuple):
    """What an encoder says of images: `mean` (n, d), log-variance (n, d) or None, and one `sample` (n, d).

    d is the method's `code_size`, in general its `latents`. Codes that are discrete are given by their
    values, with the sample equal to the mean; a latent that is a vector takes as many of the d columns as it
    has numbers.
    """

    mean: Any
    logvar: Any
    sample: Any


class Loss(NamedTuple):
    """The number to minimise, in nats per image, and its terms by name."""

    total: Tensor
    terms: dict[str, Tensor]


Kept = tuple[Tensor, ...]


class Part(NamedTuple):
    """A part of a step: a loss, the optimiser that goes down it, and what it is called in the history.

    `loss(modules, batch, rng, kept)` gives a Loss and the tensors, without gradients, that the next part of
    the step goes on from, which it gets as `kept`. It changes nothing, so that it can be vmapped over many
    runs (see distaff.training.many).
    """

    optimiser: str
    name: str
    loss: Callable[[nn.ModuleDict, Batch, Any, Kept], tuple[Loss, Kept]]
    learning_rate: float


@dataclass(frozen=True)
class Method(Settings, ABC):
    """Hyper-parameters, and what is done with them. Subclasses are frozen dataclasses of `setting` fields.

    Every setting that is a real number may be a schedule (see distaff.schedules).
    """

    latents: int = setting(10, "number of latents", low=1, high=10_000)

    scheduled: ClassVar[bool] = True
    smallest_batch: ClassVar[int] = 1
    smallest_latents: ClassVar[int] = 1
    #: whether a batch is of pairs of images
    paired: ClassVar[bool] = False
    #: whether one step on all images is all its training
    fitted: ClassVar[bool] = False
    #: whether its loss is that of one side of a game, which rises where the other side gets better
    adversarial: ClassVar[bool] = False
    #: whether codes have a prior of about unit size; codes with log-variances do in any case
    has_prior: ClassVar[bool] = False
    #: the settings of the paper and of the study it was part of, where they are known, for the docs
    paper: ClassVar[Mapping[str, str]] = {}
    study: ClassVar[Mapping[str, str]] = {}

    @property
    def batches(self) -> str:
        """The kind of its batches, by its registered name."""
        return "images"

    @property
    def batch_options(self) -> dict[str, Any]:
        """The options of such batches."""
        return {}

    def batch_options_on(self, bases: Mapping[str, Base]) -> dict[str, Any]:
        """The same for a method that stands on these runs, which may know what there is to learn."""
        return self.batch_options

    @property
    def labelled_part(self) -> dict[str, Any] | None:
        """Which labelled images come with every batch (see distaff.batches.labelled), or None."""
        return None

    @property
    @abstractmethod
    def batch_size(self) -> int:
        """How many images a batch has."""

    def code_size(self, facts: Facts) -> int:
        """d, how many numbers the code of an image has."""
        return self.latents

    def column_names(self, facts: Facts) -> list[str]:
        """What the d numbers of a code are called."""
        return [f"z{j}" for j in range(self.code_size(facts))]

    def one_hot(self, facts: Facts) -> dict[str, range]:
        """Categorical codes by name, each with its columns, of which decoding takes the largest."""
        return {}

    def blocks(self, facts: Facts) -> dict[str, range]:
        """Columns of codes that stand for one thing, by its name; none where each column is a code."""
        return {}

    def compared_size(self, facts: Facts) -> int:
        """How many numbers of an image a reconstruction is compared in: all pixels and channels."""
        return math.prod(facts.image_shape)

    def check(self, facts: Facts) -> None:
        """Raise BadInput where the method cannot learn from such data."""

    def at(self, step: int) -> Self:
        """The method with the values that its schedules have at a step (the first step is 0)."""
        now: dict[str, Any] = {name: schedules.parse(getattr(self, name)).at(step) for name in self.moving}
        return replace(self, **now) if now else self

    @property
    def moving(self) -> list[str]:
        """The names of the settings that are schedules."""
        reals = [f.name for f in fields(self) if f.type in (float, "float")]
        return [name for name in reals if isinstance(getattr(self, name), str)]

    def holding(self, numbers: Mapping[str, Tensor]) -> Self:
        """The method with tensors in place of some of its real numbers.

        For steps that are recorded once, or are of many runs. They are not checked: a tensor's value is not
        looked at, for that would wait for the device.
        """
        held = copy.copy(self)
        for name, value in numbers.items():
            object.__setattr__(held, name, value)
        return held

    @classmethod
    def base_settings(cls) -> list[RunSetting]:
        """The settings that name a finished run on which it stands; facts.bases has those that are given."""
        return run_settings(cls)

    @abstractmethod
    def state(self, facts: Facts, rng: torch.Generator) -> State:
        """Fresh modules and optimisers for such data, from `rng` alone."""

    @abstractmethod
    def step(self, state: State, batch: Batch, rng: torch.Generator) -> dict[str, Tensor]:
        """Improve the state by one step. Returns the terms of the history, detached, on the device.

        The trainer calls it on `method.at(step)`, so every setting is a number here.
        """

    @abstractmethod
    def encode(self, modules: nn.ModuleDict, images: Tensor, rng: torch.Generator) -> Codes:
        """Codes of images (n, C, H, W) in 0..1."""

    def decode(self, modules: nn.ModuleDict, codes: Tensor) -> Tensor:
        """Images (n, C, H, W) in 0..1 of codes (n, d); an error where the method cannot."""
        raise BadInput(f"{type(self).__name__} has no decoder: its codes cannot be turned into images")

    def decoding(self, modules: nn.ModuleDict) -> list[nn.Module]:
        """The layers that, one after the other, make of codes (n, d) what `decode` does.

        For those who run them elsewhere (see distaff.pages.explorer). BadInput where there are none.
        """
        name = type(self).__name__
        if type(self).decode is Method.decode:
            raise BadInput(f"{name} has no decoder: its codes cannot be turned into images")
        raise BadInput(f"{name} does not say of which layers its decoder is; give it `decoding`")

    def encode_symbols(self, modules: nn.ModuleDict, symbols: Tensor, rng: torch.Generator) -> Codes:
        """Codes of k-hot symbols (n, m); an error where the method knows no symbols."""
        raise BadInput(f"{type(self).__name__} has no symbols: only images have codes")

    def encoding_symbols(self, modules: nn.ModuleDict) -> list[nn.Module]:
        """The layers that make of symbols (n, m) the means, then the log-variances, of `encode_symbols`.

        For those who run them elsewhere, as `decoding` is. BadInput where there are none.
        """
        name = type(self).__name__
        if type(self).encode_symbols is Method.encode_symbols:
            raise BadInput(f"{name} has no symbols: only images have codes")
        raise BadInput(
            f"{name} does not say of which layers its encoder of symbols is; give it `encoding_symbols`"
        )

    def decode_symbols(self, modules: nn.ModuleDict, codes: Tensor) -> Tensor:
        """The probability (n, m) of every word of codes (n, d); an error where there are no symbols."""
        raise BadInput(f"{type(self).__name__} has no symbols: its codes cannot be turned into words")

    def combine(
        self, modules: nn.ModuleDict, first: Codes, second: Codes, operators: Tensor, rng: torch.Generator
    ) -> Codes:
        """What operators (n,), by number, make of codes (n, d) and others; an error without operators."""
        raise BadInput(f"{type(self).__name__} has no operators; train scan_operators on a run of scan")

    def atoms(self, modules: nn.ModuleDict) -> Tensor | None:
        """What a unit of each number of a code adds to an image (d, C, H, W); None unless that is linear."""
        return None


@dataclass(frozen=True)
class Stepped(Method):
    """A method trained by steps on batches. By default a step is one loss and one Adam step."""

    batch_size: int = setting(64, "images in a batch", low=1, high=100_000)
    learning_rate: float = setting(1e-4, "Adam's step size", low=0)

    def __post_init__(self) -> None:
        super().__post_init__()
        for name, low in (("batch_size", self.smallest_batch), ("latents", self.smallest_latents)):
            if getattr(self, name) < low:
                raise BadInput(f"{name}={getattr(self, name)} is out of range; it must be at least {low}")
        if self.paired and self.batch_size % 2:
            given = f"batch_size={self.batch_size}"
            raise BadInput(f"{given} is odd; a batch of pairs needs an even number of images")

    def loss(self, modules: nn.ModuleDict, batch: Batch, rng: torch.Generator) -> Loss:
        """The loss of a batch of images in 0..1."""
        raise NotImplementedError

    def whole_loss(self, modules: nn.ModuleDict, batch: Batch, rng: torch.Generator) -> Loss:
        """What training goes down: the loss, and what other terms there are for such a batch."""
        return self.loss(modules, batch, rng)

    def parts(self) -> tuple[Part, ...]:
        """The parts of a step, one after the other: by default one, down the whole loss."""

        def only(modules: nn.ModuleDict, batch: Batch, rng: torch.Generator, kept: Kept) -> tuple[Loss, Kept]:
            return self.whole_loss(modules, batch, rng), ()

        return (Part("adam", "loss", only, self.learning_rate),)

    def step(self, state: State, batch: Batch, rng: torch.Generator) -> dict[str, Tensor]:
        """One step of Adam down each part's loss; the losses and their terms, detached."""
        found, kept = dict[str, Tensor](), Kept()
        for part in self.parts():
            loss, kept = part.loss(state.modules, batch, rng, kept)
            descend(state.optimisers[part.optimiser], loss.total, part.learning_rate)
            found |= {part.name: loss.total} | loss.terms
        return {name: value.detach() for name, value in found.items()}


@dataclass(frozen=True)
class Fitted(Method):
    """A method that is fitted in one step to images drawn at random; `--steps` means nothing to it."""

    images: int = setting(10_000, "images it is fitted to, drawn with replacement", low=2, high=10**7)

    scheduled: ClassVar[bool] = False
    fitted: ClassVar[bool] = True

    @property
    def batch_size(self) -> int:
        """Its only batch holds all the images."""
        return self.images

    @abstractmethod
    def fit(self, state: State, batch: Batch, rng: torch.Generator) -> dict[str, float]:
        """Fill the state from a batch of images in 0..1. Returns what is worth a line in the history."""

    def step(self, state: State, batch: Batch, rng: torch.Generator) -> dict[str, Tensor]:
        """The fit."""
        found = self.fit(state, batch, rng)
        return {name: torch.tensor(value, dtype=torch.float64) for name, value in found.items()}
