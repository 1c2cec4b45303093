"""Tables in ARFF files, as Weka and OpenML keep them, read by scipy."""

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from distaff.files import reading
from distaff.tables.readers.decoding import decoded
from distaff.tables.table import Table


def read_arff(path: Path, wanted: Sequence[str] | None = None) -> Table:
    """The table in an .arff file of numbers and nominal attributes, with the columns `wanted`."""
    from scipy.io import arff

    text, _ = decoded(path)
    with reading(path, "ARFF"):
        array, _ = arff.loadarff(io.StringIO(text))
    names = list(array.dtype.names)
    return Table(path.name, names, [_column(array[name]) for name in names]).with_aside(wanted)


def _column(cells: NDArray[Any]) -> NDArray[Any]:
    """Numbers as they are, and nominal values as words, of which '?' is none."""
    if cells.dtype.kind != "S":
        return cells
    words = [cell.decode("utf-8", errors="backslashreplace") for cell in cells]
    return np.array([None if word == "?" else word for word in words], dtype=object)
