"""Tables in .xlsx files, read by openpyxl, cells as they were computed last."""

import contextlib
import itertools
import re
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from distaff.errors import BadInput
from distaff.files import check_unpacked, reading
from distaff.tables.readers.above import SAMPLE, are_groups, are_units, is_index_name, title_said, titles
from distaff.tables.readers.headers import is_header, named
from distaff.tables.table import Table

LARGEST = 2**28  # bytes that the archive may unpack to; openpyxl needs many times as many
MOST_CELLS = 5_000_000
MOST_SEEN = 500_000  # cells of a sheet that is looked at again, as it takes many times as long
MORE = re.compile(rb"<(?:\w+:)?(?:f[ />]|mergeCell )")


def read_spreadsheet(path: Path, wanted: Sequence[str] | None = None) -> Table:
    """The table in the first sheet of an .xlsx file that has the columns `wanted`, or else in the first.

    Its first row is the header unless it holds a number; a title above it is left out.
    """
    try:
        import openpyxl
    except ImportError:
        raise BadInput(f"{path.name} needs openpyxl to be read: pip install 'distaff[files]'") from None
    with reading(path, ".xlsx"):
        with zipfile.ZipFile(path) as archive:
            check_unpacked(archive.infolist(), path, LARGEST)
        book = openpyxl.load_workbook(path, read_only=True, data_only=True, keep_links=False)
        with contextlib.closing(book):
            found = _sheet_of(book, path, wanted)
            count = len(book.sheetnames)
        if not found.rows:
            raise BadInput(f"{path} holds no rows in its first sheet")
        notes = _fill(found, path, wanted)
    if count > 1:
        which = "only its first sheet" if found.is_first else f"its sheet '{found.title}'"
        hint = "; columns that are named are looked for in all" if wanted is None else ""
        notes.append(f"{path.name}: {which} is read, of {count}{hint}")
    return _table(path, found, notes, wanted)


@dataclass(frozen=True)
class _Sheet:
    """The rows of a sheet by their line, all of one width.

    `above` of them are a title, then comes the header, if there is one, and perhaps a row of `units`.
    """

    title: str
    is_first: bool
    rows: dict[int, list[Any]]
    above: int
    header: list[str] | None
    units: bool

    @property
    def start(self) -> int:
        """How many rows come before those of the table."""
        return self.above + (self.header is not None) + self.units


def _sheet_of(book: Any, path: Path, wanted: Sequence[str] | None) -> _Sheet:
    """The first sheet that has the columns wanted, or else the first."""
    first = _sheet(book.worksheets[0], path, is_first=True)
    if wanted is None or set(wanted) <= set(first.header or ()):
        return first
    others = (_sheet(each, path, is_first=False) for each in book.worksheets[1:])
    return next((each for each in others if set(wanted) <= set(each.header or ())), first)


def _sheet(sheet: Any, path: Path, is_first: bool) -> _Sheet:
    sheet.reset_dimensions()  # what the file says of its size may be anything
    rows = _rows(sheet, path)
    width = max(map(len, rows.values()), default=0)
    full = {line: [*row, *itertools.repeat(None, width - len(row))] for line, row in rows.items()}
    first = itertools.islice(full.values(), SAMPLE)
    texts = [["" if cell is None else str(cell).strip() for cell in row] for row in first]
    above = titles(texts, width)
    grouped = above > 0 and are_groups(texts[above - 1 :], width)
    headed = bool(rows) and (grouped or is_header(texts[above], texts[above + 1 :]))
    if headed and len(texts) > above + 2 and is_index_name(texts[: above + 1], texts[above + 1 :]):
        full.pop(list(full)[above + 1])
        texts.pop(above + 1)
    units = headed and len(texts) > above + 1 and are_units(texts[above], texts[above + 1 :], len(full))
    return _Sheet(sheet.title, is_first, full, above, texts[above] if headed else None, units)


def _fill(sheet: _Sheet, path: Path, wanted: Sequence[str] | None) -> list[str]:
    """Give the rows of a sheet what their empty cells hold by being merged, and say so.

    BadInput where a cell is empty because its formula was never computed.
    """
    import openpyxl

    below = dict(itertools.islice(sheet.rows.items(), sheet.above, None))
    body = dict(itertools.islice(sheet.rows.items(), sheet.start, None))
    names = sheet.header or [""] * len(next(iter(sheet.rows.values())))
    used = [j for j, name in enumerate(names) if wanted is None or name in wanted]
    empty = [(line, j) for line, row in below.items() for j in used if row[j] is None]
    if not empty or len(below) * len(names) > MOST_SEEN or not _has_more(path):
        return []
    with contextlib.closing(openpyxl.load_workbook(path, keep_links=False)) as book:
        again = book[sheet.title]
        for cell in (again.cell(line, j + 1) for line, j in empty):
            if cell.data_type == "f":
                raise BadInput(
                    f"{path}: cell {cell.coordinate} holds a formula whose value was never computed; open "
                    "the file in a spreadsheet program and save it"
                )
        areas = [area for area in again.merged_cells.ranges if area.min_row in body]
    for area in areas:
        value = body[area.min_row][area.min_col - 1]
        for line in range(area.min_row, area.max_row + 1):
            width = area.max_col - area.min_col + 1
            if line in body:
                body[line][area.min_col - 1 : area.max_col] = [value] * width
    return [f"{path.name}: merged cells have their value in every row"] if areas else []


def _has_more(path: Path) -> bool:
    """Whether some sheet has formulas or merged cells."""
    with zipfile.ZipFile(path) as archive:
        sheets = [name for name in archive.namelist() if name.startswith("xl/worksheets/")]
        return any(MORE.search(archive.read(name)) for name in sheets)


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


def _table(path: Path, sheet: _Sheet, notes: list[str], wanted: Sequence[str] | None) -> Table:
    lines, header = list(sheet.rows), sheet.header
    if sheet.above:
        notes.append(f"{path.name}: {title_said(lines[: sheet.above])}")
    if sheet.units:
        notes.append(f"{path.name}: line {lines[sheet.start - 1]} is taken for units and left out")
    how = f"line {lines[sheet.above]} as header" if header else "no header"
    body, below = list(sheet.rows.values())[sheet.start :], np.array(lines[sheet.start :], dtype=np.int64)
    width = len(next(iter(sheet.rows.values())))
    cells = [_column(column) for column in zip(*body, strict=True)] or [_column(())] * width
    table = Table(path.name, [], cells, source=sheet.title, lines=below, how=how, notes=tuple(notes))
    return named(table, header, wanted)


def _column(cells: Sequence[Any]) -> NDArray[Any]:
    """Cells as objects; dates and times as words."""
    column = np.empty(len(cells), dtype=object)
    column[:] = [cell if isinstance(cell, int | float | str) or cell is None else str(cell) for cell in cells]
    return column
