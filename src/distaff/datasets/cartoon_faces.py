"""Cartoon faces with attributes that have names, drawn in place of CelebA's photographs."""

from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import ArrayLike, NDArray

from distaff.datasets.grid import Grid
from distaff.drawing import cartoon
from distaff.drawing.kept import Floats
from distaff.drawing.masks import Masks
from distaff.factors import FactorSpace

#: RGB by the words of their factors' values
BACKGROUNDS = {
    "sky": (150, 205, 245),
    "mint": (165, 230, 190),
    "sand": (240, 225, 170),
    "rose": (245, 180, 200),
    "lilac": (185, 165, 230),
    "slate": (105, 120, 140),
}
SKINS = {
    "pale": (255, 226, 205),
    "peach": (245, 190, 150),
    "olive": (205, 150, 100),
    "brown": (145, 92, 58),
    "dark": (78, 48, 38),
}
HAIRS = {
    "black": (38, 34, 40),
    "chestnut": (125, 58, 20),
    "ginger": (215, 95, 25),
    "blond": (240, 205, 90),
    "silver": (200, 200, 208),
}
_COLOURS = tuple(np.array(list(each.values()), dtype=np.float32) for each in (BACKGROUNDS, SKINS, HAIRS))
AZIMUTHS = np.linspace(-45, 45, 7)  # degrees; the face turns to the viewer's right
WORDS = {
    "background": tuple(BACKGROUNDS),
    "skin": tuple(SKINS),
    "hair_colour": tuple(HAIRS),
    "hair_style": cartoon.HAIR_STYLES,
    "beard": ("shaven", "bearded"),
    "glasses": ("no glasses", "glasses"),
    "smile": ("serious", "smiling"),
    "cap": ("no cap", "cap"),
}


@dataclass(eq=False)
class CartoonFaces(Grid):
    """Cartoon faces: background, skin, hair's colour and style, beard, glasses, smile, cap, and their turn.

    67,200 images, RGB, drawn: an offline stand-in for CelebA's traversals whose attributes are known and have
    names (`words`); the azimuth runs from -45 to 45 degrees. Every factor shows for all values of the others:
    bald heads have brows, which have the hair's colour. A geometry is drawn when it is first asked for and
    kept, 96 KB each, 43 MB for all.
    """

    name = "cartoon_faces"
    licence = "drawn here; nothing of CelebA is used"
    citation = "in place of Liu, Luo, Wang, Tang: Deep learning face attributes in the wild, ICCV 2015"
    factors = FactorSpace((*WORDS, "azimuth"), (*map(len, WORDS.values()), len(AZIMUTHS)))
    words = MappingProxyType(WORDS)

    def images(self, index: ArrayLike) -> NDArray[np.uint8]:
        rows = self.factors.rows(self.check(index))
        colours = np.stack([rgb[column] for rgb, column in zip(_COLOURS, rows.T, strict=False)], axis=1)
        return _MASKS.images(rows[:, len(_COLOURS) :], colours, self.resolution)


def _draw(style: int, beard: int, glasses: int, smile: int, cap: int, azimuth: int) -> Floats:
    turn = float(AZIMUTHS[azimuth])
    return cartoon.face(style, bool(beard), bool(glasses), bool(smile), bool(cap), turn)


_MASKS = Masks(CartoonFaces.factors.sizes[len(_COLOURS) :], cartoon.SURFACES + 3, _draw)
