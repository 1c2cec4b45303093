"""Tables in every kind of file, each with the values that were written."""

import json as jsons
import pickle
import warnings
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pandas as pd
import pytest
import scipy.io
import scipy.sparse
import torch
from safetensors.torch import save_file

from distaff.errors import BadInput
from distaff.tables import SparseTable, codes_of, factors_of, in_order_of, read_table, with_keys

CODES = np.array([[1.5, 2.5], [3.5, 4.5], [5.5, 6.5]])
KIND = ["b", "a", "b"]
FRAME = pd.DataFrame({"z0": CODES[:, 0], "z1": CODES[:, 1], "kind": KIND}, index=["r0", "r1", "r2"])


class Bomb:
    def __reduce__(self):
        return (pytest.fail, ("unpickled",))


def npy(path: Path) -> None:
    np.save(path, CODES)


def csv(path: Path) -> None:
    FRAME.to_csv(path)


def parquet(path: Path) -> None:
    import duckdb

    frame = FRAME.reset_index(names="__index_level_0__")
    assert len(frame)
    duckdb.sql(f"COPY (SELECT * FROM frame) TO '{path}' (FORMAT parquet)")


def xlsx(path: Path) -> None:
    FRAME.to_excel(path)


def mat(path: Path) -> None:
    scipy.io.savemat(path, {"z": CODES, "kind": np.array(KIND), "cells": np.array([1, "a"], dtype=object)})


def h5(path: Path) -> None:
    with h5py.File(path, "w") as file:
        file["run/z"] = CODES
        file["kind"] = KIND


def npz(path: Path) -> None:
    np.savez(path, z=CODES, kind=np.array(KIND))


def json(path: Path) -> None:
    FRAME.to_json(path)


def jsonl(path: Path) -> None:
    FRAME.to_json(path, orient="records", lines=True)


def arff(path: Path) -> None:
    head = "@relation r\n@attribute z0 numeric\n@attribute z1 real\n@attribute kind {a,b}\n@data\n"
    path.write_text(head + FRAME.to_csv(index=False, header=False))


def pt(path: Path) -> None:
    torch.save({"z": torch.tensor(CODES), "kind": KIND}, path)


def pkl(path: Path) -> None:
    FRAME.to_pickle(path)


def dta(path: Path) -> None:
    FRAME.astype({"kind": "category"}).to_stata(path, write_index=False)


#: suffix -> what writes such a file, and the columns that are the codes
WAYS = {
    "npy": (npy, None),
    "npz": (npz, ["z"]),
    "csv": (csv, ["z0", "z1"]),
    "csv.gz": (csv, ["z0", "z1"]),
    "parquet": (parquet, ["z0", "z1"]),
    "xlsx": (xlsx, ["z0", "z1"]),
    "mat": (mat, ["z"]),
    "h5": (h5, ["run/z"]),
    "hdf5": (h5, ["z"]),
    "json": (json, ["z0", "z1"]),
    "json.gz": (json, ["z0", "z1"]),
    "jsonl": (jsonl, ["z0", "z1"]),
    "csv.zip": (csv, ["z0", "z1"]),
    "arff": (arff, ["z0", "z1"]),
    "dta": (dta, ["z0", "z1"]),
    "pt": (pt, ["z"]),
    "pkl": (pkl, ["z0", "z1"]),
}


@pytest.mark.parametrize("suffix", WAYS)
def test_codes_and_words(tmp_path: Path, suffix: str) -> None:
    write, columns = WAYS[suffix]
    path = tmp_path / f"t.{suffix}"
    write(path)
    np.testing.assert_array_equal(codes_of(read_table(path, columns)), CODES)
    if suffix != "npy":
        factors = factors_of(read_table(path, ["kind"], "factors"))
        assert (factors.values[:, 0].tolist(), factors.words) == ([1, 0, 1], {"kind": ["a", "b"]})
    if suffix in ("csv", "csv.gz", "csv.zip", "json", "json.gz", "parquet", "xlsx", "pkl"):
        assert read_table(path).labels == ["r0", "r1", "r2"]
    if columns == ["z0", "z1"]:
        assert read_table(path).names == ["z0", "z1", "kind"]


@pytest.mark.parametrize(
    "suffix", ["npz", "csv", "parquet", "xlsx", "mat", "h5", "json", "jsonl", "arff", "dta", "pt", "pkl"]
)
def test_a_name_that_is_not_there(tmp_path: Path, suffix: str) -> None:
    WAYS[suffix][0](tmp_path / f"t.{suffix}")
    with pytest.raises(BadInput, match=r"unknown .* 'kinds'; did you mean 'kind'"):
        read_table(tmp_path / f"t.{suffix}", ["kinds"])


@pytest.mark.parametrize(
    "suffix",
    [
        *("npy", "npz", "csv", "csv.gz", "tsv", "parquet", "xlsx", "mat", "h5", "h5ad"),
        *("json", "jsonl", "arff", "dta", "safetensors", "zip", "pt", "pkl"),
    ],
)
@pytest.mark.parametrize(
    "content", [b"", b"\x00\x81", pickle.dumps(Bomb()), b"PK\x03\x04junk", b"\x89HDF\r\n\x1a\n"]
)
def test_what_is_damaged_is_one_line(tmp_path: Path, suffix: str, content: bytes) -> None:
    path = tmp_path / f"t.{suffix}"
    path.write_bytes(content)
    with pytest.raises(BadInput, match=r"t\.") as caught:
        codes_of(read_table(path))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("suffix", [".feather", ".xls", ".rds", ".npy.gz", ".foo", ""])
def test_other_kinds_say_what_to_do(tmp_path: Path, suffix: str) -> None:
    (tmp_path / f"t{suffix}").write_bytes(pickle.dumps(Bomb()))
    with pytest.raises(BadInput, match=r"unknown kind of file .*Allowed: \.npy"):
        read_table(tmp_path / f"t{suffix}")
    with pytest.raises(BadInput, match="does not exist"):
        read_table(tmp_path / f"u{suffix}")
    (tmp_path / "t.zarr").mkdir(exist_ok=True)
    with pytest.raises(BadInput, match=r"save its arrays by np.save"):
        read_table(tmp_path / "t.zarr")


# JSON


def test_json_of_every_form(tmp_path: Path) -> None:
    path = tmp_path / "t.json"
    for form in ("columns", "records", "split", "table", "index"):
        FRAME.to_json(path, orient=form)
        table = read_table(path, ["z0", "z1"])
        np.testing.assert_array_equal(codes_of(table), CODES)
        assert table.labels == (None if form == "records" else ["r0", "r1", "r2"])
        assert table.aside is not None
        assert table.aside["kind"].tolist() == KIND  # it may name the rows
    many = pd.concat([FRAME] * 3, ignore_index=True)
    many.to_json(path, orient="index")
    assert read_table(path).names == list(FRAME)
    many[["z0", "z1"]].set_axis([f"im_{row}" for row in range(9)]).set_axis([0, 1], axis=1).to_json(path)
    assert (read_table(path).names, len(read_table(path))) == (["0", "1"], 9)
    path.write_text(jsons.dumps(CODES.tolist()))
    np.testing.assert_array_equal(codes_of(read_table(path)), CODES)
    jsonl(path)  # lines in a file that is not called so
    np.testing.assert_array_equal(codes_of(read_table(path, ["z0", "z1"])), CODES)


def test_lists_and_objects_in_json_become_columns(tmp_path: Path) -> None:
    path = tmp_path / "t.json"
    path.write_text(jsons.dumps({"model": "vae", "seeds": [1, 2], "z": CODES.tolist(), "kind": KIND}))
    table = read_table(path)
    assert table.names == ["z.0", "z.1", "kind"]
    assert table.notes == ("t.json: columns are z, kind; left aside are model, seeds",)
    np.testing.assert_array_equal(codes_of(read_table(path, ["z"])), CODES)
    rows = [{"z": list(z), "true": {"kind": kind}} for z, kind in zip(CODES, KIND, strict=True)]
    path.write_text(jsons.dumps({"of": "us", "rows": rows}))
    np.testing.assert_array_equal(codes_of(read_table(path, ["z"])), CODES)
    assert read_table(path).names == ["z.0", "z.1", "true.kind"]
    assert factors_of(read_table(path, ["true.kind"])).values[:, 0].tolist() == [1, 0, 1]


@pytest.mark.parametrize(
    "text", ["3", "[]", "{}", '{"a": 1}', '["a", {}]', '[{"a": 1}, 2]', '{"z": [[1], [2, 3]]}']
)
def test_json_that_is_no_table(tmp_path: Path, text: str) -> None:
    (tmp_path / "t.json").write_text(text)
    with pytest.raises(BadInput, match=r"t\.json"):
        codes_of(read_table(tmp_path / "t.json"))


# other programs


def test_tensors(tmp_path: Path) -> None:
    path = tmp_path / "t.safetensors"
    kind = torch.arange(3)
    save_file({"z": torch.tensor(CODES).bfloat16(), "kind": kind, "deep": torch.zeros(3, 2, 2)}, path)
    np.testing.assert_array_equal(codes_of(read_table(path, ["z"])), CODES)
    assert read_table(path, ["z"]).aside == {"kind": pytest.approx([0, 1, 2])}
    assert factors_of(read_table(path, ["kind"])).values[:, 0].tolist() == [0, 1, 2]
    with pytest.raises(BadInput, match="holds 3 arrays; pick some"):
        read_table(path)
    with pytest.raises(BadInput, match="make it a row per image"):
        read_table(path, ["deep"])


def test_words_of_stata_and_arff(tmp_path: Path) -> None:
    size = pd.Categorical(["small", "large", "small"], ["small", "large"])
    FRAME.assign(size=size).to_stata(tmp_path / "t.dta")
    found = factors_of(read_table(tmp_path / "t.dta", ["size"]))
    assert (found.words, found.unordered) == ({"size": ["small", "large"]}, ())
    gaps = "@relation r\n@attribute z numeric\n@attribute kind {a,b}\n@data\n1.5,?\n?,b\n"
    (tmp_path / "t.arff").write_text(gaps)
    assert [column.missing.tolist() for column in read_table(tmp_path / "t.arff").columns()] == [
        [False, True],
        [True, False],
    ]


def test_lists_that_are_absent_in_some_rows_are_missing(tmp_path: Path) -> None:
    path = tmp_path / "t.json"
    for rows in ([{"z": None}, {"z": [1, 2]}], [{"z": [1, 2]}, {"kind": "a"}], [{"z": []}, {"z": [1, 2]}]):
        path.write_text(jsons.dumps(rows))
        found = read_table(path, ["z"]).columns()
        assert [column.missing.sum() for column in found] == [1, 1]


def test_the_columns_that_are_picked_say_how_many_rows_json_has(tmp_path: Path) -> None:
    (tmp_path / "t.json").write_text(jsons.dumps({"loss": [1], "acc": [2], "z": CODES.tolist()}))
    np.testing.assert_array_equal(codes_of(read_table(tmp_path / "t.json", ["z"])), CODES)
    (tmp_path / "t.json").write_text(jsons.dumps([["z0", "z1"], *CODES.tolist()]))
    assert read_table(tmp_path / "t.json").names == ["z0", "z1"]
    (tmp_path / "t.jsonl").write_text(jsons.dumps(CODES.tolist()))
    np.testing.assert_array_equal(codes_of(read_table(tmp_path / "t.jsonl")), CODES)


def test_arff_as_it_is_found(tmp_path: Path) -> None:
    head = '% of us\n@RELATION r\n@attribute "z 0" NUMERIC\n@attribute kind{a,b}\n@attribute id string\n'
    path = tmp_path / "t.arff"
    path.write_text(f"{head}@DATA\n1.5,a,'one, é'\n\n% more\n?, b,two\n", encoding="utf-8")
    table = read_table(path)
    assert [column.tolist() for column in table.cells] == [["1.5", None], ["a", "b"], ["one, é", "two"]]
    for row, message in (("1,a,b,c", "line 7 has 4 cells where 3 are expected"), ("{0 1}", "line 7: sparse")):
        path.write_text(f"{head}@data\n{row}\n")
        with pytest.raises(BadInput, match=message):
            read_table(path)


def test_what_is_packed_whatever_it_is_called(tmp_path: Path) -> None:
    FRAME.to_csv(tmp_path / "t.csv", compression="gzip")
    FRAME.to_csv(tmp_path / "t.zip")
    for name in ("t.csv", "t.zip"):
        assert read_table(tmp_path / name).labels == ["r0", "r1", "r2"]


def test_a_zip_of_several_files(tmp_path: Path) -> None:
    path = tmp_path / "t.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("data/", "")
        archive.writestr("__MACOSX/data/._t.tsv", "what macOS adds")
        archive.writestr("data/.DS_Store", "")
        archive.writestr("README.md", "")
        archive.writestr("data/t.tsv", "z0\tz1\n1\t2\n")
    assert codes_of(read_table(path)).tolist() == [[1, 2]]
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("u.csv", "")
    with pytest.raises(BadInput, match=r"holds 2 files; unpack it and give one of them: data/t.tsv, u.csv"):
        read_table(path)


# NumPy


def test_what_is_pickled_beside_the_picked_array_is_left_alone(tmp_path: Path) -> None:
    objects = np.array([Bomb()], dtype=object)
    np.savez(tmp_path / "t.npz", z=CODES, info=objects)
    np.testing.assert_array_equal(codes_of(read_table(tmp_path / "t.npz", ["z"])), CODES)
    np.testing.assert_array_equal(codes_of(read_table(tmp_path / "t.npz")), CODES)
    assert read_table(tmp_path / "t.npz").notes == ("t.npz: only the array 'z' is read",)
    with pytest.raises(BadInput, match="pickled objects, which are never loaded"):
        read_table(tmp_path / "t.npz", ["info"])
    np.save(tmp_path / "t.npy", objects, allow_pickle=True)
    with pytest.raises(BadInput, match="pickled objects, which are never loaded"):
        read_table(tmp_path / "t.npy")


def test_several_arrays_stand_side_by_side(tmp_path: Path) -> None:
    np.savez(tmp_path / "t.npz", z=CODES, ids=2**53 + np.arange(3), short=np.arange(2))
    table = read_table(tmp_path / "t.npz", ["ids", "z"])
    assert table.names == ["ids", "z.0", "z.1"]
    assert factors_of(table, ["z.0", "z.1"]).values[:, 0].tolist() == [0, 1, 2]
    with pytest.raises(BadInput, match="different lengths cannot be put side by side: z 3, short 2"):
        read_table(tmp_path / "t.npz", ["z", "short"])
    with pytest.raises(BadInput, match=r"holds 3 arrays; pick some with --code-columns .*: z, ids, short"):
        read_table(tmp_path / "t.npz")


@pytest.mark.parametrize("form", ["csr", "csc", "coo"])
@pytest.mark.parametrize("compressed", [True, False])
def test_sparse_matrices_stay_so(tmp_path: Path, form: str, compressed: bool) -> None:
    matrix = scipy.sparse.random(5, 4, 0.5, form, rng=np.random.default_rng(0))
    scipy.sparse.save_npz(tmp_path / "t.npz", matrix, compressed=compressed)
    table = read_table(tmp_path / "t.npz")
    assert isinstance(table, SparseTable)
    assert (table.codes.matrix.toarray() == matrix.toarray()).all()
    some = read_table(tmp_path / "t.npz", ["3", "1"])
    assert (some.codes.matrix.toarray() == matrix.toarray()[:, [3, 1]]).all()
    with pytest.raises(BadInput, match=r"unknown column of t.npz '4'"):
        read_table(tmp_path / "t.npz", ["4"])
    with pytest.raises(
        BadInput, match=r"t.npz: a sparse matrix cannot be taken here; give .toarray\(\) of it"
    ):
        factors_of(table)


STARTS = "where its rows or columns begin does not fit its values"
WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "rows out of range": ({"indices": [9, 0]}, r"it has indices outside its shape \(3, 2\)"),
    "rows below 0": ({"indices": [-1, 0]}, r"it has indices outside its shape"),
    "columns out of range": ({"format": b"coo", "row": [0, 1], "col": [0, 2]}, "indices outside its shape"),
    "too few rows": ({"indices": [2]}, "its indices are not as many as its values"),
    "too few columns": ({"format": b"coo", "row": [0, 1], "col": [0]}, "not as many as its values"),
    "columns that do not end": ({"indptr": [0, 1, 9]}, STARTS),
    "columns that go back": ({"indptr": [0, 3, 2]}, STARTS),
    "columns that end before they begin": ({"indptr": [0, 1, 0]}, STARTS),
    "columns that begin late": ({"indptr": [1, 1, 2]}, STARTS),
    "a column less": ({"indptr": [0, 2]}, STARTS),
    "indices of decimals": ({"indices": [0.5, 1.0]}, "its indices are no whole numbers"),
    "a square of values": ({"data": [[1.0, 2.0]]}, "its values are no numbers"),
    "words": ({"data": ["a", "b"]}, "its values are no numbers"),
    "a shape of three": ({"shape": [3, 2, 1]}, r"its shape is \[3, 2, 1\]"),
    "a negative shape": ({"shape": [-3, 2]}, r"its shape is \[-3, 2\]"),
    "a shape of decimals": ({"shape": [3.0, 2.0]}, r"its shape is \[3.0, 2.0\]"),
    "a huge shape": ({"shape": [3, 2**23], "format": b"csr"}, "8,388,608 columns, and at most 4,194,304 are"),
    "another format": ({"format": b"bsr"}, r"of format 'bsr'; save it as CSR: .*matrix.tocsr\(\)"),
    "no format": ({"format": [1, 2]}, "of format 'None'; save it as CSR"),
}


@pytest.mark.parametrize("what", WRONG)
def test_broken_sparse_matrices_are_said_to_be(tmp_path: Path, what: str) -> None:
    given, message = WRONG[what]
    whole = {"format": b"csc", "shape": [3, 2], "data": [1.0, 2.0], "indices": [2, 0], "indptr": [0, 1, 2]}
    np.savez(tmp_path / "t.npz", **(whole | given))
    with pytest.raises(BadInput, match=message):
        read_table(tmp_path / "t.npz")


def test_no_sparse_matrix_is_unpickled(tmp_path: Path) -> None:
    whole = {"format": b"csc", "shape": [1, 1], "indices": [0], "indptr": [0, 1]}
    np.savez(tmp_path / "t.npz", **whole, data=np.array([{1}], dtype=object))  # type: ignore[arg-type]
    with pytest.raises(BadInput, match="it holds pickled objects, which are never loaded"):
        read_table(tmp_path / "t.npz")


# Parquet


def test_lists_in_parquet_become_columns(tmp_path: Path) -> None:
    import duckdb

    path = tmp_path / "t.parquet"
    duckdb.sql(
        "COPY (SELECT range AS id, [range, range * 2.5] AS z, [range, 1]::INT[2] AS y, "
        "DATE '2024-01-01' AS day, if(range = 1, NULL, range) AS gap FROM range(3)) "
        f"TO '{path}' (FORMAT parquet)"
    )
    table = read_table(path, ["z", "y"])
    assert table.names == ["z.0", "z.1", "y.0", "y.1"]
    np.testing.assert_array_equal(codes_of(table), [[0, 0, 0, 1], [1, 2.5, 1, 1], [2, 5, 2, 1]])
    assert factors_of(read_table(path, ["day"], "factors")).words == {"day": ["2024-01-01"]}
    with pytest.raises(BadInput, match="row 1: no value for 'gap'"):
        codes_of(read_table(path, ["id", "gap"]))
    duckdb.sql(f"COPY (SELECT [range, 1][:range] AS z FROM range(3)) TO '{path}' (FORMAT parquet)")
    with pytest.raises(BadInput, match="its lists must all have the same length"):
        read_table(path)


def with_index(path: Path, levels: Sequence[str], rows: str) -> None:
    """A file as pandas writes it by pyarrow: the index as columns, which its metadata names."""
    import duckdb

    told = jsons.dumps({"index_columns": levels, "columns": [], "pandas_version": "2.2.3"})
    duckdb.sql(f"COPY ({rows}) TO '{path}' (FORMAT parquet, KV_METADATA {{pandas: '{told}'}})")


@pytest.mark.parametrize(
    ("levels", "select"),
    [
        (["__index_level_0__"], "'s' || range AS __index_level_0__"),
        (["cell"], "range + 7 AS cell"),
        (["subject", "trial"], "range // 10 AS subject, range % 10 AS trial"),
        (["day"], "DATE '2024-01-01' + range::INT AS day"),
    ],
)
def test_an_index_in_parquet_labels_the_rows(tmp_path: Path, levels: list[str], select: str) -> None:
    codes, factors = tmp_path / "c.parquet", tmp_path / "f.parquet"
    with_index(codes, levels, f"SELECT range % 4 + .01 * (range % 3) AS z, {select} FROM range(40)")
    with_index(factors, levels, f"SELECT range % 4 AS a, {select} FROM range(40) ORDER BY hash(range)")
    table = read_table(codes)
    assert table.names == ["z"]
    assert len(set(table.labels or ())) == 40
    mine, its = with_keys(table, read_table(factors, role="factors"))
    np.testing.assert_array_equal(codes_of(in_order_of(its, mine))[:, 0], np.arange(40) % 4)
    picked = read_table(factors, [levels[0], "a"], "factors")  # a level may be a factor too
    assert picked.names == [levels[0], "a"]
    assert picked.labels == read_table(factors).labels
    with_index(codes, [], "SELECT range AS z, {'kind': 'range'} AS b FROM range(40)")
    assert read_table(codes, ["z"]).labels is None


# Spreadsheets


def test_a_sheet_as_it_is_computed_with_gaps_dates_and_others(tmp_path: Path) -> None:
    import openpyxl

    book = openpyxl.Workbook()
    sheet = book.active
    for row in (["kind", "size", None, "day"], [], ["a", 1, None, pd.Timestamp("2024-01-01")], ["NA", 2.5]):
        sheet.append(row)
    book.create_sheet("more")
    book.save(tmp_path / "t.xlsx")
    table = read_table(tmp_path / "t.xlsx", ["kind", "size"], "factors")
    assert table.notes[0] == "t.xlsx: only its first sheet is read, of 2"
    with pytest.raises(BadInput, match=r"line 4: no value for 'kind' \('NA'\)"):
        factors_of(table, ["size"])
    found = factors_of(table, ["size"], words=["kind"])
    assert found.words == {"kind": ["NA", "a"]}
    np.testing.assert_array_equal(found.values, [[1, 1], [0, 2.5]])


def book_of(path: Path, **sheets: list[list[Any]]) -> Path:
    import openpyxl

    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    book.save(path)
    return path


def test_the_sheet_of_the_columns_that_are_named(tmp_path: Path) -> None:
    codes, factors = [["id", "a", "b"], [7, 1.5, 2], [8, 3, 4]], [["id", "kind"], [7, "x"], [8, "y"]]
    path = book_of(tmp_path / "t.xlsx", codes=codes, factors=factors)
    assert read_table(path).names == ["id", "a", "b"]
    found = read_table(path, ["kind"])
    assert found.cells[0].tolist() == ["x", "y"]
    assert found.notes == ("t.xlsx: its sheet 'factors' is read, of 2",)
    assert read_table(path, ["id", "b"]).notes == ("t.xlsx: only its first sheet is read, of 2",)
    with pytest.raises(BadInput, match=r"unknown column of t\.xlsx 'size'\. Allowed: id, a, b"):
        read_table(path, ["size", "kind"])


def test_a_title_above_a_sheet(tmp_path: Path) -> None:
    path = book_of(tmp_path / "t.xlsx", one=[["Run 5"], [], ["a", "b", "kind"], [1.5, 2, "x"], [3, 4, "y"]])
    table = read_table(path)
    assert table.names == ["a", "b", "kind"]
    assert table.notes == ("t.xlsx: line 1 is taken for a title",)
    with pytest.raises(BadInput, match=r"line 4: 'x' is not a number.*line 3 as header"):
        codes_of(table)


def test_a_sheet_that_claims_to_be_huge(tmp_path: Path) -> None:
    FRAME.to_excel(tmp_path / "t.xlsx")
    with zipfile.ZipFile(tmp_path / "t.xlsx") as old, zipfile.ZipFile(tmp_path / "u.xlsx", "w") as new:
        for name in old.namelist():
            data = old.read(name)
            if name.endswith("sheet1.xml"):
                data = data.replace(b'<dimension ref="A1:D4"', b'<dimension ref="A1:XFD1048576"')
                data = data.replace(
                    b"</sheetData>", b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData>'
                )
            new.writestr(name, data)
    with pytest.raises(BadInput, match=r"holds over 5,000,000 cells|line 1048576: no value for 'z0'"):
        codes_of(read_table(tmp_path / "u.xlsx", ["z0"]))


# MATLAB


def test_matlab_files(tmp_path: Path) -> None:
    path = tmp_path / "t.mat"
    scipy.io.savemat(path, {"z": CODES, "y": np.array([1, 2, 1]), "s": scipy.sparse.eye(3)})
    assert factors_of(read_table(path, ["y"], "factors")).values.tolist() == [[0], [1], [0]]
    with pytest.raises(BadInput, match="'s' is of class sparse, which is not read"):
        read_table(path, ["s"])
    scipy.io.savemat(path, {"cells": np.array([{"a": 1}, 2], dtype=object)})
    with pytest.raises(BadInput, match="'cells' is of class cell, and not all of it are texts or numbers"):
        read_table(path)
    scipy.io.savemat(path, {"z": CODES}, do_compression=True)
    np.testing.assert_array_equal(codes_of(read_table(path)), CODES)


def test_matlab_7_3_counts_by_columns(tmp_path: Path) -> None:
    path = tmp_path / "t.mat"
    with h5py.File(path, "w", userblock_size=512) as file:
        file.create_dataset("z", data=CODES.T).attrs["MATLAB_class"] = np.bytes_("double")
        file.create_dataset("y", data=np.array([[1, 2, 1]]).T).attrs["MATLAB_class"] = np.bytes_("double")
    np.testing.assert_array_equal(codes_of(read_table(path, ["z"])), CODES)
    assert factors_of(read_table(path, ["y"], "factors")).values.tolist() == [[0], [1], [0]]


# HDF5


def test_hdf5_follows_no_link_and_no_reference(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["z"] = CODES
    with h5py.File(tmp_path / "t.h5", "w") as file:
        file["out"] = h5py.ExternalLink("other.h5", "z")
        file["soft"] = h5py.SoftLink("/z")
        file["group/self"] = h5py.SoftLink("/group")
        file["y"] = np.arange(3)
        layout = h5py.VirtualLayout((3, 2), "f8")
        layout[:] = h5py.VirtualSource(str(tmp_path / "other.h5"), "z", (3, 2))
        file.create_virtual_dataset("virtual", layout)
        file["ref"] = np.array([file["y"].ref], dtype=h5py.ref_dtype)
    for name in ("out", "soft"):
        with pytest.raises(BadInput, match="unknown array"):
            read_table(tmp_path / "t.h5", [name])
    with pytest.raises(BadInput, match="virtual lies in other files, which are not opened"):
        read_table(tmp_path / "t.h5", ["virtual"])
    with pytest.raises(BadInput, match="ref holds"):
        read_table(tmp_path / "t.h5", ["ref"])
    np.testing.assert_array_equal(codes_of(read_table(tmp_path / "t.h5", ["y"])), [[0], [1], [2]])


def test_hdf5_larger_than_memory(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "t.h5", "w") as file:
        file.create_dataset("z", shape=(2**40, 4), dtype="f8", chunks=(1024, 4), compression="gzip")
    with pytest.raises(BadInput, match="larger than is allowed"):
        read_table(tmp_path / "t.h5")


# Annotated data

CELLS = pd.DataFrame(
    {
        "kind": pd.Categorical(["b", "a", "b"]),
        "stage": pd.Categorical(["late", "early", "late"], ["early", "late"], ordered=True),
        "doublet": [True, False, False],
        "genes": [10, 20, 30],
        "score": [0.5, 0.25, 0.125],
        "whole": pd.array([1, None, 2], dtype="Int64"),
    },
    index=["c0", "c1", "c2"],
)


def annotated(path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import anndata

        anndata.settings.allow_write_nullable_strings = True
        data = anndata.AnnData(np.eye(3, dtype=np.float32), obs=CELLS)
        data.obsm["X_scvi"] = CODES
        data.obsm["X_umap"] = CODES[::-1]
        data.obsm["frame"] = pd.DataFrame({"u": CODES[:, 1]}, index=CELLS.index)
        data.write_h5ad(path)


def of_2019(path: Path) -> None:
    """obs and obsm as compound arrays, words in uns, as in the file that scanpy ships."""
    obs = np.array(
        [(b"c0", 1, 0, 10), (b"c1", 0, 0, 20), (b"c2", 1, 1, 30)],
        dtype=[("index", "S2"), ("kind", "i1"), ("stage", "i1"), ("genes", "i8")],
    )
    obsm = np.array(
        [((1.5, 2.5), (0, 0)), ((3.5, 4.5), (0, 0)), ((5.5, 6.5), (0, 0))],
        dtype=[("X_pca", "f4", (2,)), ("X_umap", "f8", (2,))],
    )
    with h5py.File(path, "w") as file:
        file["X"], file["obs"], file["obsm"] = np.eye(3), obs, obsm
        file["uns/kind_categories"] = np.array([b"a", b"b"])
        file["uns/stage_categories"] = np.array([b"early", b"late"])


def of_2020(path: Path) -> None:
    """Categories as numbers in obs, their words in obs/__categories."""
    with h5py.File(path, "w") as file:
        file["X"], file["obsm/X_pca"] = np.eye(3), CODES
        file["obs/index"] = ["c0", "c1", "c2"]
        file["obs/kind"] = np.array([1, 0, 1], dtype=np.int8)
        file["obs/__categories/kind"] = ["a", "b"]
        file["obs/genes"] = [10, 20, 30]
        file["obs"].attrs["_index"] = "index"
        file["obs"].attrs["column-order"] = ["kind", "genes"]


@pytest.mark.parametrize("write", [annotated, of_2019, of_2020])
def test_annotated_data(tmp_path: Path, write) -> None:
    path = tmp_path / "t.h5ad"
    write(path)
    columns = ["obsm/X_scvi"] if write is annotated else None
    codes = read_table(path, columns)
    np.testing.assert_array_equal(codes_of(codes), CODES)
    factors = read_table(path, role="factors")
    assert codes.labels == factors.labels == ["c0", "c1", "c2"]
    assert "genes" not in factors.names
    assert "not genes" in factors.notes[0]
    assert factors_of(factors).words["kind"] == ["a", "b"]
    assert factors_of(factors).values[:, 0].tolist() == [1, 0, 1]
    assert factors_of(read_table(path, ["genes"], "factors")).values[:, 0].tolist() == [0, 1, 2]
    np.testing.assert_array_equal(codes_of(read_table(path, ["X"])), np.eye(3))
    with pytest.raises(BadInput, match=r"unknown entry of t\.h5ad 'kinds'; did you mean"):
        read_table(path, ["kinds"], "factors")


def test_every_kind_of_column_of_annotated_data(tmp_path: Path) -> None:
    path = tmp_path / "t.h5ad"
    annotated(path)
    factors = factors_of(read_table(path, ["obs/stage", "doublet"], "factors"))
    assert factors.values.tolist() == [[1, 1], [0, 0], [1, 0]]
    assert factors.unordered == ()
    np.testing.assert_array_equal(codes_of(read_table(path, ["obsm/frame"])), CODES[:, 1:])
    np.testing.assert_array_equal(codes_of(read_table(path, ["obs/score"])), [[0.5], [0.25], [0.125]])
    with pytest.raises(BadInput, match="row 1: no value for 'whole'"):
        factors_of(read_table(path, ["whole"], "factors"))
    with pytest.raises(
        BadInput, match="holds several codes; pick with --code-columns or --obsm: obsm/X_scvi, obsm/frame"
    ):
        read_table(path)


def saved(path: Path, arrays: dict[str, np.ndarray]) -> None:
    if path.suffix == ".npz":
        np.savez(path, **arrays)
    elif path.suffix == ".pkl":
        path.write_bytes(pickle.dumps(arrays))
    elif path.suffix == ".safetensors":
        save_file({name: torch.tensor(array) for name, array in arrays.items()}, path)
    else:
        with h5py.File(path, "w") as file:
            for name, array in arrays.items():
                file[name] = array


def paired(path: Path, names: list[Any], folder: Path) -> list[str]:
    """A factor that was written in another order under these names, in that of the codes."""
    shuffled = np.random.default_rng(1).permutation(len(names))
    pd.DataFrame({"name": np.array(names)[shuffled], "kind": shuffled}).to_csv(folder / "f.csv", index=False)
    codes, factors = with_keys(read_table(path), read_table(folder / "f.csv", role="factors"))
    return in_order_of(factors, codes).cells[-1].tolist()


IN_ORDER = [f"{n}" for n in range(12)]
VECTORS = np.random.default_rng(0).normal(size=(12, 3))


@pytest.mark.parametrize("kind", ["npz", "pkl", "h5", "safetensors"])
@pytest.mark.parametrize("name", ["{}.png", "img_{}", "{}", "a/{}.png"])
def test_one_array_for_each_image(tmp_path: Path, kind: str, name: str) -> None:
    """Vectors by the images' names are rows; of files without an order by the numbers in them."""
    path, names = tmp_path / f"v.{kind}", [name.format(n) for n in range(12)]
    saved(path, dict(zip(names, VECTORS, strict=True)))
    read = read_table(path)
    np.testing.assert_array_equal(codes_of(read), VECTORS)
    assert read.labels == names
    assert read.notes[0].endswith(
        f"arrays of 3 numbers are taken for rows, called {', '.join(names[:3])} and so on"
    )
    assert paired(path, names, tmp_path) == IN_ORDER
    assert paired(path, [each.removeprefix("a/") for each in names], tmp_path) == IN_ORDER
    assert read_table(path, [names[2], names[3]]).cells[1].tolist() == VECTORS[3].tolist()
    with pytest.raises(BadInput, match="unknown array"):
        read_table(path, ["no"])


@pytest.mark.parametrize("key", [str, int, lambda n: Path(f"im/{n}.png"), lambda n: ("s", n)])
def test_keys_of_a_dict_of_vectors(tmp_path: Path, key: Any) -> None:
    path = tmp_path / "v.pkl"
    vectors = {key(n): VECTORS[n] for n in range(12)}
    for held in (vectors, {"epoch": 3, "z": vectors}):
        path.write_bytes(pickle.dumps(held))
        assert paired(path, [f"{each}" for each in vectors], tmp_path) == IN_ORDER


def test_names_that_match_nothing_are_said(tmp_path: Path) -> None:
    path, names = tmp_path / "v.npz", [f"c{n % 2}/im{n}" for n in range(12)]
    saved(path, dict(zip(names, VECTORS, strict=True)))
    np.save(tmp_path / "f.npy", np.arange(12))
    pd.DataFrame({"name": [f"no{n}" for n in range(12)], "kind": range(12)}).to_csv(
        tmp_path / "f.csv", index=False
    )
    for other in ("f.npy", "f.csv"):
        codes, factors = with_keys(read_table(path), read_table(tmp_path / other, role="factors"))
        note = f"rows go by position: those of v.npz are called c0/im0 and so on, but {other} has no labels"
        assert in_order_of(factors, codes).notes[-1] == note
    assert paired(path, [f"elsewhere/im{n}" for n in range(12)], tmp_path) == IN_ORDER


def test_the_order_of_a_dict_is_kept(tmp_path: Path) -> None:
    order = np.random.default_rng(1).permutation(12)
    for kind in ("npz", "pkl"):
        saved(tmp_path / f"v.{kind}", {f"img_{n}": VECTORS[n] for n in order})
        np.testing.assert_array_equal(codes_of(read_table(tmp_path / f"v.{kind}")), VECTORS[order])


@pytest.mark.parametrize(
    "arrays",
    [
        {f"{n}.weight": np.ones(3) for n in range(12)} | {"images": np.ones((12, 4, 4))},  # as a checkpoint
        {f"{n}": np.ones(3 + n % 2) for n in range(12)},
        {f"{n}": np.array(["a", "b"]) for n in range(12)},
        {f"loss{n}": np.ones(5) for n in range(6)},
        {"z_train": np.ones((5, 2)), "z_test": np.ones((3, 2))},
        {f"class{n}": np.ones((5 - n // 4, 2)) for n in range(5)},
        {f"arr_{n}": np.ones((5, 2)) for n in range(5)},
        {f"arr_{n}": np.ones((5 - n // 2, 2)) for n in range(3)},
        {f"arr_{n}": np.ones((5, 2 + n % 2)) for n in range(5)},
    ],
)
def test_arrays_that_are_not_rows_nor_batches(tmp_path: Path, arrays: dict[str, np.ndarray]) -> None:
    saved(tmp_path / "v.npz", arrays)
    with pytest.raises(BadInput, match="arrays; pick some"):
        read_table(tmp_path / "v.npz")


@pytest.mark.parametrize(
    "held",
    [
        {"mu": dict(enumerate(VECTORS)), "logvar": dict(enumerate(VECTORS))},
        {"codes": list(VECTORS), "factors": list(VECTORS)},
        {n: {"mean": row, "logvar": row} for n, row in enumerate(VECTORS)},
        [{"name": f"img_{n}", "z": row} for n, row in enumerate(VECTORS)],
        [(f"img_{n}", row) for n, row in enumerate(VECTORS)],
        {f"c{n % 2}": {f"im{n}": row} for n, row in enumerate(VECTORS)},
        [*VECTORS, "a word"],
        {f"img_{n}": row for n, row in enumerate(VECTORS)} | {"c": VECTORS[0].astype(complex)},
    ],
)
def test_vectors_with_more_beside_them_are_not_rows(tmp_path: Path, held: Any) -> None:
    (tmp_path / "v.pkl").write_bytes(pickle.dumps(held))
    with pytest.raises(BadInput, match=r"arrays; pick some|not opened are c \(an array of a type"):
        read_table(tmp_path / "v.pkl")
    with pytest.raises(BadInput, match="unknown array"):
        read_table(tmp_path / "v.pkl", ["2 of some"])


def test_no_column_of_rows_beside_an_array_that_is_not_read(tmp_path: Path) -> None:
    held = {"c": VECTORS[0].astype(complex)} | {f"img_{n}": row for n, row in enumerate(VECTORS)}
    (tmp_path / "v.pkl").write_bytes(pickle.dumps(held))
    with pytest.raises(BadInput, match=r"unknown array of v\.pkl '0'"):
        read_table(tmp_path / "v.pkl", ["0"])


def test_arrays_in_a_list_are_rows_or_batches(tmp_path: Path) -> None:
    codes = np.random.default_rng(0).normal(size=(47, 2))
    batches = [codes[start : start + 4] for start in range(0, 47, 4)]
    for name, parts in (("rows", list(codes)), ("batches", batches)):
        np.savez(tmp_path / f"{name}.npz", *parts)
        (tmp_path / f"{name}.pkl").write_bytes(pickle.dumps({"z": parts, "seed": 3}))
        (tmp_path / f"{name}.joblib").write_bytes(pickle.dumps(tuple(parts)))
        (tmp_path / f"{name}.pickle").write_bytes(b"\n".join(map(pickle.dumps, parts)) + b"\0\0")
        for kind in ("npz", "pkl", "joblib", "pickle"):
            table = read_table(tmp_path / f"{name}.{kind}")
            np.testing.assert_array_equal(codes_of(table), codes)
            assert (table.labels, table.named) == (None, False)
            assert f"taken for {name}" in table.notes[0]
            if kind in ("joblib", "pickle"):  # columns, as they are called unpicked
                np.testing.assert_array_equal(
                    codes_of(read_table(tmp_path / f"{name}.{kind}", ["1"])), codes[:, 1:]
                )
