"""Tables in text files as spreadsheets, pandas, R and NumPy write them: the dialect is found, then read."""

import csv
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from distaff.errors import BadInput
from distaff.tables.readers.above import (
    SAMPLE,
    Row,
    are_groups,
    are_units,
    has_word_above_numbers,
    is_index_name,
    repeats,
    title_said,
    titles,
)
from distaff.tables.readers.decoding import content_suffix, decoded
from distaff.tables.readers.dialect import (
    ONE_COLUMN,
    SEPARATORS,
    check_thousands,
    find_separator,
    find_start,
    has_decimal_commas,
    rows_of,
    split,
)
from distaff.tables.readers.headers import is_header, named
from distaff.tables.table import Table

SUFFIXES = (".csv", ".tsv", ".txt", ".tab", ".dat", ".data")


def read_text(path: Path, wanted: Sequence[str] | None = None, headed: bool | None = None) -> Table:
    """The table in a .csv, .tsv or .txt file, which may be compressed, with the columns `wanted`.

    Separator, header, decimal comma, encoding and row labels are found, and what is unusual is noted. Unless
    `headed` says so, the first line is a header if no cell of it is a number, if it numbers the columns from
    0, or if it has words above numbers.
    """
    text, encoding = decoded(path)
    if not text.strip():
        raise BadInput(f"{path} is empty")
    raw = text.split("\n")
    before, comment, told = find_start(raw)
    if before == len(raw):
        raise BadInput(f"{path} holds no rows")
    separator = _separator(raw[before:], told, path)
    lines, notes = _lines(raw[before:], before, separator, path)
    first = lines.rows[:SAMPLE]
    comma = has_decimal_commas(first)
    if separator != "," or '"' in text:
        check_thousands(lines.rows, separator == ";" or comma, path)
    usual = Counter(map(len, first[1:] or first)).most_common(1)[0][0]
    over = lines.first(titles(first, usual))
    if over.rows:
        notes.append(f"{path.name}: {title_said(over.numbers)}")
        lines = lines.after(len(over.rows))
        headed = headed or are_groups([over.rows[-1], *lines.rows[:SAMPLE]], usual) or None
    names = split([comment], separator)[0] if comment and headed is None else []
    header, is_first = _header(lines.rows, usual, names, comma, headed)
    if is_first and header is not None and len(header) > len(lines.rows[0]):
        _check_labels(lines.rows, path)
    how = _how(separator, comma, (int(lines.numbers[0]) if is_first else before) if header else 0, encoding)
    if is_first:
        lines, said = _below_header(lines, over.rows, path)
        notes += said
    if not lines.rows:
        raise BadInput(f"{path} holds no rows below its header")
    cells = _cells(lines, max(usual, len(header or ())), separator, path, how)
    notes += [f"{path.name}: decimal commas"] if comma else []
    notes += [f"{path.name}: read as {encoding}"] if encoding != "utf-8" else []
    table = Table(path.name, [], cells, lines=lines.numbers, comma=comma, how=how, notes=tuple(notes))
    return named(table, header, wanted)


def is_text(path: Path) -> bool:
    """Whether a path is named as a table in text, compressed or not."""
    return content_suffix(path) in SUFFIXES


class _Lines(NamedTuple):
    """Rows, and the line of the file (n,) that each begins in."""

    numbers: NDArray[np.int64]
    rows: list[Row]

    def first(self, count: int) -> Self:
        return self._replace(numbers=self.numbers[:count], rows=self.rows[:count])

    def after(self, count: int) -> Self:
        return self._replace(numbers=self.numbers[count:], rows=self.rows[count:])

    def without(self, left_out: Sequence[bool]) -> Self:
        rows = [row for row, out in zip(self.rows, left_out, strict=True) if not out]
        return self._replace(numbers=self.numbers[np.invert(left_out)], rows=rows)


def _separator(lines: list[str], told: str | None, path: Path) -> str:
    """What parts the cells of lines: that which the file tells or its name says, if it fits."""
    preferred = told or ("\t" if content_suffix(path) in (".tsv", ".tab") else None)
    sample = [line for line in lines[: 2 * SAMPLE] if line.strip()][:SAMPLE]
    return find_separator(sample, preferred)


def _lines(
    lines: list[str], before: int, separator: str, path: Path, strict: bool = True
) -> tuple[_Lines, list[str]]:
    """The rows of lines, and a note of lines that are left out.

    An empty line is none, except in a single column, where it may be a missing value.
    """
    try:
        found = list(rows_of(lines, separator, strict))
    except csv.Error as error:
        if "unexpected end of data" in str(error):
            *_, (last, _) = rows_of(lines, separator, strict=False)
            raise BadInput(f"{path}: a quote that opens in line {before + last} is never closed") from None
        if strict:  # a stray quote in a cell is let pass
            return _lines(lines, before, separator, path, strict=False)
        raise BadInput(f"{path} cannot be read: {error}") from None
    kept = [(number, row or [""]) for number, row in found if row or separator == ONE_COLUMN]
    count = len(found) - len(kept)
    said = "line is" if count == 1 else "lines are"
    notes = [f"{path.name}: {count} empty {said} left out"] if count else []
    return _Lines(np.array([number + before for number, _ in kept]), [row for _, row in kept]), notes


def _header(
    rows: list[Row], usual: int, comment: Row, comma: bool, headed: bool | None
) -> tuple[Row | None, bool]:
    """The names of the columns, and whether the first row holds them."""
    texts = [[cell.strip() for cell in row] for row in rows[:SAMPLE]]
    head, body = texts[0], texts[1:]
    if len(comment) == usual and not has_word_above_numbers(head, body):
        return comment, False
    if not (is_header(head, body, comma) if headed is None else headed):
        return None, False
    labelled = bool(body) and usual == len(head) + 1 and any(row[-1] for row in body)  # as R names rows
    return ["", *head] if labelled else head, True


def _below_header(lines: _Lines, over: list[Row], path: Path) -> tuple[_Lines, list[str]]:
    """The rows below the first, which is a header: without those that repeat it, and without units.

    Of a row that names the index, below a header of several, too. With notes of what is left out.
    """
    head, below, notes = lines.rows[0], lines.after(1), []
    again = repeats(below.rows, head)
    if any(again):
        notes.append(f"{path.name}: {sum(again)} more lines hold the header and are left out")
        below = below.without(again)
    if len(below.rows) > 1 and is_index_name([*over, head], below.rows[:SAMPLE]):
        below = below.after(1)
    if below.rows and are_units(head, below.rows[:SAMPLE], len(below.rows)):
        notes.append(f"{path.name}: line {below.numbers[0]} is taken for units and left out")
        below = below.after(1)
    return below, notes


def _check_labels(rows: list[Row], path: Path) -> None:
    """An error where the first cells below a header that is one name short cannot label the rows."""
    labels = [row[0].strip() for row in rows[1:]]
    if len(set(labels)) < len(labels):
        raise BadInput(
            f"{path}: the header names {len(rows[0])} columns, and rows have {len(rows[0]) + 1} cells, of "
            "which the first would label the rows, but stands in several; name each column, and write "
            "decimals with a point where cells are parted by commas"
        )


def _cells(lines: _Lines, width: int, separator: str, path: Path, how: str) -> list[NDArray[Any]]:
    """The columns of rows, as texts; None where a row is short, unless spaces hide which cell it lacks."""
    for number, row in zip(*lines, strict=True):
        if len(row) != width:
            is_short = len(row) < width and separator == " "
            if is_short or any(cell.strip() for cell in row[width:]):
                raise BadInput(
                    f"{path}, line {number} has {len(row)} cells where {width} are expected (read with {how})"
                )
            row[:] = [*row[:width], *[None] * (width - len(row))]  # type: ignore[list-item]
    return [np.array(column, dtype=object) for column in zip(*lines.rows, strict=True)]


def _how(separator: str, comma: bool, header: int, encoding: str) -> str:
    """The rules that a text was read by, for messages."""
    between = SEPARATORS.get(separator, "nothing" if separator == ONE_COLUMN else repr(separator))
    head = f"line {header} as header" if header else "no header"
    return f"{between} between cells, {head}{', decimal commas' if comma else ''}, {encoding}"
