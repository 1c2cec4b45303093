"""Tables in Parquet files, read by duckdb."""

import glob
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from distaff.errors import BadInput, unknown
from distaff.files import check_file
from distaff.tables.memory import spread
from distaff.tables.table import Table

MIDNIGHT = "T00:00:00.000000"  # what a date ends with when it is written as a time
KEY = re.compile(r"U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?|VARCHAR")  # types of columns that may name rows
MOST_ASIDE = 20  # such columns
UNNAMED_INDEX = re.compile(r"__index_level_\d+__")


def read_parquet(path: Path, wanted: Sequence[str] | None = None) -> Table:
    """The table in a .parquet file. A column of lists, as of embeddings, becomes a column for each place."""
    import duckdb

    check_file(path)
    file = glob.escape(str(path))
    try:
        with duckdb.connect() as connection:
            relation = connection.from_parquet([file])
            kinds = dict(zip(relation.columns, map(str, relation.types), strict=True))
            index = _index(connection, file, list(kinds))
            columns = [name for name in kinds if name not in index] or list(kinds)
            beside = [n for n in columns if KEY.fullmatch(kinds[n]) and n not in (wanted or columns)]
            taken = [*(columns if wanted is None else wanted), *index, *beside[:MOST_ASIDE]]
            asked = ", ".join(_exact(name, kind) for name, kind in kinds.items() if name in taken)
            found = relation.project(asked or "*").fetchnumpy()
    except Exception as error:  # duckdb and NumPy raise many kinds on damaged files
        raise BadInput(f"{path} is not a Parquet file: {str(error).partition(chr(10))[0]}") from None
    if not columns:
        raise BadInput(f"{path} holds no columns")
    labels = None
    if len(index) == 1 and index[0] in found and index[0] not in (wanted or ()):
        labels = [str(cell) for cell in np.asarray(found.pop(index[0]))]
    for name in wanted or ():
        if name not in found:
            raise unknown(f"column of {path.name}", name, columns)
    picked = [name for name in columns if name in found] if wanted is None else wanted
    aside = {name: np.asarray(found[name]) for name in beside if name in found}
    flat = [column for name in picked for column in _flat(name, found[name], path)]
    names, cells = [name for name, _ in flat], [cells for _, cells in flat]
    return Table(path.name, names, cells, labels=labels, aside=None if wanted is None else aside)


def _exact(name: str, kind: str) -> str:
    """A column in SQL; whole numbers that duckdb would hand over as floats as text."""
    quoted = '"' + name.replace('"', '""') + '"'
    whole = kind in ("HUGEINT", "UHUGEINT") or re.fullmatch(r"DECIMAL\(\d+,\s*0\)", kind)
    return f"CAST({quoted} AS VARCHAR) AS {quoted}" if whole else quoted


def _index(connection: Any, file: str, columns: list[str]) -> list[str]:
    """The columns that pandas wrote as the rows' labels."""
    query = "SELECT value FROM parquet_kv_metadata(?) WHERE key = 'pandas'"
    kept = connection.execute(query, [file]).fetchone()
    try:
        told = json.loads(bytes(kept[0])) if kept else {}
        names = [name for name in told.get("index_columns", []) if isinstance(name, str)]
    except (ValueError, TypeError, AttributeError, RecursionError):
        names = []
    return [name for name in columns if (name in names if names else UNNAMED_INDEX.fullmatch(name))]


def _flat(name: str, column: Any, path: Path) -> list[tuple[str, NDArray[Any]]]:
    """A column, or the columns that its lists make."""
    if not isinstance(column, np.ma.MaskedArray) and isinstance(column, np.ndarray) and column.ndim == 2:
        return spread(name, column)
    if not isinstance(column, np.ndarray):  # a categorical
        column = np.asarray(column)
    if column.dtype.kind in "Mm":
        gone = np.ma.getmaskarray(column) | np.isnat(np.ma.getdata(column))
        texts = [None if no else str(cell) for cell, no in zip(column, gone, strict=True)]
        return [(name, np.array([text and text.removesuffix(MIDNIGHT) for text in texts], dtype=object))]
    first = next((cell for cell in np.ma.getdata(column)[:1]), None) if column.dtype == object else None
    if not isinstance(first, list | tuple | np.ndarray):
        return [(name, column if np.ma.is_masked(column) else np.ma.getdata(column))]
    lists = [cell.tolist() if hasattr(cell, "tolist") else list(cell or ()) for cell in np.ma.getdata(column)]
    if len({len(each) for each in lists}) > 1 or np.ma.is_masked(column):
        raise BadInput(f"{path}, column '{name}': its lists must all have the same length")
    gaps = any(cell is None for each in lists for cell in each)  # which NumPy would read as numbers
    table = np.array(lists, dtype=object if gaps else None)
    if table.ndim != 2:
        raise BadInput(f"{path}, column '{name}': lists of lists are not read")
    return spread(name, table)
