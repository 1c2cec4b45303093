"""Tables in ARFF files, as Weka and OpenML keep them."""

import csv
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from distaff.errors import BadInput
from distaff.tables.readers.decoding import decoded
from distaff.tables.table import Table

#: a line that names a column, perhaps in quotes
ATTRIBUTE = re.compile(r"""\s*@attribute\s+(?:'([^']*)'|"([^"]*)"|([^\s{]+))""", re.IGNORECASE)


def read_arff(path: Path, wanted: Sequence[str] | None = None) -> Table:
    """The table in an .arff file, with the columns `wanted`; `?` is no value. Sparse rows are not read."""
    lines = decoded(path)[0].split("\n")
    start = next((n for n, line in enumerate(lines) if line.strip().casefold() == "@data"), len(lines))
    names = ["".join(found.groups("")) for found in map(ATTRIBUTE.match, lines[:start]) if found]
    if start == len(lines) or not names:
        raise BadInput(f"{path} is no ARFF file: it has no line @data below lines @attribute")
    numbers = [n for n in range(start + 1, len(lines)) if lines[n].strip() and not lines[n].startswith("%")]
    quote = '"' if any('"' in lines[n] for n in numbers) else "'"
    reader = csv.reader((lines[n] for n in numbers), quotechar=quote, escapechar="\\", skipinitialspace=True)
    rows = []
    for number, row in zip(numbers, reader, strict=False):
        if row[0].startswith("{"):
            raise BadInput(f"{path}, line {number + 1}: sparse rows are not read; save it as .csv")
        if len(row) != len(names):
            raise BadInput(f"{path}, line {number + 1} has {len(row)} cells where {len(names)} are expected")
        rows.append([None if cell.strip() == "?" else cell.strip() for cell in row])
    if not rows:
        raise BadInput(f"{path} holds no rows below @data")
    columns = [np.array(column, dtype=object) for column in zip(*rows, strict=True)]
    return Table(path.name, names, columns, lines=np.array(numbers) + 1).with_aside(wanted)
