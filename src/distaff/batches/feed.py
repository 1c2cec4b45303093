"""The batches of a run: which data a method sees at each step, by seed and step alone."""

import dataclasses
import functools
from collections.abc import Mapping
from typing import Any, Protocol, Self

import numpy as np
import torch

from distaff import registry
from distaff.batches.batch import Base, Batch, Facts
from distaff.batches.kind import Kind
from distaff.batches.labelled import LabelledPart
from distaff.batches.resident import Resident, fits
from distaff.datasets.base import DataSet


class Learner(Protocol):
    """What a method says of its batches."""

    @property
    def batches(self) -> str: ...
    @property
    def batch_options(self) -> dict[str, Any]: ...
    @property
    def labelled_part(self) -> dict[str, Any] | None: ...
    @property
    def batch_size(self) -> int: ...
    def at(self, step: int) -> Self: ...
    def check(self, facts: Facts) -> None: ...


class Feed:
    """What a method learns from. Made before anything is written, so that errors come first."""

    def __init__(
        self,
        method: Learner,
        data: DataSet,
        seed: int,
        device: torch.device = torch.device("cpu"),
        bases: Mapping[str, Base] | None = None,
    ) -> None:
        part = method.labelled_part
        self.labelled = None if part is None else LabelledPart(data, **part)
        self.facts = Facts(
            image_shape=data.image_shape,
            images=len(data),
            factors=data.factors.sizes if data.factors else (),
            labels=self.labelled.sizes if self.labelled else (),
            words=_kind(method).words(data),
            bases=bases or {},
        )
        method.check(self.facts)
        self._seed, self._device, self._batch_size = seed, device, method.batch_size
        self._now = functools.lru_cache(maxsize=1)(method.at)  # a step's batch and its loss ask for the same
        self._data: Any = Resident(data, device) if fits(data, device) else data
        self._sample(0, 2, np.random.default_rng(0))  # an error now if it cannot

    def method(self, step: int) -> Any:
        """The method with the values that its schedules have at a step."""
        return self._now(step)

    def at(self, step: int) -> tuple[Batch, torch.Generator]:
        """The batch of a step, on the device, images in 0..1, and the generator of the step's noise."""
        drawing = np.random.default_rng([self._seed, step])
        rng = torch.Generator().manual_seed(int(drawing.integers(2**63)))
        batch = self._sample(step, self._batch_size, drawing)
        if self.labelled is not None:
            images, labels = self.labelled.sample(self._batch_size, drawing)
            batch = dataclasses.replace(batch, labelled=images, labels=labels)
        return batch.to(self._device, self._data.pixel_range), rng

    def _sample(self, step: int, size: int, rng: np.random.Generator) -> Batch:
        return _kind(self.method(step)).sample(self._data, size, rng)


def _kind(method: Learner) -> Kind:
    """The kind of a method's batches, with its options."""
    kind: Kind = registry.get("batches", method.batches)(**method.batch_options)
    return kind
