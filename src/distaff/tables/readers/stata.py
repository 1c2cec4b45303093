"""Tables in Stata's .dta files, read by pandas."""

import warnings
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from distaff.files import reading
from distaff.tables.memory import as_table
from distaff.tables.table import Table


def read_stata(path: Path, wanted: Sequence[str] | None = None) -> Table:
    """The table in a .dta file, with the columns `wanted`.

    Values with labels are words, in Stata's order. A first column `index`, as pandas writes it, labels rows.
    """
    import pandas as pd

    with reading(path, "a Stata file"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        frame = pd.read_stata(path)
    if frame.columns[0] == "index" and len(frame.columns) > 1:  # as pandas writes it
        return as_table(frame.set_index("index"), path.name).with_aside(wanted)
    return replace(as_table(frame, path.name), labels=None).with_aside(wanted)
