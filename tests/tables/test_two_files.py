"""Rows of two files that belong together in another order, as people write them; and cells of odd kinds."""

import json
import pickle
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pytest
import scipy.io
import torch
from commands import distaff

from distaff import score
from distaff.errors import BadInput

RNG = np.random.default_rng(0)
N = 60
FACTORS = pd.DataFrame({"kind": RNG.integers(3, size=N), "size": RNG.integers(4, size=N)})
CODES = pd.DataFrame(FACTORS.to_numpy() + 0.2 * RNG.standard_normal((N, 2)), columns=["z0", "z1"])
QUICK: dict[str, Any] = {"metrics": ["mig"], "values_only": True}
PICKED = ("--code-columns", "z0,z1", "--factor-columns", "kind,size")
RIGHT = score(CODES.to_numpy(), FACTORS.to_numpy(), **QUICK)["mig"].value
NAMES = [f"im{i}" for i in range(N)]


def shuffled(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.sample(frac=1, random_state=1)


def found(capsys, *words: object) -> tuple[float | None, list[str]]:
    """The value, and the notes; None and the message where it was refused."""
    status, out, err = distaff(capsys, "score", *words, "--metric", "mig", "--values-only", "--json")
    if status:
        return None, [err]
    card = json.loads(out)
    return card["scores"]["mig"]["value"], card["protocol"]["notes"]


def to_parquet(frame: pd.DataFrame, path: Path) -> None:
    """As pandas does it: an index that counts is told in the metadata, another is a column."""
    counted = isinstance(frame.index, pd.RangeIndex)
    index = (
        {"kind": "range", "start": frame.index.start, "stop": frame.index.stop, "step": 1}
        if counted
        else None
    )
    kept = frame if counted else frame.rename_axis("__index_level_0__").reset_index()
    told = json.dumps({"index_columns": [index or "__index_level_0__"]})
    with duckdb.connect() as connection:
        connection.register("kept", kept)
        connection.execute(f"COPY kept TO '{path}' (FORMAT parquet, KV_METADATA {{pandas: '{told}'}})")


WRITERS: dict[str, Callable[[pd.DataFrame, Path], object]] = {
    "csv": lambda frame, path: frame.to_csv(path),
    "parquet": to_parquet,
    "pkl": lambda frame, path: frame.to_pickle(path),
    "json": lambda frame, path: frame.to_json(path, orient="table"),
}


@pytest.mark.parametrize("suffix", WRITERS)
@pytest.mark.parametrize("first", [0, 20])
def test_an_index_that_counts_pairs_the_rows(tmp_path: Path, capsys, suffix: str, first: int) -> None:
    WRITERS[suffix](CODES[first:], tmp_path / f"c.{suffix}")
    WRITERS[suffix](shuffled(FACTORS[first:]), tmp_path / f"f.{suffix}")
    value, _ = found(capsys, tmp_path / f"c.{suffix}", tmp_path / f"f.{suffix}")
    right = score(CODES[first:].to_numpy(), FACTORS[first:].to_numpy(), **QUICK)["mig"].value
    assert value == pytest.approx(right)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ({"file": NAMES}, {"path": [f"{'train' if i % 2 else 'test'}/im{i}" for i in range(N)]}),
        ({"file": [f"out/{name}" for name in NAMES]}, {"file": [f"data/{name}" for name in NAMES]}),
        ({"file": NAMES}, {"file": [rf"C:\images\{name}" for name in NAMES]}),
        (
            {"subject": np.arange(N) // 5, "trial": np.arange(N) % 5},
            {"Subject": np.arange(N) // 5, "Trial": np.arange(N) % 5},
        ),
        (
            {"subject": np.arange(N) // 5, "trial": np.arange(N) % 5, "age": 20.5 + np.arange(N) // 5},
            {"subject": np.arange(N) // 5, "trial": np.arange(N) % 5, "age": 20.5 + np.arange(N) // 5},
        ),
    ],
    ids=["folders of one", "folders of both", "backslashes", "case", "decimals"],
)
def test_columns_that_name_rows_pair_them(tmp_path: Path, capsys, ours: dict, theirs: dict) -> None:
    CODES.assign(**ours).to_csv(tmp_path / "c.csv", index=False)
    shuffled(FACTORS.assign(**theirs)).to_csv(tmp_path / "f.csv", index=False)
    value, notes = found(capsys, tmp_path / "c.csv", tmp_path / "f.csv", *PICKED)
    assert value == pytest.approx(RIGHT)
    assert any("put in the order of c.csv" in note for note in notes)


def test_a_column_that_names_rows_comes_before_an_index_that_counts(tmp_path: Path, capsys) -> None:
    order = RNG.permutation(N)
    CODES.assign(id=NAMES).iloc[order].reset_index(drop=True).to_csv(tmp_path / "c.csv")
    shuffled(FACTORS.assign(id=NAMES)).to_csv(tmp_path / "f.csv")
    assert found(capsys, tmp_path / "c.csv", tmp_path / "f.csv", *PICKED)[0] == pytest.approx(RIGHT)
    CODES.assign(id=NAMES).set_axis(np.arange(N) + 1000).to_csv(tmp_path / "c.csv")
    assert found(capsys, tmp_path / "c.csv", tmp_path / "f.csv", *PICKED)[0] == pytest.approx(RIGHT)


def test_a_name_of_rows_is_found_among_many_columns(tmp_path: Path, capsys) -> None:
    many = {f"c{i}": np.zeros(N, dtype=int) for i in range(30)}
    to_parquet(CODES.assign(**many, id=NAMES), tmp_path / "c.parquet")
    to_parquet(shuffled(FACTORS.assign(**many, id=NAMES)).reset_index(drop=True), tmp_path / "f.parquet")
    value, _ = found(capsys, tmp_path / "c.parquet", tmp_path / "f.parquet", *PICKED)
    assert value == pytest.approx(RIGHT)


def test_rows_that_cannot_be_paired_are_told(tmp_path: Path, capsys) -> None:
    some = FACTORS["kind"] > 0
    CODES[some].to_csv(tmp_path / "c.csv", index=False)
    shuffled(FACTORS[some]).to_csv(tmp_path / "f.csv")
    assert "numbered out of order" in " ".join(found(capsys, tmp_path / "c.csv", tmp_path / "f.csv")[1])
    CODES.assign(id=np.arange(N)).to_csv(tmp_path / "c.csv", index=False)
    shuffled(FACTORS.assign(id=np.arange(N) + 1)).to_csv(tmp_path / "f.csv", index=False)
    value, said = found(capsys, tmp_path / "c.csv", tmp_path / "f.csv", *PICKED)
    assert (value, "of 60 and 60 labels 59 are the same" in said[0]) == (None, True)
    FACTORS.assign(id=np.arange(N) + 1).to_csv(tmp_path / "f.csv", index=False)  # both count, in order
    assert found(capsys, tmp_path / "c.csv", tmp_path / "f.csv", *PICKED)[0] == pytest.approx(RIGHT)
    CODES.assign(object=np.arange(N) // 3).to_csv(tmp_path / "c.csv", index=False)
    shuffled(FACTORS.assign(object=np.arange(N) // 3)).to_csv(tmp_path / "f.csv", index=False)
    said = found(capsys, tmp_path / "c.csv", tmp_path / "f.csv", *PICKED)[1]
    assert "rows go by position, though 'object' of both holds the same in another order" in said


def test_numbers_that_name_rows_but_for_one_are_an_error_where_they_are_moved(tmp_path: Path, capsys) -> None:
    ids = np.arange(N) + 100
    ids[1] = ids[0]
    CODES.assign(id=ids).to_csv(tmp_path / "c.csv", index=False)
    shuffled(FACTORS.assign(id=ids)).to_csv(tmp_path / "f.csv", index=False)
    for picked in (PICKED, ()):
        value, said = found(capsys, tmp_path / "c.csv", tmp_path / "f.csv", *picked)
        assert (value, "of 60 and 60 labels 59 are the same, 2 of them repeated" in said[0]) == (None, True)


def test_whole_numbers_with_gaps_are_read_from_parquet(tmp_path: Path, capsys) -> None:
    gap = FACTORS.astype(float)
    gap.loc[3, "kind"] = np.nan
    to_parquet(gap, tmp_path / "f.parquet")
    np.save(tmp_path / "c.npy", CODES.to_numpy())
    value, notes = found(capsys, tmp_path / "c.npy", tmp_path / "f.parquet", "--missing", "drop")
    kept = np.arange(N) != 3
    assert value == pytest.approx(
        score(CODES[kept].to_numpy(), FACTORS[kept].to_numpy(), **QUICK)["mig"].value
    )
    assert "1 of 60 rows left out, in which a value is missing" in notes


@pytest.mark.parametrize("stop", [N + 1, 10**12, 10**30, "x", None])
def test_an_index_that_counts_other_rows_is_none(tmp_path: Path, capsys, stop: Any) -> None:
    """As where rows were taken out by another program, or in a hostile file."""
    told = json.dumps({"index_columns": [{"kind": "range", "start": 0, "stop": stop, "step": 1}]})
    frame = CODES.join(FACTORS)
    with duckdb.connect() as connection:
        connection.register("frame", frame)
        path = tmp_path / "a.parquet"
        connection.execute(f"COPY frame TO '{path}' (FORMAT parquet, KV_METADATA {{pandas: '{told}'}})")
    assert found(capsys, path, *PICKED)[0] == pytest.approx(RIGHT)


def test_a_first_code_that_counts_the_rows_is_told() -> None:
    codes = np.c_[np.arange(N), CODES]
    assert "the first code counts the rows; leave it out if it is none" in str(score(codes, FACTORS, **QUICK))


def test_a_category_may_be_called_none() -> None:
    words = np.array(["None", "NA", "drug"])[FACTORS["kind"]]
    card = score(CODES, pd.DataFrame({"kind": pd.Categorical(words)}), **QUICK)
    assert card["mig"].value == score(CODES, FACTORS["kind"].to_numpy(), **QUICK)["mig"].value


def test_large_whole_numbers_beside_a_gap_stay_exact() -> None:
    large = pd.array([None, *(2**60 + FACTORS["kind"][1:])], dtype="Int64")
    card = score(CODES, pd.DataFrame({"kind": large}), missing="drop", **QUICK)
    assert card["mig"].value == score(CODES[1:], FACTORS["kind"][1:].to_numpy(), **QUICK)["mig"].value


def test_labels_a_line_each_have_no_header(tmp_path: Path, capsys) -> None:
    (tmp_path / "f.txt").write_text("\n".join(np.array(["cube", "ball", "cone"])[FACTORS["kind"]]))
    np.save(tmp_path / "c.npy", CODES.to_numpy())
    value, _ = found(capsys, tmp_path / "c.npy", tmp_path / "f.txt")
    assert value == pytest.approx(score(CODES, FACTORS["kind"].to_numpy(), **QUICK)["mig"].value)


def test_cells_of_texts_in_matlab(tmp_path: Path, capsys) -> None:
    cells = np.empty((N, 1), dtype=object)
    cells[:, 0] = list(np.array(["cube", "ball", "cone"])[FACTORS["kind"]])
    scipy.io.savemat(tmp_path / "all.mat", {"z": CODES.to_numpy(), "kind": cells})
    value, _ = found(capsys, tmp_path / "all.mat", "--code-columns", "z", "--factor-columns", "kind")
    assert value == pytest.approx(score(CODES, FACTORS["kind"].to_numpy(), **QUICK)["mig"].value)
    cells[0, 0] = np.ones(2)
    scipy.io.savemat(tmp_path / "all.mat", {"z": CODES.to_numpy(), "kind": cells})
    said = found(capsys, tmp_path / "all.mat", "--code-columns", "z", "--factor-columns", "kind")[1]
    assert "'kind' is of class cell, and not all of it are texts or numbers" in said[0]


def test_batches_of_codes_and_of_labels(tmp_path: Path, capsys) -> None:
    codes, kinds = torch.tensor(CODES.to_numpy()), torch.tensor(FACTORS["kind"].to_numpy())
    torch.save(list(codes.split(16)), tmp_path / "c.pt")
    torch.save(list(kinds.split(16)), tmp_path / "f.pt")
    value, _ = found(capsys, tmp_path / "c.pt", tmp_path / "f.pt")
    assert value == pytest.approx(score(CODES, FACTORS["kind"].to_numpy(), **QUICK)["mig"].value)


def test_netcdf_of_version_3_says_how_to_save_it(tmp_path: Path, capsys) -> None:
    with scipy.io.netcdf_file(tmp_path / "c.nc", "w") as file:
        file.createDimension("row", N)
        file.createVariable("z", "f8", ("row",))[:] = CODES["z0"]
    said = found(capsys, tmp_path / "c.nc")[1]
    assert "is netCDF of version 3; save it as version 4" in said[0]


def test_vectors_in_cells_and_compressed_rows() -> None:
    values = CODES.to_numpy()
    cells = np.empty(N, dtype=object)
    cells[:] = list(values)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch calls them new
        csr = torch.tensor(values).to_sparse(layout=torch.sparse_csr)
    for codes in (pd.DataFrame({"z": list(values)}), cells, csr):
        assert score(codes, FACTORS.to_numpy(), **QUICK)["mig"].value == pytest.approx(RIGHT)
    with pytest.raises(BadInput, match="its lists must all have the same length"):
        score(pd.DataFrame({"z": [[1.0], *map(list, values[1:])]}), FACTORS, **QUICK)


def test_days_are_words() -> None:
    days = np.datetime64("2026-01-01") + FACTORS["kind"].to_numpy()
    assert score(CODES, days, **QUICK).protocol["words"]["0"] == ["2026-01-01", "2026-01-02", "2026-01-03"]


def test_coordinates_of_xarray_pair_the_rows() -> None:
    class Labelled:
        """As much of a DataArray as is looked at."""

        def __init__(self, frame: pd.DataFrame) -> None:
            self.array, self.dims = frame.to_numpy(), ("row", "what")
            self.coords = {"row": frame.index}

        def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
            return self.array

    card = score(Labelled(CODES), Labelled(shuffled(FACTORS)), **QUICK)
    assert card["mig"].value == pytest.approx(RIGHT)


@pytest.mark.parametrize("suffix", ["json", "pkl"])
def test_a_label_and_a_vector_for_each_name(tmp_path: Path, capsys, suffix: str) -> None:
    vectors = dict(zip(NAMES, CODES.to_numpy().tolist(), strict=True))
    kinds = np.array(["cube", "ball", "cone"])[FACTORS["kind"]].tolist()
    labels = dict(shuffled(pd.DataFrame({"name": NAMES, "kind": kinds})).to_numpy().tolist())
    for name, value in (("c", vectors), ("f", labels)):
        text = json.dumps(value).encode() if suffix == "json" else pickle.dumps(value)
        (tmp_path / f"{name}.{suffix}").write_bytes(text)
    value, notes = found(capsys, tmp_path / f"c.{suffix}", tmp_path / f"f.{suffix}")
    assert value == pytest.approx(score(CODES, FACTORS["kind"].to_numpy(), **QUICK)["mig"].value)
    assert any("are taken for rows" in note for note in notes)


def test_a_name_with_a_comma_stands_in_quotes(tmp_path: Path, capsys) -> None:
    CODES.assign(kind=FACTORS["kind"]).rename(columns={"kind": "kind, size"}).to_csv(
        tmp_path / "a.csv", index=False
    )
    value, _ = found(
        capsys, tmp_path / "a.csv", "--code-columns", "z0,z1", "--factor-columns", '"kind, size"'
    )
    assert value == pytest.approx(score(CODES, FACTORS["kind"].to_numpy(), **QUICK)["mig"].value)
