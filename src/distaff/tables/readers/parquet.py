"""Tables in Parquet files, read by duckdb."""

import glob
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from distaff.errors import BadInput
from distaff.files import check_file
from distaff.tables.memory import columns_of, of_columns
from distaff.tables.table import Table, aside_first

KEY = re.compile(
    r"U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?|VARCHAR|DATE|TIMESTAMP.*"
)  # types of columns that may name rows
UNNAMED_INDEX = re.compile(r"__index_level_\d+__")


def read_parquet(path: Path, wanted: Sequence[str] | None = None) -> Table:
    """The table in a .parquet file, its rows labelled by the index that pandas wrote, of whatever levels.

    A column of lists, as of embeddings, becomes a column for each place.
    """
    import duckdb

    check_file(path)
    file = glob.escape(str(path))
    try:
        with duckdb.connect() as connection:
            relation = connection.from_parquet([file])
            kinds = dict(zip(relation.columns, map(str, relation.types), strict=True))
            index, counted = _index(connection, file, list(kinds))
            columns = [name for name in kinds if name not in index] or list(kinds)
            beside = [n for n in columns if KEY.fullmatch(kinds[n]) and n not in (wanted or columns)]
            taken = [*(columns if wanted is None else wanted), *index, *aside_first(beside)]
            asked = ", ".join(_exact(name, kind) for name, kind in kinds.items() if name in taken)
            found = relation.project(asked or "*").fetchnumpy()
    except Exception as error:  # duckdb and NumPy raise many kinds on damaged files
        raise BadInput(f"{path} is not a Parquet file: {str(error).partition(chr(10))[0]}") from None
    if not columns:
        raise BadInput(f"{path} holds no columns")
    levels = (cells for name in index for _, cells in columns_of(name, found[name], str(path)))
    rows = list(zip(*(np.asarray(cells).tolist() for cells in levels), strict=True))
    held_rows = len(next(iter(found.values()), ()))
    counting = list(map(str, counted)) if len(counted) == held_rows else None  # else the rows are others now
    labels = counting if not index else [str(row[0] if len(index) == 1 else row) for row in rows]
    held = {name: found[name] for name in [*columns, *(wanted or ())] if name in found}
    return of_columns(path, held, wanted, labels)


def _exact(name: str, kind: str) -> str:
    """A column in SQL; whole numbers that duckdb would hand over as floats as text."""
    quoted = '"' + name.replace('"', '""') + '"'
    whole = kind in ("HUGEINT", "UHUGEINT") or re.fullmatch(r"DECIMAL\(\d+,\s*0\)", kind)
    return f"CAST({quoted} AS VARCHAR) AS {quoted}" if whole else quoted


def _index(connection: Any, file: str, columns: list[str]) -> tuple[list[str], range]:
    """The columns that pandas wrote as the rows' labels, or the numbers that it says stood for them."""
    query = "SELECT value FROM parquet_kv_metadata(?) WHERE key = 'pandas'"
    kept = connection.execute(query, [file]).fetchall()  # to its end: the connection is used again
    try:
        told = json.loads(bytes(kept[0][0])) if kept else {}
        index = told.get("index_columns", [])
        names = [name for name in index if isinstance(name, str)]
        spans = [range(each["start"], each["stop"], each["step"]) for each in index if isinstance(each, dict)]
        _ = [len(span) for span in spans]
    except (ValueError, TypeError, AttributeError, KeyError, OverflowError, RecursionError):
        names, spans = [], []
    found = [name for name in columns if (name in names if names else UNNAMED_INDEX.fullmatch(name))]
    return found, spans[0] if spans and not found else range(0)
