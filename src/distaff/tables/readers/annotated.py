"""Annotated data (.h5ad): codes from obsm or X, factors from obs, in all layouts that anndata has had."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from distaff.errors import BadInput, unknown
from distaff.files import LARGEST
from distaff.tables.memory import spread
from distaff.tables.readers.hdf5 import child, is_array, opened, values
from distaff.tables.sparse import SparseTable, of_saved
from distaff.tables.table import Table

#: embeddings made to be looked at, and places in a tissue: no codes unless they are asked for
PICTURES = ("X_umap", "X_tsne", "X_draw_graph", "X_diffmap", "spatial", "X_spatial")

SPARSE = ("csr_matrix", "csc_matrix")

Column = tuple[NDArray[Any], tuple[str, ...] | None]  # cells, and the order of a category, () without one


class Held(NamedTuple):
    """A column of obs that is not read yet."""

    read: Callable[[], Column]
    is_category: bool  # or truth values


Obs = dict[str, Held]


def read_annotated(path: Path, wanted: Sequence[str] | None = None, role: str = "codes") -> Table:
    """Codes or factors of an .h5ad file, rows labelled by its observations.

    `wanted` are obsm/KEY, obs/COLUMN, X, layers/KEY, or the bare KEY and COLUMN. Without it, codes are the
    only entry of obsm that is not made for pictures, and factors the categories and truth values of obs. A
    sparse X or layer stays sparse, if it is the only one.
    """
    with opened(path) as file:
        obs, labels = _obs(file, path)
        entries = [f"obsm/{name}" for name in _names(child(file, "obsm"))]
        notes: tuple[str, ...] = ()
        if wanted is None:
            kinds = {name: held.is_category for name, held in obs.items()}
            way = "--factor-columns or --obs" if role == "factors" else "--code-columns or --obsm"
            wanted, note = guessed(str(path), entries, kinds, role, way)
            notes = (f"{path.name}: {note}",)
        else:
            layers = [f"layers/{name}" for name in _names(child(file, "layers"))]
            held = [*entries, *(f"obs/{name}" for name in obs), *layers]
            wanted = [_full_name(name, held, path, role) for name in wanted]
        if len(wanted) == 1 and (sparse := _sparse(file, wanted[0])) is not None:
            return replace(_saved(sparse, path), labels=labels, notes=notes)
        found = [column for name in wanted for column in _columns(file, name, obs, path)]
    names, cells = [name for name, _, _ in found], [cells for _, cells, _ in found]
    orders = {j: order for j, (_, _, order) in enumerate(found) if order is not None}
    return Table(path.name, names, cells, labels=labels, orders=orders, notes=notes)


def guessed(
    source: str, entries: list[str], kinds: Mapping[str, bool], role: str, way: str
) -> tuple[list[str], str]:
    """What codes or factors most likely are, and a note that says so.

    `entries` are those of obsm, as obsm/KEY; `kinds` says of each column of obs whether it holds categories
    or truth values. Messages call the data `source`, and tell to pick by `way`.
    """
    if role == "factors":
        entries = [f"obs/{name}" for name in kinds]
        found = [f"obs/{name}" for name, is_category in kinds.items() if is_category]
        if not found:
            raise BadInput(f"{source} has no categories in obs; pick with {way}: {', '.join(kinds)}")
    else:
        found = [name for name in entries if not name.removeprefix("obsm/").startswith(PICTURES)]
        found = found or entries or ["X"]
        if len(found) != 1:
            raise BadInput(f"{source} holds several codes; pick with {way}: {', '.join(found)}")
    rest = ", ".join(name.removeprefix("obs/") for name in entries if name not in found)
    note = f"{role} are {', '.join(found)}"
    return found, f"{note}; not {rest}, unless picked" if rest else note


def _full_name(name: str, held: list[str], path: Path, role: str) -> str:
    places = ("obs", "obsm", "layers") if role == "factors" else ("obsm", "obs", "layers")
    for full in (name, *(f"{place}/{name}" for place in places)):
        if full in (*held, "X"):
            return full
    raise unknown(f"entry of {path.name}", name, [*held, "X"])


def _columns(
    file: Any, name: str, obs: Obs, path: Path
) -> list[tuple[str, NDArray[Any], tuple[str, ...] | None]]:
    """The columns of one entry: name, cells, and the order of a category."""
    place, _, key = name.partition("/")
    if place == "obs":
        return [(key, *obs[key].read())]
    if _is_counts(name):
        array, key = _matrix(child(file, name), name, path), key or name
    else:
        held = child(file, "obsm")
        array = held[key] if _is_compound(held) else _matrix(child(held, key), key, path)
    array = array[:, None] if array.ndim == 1 else array
    if array.ndim != 2:
        raise BadInput(f"{path}: {name} must have shape (rows, columns), got {array.shape}")
    return [(label, column, None) for label, column in spread(key, array)]


def _matrix(held: Any, name: str, path: Path) -> NDArray[Any]:
    """A dense array, a data frame in obsm, or a sparse matrix there, made dense."""
    import h5py

    if is_array(held):
        return values(held, path)
    if isinstance(held, h5py.Group) and held.attrs.get("encoding-type") == "dataframe":
        columns = [_decoded(held, str(each), path)[0] for each in held.attrs["column-order"]]
        return np.stack(columns, axis=1)
    if not _is_sparse(held):
        raise BadInput(f"{path}: {name} is stored in a way that is not read")
    if _is_counts(name):
        raise BadInput(f"{path}: {name} is sparse, and is read alone; pick nothing beside it")
    return _of_sparse(held, name, path)


def _is_counts(name: str) -> bool:
    """Whether an entry is X or a layer, which may be too large to be made dense."""
    return name == "X" or name.startswith("layers/")


def _sparse(file: Any, name: str) -> Any:
    """X or a layer where it is sparse."""
    held = child(file, name) if _is_counts(name) else None
    return held if _is_sparse(held) else None


def _is_sparse(held: Any) -> bool:
    return hasattr(held, "keys") and held.attrs.get("encoding-type") in SPARSE


def _saved(held: Any, path: Path) -> SparseTable:
    """The table of a sparse matrix, which is checked as one of scipy is."""
    parts = {part: values(child(held, part), path) for part in ("data", "indices", "indptr")}
    shape, form = np.asarray(held.attrs["shape"]), np.array(held.attrs["encoding-type"][:3])
    return of_saved(path, parts | {"shape": shape, "format": form})


def _of_sparse(held: Any, name: str, path: Path) -> NDArray[Any]:
    """The dense array of a sparse matrix."""
    n, d = (int(size) for size in held.attrs["shape"])
    if 8 * n * d > LARGEST:
        raise BadInput(f"{path}: {name} is sparse, of shape {(n, d)}, and too large to be made dense")
    try:
        return np.asarray(_saved(held, path).matrix.toarray())
    except BadInput as error:
        raise BadInput(f"{path}: the parts of the sparse {name} do not fit each other: {error}") from None


def _obs(file: Any, path: Path) -> tuple[Obs, list[str] | None]:
    """The columns of obs, and the labels of the rows."""
    obs = child(file, "obs")
    if _is_compound(obs):
        return _old_obs(file, obs, path)
    names = _names(obs)
    if not hasattr(obs, "attrs") or not names:
        raise BadInput(f"{path} has no table obs; it is not annotated data")
    index = str(obs.attrs.get("_index", "_index"))
    order = [str(name) for name in obs.attrs.get("column-order", [])]
    columns = [name for name in order or names if name in names and name not in (index, "__categories")]
    read = {name: Held(partial(_decoded, obs, name, path), _is_category(obs, name)) for name in columns}
    labels = _decoded(obs, index, path)[0].tolist() if index in names else []
    return read, [str(label) for label in labels] or None


def _old_obs(file: Any, obs: Any, path: Path) -> tuple[Obs, list[str]]:
    """obs as one compound array; the words of its categories stand in uns."""
    table = values(obs, path)
    names = list(table.dtype.names or ())
    index = next((name for name in ("index", "_index") if name in names), names[0])
    columns: Obs = {}
    for name in names:
        words = child(file, f"uns/{name}_categories")
        cells = table[name]
        if words is not None and cells.dtype.kind in "iu":
            cells = _of_codes(cells, np.atleast_1d(values(words, path)))
        if name != index and cells.ndim == 1:
            is_category = words is not None or cells.dtype.kind == "b"
            column = (_as_text(cells), None if words is None else ())
            columns[name] = Held(partial(lambda column: column, column), is_category)
    return columns, [str(label) for label in _as_text(table[index])]


def _decoded(obs: Any, name: str, path: Path) -> Column:
    """A column of a data frame in any of anndata's encodings."""
    held = child(obs, name)
    if is_array(held):
        cells = values(held, path)
        words = child(obs, f"__categories/{name}")  # anndata 0.7
        return (_as_text(cells), None) if words is None else (_of_codes(cells, values(words, path)), ())
    kind = _kind(held)
    if kind == "categorical":
        words = _as_text(_decoded(held, "categories", path)[0])
        order = tuple(map(str, words)) if held.attrs.get("ordered", False) else ()
        return _of_codes(values(child(held, "codes"), path), words), order
    if isinstance(kind, str) and kind.startswith("nullable"):
        cells = _as_text(values(child(held, "values"), path)).astype(object)
        cells[values(child(held, "mask"), path).astype(bool)] = None
        return cells, None
    raise BadInput(f"{path}: obs/{name} is stored in a way that is not read ({kind})")


def _of_codes(codes: NDArray[Any], words: NDArray[Any]) -> NDArray[Any]:
    """The words that categories' numbers stand for; None for -1, which has no value."""
    words = _as_text(words)
    fits = codes.dtype.kind in "iu" and (not codes.size or (codes.min() >= -1 and codes.max() < len(words)))
    if not fits:
        raise BadInput("the numbers of a category do not fit its words")
    return np.array([*words.tolist(), None], dtype=object)[codes.astype(np.int64)]


def _as_text(cells: NDArray[Any]) -> NDArray[Any]:
    """Bytes as text; anything else as it is."""
    if cells.dtype.kind != "S":
        return cells
    return np.array([cell.decode("utf-8", errors="backslashreplace") for cell in cells], dtype=object)


def _is_category(obs: Any, name: str) -> bool:
    """Whether a column of a data frame holds categories or truth values."""
    held = child(obs, name)
    if is_array(held):
        return held.dtype.kind == "b" or child(obs, f"__categories/{name}") is not None
    return _kind(held) in ("categorical", "nullable-boolean")


def _kind(held: Any) -> Any:
    """The encoding of a column; codes and categories in one group are a category, whoever wrote them."""
    if not hasattr(held, "keys"):
        return None
    return held.attrs.get("encoding-type", "categorical" if {"codes", "categories"} <= held.keys() else None)


def _is_compound(held: Any) -> bool:
    return getattr(getattr(held, "dtype", None), "names", None) is not None


def _names(held: Any) -> list[str]:
    """The entries of a group, or the fields of a compound array."""
    if _is_compound(held):
        return list(held.dtype.names)
    return [] if held is None else [str(name) for name in held if "/" not in str(name)]
