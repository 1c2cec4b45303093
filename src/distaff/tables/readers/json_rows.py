"""Tables in JSON: rows, columns, or one row a line, as pandas and loggers write them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from distaff.errors import BadInput
from distaff.files import reading
from distaff.tables.memory import as_table, of_columns
from distaff.tables.readers.decoding import content_suffix, decoded
from distaff.tables.readers.named_arrays import of_labels, width_of_pieces
from distaff.tables.table import Table

if TYPE_CHECKING:
    import pandas as pd

FORMS = "a list of objects or of lists, an object of columns, or one object a line"


def read_json(path: Path, wanted: Sequence[str] | None = None) -> Table:
    """The table in a .json, .jsonl or .ndjson file, with the columns `wanted`.

    Rows are objects or lists, in a list or one a line, or by their labels in an object; or an object holds
    the columns, as lists or by the rows' labels. An object within a row becomes columns called outer.inner, a
    list one column for each place.
    """
    import pandas as pd

    text, _ = decoded(path)
    with reading(path, "JSON"):
        value = _parsed(text, by_line=content_suffix(path) != ".json")
        if (table := of_labels(path, value)) is not None:
            return table.pick(wanted)
        if isinstance(value, dict) and _are_vectors(value, wanted or ()):
            called = ", ".join(list(value)[:3])
            note = f"{path.name}: its {len(value)} lists are taken for rows, called {called} and so on"
            rows = _of_lists(list(value.values()), path, wanted)
            return replace(rows, labels=list(value), named=True, notes=(note,))
        if isinstance(value, list) and value and not isinstance(value[0], dict):
            return _of_lists(value, path, wanted)
        frame, beside = _frame(value, wanted or ())
    if frame is None:
        raise BadInput(f"{path} holds no table; give {FORMS}")
    if not len(frame):
        raise BadInput(f"{path} holds no rows; give {FORMS}")
    columns = {str(name): np.asarray(column) for name, column in frame.items()}
    labels = None if isinstance(frame.index, pd.RangeIndex) else [str(label) for label in frame.index]
    table = of_columns(path, columns, wanted, labels)
    told = f"columns are {', '.join(columns)}; left aside are {', '.join(beside)}"
    return replace(table, notes=(f"{path.name}: {told}",)) if beside and wanted is None else table


def _of_lists(rows: list[Any], path: Path, wanted: Sequence[str] | None) -> Table:
    """The table of rows that are lists, of which the first may name the columns."""
    head, *body = rows
    headed = isinstance(head, list) and bool(body) and all(isinstance(name, str) for name in head)
    if headed and not all(isinstance(cell, str) for cell in body[0]):
        return replace(as_table(body, path.name), names=list(head), named=True, whole=None).with_aside(wanted)
    return as_table(rows, path.name).with_aside(wanted)


def _parsed(text: str, by_line: bool) -> Any:
    """What a text says, as a whole or line by line, whatever its file is called."""
    try:
        whole = json.loads(text)
    except json.JSONDecodeError:
        lines = [line for line in text.split("\n") if line.strip()]
        if len(lines) < 2 or not lines[0].rstrip().endswith(("}", "]")):
            raise
        return [json.loads(line) for line in lines]
    return [whole] if by_line and isinstance(whole, dict) else whole


def _frame(value: Any, wanted: Sequence[str]) -> tuple[pd.DataFrame | None, list[str]]:
    """A frame of rows or columns, None where there are none, and the names of what is left aside."""
    import pandas as pd

    beside: list[str] = []
    index: Any = None
    if isinstance(value, dict) and isinstance(value.get("columns"), list) and "data" in value:
        return pd.DataFrame(value["data"], columns=value["columns"], index=value.get("index")), beside
    if isinstance(value, dict) and isinstance(value.get("schema"), dict) and "data" in value:
        index, value = value["schema"].get("primaryKey"), value["data"]
    if isinstance(value, dict) and _is_by_row(value, wanted):
        return pd.DataFrame.from_dict(value, orient="index"), beside
    if isinstance(value, dict):
        value, beside = _columns(value, wanted)
        first = next(iter(value.values()), None)
        if len(value) == 1 and isinstance(first, list) and isinstance(first[0], dict):
            value = first
    if isinstance(value, list) and all(isinstance(row, dict) for row in value):
        frame = pd.json_normalize(value)
        is_label = (
            isinstance(index, list) and len(index) == 1 and index[0] in frame and len(frame.columns) > 1
        )
        if is_label:  # as objects, or pandas takes them for none where they count
            labels = pd.Index(frame[index[0]], dtype=object)
            frame = frame.drop(columns=index[0]).set_axis(labels)
        return frame, beside
    return pd.DataFrame(value) if isinstance(value, dict) else None, beside


def _is_by_row(value: dict[str, Any], wanted: Sequence[str]) -> bool:
    """Whether an object of objects holds rows, and not columns: by what is wanted, or as it counts many.

    Columns that count too have the names of more rows below them.
    """
    rows = list(value.values())
    if not rows or not all(isinstance(row, dict) and row.keys() == rows[0].keys() for row in rows):
        return False
    if wanted and not set(wanted) <= value.keys():
        return set(wanted) <= rows[0].keys()
    counted = list(value) == [str(n) for n in range(len(value))] and len(value) > len(rows[0])
    return counted and not any(name.isdigit() for name in rows[0])


def _are_vectors(value: dict[str, Any], wanted: Sequence[str]) -> bool:
    """Whether an object of lists holds a row for each name, and no columns."""
    if not value or set(wanted) & value.keys() or not all(isinstance(row, list) for row in value.values()):
        return False
    return width_of_pieces([(len(row),) for row in value.values()], list(value)) > 0


def _columns(value: dict[str, Any], wanted: Sequence[str]) -> tuple[dict[str, Any], list[str]]:
    """The columns of an object, lists or objects by the rows' labels, of one length; and what else it holds.

    It is that of the columns that are wanted, or the usual one.
    """
    lengths = Counter(len(each) for each in value.values() if isinstance(each, list | dict) and each)
    usual = max(lengths, key=lambda n: (lengths[n], n), default=0)
    if wanted and isinstance(value.get(wanted[0]), list | dict):
        usual = len(value[wanted[0]])
    columns = {n: e for n, e in value.items() if isinstance(e, list | dict) and 0 < len(e) == usual}
    return columns, [name for name in value if name not in columns]
