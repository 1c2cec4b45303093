"""Four small patterns, shifted around: the least in which what is seen and where it is multiply."""

from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import ArrayLike, NDArray

from distaff.datasets.base import DataSet
from distaff.factors import FactorSpace
from distaff.settings import Settings

SIDE = 8  # pixels, and shifts
PATTERNS = {
    "ring": "........ ..###... .#...#.. .#...#.. .#...#.. ..###... ........ ........",
    "cross": "...#.... ...#.... ...#.... #######. ...#.... ...#.... ...#.... ........",
    "steps": "##...... .##..... ..##.... ...##... ....##.. .....##. ......## ........",
    "cup": "........ #.....#. #.....#. #.....#. #.....#. #.....#. #######. ........",
}


@dataclass(eq=False)
class ShiftedPatterns(Settings, DataSet):
    """Four patterns of 8x8 pixels, black and white, each shifted to the right by 0 to 7 pixels.

    What leaves at the right comes in at the left. A toy for models of identity and place: all its images are
    the 32 pairs of a pattern and a shift.
    """

    name = "shifted_patterns"
    channels = 1
    image_shape = (1, SIDE, SIDE)
    licence = "drawn here"
    citation = "for the experiment disbm"
    factors = FactorSpace(("pattern", "shift"), (len(PATTERNS), SIDE))
    label_names = factors.names
    words = MappingProxyType({"pattern": tuple(PATTERNS)})

    def __len__(self) -> int:
        return len(self.factors)

    def images(self, index: ArrayLike) -> NDArray[np.uint8]:
        pattern, shift = self.factors.rows(self.check(index)).T
        columns = (np.arange(SIDE) - shift[:, None]) % SIDE
        return _drawn()[pattern[:, None, None], np.arange(SIDE)[:, None], columns[:, None]][:, None]


def _drawn() -> NDArray[np.uint8]:
    """The patterns (4, 8, 8) unshifted."""
    lines = [[list(line) for line in pattern.split()] for pattern in PATTERNS.values()]
    return np.where(np.array(lines) == "#", np.uint8(255), np.uint8(0))
