"""The batches of a run: which data a method sees at each step, by seed and step alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from distaff.batch import Batch, Facts
from distaff.datasets import DataSet
from distaff.datasets.labelled import LabelledPart
from distaff.datasets.samplers import SAMPLERS
from distaff.errors import unknown
from distaff.methods.base import Fitted, Method, Stepped
from distaff.training.device import to_unit
from distaff.training.resident import Resident, fits


class Batches:
    """What a method learns from. Made before anything is written, so that errors come first."""

    def __init__(
        self, method: Method, data: DataSet, seed: int, device: torch.device = torch.device("cpu")
    ) -> None:
        part = method.labelled_part
        self.labelled = None if part is None else LabelledPart(data, **part)
        self.facts = Facts(
            image_shape=data.image_shape,
            images=len(data),
            factors=data.factors.sizes if data.factors else (),
            labels=self.labelled.sizes if self.labelled else (),
        )
        method.check(self.facts)
        assert isinstance(method, Stepped | Fitted)
        if method.batches not in SAMPLERS:
            raise unknown("kind of batch", method.batches, SAMPLERS)
        self._method: Stepped | Fitted = method
        self._seed = seed
        self._data: Any = Resident(data, device) if fits(data, device) else data
        self._sample(0, 2, np.random.default_rng(0))  # an error now if it cannot

    def at(self, step: int, device: torch.device) -> tuple[Batch, torch.Generator]:
        """The batch of a step, on the device, images in 0..1, and the generator of the step's noise."""
        rng = np.random.default_rng([self._seed, step])
        generator = torch.Generator().manual_seed(int(rng.integers(2**63)))
        batch = self._sample(step, self._method.batch_size, rng)
        changed = None if batch.changed is None else torch.from_numpy(batch.changed).to(device)
        images = to_unit(batch.images, self._data.pixel_range, device)
        batch = Batch(images, batch.population, changed, varying=batch.varying)
        if self.labelled is not None:
            pixels, labels = self.labelled.sample(self._method.batch_size, rng)
            batch = batch._replace(
                labelled=to_unit(pixels, self._data.pixel_range, device),
                labels=torch.from_numpy(labels).to(device),
            )
        return batch, generator

    def _sample(self, step: int, size: int, rng: np.random.Generator) -> Batch:
        method = self._method.at(step)
        return SAMPLERS[method.batches](self._data, size, rng, **method.batch_options)
