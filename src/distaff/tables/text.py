"""Tables in text files as spreadsheets, pandas, R and NumPy write them: the dialect is found, then read."""

from __future__ import annotations

import bz2
import contextlib
import csv
import gzip
import io
import lzma
import re
import warnings
import zlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from distaff.errors import BadInput
from distaff.files import check_file
from distaff.tables.columns import DECIMAL_COMMA
from distaff.tables.headers import is_header, named
from distaff.tables.table import Table

SUFFIXES = (".csv", ".tsv", ".txt", ".tab", ".data")
LARGEST = 2**31  # bytes of text, unpacked
#: what a text begins with that says its encoding
MARKS = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
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


def read_text(path: Path, wanted: Sequence[str] | None = None, headed: bool | None = None) -> Table:
    """The table in a .csv, .tsv or .txt file, which may be compressed, with the columns `wanted`.

    Separator, header, decimal comma, encoding and row labels are found, and what is unusual is noted. Unless
    `headed` says so, the first line is a header if no cell of it is a number, if it numbers the columns from
    0, or if it has words above numbers.
    """
    text, encoding = _decoded(path)
    if not text.strip():
        raise BadInput(f"{path} is empty")
    dialect = _dialect(text, path, headed)
    how = _how(dialect, encoding)
    cells, lines = _parse(text, dialect, path, how)
    notes = [f"{path.name}: decimal commas"] if dialect.comma else []
    if encoding != "utf-8":
        notes.append(f"{path.name}: read as {encoding}")
    table = Table(path.name, [], cells, lines=lines, comma=dialect.comma, how=how, notes=tuple(notes))
    return named(table, dialect.names, wanted)


def is_text(path: Path) -> bool:
    """Whether a path is named as a table in text, compressed or not."""
    return _plain_suffix(path) in SUFFIXES


def _plain_suffix(path: Path) -> str:
    """The suffix without that of a compression."""
    name = path.name.lower()
    for compressed in (".gz", ".bz2", ".xz"):
        name = name.removesuffix(compressed)
    return Path(name).suffix


# The text


def _decoded(path: Path) -> tuple[str, str]:
    """The text of a file with plain line ends, and its encoding."""
    data = _unpacked(path)
    marked = [encoding for mark, encoding in MARKS.items() if data.startswith(mark)]
    text, encoding = None, ""
    for encoding in marked or ("utf-8", "cp1252"):
        with contextlib.suppress(UnicodeDecodeError):
            text = data.decode(encoding)
            break
    if text is None or "\0" in text:
        raise BadInput(f"{path} is not text: it is neither UTF-8, UTF-16 with its mark, nor Windows-1252")
    plain = text.replace("\r\n", "\n").replace("\r", "\n").rstrip("\n")
    return plain, encoding.removesuffix("-sig")


def _unpacked(path: Path) -> bytes:
    check_file(path)
    openers = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}
    opener: Any = openers.get(path.suffix.lower(), open)
    try:
        file: IO[bytes]
        with opener(path, "rb") as file:
            data = file.read(LARGEST + 1)
    except (EOFError, OSError, zlib.error, lzma.LZMAError, ValueError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise BadInput(f"{path} cannot be unpacked: {error}") from None
    if len(data) > LARGEST:
        raise BadInput(
            f"{path} holds more than {LARGEST / 1e9:.1f} GB of text; keep large tables as .npy or .parquet"
        )
    return data


# The dialect


def _dialect(text: str, path: Path, headed: bool | None) -> Dialect:
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
    preferred = forced or ("\t" if _plain_suffix(path) in (".tsv", ".tab") else None)
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


def _how(dialect: Dialect, encoding: str) -> str:
    """The rules that a text was read by, for messages."""
    header = f"line {dialect.first} as header" if dialect.names else "no header"
    comma = ", decimal commas" if dialect.comma else ""
    separator = SEPARATORS.get(dialect.separator, repr(dialect.separator))
    return f"{separator} between cells, {header}{comma}, {encoding}"


# The cells


def _parse(text: str, dialect: Dialect, path: Path, how: str) -> tuple[list[NDArray[Any]], NDArray[np.int64]]:
    """The columns of a text as pandas reads them, and the line of every row."""
    import pandas as pd

    rest = "".join(text.split("\n", dialect.first)[dialect.first :])
    if not rest.strip():
        raise BadInput(f"{path} holds no rows below its header")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            frame = pd.read_csv(
                io.StringIO(rest),
                sep=r"\s+" if dialect.separator == " " else dialect.separator,
                header=None,
                names=list(range(dialect.width)),
                index_col=False,
                keep_default_na=False,
                skipinitialspace=True,
                skip_blank_lines=False,
                low_memory=False,
            )
    except (ValueError, OverflowError, MemoryError, Warning) as error:  # ParserError is a ValueError
        raise BadInput(f"{path} cannot be read with {how}: {_placed(str(error), dialect)}") from None
    cells = [_column(frame.iloc[:, j]) for j in range(dialect.width)]
    lines = np.arange(len(frame)) + dialect.first + 1
    blank = np.full(len(frame), dialect.width > 1)  # of a single column an empty line may be a missing value
    for column in cells:
        if blank.any():
            blank &= (
                np.array([cell == "" or cell != cell for cell in column]) if column.dtype == object else False
            )
    if blank.any():
        return [column[~blank] for column in cells], lines[~blank]
    return cells, lines


def _column(series: Any) -> NDArray[Any]:
    """A column as numbers, or as objects: texts, and NaN where a line was short."""
    if series.dtype == bool:
        series = series.astype(str)  # words, in a text
    return series.to_numpy() if series.dtype.kind in "iuf" else series.to_numpy(dtype=object)


def _placed(message: str, dialect: Dialect) -> str:
    """pandas' message with the line of the file instead of the one it counted from."""
    message = " ".join(message.removeprefix("Error tokenizing data. C error: ").split())
    if "EOF inside string" in message:
        found = re.search(r"row (\d+)", message)
        line = int(found[1]) + dialect.first + 1 if found else 1
        return f"a quote that opens in line {line} is never closed"
    placed = re.sub(r"line (\d+)", lambda found: f"line {int(found[1]) + dialect.first}", message)
    return re.sub(
        r"Expected (\d+) fields in (line \d+), saw (\d+)", r"\2 has \3 cells where \1 are expected", placed
    )
