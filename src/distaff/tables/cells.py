"""Annotated data (AnnData), in memory or in a file: embeddings of the same cells, and labels beside them.

The library anndata is never imported: what has `.obsm` and `.obs` is annotated data.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from distaff.errors import BadInput, unknown
from distaff.tables.memory import as_table
from distaff.tables.readers.annotated import guessed, read_annotated
from distaff.tables.table import Table


@dataclass(frozen=True)
class Cells:
    """Annotated data, as far as scores need it; rows are labelled by the names of the cells.

    `embedding` gives the codes under a key of obsm, `labels` the columns of obs of these names. Without a
    name (None): the only embedding that is not made for pictures, the categories and truth values.
    """

    embedding: Callable[[str | None], Table]
    labels: Callable[[Sequence[str] | None], Table]


def cells_of(data: Any) -> Cells | None:
    """Annotated data in memory, or None for anything else."""
    if isinstance(data, Cells):
        return data
    if not (hasattr(data, "obsm") and hasattr(data, "obs")):
        return None
    return Cells(lambda key: _embedding(data, key), lambda names: _labels(data, names))


def cells_in(path: Path) -> Cells:
    """Annotated data in an .h5ad file."""
    return Cells(
        lambda key: read_annotated(path, None if key is None else [key]),
        lambda names: read_annotated(path, names, role="factors"),
    )


def _embedding(data: Any, key: str | None) -> Table:
    keys, notes = [str(each) for each in data.obsm], []
    if key is None:
        found, note = guessed("the annotated data", [f"obsm/{each}" for each in keys], {}, "codes", "obsm=")
        key, notes = found[0].removeprefix("obsm/"), [f"data: {note}"]
    if key not in keys:
        raise unknown("key of obsm", key, keys)
    value = data.obsm[key]
    table = as_table(value.toarray() if hasattr(value, "toarray") else value, f"obsm['{key}']")
    if not table.named:
        table = replace(table, names=[f"{key}.{name}" for name in table.names], named=True)
    names = [str(name) for name in data.obs.index]
    return replace(table, labels=names, notes=(*table.notes, *notes))


def _labels(data: Any, names: Sequence[str] | None) -> Table:
    columns, notes = [str(each) for each in data.obs.columns], []
    if names is None:
        kinds = {name: str(data.obs[name].dtype) in ("category", "bool", "boolean") for name in columns}
        found, note = guessed("the annotated data", [], kinds, "factors", "obs=")
        names, notes = [name.removeprefix("obs/") for name in found], [f"data: {note}"]
    for name in names:
        if name not in columns:
            raise unknown("column of obs", str(name), columns)
    if not names:
        raise BadInput("obs=[] names no column; give one that holds labels")
    table = as_table(data.obs[list(names)], "obs")
    return replace(table, labels=[str(name) for name in data.obs.index], notes=(*table.notes, *notes))
