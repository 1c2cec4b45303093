"""Frames that pandas kept by to_hdf, in files that pandas 2.3.3 and PyTables wrote."""

import gzip
from pathlib import Path

import h5py
import numpy as np
import pytest

from distaff.errors import BadInput
from distaff.tables import codes_of, factors_of, read_table
from distaff.tables.keys import counts_rows

FOLDER = Path(__file__).parent / "frames"


def unpacked(name: str, folder: Path) -> Path:
    path = folder / name
    path.write_bytes(gzip.decompress((FOLDER / f"{name}.gz").read_bytes()))
    return path


@pytest.mark.parametrize("name", ["fixed.h5", "table.h5"])
def test_both_formats(tmp_path: Path, name: str) -> None:
    path = unpacked(name, tmp_path)
    table = read_table(path)
    assert table.names == ["z", "z2", "y", "w", "d", "b", *(["c"] if name == "table.h5" else [])]
    assert table.labels == ["s0", "s1", "s2", "s3"]
    np.testing.assert_array_equal(table.cells[0], [0.5, np.nan, 2.5, 3.5])
    np.testing.assert_array_equal(table.cells[1], [1, np.nan, 5, 7])
    assert table.cells[3].tolist() == ["a", "b", "bé", "a"]  # of fixed ones pickled
    assert table.cells[4].tolist() == [f"2020-01-0{day}" for day in (1, 2, 3, 4)]
    np.testing.assert_array_equal(codes_of(read_table(path, ["b", "y"])), [[1, 3], [0, 1], [1, 2], [1, 1]])
    assert factors_of(read_table(path, ["w"], "factors")).words == {"w": ["a", "b", "bé"]}
    if name == "table.h5":
        assert read_table(path, ["c"]).cells[0].tolist() == ["m", "l", None, "m"]
    with pytest.raises(BadInput, match=r"unknown column of .* 'zz'; did you mean 'z'"):
        read_table(path, ["zz"])


@pytest.mark.parametrize("name", ["multi.h5", "multit.h5"])
def test_an_index_of_several_levels(tmp_path: Path, name: str) -> None:
    table = read_table(unpacked(name, tmp_path))
    assert table.names == ["z", "y"]
    assert table.labels == ["('a', 1)", "('a', 2)", "('b', 1)", "('b', 2)"]
    assert table.cells[1].tolist() == [3, 1, 2, 1]


def test_series_and_several_frames(tmp_path: Path) -> None:
    series = read_table(unpacked("series.h5", tmp_path))
    assert (series.names, series.cells[0].tolist()) == (["y"], [3, 1, 2, 1])
    path = unpacked("two.h5", tmp_path)
    with pytest.raises(BadInput, match=r"holds 2 frames; pick .*: codes \(z2\); g/factors \(y, z\)"):
        read_table(path)
    for wanted in (["codes"], ["z2"], ["codes/block0_values"]):
        np.testing.assert_array_equal(read_table(path, wanted).cells[0], [1, np.nan, 5, 7])
    table = read_table(path, ["y"])
    assert counts_rows(table)
    assert table.notes == ("two.h5: only its frame 'g/factors' is read, of 2",)
    assert list(table.aside or ()) == ["z"]


def test_a_damaged_frame_is_one_line(tmp_path: Path) -> None:
    for part, value in (("nblocks", 9), ("axis0", None), ("block0_values", None), ("pandas_type", b"wide")):
        path = unpacked("fixed.h5", tmp_path)
        with h5py.File(path, "r+") as file:
            if value is None:
                del file["x"][part]
            else:
                file["x"].attrs[part] = value
        with pytest.raises(BadInput, match=r"fixed\.h5") as caught:
            read_table(path)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("form", ["fixed", "table"])
def test_words_of_every_script_and_gaps(tmp_path: Path, form: str) -> None:
    """Two columns of words, pickled by columns in the fixed format; gaps have a word of their own."""
    table = read_table(unpacked(f"odd_{form}.h5", tmp_path), ["words"])
    assert (table.names, table.labels) == (["é", "ü", "x"], list("äöüß"))
    assert [column.missing.tolist().count(True) for column in table.columns()] == [0, 1, 0]
    assert [table.cells[0].tolist(), table.cells[1][[0, 1, 3]].tolist()] == [list("abcd"), list("efh")]


@pytest.mark.parametrize("form", ["fixed", "table"])
def test_times_of_a_zone_and_periods_are_left_out_and_said(tmp_path: Path, form: str) -> None:
    path = unpacked(f"odd_{form}.h5", tmp_path)
    table = read_table(path, ["times"])
    assert (table.names, table.labels) == (["z", "d"], None)
    assert [note.partition(": ")[2] for note in table.notes] == [
        "columns that cannot be read are left out: t",
        "its index cannot be read; rows go by position",
    ]
    assert table.columns()[1].missing.tolist() == [False, True, False, False]  # NaT
    assert read_table(path, ["periods"]).labels is None
    of_columns = read_table(path, ["z", "d"])  # one of several frames, picked by its columns
    assert [note.partition(": ")[2] for note in of_columns.notes] == [
        "columns that cannot be read are left out: t",
        "its index cannot be read; rows go by position",
        "only its frame 'times' is read, of 4",
    ]


def test_names_that_are_the_same_as_texts_and_orders(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="columns of the same name: 1, 1"):
        read_table(unpacked("odd_fixed.h5", tmp_path), ["twice"])
    assert read_table(unpacked("odd_table.h5", tmp_path), ["ordered"]).orders == {0: ("m", "l")}
    assert read_table(unpacked("table.h5", tmp_path)).orders == {6: ()}  # a category without one
