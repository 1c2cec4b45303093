"""The batches of a run: which data a method sees at each step, by seed and step alone."""

from __future__ import annotations

import numpy as np
import torch

from distaff.batch import Batch, Facts
from distaff.datasets import DataSet
from distaff.datasets.labelled import LabelledPart
from distaff.datasets.samplers import SAMPLERS
from distaff.methods.base import Method, Stepped
from distaff.training.device import to_unit


class Batches:
    """What a method learns from. Made before anything is written, so that errors come first."""

    def __init__(self, method: Method, data: DataSet, seed: int) -> None:
        part = method.labelled_part
        self.labelled = None if part is None else LabelledPart(data, **part)
        self.facts = Facts(
            image_shape=data.image_shape,
            images=len(data),
            factors=data.factors.sizes if data.factors else (),
            labels=self.labelled.sizes if self.labelled else (),
        )
        method.check(self.facts)
        assert isinstance(method, Stepped)
        self._data, self._seed, self._size = data, seed, method.batch_size
        self._sample, self._options = SAMPLERS[method.batches], method.batch_options
        self._sample(data, 2, np.random.default_rng(0), **self._options)  # an error now if it cannot

    def at(self, step: int, device: torch.device) -> tuple[Batch, torch.Generator]:
        """The batch of a step, on the device, images in 0..1, and the generator of the step's noise."""
        rng = np.random.default_rng([self._seed, step])
        generator = torch.Generator().manual_seed(int(rng.integers(2**63)))
        batch = self._sample(self._data, self._size, rng, **self._options)
        changed = None if batch.changed is None else torch.from_numpy(batch.changed).to(device)
        images = to_unit(batch.images, self._data.pixel_range, device)
        batch = Batch(images, batch.population, changed)
        if self.labelled is not None:
            pixels, labels = self.labelled.sample(self._size, rng)
            batch = batch._replace(
                labelled=to_unit(pixels, self._data.pixel_range, device),
                labels=torch.from_numpy(labels).to(device),
            )
        return batch, generator
