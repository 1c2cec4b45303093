"""Tables in text files as spreadsheets, pandas, R and NumPy write them: the dialect is found, then read."""

import csv
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from distaff.errors import BadInput
from distaff.tables.readers.above import SAMPLE, Row, are_units, is_index_name, repeats, title_said, titles
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
    lines = text.split("\n")
    before, comment, told = find_start(lines)
    if before == len(lines):
        raise BadInput(f"{path} holds no rows")
    preferred = told or ("\t" if content_suffix(path) in (".tsv", ".tab") else None)
    sample = [line for line in lines[before:][: 2 * SAMPLE] if line.strip()][:SAMPLE]
    separator = find_separator(sample, preferred)
    numbers, rows, notes = _rows(lines[before:], before, separator, path)
    first = rows[:SAMPLE]
    if separator != "," or '"' in text:
        check_thousands(rows, separator, path)
    comma = has_decimal_commas(first)
    usual = Counter(map(len, first[1:] or first)).most_common(1)[0][0]
    over = rows[: titles(first, usual)]
    if over:
        notes.append(f"{path.name}: {title_said(numbers[: len(over)])}")
        numbers, rows = numbers[len(over) :], rows[len(over) :]
    names = split([comment], separator)[0] if comment and headed is None else []
    header, is_first = _header(rows, usual, names, comma, headed)
    if is_first and header is not None and len(header) > len(rows[0]):
        _check_labels(rows, path)
    place = before if header else 0
    if is_first:
        head, place, numbers, rows = rows[0], int(numbers[0]), numbers[1:], rows[1:]
        again = repeats(rows, head)
        if any(again):
            notes.append(f"{path.name}: {sum(again)} more lines hold the header and are left out")
            numbers, rows = numbers[np.invert(again)], [row for row in rows if row != head]
    if is_first and len(rows) > 1 and is_index_name([*over, head], rows[:SAMPLE]):
        numbers, rows = numbers[1:], rows[1:]
    if is_first and rows and are_units(head, rows[:SAMPLE], len(rows)):
        notes.append(f"{path.name}: line {numbers[0]} is taken for units and left out")
        numbers, rows = numbers[1:], rows[1:]
    if not rows:
        raise BadInput(f"{path} holds no rows below its header")
    how = _how(separator, comma, place, encoding)
    cells = _cells(rows, numbers, max(usual, len(header or ())), path, how)
    notes += [f"{path.name}: decimal commas"] if comma else []
    notes += [f"{path.name}: read as {encoding}"] if encoding != "utf-8" else []
    table = Table(path.name, [], cells, lines=numbers, comma=comma, how=how, notes=tuple(notes))
    return named(table, header, wanted)


def is_text(path: Path) -> bool:
    """Whether a path is named as a table in text, compressed or not."""
    return content_suffix(path) in SUFFIXES


def _rows(
    lines: list[str], before: int, separator: str, path: Path, strict: bool = True
) -> tuple[NDArray[np.int64], list[Row], list[str]]:
    """The rows of lines, the line of the file that each begins in, and a note of lines that are left out.

    An empty line is none, except in a single column, where it may be a missing value.
    """
    try:
        found = list(rows_of(lines, separator, strict))
    except csv.Error as error:
        if "unexpected end of data" in str(error):
            *_, (last, _) = rows_of(lines, separator, strict=False)
            raise BadInput(f"{path}: a quote that opens in line {before + last} is never closed") from None
        if strict:  # a stray quote in a cell is let pass
            return _rows(lines, before, separator, path, strict=False)
        raise BadInput(f"{path} cannot be read: {error}") from None
    kept = [(number, row or [""]) for number, row in found if row or separator == ONE_COLUMN]
    count = len(found) - len(kept)
    said = "line is" if count == 1 else "lines are"
    notes = [f"{path.name}: {count} empty {said} left out"] if count else []
    return np.array([number + before for number, _ in kept]), [row for _, row in kept], notes


def _header(
    rows: list[Row], usual: int, comment: Row, comma: bool, headed: bool | None
) -> tuple[Row | None, bool]:
    """The names of the columns, and whether the first row holds them."""
    if len(comment) == usual:
        return comment, False
    texts = [[cell.strip() for cell in row] for row in rows[:SAMPLE]]
    head, body = texts[0], texts[1:]
    if not (is_header(head, body, comma) if headed is None else headed):
        return None, False
    labelled = bool(body) and usual == len(head) + 1 and any(row[-1] for row in body)  # as R names rows
    return ["", *head] if labelled else head, True


def _check_labels(rows: list[Row], path: Path) -> None:
    """An error where the first cells below a header that is one name short cannot label the rows."""
    labels = [row[0].strip() for row in rows[1:]]
    if len(set(labels)) < len(labels):
        raise BadInput(
            f"{path}: the header names {len(rows[0])} columns, and rows have {len(rows[0]) + 1} cells, of "
            "which the first would label the rows, but stands in several; name each column, and write "
            "decimals with a point where cells are parted by commas"
        )


def _cells(
    rows: list[Row], numbers: NDArray[np.int64], width: int, path: Path, how: str
) -> list[NDArray[Any]]:
    """The columns of rows, as texts; None where a row is short."""
    for number, row in zip(numbers, rows, strict=True):
        if len(row) != width:
            if len(row) > width and any(cell.strip() for cell in row[width:]):
                raise BadInput(
                    f"{path}, line {number} has {len(row)} cells where {width} are expected (read with {how})"
                )
            row[:] = [*row[:width], *[None] * (width - len(row))]  # type: ignore[list-item]
    return [np.array(column, dtype=object) for column in zip(*rows, strict=True)]


def _how(separator: str, comma: bool, header: int, encoding: str) -> str:
    """The rules that a text was read by, for messages."""
    between = SEPARATORS.get(separator, "nothing" if separator == ONE_COLUMN else repr(separator))
    head = f"line {header} as header" if header else "no header"
    return f"{between} between cells, {head}{', decimal commas' if comma else ''}, {encoding}"
