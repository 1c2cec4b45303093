"""Files are replaced whole or not at all, and nothing in them is trusted."""

import errno
import pickle
from pathlib import Path

import numpy as np
import pytest

from distaff.errors import BadInput
from distaff.files import read_arrays, read_json, read_table, replacing, write_arrays, write_text


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    write_text(path, "old")

    def full_disk() -> None:
        with replacing(path) as partial:
            partial.write_text("ne")
            raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        full_disk()
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]


def test_arrays_round_trip_to_the_same_bytes(tmp_path: Path) -> None:
    arrays = {"a": np.arange(6).reshape(2, 3), "b": np.ones(3, np.float32)}
    for name in ("x.npz", "y.npz"):
        write_arrays(tmp_path / name, arrays)
    assert (tmp_path / "x.npz").read_bytes() == (tmp_path / "y.npz").read_bytes()
    read = read_arrays(tmp_path / "x.npz")
    assert read.keys() == arrays.keys()
    np.testing.assert_array_equal(read["a"], arrays["a"])


class Bomb:
    def __reduce__(self):
        return (pytest.fail, ("unpickled",))


@pytest.mark.parametrize("name", ["a.npy", "a.npz"])
def test_pickled_objects_are_refused_unopened(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    objects = np.array([Bomb()], dtype=object)
    with path.open("wb") as file:
        np.save(file, objects, allow_pickle=True) if name == "a.npy" else np.savez(file, codes=objects)
    with pytest.raises(BadInput, match="pickled objects, which are never loaded"):
        read_arrays(path)


@pytest.mark.parametrize(
    "content", [b"", b"junk", pickle.dumps([1, 2]), b"PK\x03\x04junk", b"\x93NUMPY\x01\x00"]
)
@pytest.mark.parametrize("suffix", [".npy", ".npz"])
def test_damaged_arrays_are_one_clear_error(tmp_path: Path, content: bytes, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    path.write_bytes(content)
    with pytest.raises(BadInput, match="cannot be read"):
        read_arrays(path)


def test_truncated_npz(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    write_arrays(path, {"a": np.random.default_rng(0).random(5000)})
    path.write_bytes(path.read_bytes()[:9000])
    with pytest.raises(BadInput, match="cannot be read"):
        read_arrays(path)


def test_json_errors(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("{")
    with pytest.raises(BadInput, match="is not JSON"):
        read_json(tmp_path / "a.json")
    with pytest.raises(BadInput, match="does not exist"):
        read_json(tmp_path / "b.json")


def test_csv_with_and_without_header(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("shape,x\nheart,1\nsquare,2\nheart,3\n")
    table, names = read_table(tmp_path / "a.csv", words=True)
    assert names == ["shape", "x"]
    np.testing.assert_array_equal(table, [[0, 1], [1, 2], [0, 3]])
    np.savetxt(tmp_path / "b.csv", np.arange(6).reshape(3, 2), delimiter=",")
    table, names = read_table(tmp_path / "b.csv")
    assert names == ["0", "1"]
    np.testing.assert_array_equal(table, np.arange(6).reshape(3, 2))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,b\n1,2\n3\n", "line 3: 1 values where 2 are expected"),
        ("a,b\n1,2\n3,\n", "line 3: no value for 'b'"),
        (",2\n3,4\n", "line 1: no value for '0'"),
        ("a,b\n1,2\n3,N/A\n", "column 'b': 'N/A' is not a number"),
        ("a,b\n1,x\n3,y\n", "column 'b': 'x' is not a number"),
        (",a\n0,1\n1,2\n", "column 0 has no name; if it is a row number"),
        ("a;b\n1;2\n", "separate its columns by commas"),
        ("", "is empty"),
        ("a\n\x00\n", "a.csv"),
    ],
)
def test_tables_with_gaps_and_words_are_refused(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "a.csv").write_text(text)
    with pytest.raises(BadInput, match=message):
        read_table(tmp_path / "a.csv")


def test_words_and_numbers_do_not_mix_in_a_column_of_labels(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("a\n10\nred\n")
    with pytest.raises(BadInput, match="'red' is not a number"):
        read_table(tmp_path / "a.csv", words=True)


def test_large_integers_stay_apart(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("a\n9007199254740993\n9007199254740992\n")
    assert len(np.unique(read_table(tmp_path / "a.csv", words=True)[0])) == 2


def test_two_writers_of_one_file_do_not_meet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.txt"
    with replacing(path) as first:
        first.write_text("A" * 20)
        monkeypatch.setattr("os.getpid", lambda: 1)
        write_text(path, "B")
        first.write_text("A" * 30)
    assert path.read_text() == "A" * 30


def test_parquet(tmp_path: Path) -> None:
    import duckdb

    path = tmp_path / "a.parquet"
    duckdb.sql("SELECT range AS x, range * 0.5 AS y FROM range(4)").write_parquet(str(path))
    table, names = read_table(path)
    assert names == ["x", "y"]
    np.testing.assert_allclose(table, np.stack([np.arange(4), np.arange(4) / 2], 1))
    path.write_bytes(b"PAR1 junk")
    with pytest.raises(BadInput, match="not a Parquet file"):
        read_table(path)


def test_other_tables(tmp_path: Path) -> None:
    np.save(tmp_path / "v.npy", np.arange(3))
    assert read_table(tmp_path / "v.npy")[0].shape == (3, 1)
    write_arrays(tmp_path / "two.npz", {"a": np.arange(3), "b": np.arange(3)})
    with pytest.raises(BadInput, match=r"holds 2 arrays; pick some with .*: a, b"):
        read_table(tmp_path / "two.npz")
    with pytest.raises(BadInput, match=r"unknown kind of file '\.txt'"):
        read_table(tmp_path / "a.txt")


def test_tables_as_pandas_writes_them(tmp_path: Path) -> None:
    import duckdb
    import pandas as pd

    frame = pd.DataFrame(np.random.default_rng(0).random((5, 3)))
    frame.to_csv(tmp_path / "a.csv", index=False)
    table, names = read_table(tmp_path / "a.csv")
    assert names == ["0", "1", "2"]
    np.testing.assert_array_equal(table, frame)
    shuffled = pd.DataFrame({"z": [3.0, 1.0], "__index_level_0__": [1, 0]})
    duckdb.sql(f"COPY (SELECT * FROM shuffled) TO '{tmp_path / 'b.parquet'}' (FORMAT parquet)")
    assert read_table(tmp_path / "b.parquet")[1] == ["z"]
    assert shuffled.shape == (2, 2)


def test_words_in_numpy_files_and_one_array_by_its_name(tmp_path: Path) -> None:
    np.save(tmp_path / "w.npy", np.array([["cat", "a"], ["dog", "b"], ["cat", "b"]]))
    np.testing.assert_array_equal(read_table(tmp_path / "w.npy", words=True)[0], [[0, 0], [1, 1], [0, 1]])
    np.savez(tmp_path / "one.npz", codes=np.eye(3))
    np.testing.assert_array_equal(read_table(tmp_path / "one.npz", columns=["codes"])[0], np.eye(3))
    np.testing.assert_array_equal(
        read_table(tmp_path / "one.npz", columns=["2", "0"])[0], np.eye(3)[:, [2, 0]]
    )
