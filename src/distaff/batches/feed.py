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
from distaff.batches.resident import Resident, Rows, on_device
from distaff.datasets.base import DataSet


class Learner(Protocol):
    """What a method says of its batches."""

    @property
    def batches(self) -> str: ...
    @property
    def labelled_part(self) -> dict[str, Any] | None: ...
    @property
    def batch_size(self) -> int: ...
    def at(self, step: int) -> Self: ...
    def batch_options_on(self, bases: Mapping[str, Base]) -> dict[str, Any]: ...
    def check(self, facts: Facts) -> None: ...


class Feed:
    """What a method learns from. Made before anything is written, so that errors come first.

    `data` may lie on the device already, as those of runs that share it do. `noise`: whether the generator of
    a step's noise is the "host"'s, the same whatever the device, or the "device"'s own.
    """

    def __init__(
        self,
        method: Learner,
        data: DataSet,
        seed: int,
        device: torch.device = torch.device("cpu"),
        bases: Mapping[str, Base] | None = None,
        noise: str = "host",
    ) -> None:
        part = method.labelled_part
        self.labelled = None if part is None else LabelledPart(data, **part)
        self.facts = Facts(
            image_shape=data.image_shape,
            images=len(data),
            factors=data.factors.sizes if data.factors else (),
            labels=self.labelled.sizes if self.labelled else (),
            words=_kind(method, bases or {}).words(data),
            bases=bases or {},
        )
        method.check(self.facts)
        self.learner: Any = method
        self.device = device
        self._seed, self._batch_size = seed, method.batch_size
        self._now = functools.lru_cache(maxsize=1)(method.at)  # a step's batch and its loss ask for the same
        self._data: Any = on_device(data, device)
        self.resident = isinstance(self._data, Resident)
        self.noise_device = device if noise == "device" else torch.device("cpu")
        self._sample(0, self._data, 2, np.random.default_rng(0))  # an error now if it cannot

    def method(self, step: int) -> Any:
        """The method with the values that its schedules have at a step."""
        return self._now(step)

    def at(self, step: int) -> tuple[Batch, torch.Generator]:
        """The batch of a step, on the device, images in 0..1, and the generator of the step's noise."""
        batch, number = self._drawn(step, self._data)
        if self.labelled is not None:
            batch = dataclasses.replace(batch, labelled=self._data.images(batch.labelled))
        rng = torch.Generator(self.noise_device).manual_seed(number)
        return batch.to(self.device, self._data.pixel_range), rng

    def rows(self, step: int) -> tuple[Batch, int]:
        """The batch of a step with the numbers of its images instead of pixels, and the seed of its noise."""
        return self._drawn(step, Rows(self._data))

    def looked_up(self, rows: Batch) -> Batch:
        """What `at` makes of such numbers, once they are tensors on the device where the images lie."""
        found = {
            each.name: self._data.images(value)
            for each in dataclasses.fields(rows)
            if each.metadata.get("pixels") and (value := getattr(rows, each.name)) is not None
        }
        return dataclasses.replace(rows, **found).to(self.device, self._data.pixel_range)

    def _drawn(self, step: int, data: Any) -> tuple[Batch, int]:
        """The batch of a step from such data, of labelled images their numbers, and the seed of its noise."""
        drawing = np.random.default_rng([self._seed, step])
        number = int(drawing.integers(2**63))
        batch = self._sample(step, data, self._batch_size, drawing)
        if self.labelled is not None:
            rows, labels = self.labelled.sample(self._batch_size, drawing)
            batch = dataclasses.replace(batch, labelled=rows, labels=labels)
        return batch, number

    def _sample(self, step: int, data: Any, size: int, rng: np.random.Generator) -> Batch:
        return _kind(self.method(step), self.facts.bases).sample(data, size, rng)


def _kind(method: Learner, bases: Mapping[str, Base]) -> Kind:
    """The kind of a method's batches, with its options."""
    kind: Kind = registry.get("batches", method.batches)(**method.batch_options_on(bases))
    return kind
