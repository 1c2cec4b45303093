"""Sparse codes: a matrix of which most is 0, as scipy.sparse has it, by columns. It is never made dense."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from distaff.errors import BadInput
from distaff.tables.columns import Column, narrowed
from distaff.tables.table import Table

MOST_COLUMNS = 2**22  # of which a file may promise any number, and what is found of each takes memory
ARRAYS = {"csr": ("data", "indices", "indptr"), "csc": ("data", "indices", "indptr")}
ARRAYS |= {"coo": ("data", "row", "col")}


@dataclass(frozen=True)
class Sparse:
    """Codes (n, d) of which only those that are not 0 are kept: a csc_array of scipy.sparse, float64.

    Rows are taken by `codes[rows]`, columns by `codes[:, columns]`.
    """

    matrix: Any

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        n, d = self.matrix.shape
        return int(n), int(d)

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, key: Any) -> Sparse:
        return Sparse(self.matrix[key])

    @property
    def values(self) -> NDArray[np.float64]:
        """What is not 0, column by column, (z,)."""
        return np.asarray(self.matrix.data)

    @property
    def rows(self) -> NDArray[Any]:
        """The row of each value, (z,)."""
        return np.asarray(self.matrix.indices)

    @property
    def starts(self) -> NDArray[Any]:
        """Where each column's values begin, and where the last one's end, (d + 1,)."""
        return np.asarray(self.matrix.indptr)

    @cached_property
    def columns(self) -> NDArray[np.int64]:
        """The column of each value, (z,)."""
        return np.repeat(np.arange(self.shape[1]), self.fires)

    @property
    def fires(self) -> NDArray[np.int64]:
        """In how many rows each column is not 0, (d,)."""
        return np.diff(self.starts).astype(np.int64)

    def ranges(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The smallest and the largest value of each column, zeros among them, (d,) each."""
        low, high = self.matrix.min(axis=0), self.matrix.max(axis=0)
        return low.toarray().ravel(), high.toarray().ravel()

    def sums(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """The sum over each column of what stands in place of its values (z,), (d,)."""
        found = np.bincount(self.columns, weights=values, minlength=self.shape[1])
        return found.astype(np.float64)

    def with_values(self, values: NDArray[np.float64]) -> Sparse:
        """Others (z,) in place of the values."""
        kind = type(self.matrix)
        return Sparse(kind((values, self.rows, self.starts), shape=self.shape))


@dataclass(frozen=True)
class SparseTable(Table):
    """A table of sparse codes. Its columns have no cells of their own, and go by number."""

    matrix: Any = None  # a csc_array, checked by nobody yet

    def __len__(self) -> int:
        return int(self.matrix.shape[0])

    @property
    def block(self) -> None:
        """None: it is no array."""
        return

    @property
    def codes(self) -> Sparse:
        """The codes, all finite numbers."""
        bad = ~np.isfinite(self.matrix.data)
        if bad.any():
            column = int(np.searchsorted(self.matrix.indptr, bad.argmax(), side="right")) - 1
            row = self.matrix.indices[bad.argmax()]
            drop = (
                f"; leave such rows out with {self.drop}" if np.isnan(self.matrix.data[bad.argmax()]) else ""
            )
            place = "" if self.what == "codes" else f"{self.what}: "
            raise BadInput(
                f"{place}codes hold NaN or infinite values, first in column {column}, row {row}{drop}"
            )
        return Sparse(self.matrix)

    def pick(self, wanted: Sequence[str] | None) -> SparseTable:
        """The columns of these numbers, in this order; all where none are given."""
        if wanted is None:
            return self
        places = [self.place(name) for name in wanted]
        return replace(self, names=[self.names[j] for j in places], matrix=self.matrix[:, places])

    def take(self, rows: NDArray[Any]) -> SparseTable:
        """The same of some rows."""
        return replace(self, matrix=self.matrix[rows])

    def missing(self, words: Sequence[str]) -> NDArray[np.bool_]:
        """Which rows (n,) have no value in some column."""
        gone = np.zeros(len(self), dtype=bool)
        gone[self.matrix.indices[np.isnan(self.matrix.data)]] = True
        return gone

    def columns(self, words: Sequence[str] = ()) -> list[Column]:
        """An error: what asks for columns needs an array."""
        raise BadInput(f"{self.what}: a sparse matrix cannot be taken here; give .toarray() of it")

    def joined(self, below: Table) -> SparseTable:
        """Its rows, and below them those of another sparse one."""
        from scipy.sparse import vstack

        if not isinstance(below, SparseTable):
            raise BadInput("codes to learn from are sparse and those of test are not; give both alike")
        return replace(self, matrix=vstack([self.matrix, below.matrix], format="csc"))


def is_sparse(values: Any) -> bool:
    """Whether something is a matrix of scipy.sparse, or behaves like one."""
    return hasattr(values, "toarray") and hasattr(values, "tocsc")


def sparse_table(values: Any, what: str) -> SparseTable:
    """A table of a sparse matrix (n, d) of any format; what it was made from is left as it is."""
    from scipy.sparse import csc_array

    if len(values.shape) != 2 or values.shape[1] == 0:
        raise BadInput(f"{what} must have shape (rows, columns), got {values.shape}")
    if values.shape[1] > MOST_COLUMNS:
        raise BadInput(f"{what} have {values.shape[1]:,} columns; at most {MOST_COLUMNS:,} are read")
    if values.dtype.kind not in "biuf":
        raise BadInput(f"{what} must be numbers, got {values.dtype}")
    by_column = csc_array(values)
    matrix = csc_array(
        (narrowed(by_column.data).astype(np.float64), by_column.indices, by_column.indptr),
        values.shape,
        copy=True,
    )
    matrix.sum_duplicates()
    matrix.eliminate_zeros()
    return SparseTable(what, list(map(str, range(values.shape[1]))), [], named=False, matrix=matrix)


def of_saved(path: Path, arrays: dict[str, NDArray[Any]]) -> SparseTable:
    """The table in the arrays of a file by scipy.sparse.save_npz, checked. Nothing is unpickled."""
    from scipy import sparse

    form = arrays["format"].item() if arrays["format"].ndim == 0 else None
    form = form.decode("ascii", "replace") if isinstance(form, bytes) else str(form)
    if form not in ARRAYS or not arrays.keys() >= set(ARRAYS[form]):
        raise BadInput(
            f"{path} holds a sparse matrix of format '{form}'; save it as CSR: "
            "scipy.sparse.save_npz('codes.npz', matrix.tocsr())"
        )
    shape, parts = arrays["shape"].ravel().tolist(), [arrays[name] for name in ARRAYS[form]]
    if why := _broken(form, shape, *parts):
        raise BadInput(f"{path} cannot be read as a sparse matrix: {why}")
    data, first, second = parts
    inner = (data, (first, second)) if form == "coo" else (data, first, second)
    matrix = getattr(sparse, f"{form}_array")(inner, shape=tuple(shape))
    return sparse_table(matrix, path.name)


def _broken(
    form: str, shape: list[Any], data: NDArray[Any], first: NDArray[Any], second: NDArray[Any]
) -> str:
    """What is wrong with the arrays of a sparse matrix, which scipy.sparse takes on trust; "" if nothing."""
    if len(shape) != 2 or not all(isinstance(size, int) and 0 <= size < 2**31 for size in shape):
        return f"its shape is {shape}"
    if shape[1] > MOST_COLUMNS:
        return f"it has {shape[1]:,} columns, and at most {MOST_COLUMNS:,} are read"
    if data.ndim != 1 or data.dtype.kind not in "biuf":
        return "its values are no numbers"
    if any(part.ndim != 1 or part.dtype.kind not in "iu" for part in (first, second)):
        return "its indices are no whole numbers"
    if form == "coo":
        lengths, places = {len(first), len(second)}, [(first, shape[0]), (second, shape[1])]
    else:
        outer, inside = shape if form == "csr" else shape[::-1]
        ends = second.astype(np.int64)
        if len(ends) != outer + 1 or ends[0] != 0 or ends[-1] != len(data) or (np.diff(ends) < 0).any():
            return "where its rows or columns begin does not fit its values"
        lengths, places = {len(first)}, [(first, inside)]
    if lengths != {len(data)}:
        return "its indices are not as many as its values"
    if any(len(part) and not 0 <= part.min() <= part.max() < size for part, size in places):
        return f"it has indices outside its shape {tuple(shape)}"
    return ""
