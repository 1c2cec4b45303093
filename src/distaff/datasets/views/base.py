"""What a view is: a data set made of the images of another."""

import hashlib
import json
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from distaff.datasets.base import DataSet
from distaff.errors import BadInput


class View(DataSet):
    """The images of `data` at `rows` (m,), in that order, or all of them, with the labels they have there.

    Pixels, provenance and names are those of `data`, with a `note` more. So are the grid of factors where all
    images are seen, and the pairs of which both images are. A subclass changes what it is there to change.

    A registered view is the option of its name in `load_dataset`: `made` of a data set and the option's
    value, for which `example` stands in errors and tests.
    """

    #: a value of the option that fits dSprites
    example: ClassVar[Any] = None

    def __init__(self, data: DataSet, note: str = "", rows: NDArray[np.int64] | None = None) -> None:
        self._data, self._part = data, rows
        self.name, self.image_shape, self.pixel_range = data.name, data.image_shape, data.pixel_range
        self.source, self.licence, self.citation = data.source, data.licence, data.citation
        self.note = "; ".join(filter(None, [data.note, note]))
        self.label_names, self.words = data.label_names, data.words
        self.hidden = tuple(name for name in data.hidden if name in data.label_names)
        self.evenly = data.evenly
        self.pairs = data.pairs
        if rows is None:
            self.factors, self.grid = data.factors, data.grid
        elif data.pairs is not None:
            pairs = self._places()[data.pairs]
            self.pairs = pairs[(pairs >= 0).all(axis=1)]

    @classmethod
    def made(cls, data: DataSet, value: Any) -> DataSet:
        """The view of `data` that this value of its option asks for. Raises BadInput."""
        return cls(data, value)

    @classmethod
    def located(cls, value: Any) -> Any:
        """The option's value as a run keeps it, which may be read from another folder."""
        return value

    def __len__(self) -> int:
        return len(self._data) if self._part is None else len(self._part)

    def images(self, index: ArrayLike) -> NDArray[Any]:
        return self._data.images(self._beneath(index))

    def labels(self, index: ArrayLike) -> NDArray[Any] | None:
        return self._data.labels(self._beneath(index))

    def draw(self, size: int, rng: np.random.Generator) -> NDArray[np.int64]:
        """`size` indices, drawn as `data` draws them."""
        return self._data.draw(size, rng)

    def fingerprint(self) -> str:
        """As of any data set. Of a file of your own every pixel beneath counts, and which rows are taken."""
        found, bottom = super().fingerprint(), self._data
        while isinstance(bottom, View):
            bottom = bottom._data
        if type(bottom).fingerprint is DataSet.fingerprint:
            return found
        digest = hashlib.sha256((found + self._data.fingerprint()).encode())
        digest.update(b"" if self._part is None else np.ascontiguousarray(self._part).data)
        return digest.hexdigest()[:16]

    def _beneath(self, index: ArrayLike) -> NDArray[np.int64]:
        """The indices in the data set beneath."""
        return self.check(index) if self._part is None else self._part[self.check(index)]

    def _places(self) -> NDArray[np.int64]:
        """Where each image of the data set beneath is in this part of it, -1 where it is not."""
        place = np.full(len(self._data), -1)
        place[self._part] = np.arange(len(self))
        return place


def check_table(name: str, value: Any, example: Any) -> dict[str, Any]:
    """The value of an option that must be a table, or an error that shows one."""
    if not isinstance(value, dict):
        raise BadInput(f"{name}={value!r} is not allowed; give a table, as in {name}={json.dumps(example)}")
    return value
