"""Noisy-dSprites (Locatello et al. 2019, arXiv:1811.12359): white sprites on coloured noise."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from distaff.datasets.dsprites import DSprites
from distaff.datasets.nuisance import uniform_bytes
from distaff.settings import setting


@dataclass(eq=False)
class NoisyDSprites(DSprites):
    """dSprites with uniform noise in every pixel and channel of the background.

    The noise is no factor: it is drawn from `seed` and the image's index, so an image is the same whenever it
    is asked for. It is drawn at the resolution asked for, not averaged from 64 pixels. Noise is added to the
    sprite and cut at white, so sprites stay white.
    """

    seed: int = setting(0, "seed of the noise", low=0, high=2**63 - 1)

    name = "noisy_dsprites"
    channels = 3
    citation = "Locatello et al.: Challenging common assumptions, 2019; sprites: Matthey et al., 2017"

    def images(self, index: ArrayLike) -> NDArray[np.uint8]:
        index = self.check(index)
        sprite = super().images(index)
        noise = uniform_bytes(index, int(np.prod(self.image_shape)), self.seed)
        noise = noise.reshape(-1, *self.image_shape)
        return np.where(noise > 255 - sprite, np.uint8(255), sprite + noise)
