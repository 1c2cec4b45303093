"""Tables in text files as spreadsheets, pandas, R and NumPy write them: the dialect is found, then read."""

from __future__ import annotations

import bz2
import contextlib
import gzip
import io
import lzma
import re
import warnings
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from distaff.errors import BadInput
from distaff.files import check_file
from distaff.tables.dialect import Dialect, find_dialect
from distaff.tables.headers import named
from distaff.tables.table import Table

SUFFIXES = (".csv", ".tsv", ".txt", ".tab", ".data")
LARGEST = 2**31  # bytes of text, unpacked
#: what a text begins with that says its encoding
MARKS = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}


def read_text(path: Path, wanted: Sequence[str] | None = None, headed: bool | None = None) -> Table:
    """The table in a .csv, .tsv or .txt file, which may be compressed, with the columns `wanted`.

    Separator, header, decimal comma, encoding and row labels are found, and what is unusual is noted. Unless
    `headed` says so, the first line is a header if no cell of it is a number, if it numbers the columns from
    0, or if it has words above numbers.
    """
    text, encoding = _decoded(path)
    if not text.strip():
        raise BadInput(f"{path} is empty")
    dialect = find_dialect(text, path, _plain_suffix(path), headed)
    how = dialect.told(encoding)
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
