"""Scream-dSprites (Locatello et al. 2019, arXiv:1811.12359): sprites that invert a crop of a painting."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from distaff.datasets.dsprites import DSprites
from distaff.datasets.nuisance import uniform
from distaff.datasets.originals import present
from distaff.datasets.pictures import reading
from distaff.datasets.pixels import reduced
from distaff.errors import BadInput
from distaff.files import check_file
from distaff.settings import setting

PAINTING = "scream.jpg"
WIDTH, HEIGHT = 350, 274  # the painting is made to fit in, as in the study
CROP = 64


@dataclass(eq=False)
class ScreamDSprites(DSprites):
    """dSprites on random crops of a picture, whose colours the sprite inverts.

    The background is the mean of a random 64-pixel crop and a random colour, both drawn from `seed` and the
    image's index, so an image is the same whenever it is asked for. With `scream.jpg` (Munch's painting) in
    the data folder its crops are used, as in the study; else those of scikit-learn's photograph of a temple
    in China, and the card says so. Below 64 pixels crop and sprite are averaged each, then combined.
    """

    seed: int = setting(0, "seed of the crops and colours", low=0, high=2**63 - 1)

    name = "scream_dsprites"
    channels = 3
    citation = "Locatello et al.: Challenging common assumptions, 2019; sprites: Matthey et al., 2017"

    def __post_init__(self) -> None:
        super().__post_init__()
        sprites = self.source
        self._picture, picture = self._load()
        self.source = f"sprites {sprites}; background: {picture}"

    def _load(self) -> tuple[NDArray[np.uint8], str]:
        """The picture (H, W, 3), and where it is from."""
        path = present(self.data_dir, (PAINTING, f"scream/{PAINTING}"))
        if path is None:
            from sklearn.datasets import load_sample_image

            picture = load_sample_image("china.jpg")
            return _fitted(picture), "scikit-learn's photograph china.jpg, not the painting"
        from PIL import Image

        check_file(path)
        with reading(path), Image.open(path, formats=("JPEG", "PNG")) as image:
            pixels = np.asarray(image.convert("RGB"))
        height, width, _ = pixels.shape
        if min(height, width) <= CROP:
            raise BadInput(f"{path} has {width}x{height} pixels; more than {CROP} are needed")
        return _fitted(pixels), f"file {PAINTING}"

    def images(self, index: ArrayLike) -> NDArray[np.uint8]:
        index = self.check(index)
        draws = uniform(index, 5, self.seed)
        room = np.array(self._picture.shape[:2]) - CROP  # the last place is never drawn, as in the study
        top, left = (draws[:, :2] * room).astype(np.int64).T
        pixels = np.arange(CROP)
        crop = self._picture[(top[:, None] + pixels)[:, :, None], (left[:, None] + pixels)[:, None]]
        colour = np.round(255 * draws[:, 2:]).astype(np.uint16)[:, None, None]
        background = ((crop + colour) // 2).astype(np.uint8).transpose(0, 3, 1, 2)
        background = reduced(background, self.resolution)
        sprite = super().images(index)
        inside, outside = sprite.astype(np.uint16), 255 - sprite.astype(np.uint16)
        return ((inside * (255 - background) + outside * background + 127) // 255).astype(np.uint8)


def _fitted(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The picture made to fit in 350 by 274 pixels."""
    from PIL import Image

    image = Image.fromarray(pixels)
    scale = min(WIDTH / image.width, HEIGHT / image.height, 1.0)
    smallest = CROP + 1
    size = max(smallest, round(image.width * scale)), max(smallest, round(image.height * scale))
    return np.asarray(image.resize(size, Image.Resampling.BICUBIC))
