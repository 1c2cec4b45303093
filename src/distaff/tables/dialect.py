"""How the lines of a text are to be read as a table, found from the first of them."""

from __future__ import annotations

import csv
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from distaff.errors import BadInput
from distaff.tables.columns import DECIMAL_COMMA
from distaff.tables.headers import is_header

SAMPLE = 60  # lines that the dialect is found from
SEPARATORS = {"\t": "tabs", ";": "';'", ",": "','", "|": "'|'", " ": "spaces"}
AGREE = 0.9  # share of the lines that must have as many cells


@dataclass(frozen=True)
class Dialect:
    """How the lines of a text are to be read: where cells end, and where rows, header and row labels are."""

    separator: str
    comma: bool
    names: list[str] | None
    width: int
    first: int  # the line, from 0, of the first row

    def told(self, encoding: str) -> str:
        """The rules that a text is read by, for messages."""
        header = f"line {self.first} as header" if self.names else "no header"
        comma = ", decimal commas" if self.comma else ""
        separator = SEPARATORS.get(self.separator, repr(self.separator))
        return f"{separator} between cells, {header}{comma}, {encoding}"


def find_dialect(text: str, path: Path, suffix: str, headed: bool | None) -> Dialect:
    """How a text is to be read, found from its first lines."""
    lines = list(_first_lines(text))
    comment, forced, first = None, None, 0
    while lines and (lines[0].startswith("#") or re.fullmatch(r"(?i)sep=.", lines[0])):
        if lines[0].startswith("#"):
            comment = lines[0].lstrip("# ")
        else:
            forced = lines[0][4]  # as Excel writes it
        lines, first = lines[1:], first + 1
    shown_lines = [line for line in lines if line.strip()]
    if not shown_lines:
        raise BadInput(f"{path} holds no rows")
    preferred = forced or ("\t" if suffix in (".tsv", ".tab") else None)
    separator = preferred if preferred and _agreeing(shown_lines, preferred) else _separator(shown_lines)
    rows = _split(shown_lines, separator)
    comma = _has_decimal_commas(rows)
    first += next(number for number, line in enumerate(lines) if line.strip())
    usual = Counter(len(row) for row in rows[1:] or rows).most_common(1)[0][0]
    told = _split([comment], separator) if comment and headed is None else []
    if told and len(told[0]) == usual:
        return Dialect(separator, comma, told[0], usual, first)
    head, body = rows[0], rows[1:]
    if headed is None:
        headed = is_header(head, body, comma)
    if not headed:
        return Dialect(separator, comma, None, max(usual, len(head)), first)
    labelled = bool(body) and usual == len(head) + 1 and any(row[-1] for row in body)  # as R names rows
    names = ["", *head] if labelled else head
    return Dialect(separator, comma, names, max(usual, len(names)), first + 1)


def _first_lines(text: str) -> list[str]:
    """The first lines, joined where a quote spans several."""
    found: list[str] = []
    end = 0
    for _ in range(SAMPLE):
        start, end = end, text.find("\n", end) + 1
        found.append(text[start : end - 1] if end else text[start:])
        if not end:
            break
    return found


def _split(lines: list[str], separator: str) -> list[list[str]]:
    """The cells of lines."""
    given = [line.strip() for line in lines] if separator == " " else lines
    try:
        rows = list(csv.reader(given, delimiter=separator, skipinitialspace=True))
    except csv.Error as error:
        raise BadInput(f"this is not a table in text: {error}") from None
    return [[cell.strip() for cell in row] for row in rows if row]


def _agreeing(lines: list[str], separator: str) -> bool:
    """Whether the lines have as many cells, at least two, with this separator."""
    widths = Counter(len(row) for row in _split(lines, separator))
    if not widths:
        return False
    width, count = widths.most_common(1)[0]
    return width > 1 and count + widths.get(width - 1, 0) >= AGREE * widths.total()


def _separator(lines: list[str]) -> str:
    """What separates the cells: a comma, unless it is that of decimals, or something else agrees better."""
    agreeing = [separator for separator in SEPARATORS if _agreeing(lines, separator)]
    for separator in agreeing:
        if separator == ",":
            return separator
        rows = _split(lines, separator)
        if separator == "\t" or "," not in agreeing or _has_decimal_commas(rows):
            return separator
    return ","


def _has_decimal_commas(rows: list[list[str]]) -> bool:
    """Whether some column, its header apart, has decimal commas and no other cell with a comma."""
    for column in zip(*(row for row in rows[1:] if len(row) == len(rows[-1])), strict=True):
        with_comma = [cell for cell in column if "," in cell]
        if with_comma and all(DECIMAL_COMMA.fullmatch(cell) for cell in with_comma):
            return True
    return False
