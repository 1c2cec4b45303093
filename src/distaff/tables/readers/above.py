"""What stands above the rows of a table beside its header: titles, names of groups of columns, units."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from distaff.tables.columns import DECIMAL, DECIMAL_COMMA, MISSING, NO_NUMBER

SAMPLE = 60  # rows that tell what is above them, and whether the first is a header
INFINITE = ("inf", "infinity")

Row = list[str]


def titles(rows: list[Row], width: int) -> int:
    """How many rows of a title come before the header of a table, empty ones among them.

    Each has a single cell, or a first one beside empty ones, as spreadsheets save it; and the next row has
    names, above numbers. A row that names groups of columns above one that names each is the last of them.
    """
    lone = next((n for n, row in enumerate(rows) if not _is_lone(row, width)), len(rows))
    if are_groups(rows[lone:], width):
        return lone + 1
    head, body = rows[lone : lone + 1], rows[lone + 1 :]
    if not lone or not body or width < 2 or len(head[0]) != width:
        return 0
    if len(rows[0]) == lone == 1 and width > 2:
        return 1
    names = [cell.strip() for cell in head[0]]
    named = all(names[1:]) and not any(map(DECIMAL.fullmatch, names))
    return lone if named and _have_numbers(body) else 0


def are_groups(rows: list[Row], width: int) -> bool:
    """Whether the first row names groups of columns, with gaps or twice, and the second each column.

    As pandas and spreadsheets write columns of two levels.
    """
    if len(rows) < 3 or not len(rows[0]) == len(rows[1]) == width > 2:
        return False
    groups, names, body = rows[0], [cell.strip() for cell in rows[1]], rows[2:]
    again = "" in map(str.strip, groups[1:]) or len(set(groups)) < width
    own = all(map(_is_word, names[1:])) and len(set(names)) == width and not DECIMAL.fullmatch(names[0])
    return again and (own or _count_in_groups(groups, names, body)) and _have_numbers(body)


def _count_in_groups(groups: Row, names: Row, body: list[Row]) -> bool:
    """Whether names are the numbers from 0 of the columns of a group, or words that none of theirs is again.

    As pandas numbers the columns of several arrays side by side; a first column may be that of labels. Where
    all are numbers they stand above decimals: else they may be a row.
    """
    filled: Row = []
    for group in groups:
        filled.append(group.strip() or (filled[-1] if filled else ""))
    below = [set(map(str.strip, column)) for column in zip(*body, strict=False)]
    own = [
        name == str(filled[:j].count(filled[j])) or (_is_word(name) and name not in below[j])
        for j, name in enumerate(names[: len(below)])
    ]
    if len(own) < len(names) or not all(own[1:]) or not (own[0] or names[0] == ""):
        return False
    decimal = all(2 * sum("." in cell for cell in column) > len(column) for column in below[1:])
    return all(map(_is_word, filled[1:])) and (decimal or any(map(_is_word, names)))


def has_word_above_numbers(head: Row, body: list[Row]) -> bool:
    """Whether in some column a word stands above numbers."""
    columns = zip(head, zip(*body, strict=False), strict=False)
    return any(_is_word(cell) and are_numbers(column) for cell, column in columns)


def are_units(head: Row, rows: list[Row], count: int) -> bool:
    """Whether the first of `count` rows holds units: words in most columns of numbers, a number in none.

    At least two columns are numbers, or there is but one. A row with a label is none, nor is one of a table
    with more columns than rows, whose rows may be the columns of another.
    """
    if len(rows[0]) > count or (head[0].strip() == "" != rows[0][0].strip()):
        return False
    first, body = [cell.strip() for cell in rows[0]], rows[1:SAMPLE]
    columns = list(zip(*body, strict=False)) if len(body) > 1 else []
    cells = [cell for cell, column in zip(first, columns, strict=False) if are_numbers(column)]
    words = sum(map(_is_word, cells))
    return len(cells) >= min(2, len(columns)) and 2 * words > len(cells) and not any(map(_is_number, cells))


def is_index_name(above: list[Row], rows: list[Row]) -> bool:
    """Whether below columns of two levels, the last of `above` the names, the first row names the index.

    pandas writes its name in the first cell, and nothing beside it, even if it has none.
    """
    groups = len(above) > 1 and are_groups([*above[-2:], *rows], len(above[-1]))
    return groups and above[-1][0].strip() == "" and not any(map(str.strip, rows[0][1:]))


def title_said(lines: Sequence[int] | NDArray[np.int64]) -> str:
    """That these lines are a title."""
    if len(lines) == 1:
        return f"line {lines[0]} is taken for a title"
    return f"lines {lines[0]} to {lines[-1]} are taken for a title"


def repeats(rows: list[Row], header: Row) -> list[bool]:
    """Which rows are the header again, as where logs are put together; none unless others hold numbers.

    None either of a header without a word, which rows may be by chance.
    """
    again = [row == header for row in rows]
    if not any(again):
        return again
    others = [row for row in rows if row != header]
    has_word = any(_is_word(cell.strip()) for cell in header)
    is_name = has_word and bool(others) and any(map(are_numbers, zip(*others, strict=False)))
    return again if is_name else [False] * len(rows)


def _have_numbers(rows: list[Row]) -> bool:
    """Whether some column is numbers, its first cell apart, which may be a unit, and gaps."""
    columns = [list(map(str.strip, column)) for column in zip(*rows[1:] or rows, strict=False)]
    return any(any(map(_is_number, each)) and not any(map(_is_word, each)) for each in columns)


def _is_lone(row: Row, width: int) -> bool:
    return len(row) in (1, width) and not any(cell.strip() for cell in row[1:])


def are_numbers(cells: Sequence[str]) -> bool:
    """Whether all cells are numbers."""
    return all(_is_number(cell.strip()) for cell in cells)


def _is_number(cell: str) -> bool:
    return bool(DECIMAL.fullmatch(cell) or DECIMAL_COMMA.fullmatch(cell))


def _is_word(cell: str) -> bool:
    """Whether a cell is neither a number nor one that may stand for none."""
    small = cell.casefold()
    no_value = cell in MISSING or small in NO_NUMBER or small.lstrip("+-") in INFINITE
    return not (no_value or _is_number(cell))
