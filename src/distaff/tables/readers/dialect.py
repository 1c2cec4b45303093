"""How a text is to be read as a table, found from its first lines."""

import csv
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from distaff.errors import BadInput
from distaff.tables.columns import DECIMAL_COMMA
from distaff.tables.readers.above import Row, are_numbers, titles

ONE_COLUMN = "\x1f"  # separates the cells where nothing does
SEPARATORS = {"\t": "tabs", ";": "';'", ",": "','", "|": "'|'", " ": "spaces"}
COMMENTS = ("#", "%", "//")
THOUSANDS = {sign: re.compile(rf"[+-]?[1-9]\d{{0,2}}({re.escape(sign)}\d{{3}})+", re.ASCII) for sign in ",."}


def find_start(lines: list[str]) -> tuple[int, str | None, str | None]:
    """How many lines come before a table, the last comment in them, and the separator that Excel tells there.

    The comment may be the table's header.
    """
    comment, separator = None, None
    for number, line in enumerate(lines):
        if line.startswith(COMMENTS):
            comment = line.lstrip("#%/ ")
        elif re.fullmatch(r'(?i)"?sep=."?', line):
            separator = line.strip('"')[4]
        elif line.strip():
            return number, comment, separator
    return len(lines), comment, separator


def find_separator(lines: list[str], preferred: str | None) -> str:
    """What separates the cells of lines, of which the first may be a header.

    A comma, unless it is that of decimals, or something else agrees better. Where lines agree on nothing
    they are cells of a single column.
    """
    if preferred and _agreeing(lines, preferred):
        return preferred
    agreeing = [separator for separator in SEPARATORS if _agreeing(lines, separator)]
    for separator in agreeing:
        if separator in "\t," or "," not in agreeing or has_decimal_commas(split(lines, separator)):
            return separator
    return ONE_COLUMN


def split(lines: list[str], separator: str) -> list[Row]:
    """The cells of lines that hold any."""
    try:
        return [row for _, row in rows_of(lines, separator, strict=False) if row]
    except csv.Error as error:
        raise BadInput(f"this is not a table in text: {error}") from None


def rows_of(lines: list[str], separator: str, strict: bool) -> Iterator[tuple[int, Row]]:
    """The rows of lines with the number of the line, from 1, in which each begins; [] for an empty line."""
    given = (line.strip() for line in lines) if separator == " " else iter(lines)
    ended = (f"{line}\n" for line in given)
    reader = csv.reader(ended, delimiter=separator, skipinitialspace=True, strict=strict)
    begins = 1
    for row in reader:
        yield begins, row
        begins = reader.line_num + 1


def _agreeing(lines: list[str], separator: str) -> bool:
    """Whether lines have as many cells, at least two; all but a tenth of them, or one."""
    rows = split(lines, separator)
    widths = Counter(map(len, rows))
    width, count = widths.most_common(1)[0] if rows else (0, 0)
    if width < 2 or not _fits(rows, width) or (separator == " " and not _divides(rows, lines)):
        return False
    short = widths[width - 1] if len(rows[0]) == width or width > 2 else 0
    return count + short + (len(rows[0]) != width) >= len(rows) - max(1, len(rows) // 10)


def _fits(rows: list[Row], width: int) -> bool:
    """Whether the first row can stand above rows of this width: as header, as R's header, or as a title."""
    head, body = rows[0], [row for row in rows[1:] if len(row) == width]
    if len(head) == width or (len(head) == width + 1 and head[-1].strip() == ""):
        return True
    names_rows = len(head) == width - 1 and (width > 2 or len({row[0] for row in body}) == len(body))
    return names_rows or bool(titles(rows, width))


def _divides(rows: list[Row], lines: list[str]) -> bool:
    """Whether spaces divide cells and not words: some column is numbers, or texts are quoted."""
    body = rows[1:] or rows
    return any(map(are_numbers, zip(*body, strict=False))) or '"' in "".join(lines)


def has_decimal_commas(rows: list[Row]) -> bool:
    """Whether some column, its header apart, has decimal commas and no other cell with a comma."""
    with_comma = ([cell for cell in column if "," in cell] for column in _columns(rows))
    return any(cells and all(map(DECIMAL_COMMA.fullmatch, cells)) for cells in with_comma)


def check_thousands(rows: list[Row], points: bool, path: Path) -> None:
    """An error where numbers such as 1,830 stand beside 587 or 722.5: thousands, or decimals.

    With `points` so may those such as 1.830, for decimals may have a comma.
    """
    for number, column in enumerate(_columns(rows)):
        for sign, other in (",.", ".,") if points else (",.",):
            marked = [cell for cell in column if sign in cell and other not in cell]
            plain = [cell for cell in column if cell.isdigit() or (other in cell and sign not in cell)]
            if marked and plain and all(map(THOUSANDS[sign].fullmatch, marked)):
                name = rows[0][number] if number < len(rows[0]) else str(number)
                raise BadInput(
                    f"{path}, column '{name}': {marked[0]} beside {plain[0]} may be thousands or decimals; "
                    "write it without a sign for thousands, or give every number its decimals"
                )


def _columns(rows: list[Row]) -> Iterator[Row]:
    """The cells below the first row, by column."""
    width = max(map(len, rows), default=0)
    for number in range(width):
        yield [row[number].strip() for row in rows[1:] if number < len(row)]
