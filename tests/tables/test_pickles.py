"""What torch.save, pickle and pandas write is read, and nothing in it is run."""

import io
import os
import pickle
import random
from collections import OrderedDict
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.decomposition import FastICA

import distaff
from distaff.errors import BadInput
from distaff.tables import codes_of, factors_of, read_table
from distaff.tables.readers.pickled_parts import Shut
from distaff.tables.readers.pickles import LEGACY, taken_apart

CODES = np.array([[1.5, 2.5], [3.5, 4.5], [5.5, 6.5], [7.5, 8.5]])
WORDS = np.array(["b", "a", "b", "a"])
MANY = {"z": CODES, "y": np.arange(4), "w": WORDS, "o": WORDS.astype(object), "l": WORDS.tolist()}


def pickled(path: Path, value: Any, protocol: int) -> None:
    path.write_bytes(pickle.dumps(value, protocol=protocol))


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        (CODES, None),
        (np.asfortranarray(CODES), None),
        (CODES.astype("f2"), None),
        (CODES.astype(">f8"), None),
        (CODES.tolist(), None),
        (torch.tensor(CODES), None),
        ({"z": torch.tensor(CODES), "y": torch.arange(4)}, ["z"]),
        (OrderedDict(z=CODES), None),
        ({"train": {"z": CODES[:2]}, "test": {"z": CODES, "y": np.arange(4)}}, ["test/z"]),
        ((CODES, np.arange(4)), ["0"]),
        ([torch.tensor(CODES), np.float64(3), None], None),
        (MANY, ["z"]),
    ],
)
def test_arrays_tensors_and_lists(tmp_path: Path, protocol: int, value: Any, wanted: Any) -> None:
    pickled(tmp_path / "t.pkl", value, protocol)
    np.testing.assert_array_equal(codes_of(read_table(tmp_path / "t.pkl", wanted)), CODES)


@pytest.mark.parametrize("protocol", range(6))
def test_words_however_they_are_kept(tmp_path: Path, protocol: int) -> None:
    pickled(tmp_path / "t.pkl", MANY, protocol)
    factors = factors_of(read_table(tmp_path / "t.pkl", ["w", "o", "l"], "factors"))
    assert factors.words == {name: ["a", "b"] for name in "wol"}
    assert factors.values.T.tolist() == [[1, 0, 1, 0]] * 3
    assert list(read_table(tmp_path / "t.pkl", ["z"]).aside or ()) == ["y", "w", "o", "l"]
    with pytest.raises(BadInput, match="holds 5 arrays; pick some"):
        read_table(tmp_path / "t.pkl")


@pytest.mark.parametrize("new", [True, False])
@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (torch.tensor(CODES), CODES),
        (torch.tensor(CODES, dtype=torch.float32, requires_grad=True), CODES),
        (torch.tensor(CODES).bfloat16(), CODES),
        (torch.tensor(CODES).half(), CODES),
        (torch.tensor(CODES.T.copy()).T, CODES),
        (torch.tensor(np.concatenate([-CODES, CODES]))[4:], CODES),
        (torch.tensor(CODES)[::2], CODES[::2]),
        (torch.tensor(CODES[:1]).expand(4, 2), CODES[[0, 0, 0, 0]]),
        (torch.nn.Parameter(torch.tensor(CODES)), CODES),
        (torch.tensor(CODES) > 4, CODES > 4),
        (torch.arange(8, dtype=torch.int16).reshape(4, 2), np.arange(8).reshape(4, 2)),
        ({"z": torch.tensor(CODES), "epoch": 3, "optimizer": torch.nn.Linear(2, 2)}, CODES),
        ({"z": CODES}, CODES),
    ],
)
def test_torch_save_of_now_and_before_1_6(tmp_path: Path, value: Any, expected: Any, new: bool) -> None:
    torch.save(value, tmp_path / "t.pt", _use_new_zipfile_serialization=new)
    np.testing.assert_array_equal(codes_of(read_table(tmp_path / "t.pt")), expected)


@pytest.mark.parametrize("new", [True, False])
def test_what_torch_saves_and_is_no_array_is_named(tmp_path: Path, new: bool) -> None:
    for value, name in (
        (torch.nn.Linear(2, 2), r"torch\.nn\.modules\.linear\.Linear"),
        (torch.tensor(CODES).to_sparse(), "_rebuild_sparse_tensor"),
        (torch.complex(torch.tensor(CODES), torch.tensor(CODES)), "type that is not read|_rebuild_tensor_v2"),
    ):
        torch.save(value, tmp_path / "t.pt", _use_new_zipfile_serialization=new)
        with pytest.raises(BadInput, match=name):
            read_table(tmp_path / "t.pt")


@pytest.mark.parametrize("compress", [0, 3, 9, ("gzip", 3), ("bz2", 3), ("xz", 3), ("lzma", 3)])
def test_what_joblib_writes(tmp_path: Path, compress: Any) -> None:
    """Its arrays lie in the stream behind what tells their type."""
    held = {**MANY, "f": np.asfortranarray(CODES), "big": CODES.astype(">f4"), "s": np.float64(3)}
    joblib.dump(held, tmp_path / "t.joblib", compress=compress)
    for name in ("z", "f", "big"):
        np.testing.assert_array_equal(codes_of(read_table(tmp_path / "t.joblib", [name])), CODES)
    factors = factors_of(read_table(tmp_path / "t.joblib", ["w", "o", "l", "y"], "factors"))
    assert factors.values.T.tolist() == [[1, 0, 1, 0]] * 3 + [[0, 1, 2, 3]]
    joblib.dump(frame(), tmp_path / "t.pkl", compress=compress)
    assert read_table(tmp_path / "t.pkl").names == ["z", "z2", "y", "w", "c", "d", "i", "e.0", "e.1"]
    fields = np.zeros(3, dtype=[("a", "f4"), ("b", "i4")])
    objects = np.zeros(3, dtype=[("a", "f4"), ("b", "O")])
    for other in (fields, objects, CODES.astype("c8"), CODES.astype("g"), WORDS.astype("V3")):
        joblib.dump([other, CODES], tmp_path / "t.joblib", compress=compress)
        np.testing.assert_array_equal(codes_of(read_table(tmp_path / "t.joblib", ["1"])), CODES)


def test_a_model_of_scikit_learn_is_named(tmp_path: Path) -> None:
    joblib.dump(
        FastICA(2, random_state=0).fit(np.random.default_rng(0).normal(size=(50, 3))), tmp_path / "m.joblib"
    )
    with pytest.raises(BadInput, match=r"only sklearn\.decomposition\._fastica\.FastICA"):
        read_table(tmp_path / "m.joblib")


def test_what_python_2_wrote(tmp_path: Path) -> None:
    """Its bytes are texts, in which any byte may stand for itself; protocol 0 has quotes and escapes."""
    cells = CODES * np.pi
    newer = (
        b"\x80\x02cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R"
        b"(K\x01K\x04K\x02\x86cnumpy\ndtype\nU\x02f8K\x00K\x01\x87R"
        b"(K\x03U\x01<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89U\x40" + cells.tobytes() + b"tb."
    )
    older = (
        b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I0\ntS'b'\ntR"
        b"(I1\n(I4\nI2\ntcnumpy\ndtype\n(S'f8'\nI0\nI1\ntR(I3\nS'<'\nNNNI-1\nI-1\nI0\ntbI00\nS"
        + repr(cells.tobytes())[1:].encode()
        + b"\ntb."
    )
    for written in (newer, older):
        np.testing.assert_array_equal(pickle.loads(written, encoding="latin1"), cells)
        (tmp_path / "t.pkl").write_bytes(written)
        np.testing.assert_array_equal(codes_of(read_table(tmp_path / "t.pkl")), cells)


def test_pickles_behind_each_other(tmp_path: Path) -> None:
    path = tmp_path / "t.pkl"
    path.write_bytes(pickle.dumps({"seed": 3}) + pickle.dumps(CODES))
    np.testing.assert_array_equal(codes_of(read_table(path)), CODES)
    path.write_bytes(pickle.dumps(CODES) + pickle.dumps(CODES)[:-3])
    with pytest.raises(BadInput, match="what follows its 1 first objects is no pickle"):
        read_table(path)


@pytest.mark.parametrize("suffix", [".gz", ".bz2", ".xz", ".zip"])
def test_compressed_pickles(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"t.pkl{suffix}"
    frame().to_pickle(path)
    assert read_table(path).labels == ["s0", "s1", "s2", "s3"]


def test_frames_in_a_dict(tmp_path: Path) -> None:
    index = [f"s{n}" for n in range(4)]
    codes, kinds = pd.DataFrame(CODES, index, ["a", "b"]), pd.DataFrame({"w": WORDS, "y": range(4)}, index)
    path = tmp_path / "t.pkl"
    pickled(path, {"codes": codes, "run": {"kinds": kinds}, "seed": 3}, 4)
    for wanted in (["codes"], ["a", "b"]):
        table = read_table(path, wanted)
        np.testing.assert_array_equal(codes_of(table), CODES)
        assert table.labels == index
    assert read_table(path, ["run/kinds"]).names == ["w", "y"]
    assert read_table(path, ["w"]).notes == ("t.pkl: only its frame 'run/kinds' is read, of 2",)
    with pytest.raises(BadInput, match=r"holds 2 frames; pick .*: codes \(a, b\); run/kinds \(w, y\)"):
        read_table(path)
    pickled(path, {"codes": codes, "seed": 3}, 4)
    assert read_table(path).names == ["a", "b"]
    pickled(path, {"codes": codes, "z": CODES}, 4)
    with pytest.raises(BadInput, match=r"holds frames and arrays; pick some with .*: codes, z"):
        read_table(path)
    np.testing.assert_array_equal(codes_of(read_table(path, ["z"])), CODES)
    assert read_table(path, ["codes"]).labels == index
    pickled(path, {"codes": codes, "bad": pd.DataFrame({"t": pd.period_range("2020", periods=4)})}, 4)
    assert read_table(path, ["codes"]).labels == index  # whatever lies beside it
    with pytest.raises(BadInput, match="of which no column is read"):
        read_table(path, ["bad"])


@pytest.mark.parametrize("name", ["pandas1", "pandas2", "pandas3", "pandas3_arrow", "here"])
def test_frames_of_every_pandas(tmp_path: Path, name: str) -> None:
    """Files by pandas 1.5.3, 2.3.3, and 3.1.1 without pyarrow and with it, and by the one that is here."""
    path = Path(__file__).parent / "frames" / f"{name}.pkl"
    if name == "here":
        path = tmp_path / "t.pkl"
        frame().to_pickle(path)
    table = read_table(path)
    assert table.names == ["z", "z2", "y", "w", "c", "d", "i", "e.0", "e.1"]
    assert table.labels == ["s0", "s1", "s2", "s3"]
    assert table.orders == {4: ("m", "l")}
    np.testing.assert_array_equal(table.cells[0], [0.5, np.nan, 2.5, 3.5])
    np.testing.assert_array_equal(table.cells[1], [1, np.nan, 5, 7])
    numbers = read_table(path, ["y", "e.0", "e.1"]).cells
    np.testing.assert_array_equal(numbers, [[3, 1, 2, 1], [1, 3, 5, 7], [2, 4, 6, 8]])
    gaps = {"w": ["a", None, "bé", "a"], "c": ["m", "l", None, "m"], "i": [1, None, 3, 4]}
    for column, cells in gaps.items():
        (found,) = read_table(path, [column]).columns()
        assert [
            None if gone else cell for cell, gone in zip(found.cells, found.missing, strict=True)
        ] == cells
    assert table.cells[5].tolist() == [f"2020-01-0{day}" for day in (1, 2, 3, 4)]


def frame() -> pd.DataFrame:
    made = pd.DataFrame(
        {
            "z": [0.5, None, 2.5, 3.5],
            "y": [3, 1, 2, 1],
            "w": ["a", None, "bé", "a"],
            "c": pd.Categorical(["m", "l", None, "m"], categories=["m", "l"], ordered=True),
            "d": pd.date_range("2020-01-01", periods=4),
            "i": pd.array([1, None, 3, 4], dtype="Int64"),
            "e": [np.array([1.0, 2.0]), [3.0, 4.0], (5.0, 6.0), [7.0, 8.0]],
        },
        index=["s0", "s1", "s2", "s3"],
    )
    made.insert(1, "z2", made.z * 2)
    return made


def test_indices_and_series(tmp_path: Path) -> None:
    path, numbers = tmp_path / "t.pkl", pd.DataFrame(CODES)
    for index, labels in (
        (None, [0, 1, 2, 3]),
        ([3, 1, 0, 2], [3, 1, 0, 2]),
        (pd.MultiIndex.from_product([["a", "b"], [1, 2]]), [("a", 1), ("a", 2), ("b", 1), ("b", 2)]),
        (pd.date_range("2020-01-01", periods=4), [f"2020-01-0{day}" for day in (1, 2, 3, 4)]),
        (range(4, 8), [4, 5, 6, 7]),
    ):
        (numbers if index is None else numbers.set_index(pd.Index(index))).to_pickle(path)
        assert read_table(path).labels == labels
        np.testing.assert_array_equal(codes_of(read_table(path)), CODES)
    pd.Series(WORDS, name="kind").to_pickle(path)
    assert factors_of(read_table(path, role="factors")).words == {"kind": ["a", "b"]}


def test_a_pair_of_pickles_is_scored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    factors = pd.DataFrame(rng.integers(0, 4, (200, 2)), columns=["a", "b"]).add_prefix("f_")
    factors.index = pd.Index([f"s{row}" for row in range(200)])
    codes = pd.DataFrame(factors.to_numpy() + 0.1 * rng.normal(size=(200, 2)), factors.index)
    codes.iloc[rng.permutation(200)].to_pickle(tmp_path / "codes.pkl")
    factors.to_pickle(tmp_path / "factors.pkl")
    tables = read_table(tmp_path / "codes.pkl"), read_table(tmp_path / "factors.pkl", role="factors")
    found = distaff.score(*tables, metrics="mig", values_only=True)["mig"].value
    assert found == pytest.approx(distaff.metrics.mig(codes.to_numpy(), factors.to_numpy()), abs=1e-12)


@pytest.mark.parametrize("suffix", ["npz", "npy"])
def test_words_that_numpy_keeps_as_objects(tmp_path: Path, suffix: str) -> None:
    path, words = tmp_path / f"t.{suffix}", WORDS.astype(object)
    if suffix == "npy":
        np.save(path, words, allow_pickle=True)
        assert factors_of(read_table(path, role="factors")).words == {"0": ["a", "b"]}
        return
    np.savez(path, z=CODES, w=words, many=np.array([{}, 1, 2, 3], dtype=object))
    assert factors_of(read_table(path, ["w"], "factors")).words == {"w": ["a", "b"]}
    np.testing.assert_array_equal(codes_of(read_table(path, ["z"])), CODES)
    with pytest.raises(BadInput, match="pickled objects, which are never loaded"):
        read_table(path, ["many"])


@pytest.mark.parametrize("suffix", ["npy", "npz", "pkl"])
def test_objects_by_columns_are_kept_by_rows(tmp_path: Path, suffix: str) -> None:
    path, frame_ = tmp_path / f"t.{suffix}", pd.DataFrame({"n": [1, 2, 3], "w": ["a", "b", "c"]})
    assert frame_.to_numpy().flags.f_contiguous
    if suffix == "pkl":
        path.write_bytes(pickle.dumps(frame_.to_numpy()))
    else:
        (np.save if suffix == "npy" else np.savez)(path, frame_.to_numpy())
    assert [cells.tolist() for cells in read_table(path).cells] == [[1, 2, 3], ["a", "b", "c"]]
    frame_.T.to_pickle(tmp_path / "t.pkl")
    assert [cells.tolist() for cells in read_table(tmp_path / "t.pkl").cells] == [
        [1, "a"],
        [2, "b"],
        [3, "c"],
    ]


@pytest.mark.parametrize("new", [True, False])
def test_a_negated_view_is_not_read_without_its_sign(tmp_path: Path, new: bool) -> None:
    held = torch.complex(torch.tensor(CODES), torch.tensor(CODES)).conj().imag
    assert held.is_neg()
    torch.save(held, tmp_path / "t.pt", _use_new_zipfile_serialization=new)
    with pytest.raises(BadInput):
        read_table(tmp_path / "t.pt")


def test_what_cannot_be_read_is_left_out_and_said(tmp_path: Path) -> None:
    path = tmp_path / "t.pkl"
    for index in (
        pd.period_range("2020-01", periods=4, freq="M"),
        pd.date_range("2020-01-01", periods=4, tz="Europe/Berlin"),
    ):
        pd.DataFrame({"z": CODES[:, 0], "t": index}, index=index).to_pickle(path)
        table = read_table(path)
        assert (table.names, table.labels) == (["z"], None)
        assert table.notes == (
            "t.pkl: columns that cannot be read are left out: t",
            "t.pkl: its index cannot be read; rows go by position",
        )
    pd.DataFrame({"z": CODES[:, 0]}, index=[["a", None, "b", "b"], [1, 2, np.nan, 2]]).to_pickle(path)
    assert read_table(path).labels == [("a", 1.0), (None, 2.0), ("b", None), ("b", 2.0)]
    words = pd.DataFrame({"w": pd.array(["a", pd.NA, "b"], dtype="string[python]")})
    words.to_pickle(path)
    assert read_table(path).columns()[0].missing.tolist() == [False, True, False]


def test_an_array_that_is_not_read_is_not_passed_over(tmp_path: Path) -> None:
    labels, path = np.arange(4), tmp_path / "t.pkl"
    for codes, error in (
        (CODES.astype(complex), r"holds y; not opened are z \(an array of a type that is not read\)"),
        (pd.DataFrame(CODES), "holds frames and arrays; pick some .*: z, y"),
        (np.ma.masked_array(CODES), r"holds y; not opened are z \(numpy.*\)"),
    ):
        pickled(path, {"z": codes, "y": labels}, 4)
        with pytest.raises(BadInput, match=error):
            read_table(path)
        assert codes_of(read_table(path, ["y"]))[:, 0].tolist() == [0, 1, 2, 3]
    pickled(path, {"a": {"b": labels}, "a/b": labels}, 4)
    with pytest.raises(BadInput, match="two arrays 'a/b'"):
        read_table(path)
    pickled(path, {3.5, 1.5, 99.5}, 4)
    with pytest.raises(BadInput, match="a set"):
        read_table(path)


class OfNoPairs:
    def __reduce__(self) -> Any:
        return OrderedDict, ([1, 2],)


def test_what_says_it_is_a_dict_and_has_no_pairs_stays_shut(tmp_path: Path) -> None:
    pickled(tmp_path / "t.pkl", {"z": CODES, "o": OfNoPairs()}, 2)
    np.testing.assert_array_equal(codes_of(read_table(tmp_path / "t.pkl")), CODES)


def test_rows_by_name_are_joined_also_beside_settings(tmp_path: Path) -> None:
    rows = {f"im_{n}": np.array([n, 2.0 * n]) for n in range(12)}
    for beside in (1, {}, {"lr": 1e-3, "name": "run"}):
        pickled(tmp_path / "t.pkl", {"z": rows, "meta": beside}, 4)
        table = read_table(tmp_path / "t.pkl")
        assert table.labels == list(rows)
        assert codes_of(table)[:, 0].tolist() == list(range(12))
    pickled(tmp_path / "t.pkl", {"z": rows, "y": {"im_0": np.arange(2)}}, 4)
    with pytest.raises(BadInput, match="holds 13 arrays; pick some"):
        read_table(tmp_path / "t.pkl")


# Nothing is run


class Bomb:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return os.system, (f"touch {self.path}",)


class Set:
    def __setstate__(self, state: Any) -> None:
        pytest.fail("unpickled")

    def __getstate__(self) -> Any:
        return {"z": 1}


@pytest.mark.parametrize("protocol", range(6))
def test_nothing_that_a_pickle_names_is_called(tmp_path: Path, protocol: int) -> None:
    mark = tmp_path / "mark"
    pickled(tmp_path / "t.pkl", {"z": CODES, "b": Bomb(mark), "s": Set()}, protocol)
    np.testing.assert_array_equal(codes_of(read_table(tmp_path / "t.pkl")), CODES)
    pickled(tmp_path / "t.pkl", Bomb(mark), protocol)
    with pytest.raises(BadInput, match=r"only (posix|nt)\.system, which is not opened"):
        read_table(tmp_path / "t.pkl")
    pickled(tmp_path / "t.pkl", pd.DataFrame({"z": [1, 2], "b": [Bomb(mark), 3]}), protocol)
    assert codes_of(read_table(tmp_path / "t.pkl", ["z"])).tolist() == [[1], [2]]
    with pytest.raises(BadInput, match=r"a cell holds .*system"):
        codes_of(read_table(tmp_path / "t.pkl", ["b"]))
    objects = np.array([Bomb(mark), "b"], dtype=object)
    joblib.dump({"z": CODES, "b": objects}, tmp_path / "t.joblib", protocol=protocol)
    np.testing.assert_array_equal(codes_of(read_table(tmp_path / "t.joblib", ["z"])), CODES)
    assert not mark.exists()
    pickle.loads(pickle.dumps(Bomb(mark), protocol=protocol))
    assert mark.exists()


def test_names_are_never_looked_up() -> None:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("builtins.__import__", lambda *_, **__: pytest.fail("imported"))
        found = taken_apart(io.BytesIO(b"cno.such\nthing\n(S'x'\ntR."))
    assert isinstance(found, Shut)
    assert (str(found), found.given) == ("no.such.thing", ("x",))


@pytest.mark.parametrize(
    ("told", "message"),
    [
        (((0,), 0, (3, 2), (2, 1)), "larger than its storage"),
        (((0,), 5, (2, 2), (2, 1)), "larger than its storage"),
        (((0,), 0, (10**9, 10**9), (0, 0)), "larger than its storage"),
        (((0,), -1, (2,), (1,)), "a shape that is none"),
        (((0,), 0, (2,), (-1,)), "a shape that is none"),
    ],
)
def test_tensors_stay_in_their_storage(tmp_path: Path, told: Any, message: str) -> None:
    _, start, size, steps = told

    class Tensor:
        def __reduce__(self) -> Any:
            storage = torch.tensor(CODES[:2])._typed_storage()
            return torch._utils._rebuild_tensor_v2, (storage, start, size, steps, False, OrderedDict())

    (tmp_path / "t.pkl").write_bytes(pickle.dumps(Tensor()))
    with pytest.raises(BadInput, match=message):
        read_table(tmp_path / "t.pkl")


def test_a_storage_is_as_large_as_it_is(tmp_path: Path) -> None:
    class Tensor:
        def __reduce__(self) -> Any:
            return torch._utils._rebuild_tensor_v2, (Told(), 0, (1000,), (1,), False, OrderedDict())

    class Told:
        pass

    class Pickler(pickle.Pickler):
        def persistent_id(self, obj: Any) -> Any:
            told = ("storage", torch.FloatStorage, "0", "cpu", 1000, None)
            return told if isinstance(obj, Told) else None

    stream = io.BytesIO()
    for value in (LEGACY, 1001, {}, Tensor(), ["0"]):
        Pickler(stream).dump(value)
    (tmp_path / "t.pt").write_bytes(stream.getvalue() + (2).to_bytes(8, "little") + bytes(8))
    with pytest.raises(BadInput, match="larger than its storage"):
        read_table(tmp_path / "t.pt")


def test_what_holds_itself_ends(tmp_path: Path) -> None:
    inner: dict[str, Any] = {}
    inner["k" * 100] = [inner, inner]
    rows = [[1.0] * 20_000] * 20_000
    for value, message in ((inner, "lists without an end"), (rows, "lists of over 100,000,000")):
        pickled(tmp_path / "t.pkl", value, 4)
        with pytest.raises(BadInput, match=message):
            read_table(tmp_path / "t.pkl")


@pytest.mark.parametrize(
    "content",
    [
        b"N" + b"2\x86" * 40 + b")R.",  # a name that is a tuple of tuples, each twice the last
        b"N" + b"2\x86" * 40 + b"2\x93.",
        b"(N" + b"2\x86" * 40 + b"t" + b"\x85R.",
        b"]" + b"(h\x00" + b"]" * 10_000 + b"e.",
        b"cnumpy.core.numeric\n_frombuffer\n(C\x01acnumpy\ndtype\nX\x02\x00\x00\x00f8\x85R("
        + (b"\x8a\xfe" + b"\x7f" * 254 + b"2" * 20_000)  # many axes of enormous sizes
        + b"tX\x01\x00\x00\x00CtR.",
    ],
)
def test_small_files_take_no_long_time(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "t.pkl").write_bytes(content)
    with pytest.raises(BadInput, match=r"t\.pkl"):
        read_table(tmp_path / "t.pkl")


def test_lists_that_are_shared_many_times(tmp_path: Path) -> None:
    deep: list[Any] = [None]
    for _ in range(60):
        deep = [deep, deep]
    wide: list[Any] = [None]
    wide += [wide] * 300_000
    for value in (deep, wide):
        pickled(tmp_path / "t.pkl", value, 4)
        with pytest.raises(BadInput, match="over 200,000 arrays and lists"):
            read_table(tmp_path / "t.pkl")
    cells = np.empty(2, dtype=object)
    cells[:] = [deep, 1]
    pickled(tmp_path / "t.pkl", cells, 4)
    with pytest.raises(BadInput, match=r"a cell holds {'not opened': 'list'}"):
        codes_of(read_table(tmp_path / "t.pkl"))


def test_an_index_that_counts_further_than_its_rows(tmp_path: Path) -> None:
    path = tmp_path / "t.pkl"
    pd.DataFrame({"z": [1.0, 2.0]}).to_pickle(path)
    whole = pickle.dumps(pd.DataFrame({"z": [1.0, 2.0]}, index=range(7, 9)))
    path.write_bytes(whole.replace(b"K\x09", b"K\xff"))
    assert whole.count(b"K\x09")
    with pytest.raises(BadInput, match="whose index has other rows than its columns"):
        read_table(path)


def test_any_damage_is_one_clear_line(tmp_path: Path) -> None:
    rng, path = random.Random(0), tmp_path / "t.pkl"
    torch.save(MANY["y"], tmp_path / "old.pt", _use_new_zipfile_serialization=False)
    wholes = [pickle.dumps(MANY, protocol=protocol) for protocol in (0, 2, 5)]
    wholes += [pickle.dumps(frame()), pickle.dumps(torch.tensor(CODES)), (tmp_path / "old.pt").read_bytes()]
    for compress in (0, 3):
        joblib.dump(MANY, tmp_path / "t.joblib", compress=compress)
        wholes += [(tmp_path / "t.joblib").read_bytes()]
    refused = 0
    for whole in wholes:
        for _ in range(150):
            damaged = bytearray(whole)
            for _ in range(rng.choice([1, 3])):
                damaged[rng.randrange(len(damaged))] = rng.randrange(256)
            path.write_bytes(damaged[: rng.choice([len(damaged), rng.randrange(len(damaged))])])
            refused += is_refused(path)
    assert refused > 600


def is_refused(path: Path) -> bool:
    try:
        codes_of(read_table(path))
    except BadInput as error:
        return "\n" not in str(error)
    return False
