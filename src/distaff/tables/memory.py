"""Arrays, frames and tensors of any library as a table. No library is imported for it."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from distaff.errors import BadInput, unknown
from distaff.tables.columns import MIDNIGHT, narrowed
from distaff.tables.sparse import is_sparse, sparse_table
from distaff.tables.table import Table

SHAPE = "an array (rows, columns)"


def as_table(values: Any, what: str) -> Table:
    """A table from what a caller has: an array, nested lists, a frame, a tensor on any device, a matrix of
    scipy.sparse, or a table.

    Raises BadInput that says what to give instead for annotated data, dicts and paths.
    """
    if isinstance(values, Table):
        return values
    if is_sparse(values):
        return sparse_table(values, what)
    _refuse(values, what)
    if hasattr(values, "iloc"):
        return _pandas(values, what)
    if hasattr(values, "collect") and hasattr(values, "collect_schema"):  # a lazy frame of polars
        values = values.collect()
    names = _column_names(values)
    if names is not None:  # polars, pyarrow
        columns = [part for name in names for part in columns_of(name, _array(values[name], what), what)]
        return Table(what, [name for name, _ in columns], [cells for _, cells in columns])
    array = _array(values, what)
    table = of_fields(array, what) if array.dtype.names else of_array(array, what)
    return (
        replace(table, labels=_coordinate(values))
        if hasattr(values, "coords") and hasattr(values, "dims")
        else table
    )


def _coordinate(values: Any) -> list[Any] | None:
    """The labels along the first dimension of an array of xarray, where it has some."""
    first = values.dims[0]
    return list(values.coords[first].values.tolist()) if first in values.coords else None


def of_array(array: NDArray[Any], what: str) -> Table:
    """A table from an array (n,) or (n, d)."""
    if array.ndim == 1 and array.dtype.kind in "OM":  # lists become columns, times words
        array = np.stack([cells for _, cells in columns_of("0", array, what)], axis=1)
    if array.ndim == 1:
        array = array[:, None]
    if array.ndim != 2 or array.shape[1] == 0:
        raise BadInput(f"{what} must have shape (rows, columns), got {array.shape}{_flat(array.shape)}")
    if array.dtype.kind not in "biufUSO":
        raise BadInput(f"{what} must be numbers, got {array.dtype}")
    names = [str(j) for j in range(array.shape[1])]
    whole = narrowed(array)
    return Table(what, names, list(whole.T), named=False, whole=whole)


def _flat(shape: tuple[int, ...]) -> str:
    """How an array of more dimensions becomes one of rows."""
    if len(shape) < 3:
        return ""
    frames = f".reshape(-1, {shape[-1]})"
    return f"; make it a row per image by .reshape({shape[0]}, -1), per frame of episodes by {frames}"


def of_fields(array: NDArray[Any], what: str) -> Table:
    """A table from a structured array: each field is a column, or several where it holds vectors."""
    columns = [column for name in array.dtype.names or () for column in spread(name, array[name])]
    return Table(what, [name for name, _ in columns], [cells for _, cells in columns])


def spread(name: str, array: NDArray[Any]) -> list[tuple[str, NDArray[Any]]]:
    """The columns of an array (n, d) with a name for each, or an array (n,) under its own name."""
    return [(f"{name}.{j}", part) for j, part in enumerate(array.T)] if array.ndim == 2 else [(name, array)]


def of_columns(
    path: Path, columns: Mapping[str, Any], wanted: Sequence[str] | None, labels: list[str] | None
) -> Table:
    """A table of the columns of a file by their names: those `wanted`, what may name rows set aside, or all.

    A column of lists, as of embeddings, becomes one for each place.
    """
    for name in wanted or ():
        if name not in columns:
            raise unknown(f"column of {path.name}", name, columns)
    picked = columns if wanted is None else wanted
    parts = [part for name in picked for part in columns_of(name, columns[name], str(path))]
    aside = None
    if wanted is not None:
        beside = {name: each for name, each in columns.items() if name not in wanted and not _has_lists(each)}
        aside = dict(part for name, each in beside.items() for part in columns_of(name, each, str(path)))
    return Table(
        path.name, [name for name, _ in parts], [each for _, each in parts], labels=labels, aside=aside
    )


def _has_lists(column: Any) -> bool:
    cells = np.ma.getdata(column)
    return cells.ndim > 1 or bool(cells.dtype == object and len(cells) and _listed_cell(cells[0]))


def columns_of(name: str, column: Any, what: str) -> list[tuple[str, NDArray[Any]]]:
    """The column of a file, times as words, or the columns that its lists make."""
    if not isinstance(column, np.ma.MaskedArray) and isinstance(column, np.ndarray) and column.ndim == 2:
        return spread(name, column)
    if not isinstance(column, np.ndarray):  # a categorical
        column = np.asarray(column)
    if column.dtype.kind in "Mm":
        gone = np.ma.getmaskarray(column) | np.isnat(np.ma.getdata(column))
        texts = [None if no else str(cell) for cell, no in zip(column, gone, strict=True)]
        return [(name, np.array([text and MIDNIGHT.sub(r"\1", text) for text in texts], dtype=object))]
    cells = np.ma.getdata(column)
    lists = [_listed_cell(cell) for cell in cells] if cells.dtype == object else []
    lengths = {len(each) for each in lists if each}
    if not lengths:
        return [(name, column if np.ma.is_masked(column) else cells)]
    if len(lengths) > 1:
        raise BadInput(f"{what}, column '{name}': its lists must all have the same length")
    lists = [each or [None] * max(lengths) for each in lists]
    gaps = any(cell is None for each in lists for cell in each)  # which NumPy would read as numbers
    table = np.array(lists, dtype=object if gaps else None)
    if table.ndim != 2:
        raise BadInput(f"{what}, column '{name}': lists of lists are not read")
    return spread(name, table)


def _listed_cell(cell: Any) -> list[Any]:
    """A cell as a list, empty where it holds none."""
    if isinstance(cell, np.ndarray):
        cell = cell.tolist()
    return list(cell) if isinstance(cell, list | tuple) else []


def _pandas(values: Any, what: str) -> Table:
    """A DataFrame or Series, with its index as the rows' labels."""
    series = [values] if values.ndim == 1 else [values.iloc[:, j] for j in range(values.shape[1])]
    if not series:
        raise BadInput(f"{what} must have shape (rows, columns), got {values.shape}")
    named = values.ndim == 2 or values.name is not None
    names = [str(each.name) for each in series] if named else ["0"]
    found = [
        (each, part)
        for name, each in zip(names, series, strict=True)
        for part in columns_of(name, _series(each, what), what)
    ]
    categories = {j: each.cat for j, (each, _) in enumerate(found) if str(each.dtype) == "category"}
    orders = {j: tuple(map(str, each.categories)) if each.ordered else () for j, each in categories.items()}
    names, cells = [name for _, (name, _) in found], [cells for _, (_, cells) in found]
    return Table(what, names, cells, named, labels=values.index.tolist(), orders=orders)


def _series(series: Any, what: str) -> NDArray[Any]:
    array = np.asarray(series.array)
    if array.dtype.kind == "f" and getattr(series.dtype, "kind", "f") in "iu":  # some have no value
        array = series.array.to_numpy(dtype=object, na_value=None)
    if array.dtype.kind in "Mm":
        array = np.array([None if cell != cell else str(cell) for cell in series], dtype=object)
    if array.dtype.kind not in "biufUSO" or array.ndim != 1:
        raise BadInput(f"{what}, column '{series.name}' must be numbers or words, got {array.dtype}")
    return array


def _column_names(values: Any) -> list[str] | None:
    """The names of a frame that is not pandas'."""
    for attribute in ("column_names", "columns"):
        names = getattr(values, attribute, None)
        if isinstance(names, list | tuple) and names and all(isinstance(name, str) for name in names):
            return list(names)
    return None


def _array(values: Any, what: str) -> NDArray[Any]:
    """Anything that converts as an array, tensors taken to the CPU and out of their graph first."""
    try:
        values = of_tensor(values)
        if isinstance(values, list | tuple) and any(hasattr(each, "detach") for each in values):
            values = [of_tensor(each) for each in values]
        if hasattr(values, "__cuda_array_interface__") and hasattr(values, "get"):  # CuPy
            values = values.get()
        array = listed(values) if isinstance(values, list | tuple) else np.asanyarray(values)
    except Exception as error:  # every library has errors of its own
        reason = " ".join(str(error).split())
        raise BadInput(f"{what} must be numbers, and cannot be read as such: {reason}") from None
    if isinstance(array, np.matrix):
        array = np.asarray(array)
    if array.dtype.kind == "T":  # NumPy's variable-width text
        array = array.astype(object)
    if array.dtype.name in ("bfloat16", "float8_e4m3fn", "float8_e5m2"):  # as JAX has them
        array = array.astype(np.float32)
    if array.dtype.kind == "c":
        raise BadInput(f"{what} are complex numbers; give real ones, such as .real or abs()")
    if array.ndim == 0:
        raise BadInput(f"{what} must be {SHAPE}, got a single {type(values).__name__}")
    return array


def listed(values: Any) -> NDArray[Any]:
    """Nested lists as an array, of objects where NumPy would make one value of several: of words and numbers,
    or of whole numbers beyond 2^53 and floats."""
    array = np.asanyarray(values)
    exact = array.dtype.kind not in "USf" or (
        array.dtype.kind == "f" and not (np.abs(array) >= 2.0**53).any()
    )
    return array if exact else np.asanyarray(values, dtype=object)


def of_tensor(values: Any) -> Any:
    """A torch tensor as an array of its own type, bfloat16 as float32; anything else as it is."""
    if not (hasattr(values, "detach") and hasattr(values, "cpu")):
        return values
    plain = values.detach().cpu()
    if "sparse" in str(getattr(plain, "layout", "")):
        plain = plain.to_dense()
    plain = plain.resolve_conj().resolve_neg()
    try:
        return plain.numpy()
    except TypeError:  # a type that NumPy does not have
        return plain.float().numpy()


def _refuse(values: Any, what: str) -> None:
    """One line for what is no table, that says what to give."""
    if values is None:
        raise BadInput(f"{what} are None; give {SHAPE}")
    if isinstance(values, str | bytes | os.PathLike):
        raise BadInput(f"{what} are {str(values)!r}; give {SHAPE}, or a file to the command `distaff score`")
    if hasattr(values, "obsm") and hasattr(values, "obs"):
        keys = ", ".join(map(str, list(values.obsm)[:8])) or "none"
        columns = ", ".join(map(str, list(values.obs)[:8])) or "none"
        raise BadInput(
            f"{what} are annotated data; give data.obsm[KEY] as codes (keys: {keys}) and data.obs[[COLUMN]] "
            f"as factors (columns: {columns})"
        )
    if isinstance(values, Mapping) or (hasattr(values, "files") and hasattr(values, "zip")):
        keys = ", ".join(repr(key) for key in list(values)[:8])
        raise BadInput(
            f"{what} are a {type(values).__name__} with keys {keys or 'none'}; give one of its values"
        )
    if isinstance(values, int | float | complex | bool | set | frozenset) or callable(values):
        raise BadInput(f"{what} must be {SHAPE}, got {type(values).__name__}")
