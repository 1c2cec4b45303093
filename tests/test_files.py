"""Files are replaced whole or not at all, and nothing in them is trusted."""

import errno
import pickle
from pathlib import Path

import numpy as np
import pytest

from distaff.errors import BadInput
from distaff.files import (
    array_headers,
    read_arrays,
    read_json,
    read_kept,
    replacing,
    write_arrays,
    write_text,
)


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


def test_two_writers_of_one_file_do_not_meet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.txt"
    with replacing(path) as first:
        first.write_text("A" * 20)
        monkeypatch.setattr("os.getpid", lambda: 1)
        write_text(path, "B")
        first.write_text("A" * 30)
    assert path.read_text() == "A" * 30


def test_headers_are_read_without_their_arrays(tmp_path: Path) -> None:
    objects = np.array([Bomb()], dtype=object)
    np.savez(tmp_path / "a.npz", codes=np.zeros((4, 2), np.float32), info=objects)
    found = array_headers(tmp_path / "a.npz")
    assert found == {"codes": ((4, 2), np.dtype(np.float32)), "info": None}
    assert read_arrays(tmp_path / "a.npz", ["codes"]).keys() == {"codes"}
    with pytest.raises(BadInput, match=r"unknown array of a\.npz 'code'; did you mean 'codes'"):
        read_arrays(tmp_path / "a.npz", ["code"])


def test_what_was_kept_is_read_or_made_again(tmp_path: Path) -> None:
    path = tmp_path / "kept.json"
    assert read_kept(path, read_json) is None
    path.write_text('{"a": 1}')
    assert read_kept(path, read_json) == {"a": 1}
    path.write_text('{"a": ')
    with pytest.raises(
        BadInput, match=r"kept\.json is damaged; remove it .* with --acting: "
    ):
        read_kept(path, read_json, "--acting")
