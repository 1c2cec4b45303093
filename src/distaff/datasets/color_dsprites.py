"""Color-dSprites (Locatello et al. 2019, arXiv:1811.12359): each sprite in a random colour."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from distaff.datasets.dsprites import DSprites
from distaff.datasets.nuisance import uniform
from distaff.settings import setting


@dataclass(eq=False)
class ColorDSprites(DSprites):
    """dSprites with every sprite in a random bright colour on black.

    The colour is no factor: each channel is uniform in .5 to 1, drawn from `seed` and the image's index, so
    an image is the same whenever it is asked for. (The 2019 study draws it anew each time.)
    """

    seed: int = setting(0, "seed of the colours", low=0, high=2**63 - 1)

    name = "color_dsprites"
    channels = 3
    citation = "Locatello et al.: Challenging common assumptions, 2019; sprites: Matthey et al., 2017"

    def images(self, index: ArrayLike) -> NDArray[np.uint8]:
        index = self.check(index)
        colour = 128 + np.round(127 * uniform(index, 3, self.seed)).astype(np.uint16)  # (n, 3), of 255
        sprite = super().images(index).astype(np.uint16)  # (n, 1, H, W)
        return ((sprite * colour[:, :, None, None] + 127) // 255).astype(np.uint8)
