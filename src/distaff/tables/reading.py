"""Read a table from a file of any kind that people have."""

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from distaff.errors import BadInput
from distaff.files import check_file
from distaff.tables.readers.annotated import read_annotated
from distaff.tables.readers.arff import read_arff
from distaff.tables.readers.decoding import COMPRESSIONS, content_suffix
from distaff.tables.readers.hdf5_frames import read_hdf5_frame
from distaff.tables.readers.json_rows import read_json
from distaff.tables.readers.matlab import read_matlab
from distaff.tables.readers.named_arrays import read_numpy
from distaff.tables.readers.parquet import read_parquet
from distaff.tables.readers.pickled_arrays import read_pickle
from distaff.tables.readers.safetensors import read_safetensors
from distaff.tables.readers.spreadsheet import read_spreadsheet
from distaff.tables.readers.stata import read_stata
from distaff.tables.readers.text import SUFFIXES, read_text
from distaff.tables.table import Table

#: the suffix of a file that may be compressed -> what reads it
PACKED = {
    **dict.fromkeys(SUFFIXES, read_text),
    ".json": read_json,
    ".jsonl": read_json,
    ".ndjson": read_json,
    ".arff": read_arff,
    **dict.fromkeys((".pkl", ".pickle", ".joblib"), read_pickle),
}
#: the suffix of another file -> what reads it
READERS = {
    ".npy": read_numpy,
    ".npz": read_numpy,
    ".parquet": read_parquet,
    ".xlsx": read_spreadsheet,
    ".mat": read_matlab,
    ".h5": read_hdf5_frame,
    ".hdf5": read_hdf5_frame,
    ".nc": read_hdf5_frame,
    ".h5ad": read_annotated,
    ".safetensors": read_safetensors,
    ".dta": read_stata,
    **dict.fromkeys((".pt", ".pth", ".ckpt"), read_pickle),
}
ALLOWED = (
    ".npy, .npz, .csv, .tsv, .txt, .json, .jsonl, .arff, .pkl, .joblib (also .gz, .zip), .parquet, .xlsx, "
    ".mat, .h5, .h5ad, .safetensors, .pt, .dta"
)
#: what people also have, and what to do with it
INSTEAD = {
    ".xls": "save it as .xlsx or .csv",
    ".ods": "save it as .xlsx or .csv",
    ".rds": "in R, write.csv(x, 'x.csv')",
    ".feather": "save it as .parquet",
    ".arrow": "save it as .parquet",
    ".zst": "unpack it",
    ".sav": "save it as .csv, in Python pandas.read_spss(path).to_csv('x.csv')",
    ".zarr": "save its arrays by np.save, or the data as .h5ad",
}
INSTEAD |= dict.fromkeys((".zip", *COMPRESSIONS), "unpack it")
INSTEAD[".rdata"] = INSTEAD[".rds"]


def read_table(
    path: str | os.PathLike[str], columns: Sequence[str] | None = None, role: str = "codes"
) -> Table:
    """The table in a file, with the `columns` of these names, in this order.

    Columns are picked first, and only what was picked is checked. Of a .npy they go by number, of a file with
    several arrays by the arrays' names, of an .h5ad as obsm/KEY and obs/COLUMN; there `role`, "codes" or
    "factors", says what is meant where none are named. Raises BadInput that names what could not be read.
    """
    path = Path(path)
    table = _reader(path, role)(path, columns)
    return replace(table, source=f"{path.resolve()}\n{table.source}")


def _reader(path: Path, role: str) -> Callable[[Path, Sequence[str] | None], Table]:
    suffix = path.suffix.lower()
    if (content := content_suffix(path)) in PACKED:
        return PACKED[content]
    if suffix not in READERS:
        if not (path.is_dir() and suffix in INSTEAD):  # as a .zarr is
            check_file(path)
        hint = f"; {INSTEAD[suffix]}" if suffix in INSTEAD else ""
        hint += f" and give the {content} in it" if content not in ("", suffix) else ""
        raise BadInput(f"{path}: unknown kind of file '{suffix}'{hint}. Allowed: {ALLOWED}")
    if suffix == ".h5ad":
        return partial(read_annotated, role=role)
    return READERS[suffix]
