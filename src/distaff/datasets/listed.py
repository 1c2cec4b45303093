"""Images and labels one after the other in arrays, in memory or mapped."""

from typing import Any

from numpy.typing import ArrayLike, NDArray

from distaff.datasets.base import DataSet


class Listed(DataSet):
    """The images (m, C, H, W) of the array `_images`, with the labels (m, k) of `_labels` if it is one."""

    _images: NDArray[Any]
    _labels: NDArray[Any] | None = None

    def __len__(self) -> int:
        return len(self._images)

    def images(self, index: ArrayLike) -> NDArray[Any]:
        return self._images[self.check(index)]

    def labels(self, index: ArrayLike) -> NDArray[Any] | None:
        return None if self._labels is None else self._labels[self.check(index)]
