"""Tables in .npy and .npz files: arrays are picked first, and only what was picked is read."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from distaff.errors import BadInput
from distaff.files import array_headers, read_arrays
from distaff.tables.named_arrays import choose, is_table
from distaff.tables.table import Table


def read_numpy(path: Path, wanted: Sequence[str] | None = None) -> Table:
    """The table in a .npy file, or in an array of an .npz, or in several put side by side.

    Columns of a single array are picked by number, and those of several arrays by the arrays' names.
    """
    headers = array_headers(path)
    names = headers.keys()
    if names >= {"format", "shape", "data"} and (names >= {"indices", "indptr"} or names >= {"row", "col"}):
        raise BadInput(
            f"{path} holds a sparse matrix, as scipy.sparse.save_npz writes it; save it dense: "
            "np.save('codes.npy', scipy.sparse.load_npz('FILE').toarray())"
        )
    usable = [name for name, header in headers.items() if header is not None and is_table(*header)]
    return choose(path, list(names), usable, lambda asked: read_arrays(path, asked), wanted)
