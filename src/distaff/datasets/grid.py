"""What drawn data sets, and published ones on a grid, have in common."""

from dataclasses import dataclass

from distaff.datasets.base import DataSet
from distaff.settings import Settings, setting


@dataclass(eq=False)
class Grid(Settings, DataSet):
    """Square images of uint8, one for each combination of `factors`."""

    resolution: int = setting(64, "pixels along each side; below 64, means of blocks", choices=(16, 32, 64))

    def __post_init__(self) -> None:
        super().__post_init__()
        assert self.factors is not None
        self.label_names = self.factors.names
        self.image_shape = (self.channels, self.resolution, self.resolution)

    def __len__(self) -> int:
        assert self.factors is not None
        return len(self.factors)
