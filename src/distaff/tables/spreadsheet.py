"""Tables in .xlsx files: the first sheet, read by openpyxl, cells as they were computed last."""

import contextlib
import itertools
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from distaff.errors import BadInput
from distaff.files import check_unpacked, reading
from distaff.tables.headers import is_header, named
from distaff.tables.table import Table

LARGEST = 2**28  # bytes that the archive may unpack to; openpyxl needs many times as many
MOST_CELLS = 5_000_000
SAMPLE = 60  # rows that show whether the first is a header


def read_spreadsheet(path: Path, wanted: Sequence[str] | None = None) -> Table:
    """The table in the first sheet of an .xlsx file; its first row is the header unless it holds a number."""
    try:
        import openpyxl
    except ImportError:
        raise BadInput(f"{path.name} needs openpyxl to be read: pip install 'distaff[files]'") from None
    with reading(path, ".xlsx"):
        with zipfile.ZipFile(path) as archive:
            check_unpacked(archive.infolist(), path, LARGEST)
        book = openpyxl.load_workbook(path, read_only=True, data_only=True, keep_links=False)
        with contextlib.closing(book):
            sheet = book.worksheets[0]
            sheet.reset_dimensions()  # what the file says of its size may be anything
            rows = _rows(sheet, path)
            others = book.sheetnames[1:]
    notes = [f"{path.name}: only its first sheet is read, of {len(others) + 1}"] if others else []
    return _table(path, rows, notes, wanted)


def _rows(sheet: Any, path: Path) -> dict[int, list[Any]]:
    """The rows of a sheet by their line; empty ones only between others, where they lack values.

    None above the first, right below it, or below the last.
    """
    rows: dict[int, list[Any]] = {}
    width = 0
    for line, row in enumerate(sheet.iter_rows(values_only=True), start=1):
        cells = list(row)
        while cells and cells[-1] is None:
            cells.pop()
        rows[line], width = cells, max(width, len(cells))
        if len(rows) * width > MOST_CELLS:
            raise BadInput(f"{path} holds over {MOST_CELLS:,} cells; save large tables as .csv or .parquet")
    held = [line for line, cells in rows.items() if cells]
    if len(held) < 2:
        return {line: rows[line] for line in held}
    return {line: rows[line] for line in rows if line == held[0] or held[1] <= line <= held[-1]}


def _table(path: Path, rows: dict[int, list[Any]], notes: list[str], wanted: Sequence[str] | None) -> Table:
    if not rows:
        raise BadInput(f"{path} holds no rows in its first sheet")
    width = max(map(len, rows.values()))
    full = [[*row, *itertools.repeat(None, width - len(row))] for row in rows.values()]
    texts = [["" if cell is None else str(cell).strip() for cell in row] for row in full[:SAMPLE]]
    header = texts[0] if is_header(texts[0], texts[1:]) else None
    body, lines = full[bool(header) :], list(rows)[bool(header) :]
    cells = [_column(column) for column in zip(*body, strict=True)] or [_column(())] * width
    how = f"line {next(iter(rows))} as header" if header else "no header"
    table = Table(path.name, [], cells, lines=np.array(lines, dtype=np.int64), how=how, notes=tuple(notes))
    return named(table, header, wanted)


def _column(cells: Sequence[Any]) -> NDArray[Any]:
    """Cells as objects; dates and times as words."""
    column = np.empty(len(cells), dtype=object)
    column[:] = [cell if isinstance(cell, int | float | str) or cell is None else str(cell) for cell in cells]
    return column
