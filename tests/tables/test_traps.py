"""Files that were once read wrongly without a word: each with the values that it holds."""

import json
import re
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pandas as pd
import pytest
import scipy.io
from commands import distaff

from distaff import score
from distaff.errors import BadInput
from distaff.tables import as_table, codes_of, factors_of, read_table
from distaff.tables.pairing import in_order_of, with_keys

RNG = np.random.default_rng(0)
N = 60
FACTORS = np.stack([RNG.integers(3, size=N), RNG.integers(4, size=N)], axis=1)
CODES = FACTORS / FACTORS.std(axis=0) + 0.1 * RNG.standard_normal((N, 2))
BOTH = pd.DataFrame({"z0": CODES[:, 0], "z1": CODES[:, 1], "kind": FACTORS[:, 0], "size": FACTORS[:, 1]})


def mig(capsys, *words: object) -> float:
    status, out, err = distaff(capsys, "score", *words, "--metric", "mig", "--values-only", "--json")
    assert (status, err) == (0, "")
    return json.loads(out)["scores"]["mig"]["value"]


def write(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def words_of(path: Path, **settings: object) -> list[str]:
    found = factors_of(read_table(path, role="factors"), **settings)
    (name,) = found.names
    return [found.words[name][number] for number in found.values[:, 0]]


@pytest.fixture
def right(tmp_path: Path, capsys) -> float:
    np.save(tmp_path / "c.npy", CODES)
    np.save(tmp_path / "f.npy", FACTORS)
    return mig(capsys, tmp_path / "c.npy", tmp_path / "f.npy")


# Rows without values


@pytest.mark.parametrize("suffix", ["csv", "xlsx"])
def test_a_row_without_values_is_a_row(tmp_path: Path, capsys, suffix: str) -> None:
    codes, factors = BOTH[["z0", "z1"]].copy(), BOTH[["kind", "size"]].astype(object)
    codes.iloc[10], factors.iloc[50] = np.nan, np.nan
    for name, frame in (("c", codes), ("f", factors)):
        path = tmp_path / f"{name}.{suffix}"
        frame.to_csv(path, index=False) if suffix == "csv" else frame.to_excel(path, index=False)
    with pytest.raises(BadInput, match=r"line 12: no value for 'z0'"):
        codes_of(read_table(tmp_path / f"c.{suffix}"))
    rest = np.delete(np.arange(N), [10, 50])
    np.save(tmp_path / "c.npy", CODES[rest])
    np.save(tmp_path / "f.npy", FACTORS[rest])
    dropped = mig(capsys, tmp_path / f"c.{suffix}", tmp_path / f"f.{suffix}", "--missing", "drop")
    assert dropped == mig(capsys, tmp_path / "c.npy", tmp_path / "f.npy")


def test_empty_lines_are_left_out_and_told(tmp_path: Path) -> None:
    table = read_table(write(tmp_path / "t.csv", "a,b\n1,2\n\n\n,\n3,4\n"))
    assert "t.csv: 2 empty lines are left out" in table.notes
    with pytest.raises(BadInput, match="line 5: no value for 'a'"):
        codes_of(table)


def test_lines_are_counted_through_cells_of_several(tmp_path: Path) -> None:
    path = write(tmp_path / "t.csv", '"z\n0",b\n"1",2\n"3\n",4\n5,x\n')
    with pytest.raises(BadInput, match="column 'b', line 6: 'x' is not a number"):
        codes_of(read_table(path))


# One file for both


def test_the_same_file_twice_keeps_factors_out_of_the_codes(tmp_path: Path, capsys, right: float) -> None:
    BOTH.to_csv(tmp_path / "all.csv", index=False)
    path, columns = tmp_path / "all.csv", ("--factor-columns", "kind,size")
    assert mig(capsys, path, path, *columns) == pytest.approx(right)
    assert mig(capsys, path, *columns) == pytest.approx(right)


def test_log_variances_beside_the_codes(tmp_path: Path, capsys) -> None:
    BOTH.assign(v0=-4.0, v1=-4.0).to_csv(tmp_path / "all.csv", index=False)
    path = tmp_path / "all.csv"
    picked = ("--code-columns", "z0,z1", "--factor-columns", "kind,size", "--logvar-columns", "v0,v1")
    words = ("score", path, "--logvar", path, *picked, "--metric", "mig_exact", "--values-only", "--json")
    status, out, _ = distaff(capsys, *words)
    assert status == 0
    assert json.loads(out)["scores"]["mig_exact"]["value"] > 0.9


# Labels of rows


@pytest.mark.parametrize("name", ["index", "barcode", "id"])
@pytest.mark.parametrize("labels", [[f"c{i:02d}" for i in range(N)], list(range(N)), list(range(7, N + 7))])
@pytest.mark.parametrize("picked", [False, True])
def test_rows_are_paired_by_a_column_that_both_files_have(
    tmp_path: Path, capsys, right: float, name: str, labels: list, picked: bool
) -> None:
    codes = BOTH[["z0", "z1"]].assign(**{name: labels})[[name, "z0", "z1"]]
    factors = BOTH[["kind", "size"]].assign(**{name: labels}).sample(frac=1, random_state=1)
    codes.to_csv(tmp_path / "c.csv", index=False)
    factors.to_csv(tmp_path / "f.csv", index=False)
    columns = ("--code-columns", "z0,z1", "--factor-columns", "kind,size") if picked else ()
    assert mig(capsys, tmp_path / "c.csv", tmp_path / "f.csv", *columns) == pytest.approx(right)


def test_rows_are_paired_by_a_column_that_holds_the_labels_of_the_other(
    tmp_path: Path, capsys, right: float
) -> None:
    codes = BOTH[["z0", "z1"]].set_index(pd.Index([f"c{i}" for i in range(N)]))
    factors = BOTH[["kind", "size"]].set_index(codes.index.rename("barcode")).sample(frac=1, random_state=1)
    codes.to_csv(tmp_path / "c.csv")
    factors.to_csv(tmp_path / "f.csv")
    assert mig(capsys, tmp_path / "c.csv", tmp_path / "f.csv") == pytest.approx(right)
    one, other = read_table(tmp_path / "c.csv"), read_table(tmp_path / "f.csv")
    assert in_order_of(*with_keys(one, other)[::-1]).notes[-2:] == (
        "f.csv: its rows are labelled by the column 'barcode'",
        "rows of f.csv put in the order of c.csv, by their labels",
    )


FEW_DIFFER = np.random.default_rng(0).permutation(10**6)[:N]


def shuffled(**columns: Any) -> pd.DataFrame:
    return BOTH[["kind", "size"]].assign(**columns).sample(frac=1, random_state=1)


def test_rows_are_paired_by_columns_of_two_names_that_hold_the_same(
    tmp_path: Path, capsys, right: float
) -> None:
    BOTH[["z0", "z1"]].assign(id=FEW_DIFFER).to_csv(tmp_path / "c.csv", index=False)
    shuffled(image=FEW_DIFFER).to_csv(tmp_path / "f.csv", index=False)
    assert mig(capsys, tmp_path / "c.csv", tmp_path / "f.csv") == pytest.approx(right)


def test_columns_of_two_names_that_count_the_rows_are_codes_and_factors() -> None:
    ranks = np.random.default_rng(0).permutation(N)
    one = as_table(BOTH[["z0", "z1"]].assign(rank=ranks), "codes")
    other = as_table(BOTH[["kind"]].assign(age=np.arange(1, N + 1)[::-1] - 1), "factors")
    assert [table.names for table in with_keys(one, other)] == [["z0", "z1", "rank"], ["kind", "age"]]


@pytest.mark.parametrize("picked", [False, True])
def test_rows_whose_names_agree_in_all_but_one_are_not_paired_by_position(
    tmp_path: Path, capsys, picked: bool
) -> None:
    BOTH[["z0", "z1"]].assign(id=FEW_DIFFER).to_csv(tmp_path / "c.csv", index=False)
    columns = ("--code-columns", "z0,z1", "--factor-columns", "kind,size") if picked else ()
    for change, said in ((10**7, f"{N - 1} are the same;"), (FEW_DIFFER[1], "1 of them repeated;")):
        factors = shuffled(id=FEW_DIFFER)
        factors.iloc[0, 2] = change if change != factors.iloc[0, 2] else FEW_DIFFER[2]
        factors.to_csv(tmp_path / "f.csv", index=False)
        status, out, error = distaff(capsys, "score", tmp_path / "c.csv", tmp_path / "f.csv", *columns)
        assert (status, out) == (2, "")
        assert "c.csv and f.csv both have a column 'id' that names rows" in error
        assert said in error


@pytest.mark.parametrize("labels", ["column", "index", "picked"])
def test_rows_of_both_are_kept_where_it_is_asked_for(tmp_path: Path, capsys, labels: str) -> None:
    ids = pd.Index(FEW_DIFFER, name=None if labels == "index" else "id")
    codes, factors = BOTH[["z0", "z1"]].set_index(ids), BOTH[["kind", "size"]].set_index(ids)
    some, most = np.arange(N) % 5 > 0, np.arange(N) % 7 > 0
    codes[some].to_csv(tmp_path / "c.csv")
    factors[most].sample(frac=1, random_state=0).to_csv(tmp_path / "f.csv")
    columns = ("--code-columns", "z0,z1", "--factor-columns", "kind,size") if labels == "picked" else ()
    words = ("--metric", "mig", "--values-only", *columns)
    status, _, error = distaff(capsys, "score", tmp_path / "c.csv", tmp_path / "f.csv", *words)
    assert status == 2
    assert "keep those of both by missing='drop' (--missing drop)" in error
    out = distaff(capsys, "score", tmp_path / "c.csv", tmp_path / "f.csv", "--missing", "drop", *words)[1]
    both = some & most
    alone = some.sum() - both.sum(), most.sum() - both.sum()
    assert (
        f"{alone[0]} of {some.sum()} rows of c.csv and {alone[1]} of {most.sum()} of f.csv left out, which "
        "the other does not have" in out
    )
    assert f"{both.sum()} rows, 2 codes, factors: kind, size" in out
    card = score(codes[some], factors[most], missing="drop", metrics=["mig"], values_only=True)
    wanted = score(codes[both].to_numpy(), factors[both].to_numpy(), metrics=["mig"], values_only=True)
    assert card.scores["mig"].value == pytest.approx(wanted.scores["mig"].value, abs=1e-12)


def test_rows_without_names_are_not_left_out() -> None:
    codes, factors = pd.DataFrame(CODES), pd.DataFrame(FACTORS[:-5])
    with pytest.raises(BadInput, match=f"codes have {N} rows and factors {N - 5}"):
        score(codes, factors, missing="drop", metrics=["mig"], values_only=True)
    rng = np.random.default_rng(0)
    ranks = [pd.DataFrame({"rank": rng.permutation(N + 1)[:N], "a": FACTORS[:, 0]}) for _ in range(2)]
    card = score(*ranks, missing="drop", metrics=["mig"], values_only=True)
    assert f"{N} rows, 2 codes" in str(card)


def test_names_of_other_rows_are_told_where_rows_go_by_position(tmp_path: Path, capsys) -> None:
    BOTH[["z0", "z1"]].assign(id=[f"im_{i}" for i in range(N)]).to_csv(tmp_path / "c.csv", index=False)
    BOTH[["kind"]].assign(id=[f"d_im_{i}" for i in range(N)]).to_csv(tmp_path / "f.csv", index=False)
    columns = ("--code-columns", "z0,z1", "--factor-columns", "kind", "--metric", "mig", "--values-only")
    out = distaff(capsys, "score", tmp_path / "c.csv", tmp_path / "f.csv", *columns)[1]
    assert (
        "rows go by position: 'id' names other rows in c.csv (im_0, ...) than in f.csv (d_im_0, ...)" in out
    )
    BOTH[["kind"]].assign(id=[f"d/im_{i}" for i in range(N)])[::-1].to_csv(tmp_path / "f.csv", index=False)
    out = distaff(capsys, "score", tmp_path / "c.csv", tmp_path / "f.csv", *columns)[1]
    assert "rows of f.csv put in the order of c.csv, by their labels" in out  # in a folder or not


def test_rows_of_frames_that_have_only_numbers_are_paired_by_a_column_too(right: float) -> None:
    codes, factors = BOTH[["z0", "z1"]].assign(id=FEW_DIFFER), shuffled(id=FEW_DIFFER).reset_index(drop=True)
    card = score(codes, factors, metrics=["mig"], values_only=True)
    assert card.scores["mig"].value == pytest.approx(right)
    assert "factors: its rows are labelled by the column 'id'" in str(card)
    factors.iloc[0, 2] = -1
    with pytest.raises(BadInput, match=f"column 'id' that names rows: of {N} and {N} labels {N - 1} are"):
        score(codes, factors, metrics=["mig"], values_only=True)


def test_frames_of_one_to_n_are_ranks_and_no_names() -> None:
    one, other = (np.random.default_rng(seed).permutation(N) for seed in (0, 1))
    for columns in (["0"], ["rank"]):
        frames = [pd.DataFrame({columns[0]: each}) for each in (one, other)]
        tables = with_keys(as_table(frames[0], "codes"), as_table(frames[1], "factors"))
        assert [table.names for table in tables] == [columns, columns]
        assert not any(table.keyed or table.notes for table in tables)
        frames[1].iloc[0, 0] = frames[1].iloc[1, 0]
        with_keys(as_table(frames[0], "codes"), as_table(frames[1], "factors"))


def test_columns_of_one_name_come_before_those_of_two() -> None:
    codes = BOTH[["z0", "z1"]].assign(cell=FEW_DIFFER, partner=FEW_DIFFER[::-1])
    factors = BOTH[["kind"]].assign(partner=FEW_DIFFER[::-1], cell=FEW_DIFFER)
    one, other = with_keys(as_table(codes, "codes"), as_table(factors, "factors"))
    assert one.labels == other.labels == [str(each) for each in FEW_DIFFER]


def test_columns_that_share_a_name_stay_apart_beside_one_that_names_rows() -> None:
    codes = BOTH[["z0", "z1"]].assign(id=FEW_DIFFER).set_axis(["z", "z", "id"], axis=1)
    one, _ = with_keys(as_table(codes, "codes"), as_table(BOTH[["kind"]].assign(id=FEW_DIFFER), "factors"))
    assert one.names == ["z", "z"]
    np.testing.assert_array_equal(codes_of(one), CODES)


def test_names_that_became_floats_are_the_same_names(right: float) -> None:
    codes, factors = BOTH[["z0", "z1"]].assign(id=FEW_DIFFER), shuffled(id=FEW_DIFFER.astype(float))
    card = score(codes, factors.reset_index(drop=True), metrics=["mig"], values_only=True)
    assert card["mig"].value == pytest.approx(right)


def test_a_third_frame_is_paired_by_the_same_column_or_by_position(right: float) -> None:
    codes, factors = BOTH[["z0", "z1"]].assign(id=FEW_DIFFER), shuffled(id=FEW_DIFFER).reset_index(drop=True)
    logvar = pd.DataFrame(np.full((N, 2), -4.0) - CODES**2, columns=["a", "b"])
    moved = logvar.assign(id=FEW_DIFFER).sample(frac=1, random_state=2).reset_index(drop=True)
    found = [
        score(codes, factors, logvar=each, metrics=["mig", "mig_exact"], values_only=True)
        for each in (logvar, moved, moved.set_index("id"))
    ]
    assert len({card["mig_exact"].value for card in found}) == 1
    assert "rows of logvar go by position: they have no names" in str(found[0])


def test_frames_that_have_labels_are_paired_by_a_column_with_them(right: float) -> None:
    codes, factors = BOTH[["z0", "z1"]].set_axis(FEW_DIFFER), shuffled(id=FEW_DIFFER).reset_index(drop=True)
    card = score(codes, factors, metrics=["mig"], values_only=True)
    assert card["mig"].value == pytest.approx(right)
    ranks = BOTH[["z0", "z1"]].sample(frac=1, random_state=1)
    other = BOTH[["kind"]].assign(rank=np.random.default_rng(0).permutation(N))
    assert not with_keys(as_table(ranks, "codes"), as_table(other, "factors"))[1].keyed
    one, other = (
        as_table(BOTH[["z0"]].assign(id=FEW_DIFFER), "codes"),
        as_table(shuffled(id=FEW_DIFFER), "factors"),
    )
    paired = with_keys(one, other)
    assert all(table.keyed for table in paired), "their indices are the same, and one only counts"
    assert in_order_of(*paired[::-1]).cells[0].tolist() == BOTH["kind"].tolist()


def test_of_an_empty_frame_the_rows_are_counted() -> None:
    codes = BOTH[["z0", "z1"]].assign(id=FEW_DIFFER)
    with pytest.raises(BadInput, match=f"codes have {N} rows and factors 0"):
        score(codes, shuffled(id=FEW_DIFFER).iloc[:0], metrics=["mig"], values_only=True)


def test_decimal_commas_are_no_names(tmp_path: Path, capsys) -> None:
    for name in ("c.csv", "v.csv"):
        table = BOTH[["z0", "z1"]] + (name == "v.csv")
        table.to_csv(tmp_path / name, sep=";", decimal=",", index=False)
    np.save(tmp_path / "f.npy", FACTORS)
    words = ("score", tmp_path / "c.csv", tmp_path / "f.npy", "--logvar", tmp_path / "v.csv", "--values-only")
    out = distaff(capsys, *words, "--metric", "mig_exact")[1]
    assert "names other rows" not in out


def test_a_frame_of_fewer_rows_says_how_many_labels_are_the_same() -> None:
    codes = BOTH[["z0", "z1"]].set_index(pd.Index([f"c{i}" for i in range(N)]))
    factors = BOTH[["kind"]].set_index(codes.index).iloc[: N - 5]
    with pytest.raises(BadInput, match=f"of {N} and {N - 5} labels {N - 5} are the same"):
        score(codes, factors, metrics=["mig"], values_only=True)


def test_row_names_of_r_in_any_order(tmp_path: Path, capsys, right: float) -> None:
    names = pd.Index([str(i + 1) for i in range(N)])
    BOTH[["z0", "z1"]].set_index(names).to_csv(tmp_path / "c.csv")
    BOTH[["kind", "size"]].set_index(names).sample(frac=1, random_state=1).to_csv(tmp_path / "f.csv")
    assert mig(capsys, tmp_path / "c.csv", tmp_path / "f.csv") == pytest.approx(right)


def test_columns_that_hold_a_value_for_each_row_are_told(tmp_path: Path, capsys) -> None:
    BOTH.assign(n=range(N))[["n", "z0", "z1"]].to_csv(tmp_path / "c.csv", index=False)
    np.save(tmp_path / "f.npy", FACTORS)
    out = distaff(
        capsys, "score", tmp_path / "c.csv", tmp_path / "f.npy", "--metric", "mig", "--values-only"
    )[1]
    assert "the code 'n' counts the rows" in out
    BOTH.assign(cell=[f"c{i}" for i in range(N)])[["cell", "kind"]].to_csv(tmp_path / "f.csv", index=False)
    np.save(tmp_path / "c.npy", CODES)
    out = distaff(
        capsys, "score", tmp_path / "c.npy", tmp_path / "f.csv", "--metric", "mig", "--values-only"
    )[1]
    assert "the factor 'cell' has another value in each row" in out


# Dialects

SINGLE = {
    "words with spaces": ["red circle", "red square", "blue circle", "blue square"],
    "cells": ["CD4 T", "CD8 T", "CD4 B", "CD8 B"],
    "times": ["2024-01-01 10:00", "2024-01-01 11:00", "2024-01-02 10:00", "2024-01-02 11:00"],
    "units": ["10 mM", "10 uM", "20 mM", "20 uM"],
    "bars": ["rep|1", "rep|2", "con|1", "con|2"],
    "semicolons": ["a;x", "a;y", "b;x", "b;y"],
    "leading zeros": ["007", "07", "7", "0007"],
    "versions": ["1.1", "1.10", "1.2", "1.20"],
    "truth": ["True", "true", "TRUE", "False"],
}


@pytest.mark.parametrize("name", SINGLE)
@pytest.mark.parametrize("suffix", ["csv", "txt"])
def test_a_single_column_of_words_stays_one(tmp_path: Path, name: str, suffix: str) -> None:
    cells = SINGLE[name] * 3
    path = write(tmp_path / f"t.{suffix}", "\n".join(["label", *cells]))
    assert words_of(path, words=["label"]) == cells


def test_a_single_column_of_decimal_commas(tmp_path: Path) -> None:
    path = write(tmp_path / "t.csv", "angle\n2,53\n2,6\n12,07\n2,1\n")
    assert factors_of(read_table(path), True).values[:, 0].tolist() == [2.53, 2.6, 12.07, 2.1]


@pytest.mark.parametrize(
    "text", ['a,b\n"1,830",2\n"587",3\n"12,001",4\n', "a;b\n1,830;2\n587;3\n", "a;b\n1.830;2\n587;3\n"]
)
def test_thousands_are_asked_about(tmp_path: Path, text: str) -> None:
    with pytest.raises(BadInput, match=r"column 'a': 1.830 beside 587 may be thousands or decimals"):
        read_table(write(tmp_path / "t.csv", text))


def test_what_cannot_be_thousands_is_not(tmp_path: Path) -> None:
    for text, wanted in (
        ("a;b\n1,830;2\n0,587;3\n", [1.83, 0.587]),
        ("a;b\n1.830;2\n1.587;3\n", [1.83, 1.587]),
        ("a;b\n1.234,5;2\n-7,25;3\n", [1234.5, -7.25]),
        ("a,b\n1.830,2\n587,3\n", [1.83, 587]),
    ):
        assert codes_of(read_table(write(tmp_path / "t.csv", text)))[:, 0].tolist() == wanted


@pytest.mark.parametrize("index", [False, True])
def test_numbered_columns_beside_one_of_words(tmp_path: Path, index: bool) -> None:
    frame = pd.DataFrame(CODES).assign(kind=np.array(["a", "b", "c"])[FACTORS[:, 0]])
    frame.to_csv(tmp_path / "t.csv", index=index)
    assert read_table(tmp_path / "t.csv").names == ["0", "1", "kind"]
    wide = pd.DataFrame(CODES, columns=[400.5, 401.0]).assign(label=frame["kind"])
    wide.to_csv(tmp_path / "t.csv", index=index)
    assert read_table(tmp_path / "t.csv").names == ["400.5", "401.0", "label"]
    assert len(read_table(tmp_path / "t.csv")) == N


def test_a_first_row_of_words_and_numbers_is_no_header(tmp_path: Path) -> None:
    rows = [f"{a},{'xyz'[b]}" for a, b in zip(CODES[:, 0], FACTORS[:, 0], strict=True)]
    table = read_table(write(tmp_path / "t.csv", "\n".join(rows)))
    assert (table.names, len(table)) == (["0", "1"], N)


@pytest.mark.parametrize("head", ["My data", "# exported", "% exported", "// exported", '"sep=,"'])
def test_what_stands_above_a_header(tmp_path: Path, head: str) -> None:
    table = read_table(write(tmp_path / "t.csv", f"{head}\nz0,z1,z2\n1,2,3\n4,5,6\n"))
    assert table.names == ["z0", "z1", "z2"]
    np.testing.assert_array_equal(codes_of(table), [[1, 2, 3], [4, 5, 6]])
    assert ("t.csv: line 1 is taken for a title" in table.notes) == (head == "My data")


@pytest.mark.parametrize(
    ("head", "lines"),
    [
        ("Run 5,,", "line 1 is"),
        ("Run 5,,\n,,", "lines 1 to 2 are"),
        ("Run 5,,\n2024-01-01,,", "lines 1 to 2 are"),
        (",,", "line 1 is"),
    ],
)
def test_a_title_as_spreadsheets_save_it(tmp_path: Path, head: str, lines: str) -> None:
    table = read_table(write(tmp_path / "t.csv", f"{head}\nz0,z1,z2\n1,2,3\n4,5,6\n"))
    assert table.names == ["z0", "z1", "z2"]
    assert table.notes == (f"t.csv: {lines} taken for a title",)
    two = "\n".join(line[:-1] for line in head.split("\n"))  # of two columns
    assert read_table(write(tmp_path / "u.csv", f"{two}\nz0,z1\n1,2\n4,5\n")).names == ["z0", "z1"]


@pytest.mark.parametrize("text", ["kind,\ncube,red\nball,blue\n", "z0,,\n1,2,3\n4,5,6\n", "z0,\n1,2\n3,4\n"])
def test_a_header_of_one_name_is_no_title(tmp_path: Path, text: str) -> None:
    table = read_table(write(tmp_path / "t.csv", text))
    assert len(table) == 2
    assert not any("title" in note for note in table.notes)


@pytest.mark.parametrize(
    ("values", "found"),
    [
        ([0, 1, 3, -999], {"a": [-999]}),
        ([0, 1, 3, 99], {"a": [99]}),
        ([0.5, 1, 3, 9999], {"a": [9999]}),
        ([0, 1, 3, -999, -998, 1], {"a": [-999, -998]}),
        ([0, 1, 3, -99, 99], {"a": [-99, 99]}),
        ([97, 98, 99, 100], {}),
        ([0, 50, 99], {}),
        ([0, 99], {}),
        ([0, 1, 3, -997], {}),
    ],
)
def test_numbers_that_may_stand_for_no_value(values: list[float], found: dict[str, list[float]]) -> None:
    real = any(value != int(value) for value in values)
    table = as_table(pd.DataFrame({"a": values, "b": range(len(values))}), "factors")
    assert factors_of(table, ["a"] if real else False).stand_ins == found
    assert factors_of(table, words=["a"]).stand_ins == {}


def test_a_number_that_may_stand_for_no_value_is_noted(tmp_path: Path, capsys) -> None:
    frame = BOTH.copy()
    frame.loc[3, "size"] = -999
    frame.to_csv(tmp_path / "t.csv", index=False)
    said = distaff(
        capsys,
        "score",
        tmp_path / "t.csv",
        "--factor-columns",
        "size,kind",
        "--metric",
        "mig",
        "--values-only",
    )[1]
    assert "the factor 'size' holds -999, far from its other values" in said
    assert "the factor 'kind' holds" not in said


def test_codes_that_may_stand_for_no_value_are_noted() -> None:
    codes = CODES.copy()
    codes[[3, 7, 9], 1] = -999
    for given, name in ((codes, "code 1"), (pd.DataFrame(codes, columns=["a", "b"]), "code 'b'")):
        said = str(score(given, FACTORS, metrics=["mig"], values_only=True))
        assert f"the {name} holds -999, far from its other values" in said
    assert "holds" not in str(score(CODES, FACTORS, metrics=["mig"], values_only=True))
    codes[[3, 7, 9], 1] = [0, 0, 9]  # once, and no more than large
    assert "holds" not in str(score(codes / [1, 1], FACTORS, metrics=["mig"], values_only=True))


def test_minus_one_below_classes_is_noted() -> None:
    kind = np.arange(N) % 5 - 1
    said = str(score(CODES, {"kind": kind}["kind"], metrics=["mig"], values_only=True))
    assert "the factor '0' holds -1, below its other values; if that stands for no value" in said
    for fine in (kind % 3 - 1, kind - 1, kind + 1, kind * 2):
        assert "holds" not in str(score(CODES, fine, metrics=["mig"], values_only=True))


def test_texts_that_become_one_number_are_noted() -> None:
    plates = np.array(["01", "1", "2"], dtype=object)[np.arange(N) % 3]
    said = str(score(CODES, pd.DataFrame({"plate": plates}), metrics=["mig"], values_only=True))
    assert "the factor 'plate' holds 01 and 1, which are one number" in said
    padded = pd.DataFrame({"plate": np.array(["01", "02", "10"], dtype=object)[np.arange(N) % 3]})
    assert "holds" not in str(score(CODES, padded, metrics=["mig"], values_only=True))
    apart = score(CODES, pd.DataFrame({"plate": plates}), metrics=["mig"], values_only=True, words=["plate"])
    assert "holds" not in str(apart)


def test_a_code_that_rises_by_one_step_is_noted() -> None:
    codes = pd.DataFrame(CODES, columns=["a", "b"]).assign(time=np.arange(N) * 0.02)
    said = str(score(codes, FACTORS, metrics=["mig"], values_only=True))
    assert "the code 'time' rises by 0.02 from row to row; leave it out" in said


@pytest.mark.parametrize(
    ("mine", "its"),
    [
        ({"ID": list(range(1, N + 1))}, {"id": list(range(1, N + 1))}),
        ({"id": [f"{101 + i}.0" for i in range(N)]}, {"id": list(range(101, N + 101))}),
        ({"id": [f"{7 * i:04d}" for i in range(N)]}, {"id": [7 * i for i in range(N)]}),
        ({"subject": np.arange(N) // 6, "trial": np.arange(N) % 6},) * 2,
        ({"stamp": [f"{1.7e9 + i / 30:.3f}" for i in range(N)]},) * 2,
    ],
    ids=["case", "floats", "zeros", "two columns", "times"],
)
def test_keys_that_are_written_otherwise(
    tmp_path: Path, capsys, mine: dict[str, Any], its: dict[str, Any], right: float
) -> None:
    folders = tmp_path / "codes", tmp_path / "factors"  # which hold files of one name
    for folder in folders:
        folder.mkdir()
    BOTH[["z0", "z1"]].assign(**mine).to_csv(folders[0] / "t.csv", index=False)
    BOTH[["kind", "size"]].assign(**its).sample(frac=1, random_state=0).to_csv(
        folders[1] / "t.csv", index=False
    )
    columns = ("--code-columns", "z0,z1", "--factor-columns", "kind,size")
    assert mig(capsys, folders[0] / "t.csv", folders[1] / "t.csv", *columns) == pytest.approx(right)


@pytest.mark.parametrize("suffix", ["parquet", "npz", "h5", "mat", "xlsx"])
def test_names_of_rows_that_are_not_picked(tmp_path: Path, capsys, suffix: str, right: float) -> None:
    codes = {"z0": CODES[:, 0], "z1": CODES[:, 1], "id": np.array(FEW_DIFFER)}
    order = np.random.default_rng(0).permutation(N)
    factors = {"kind": FACTORS[order, 0], "size": FACTORS[order, 1], "id": np.array(FEW_DIFFER)[order]}
    paths = tmp_path / f"c.{suffix}", tmp_path / f"f.{suffix}"
    if suffix == "xlsx":  # two sheets of one book
        paths = (paths[0], paths[0])
        with pd.ExcelWriter(paths[0]) as writer:
            pd.DataFrame(codes).to_excel(writer, sheet_name="codes", index=False)
            pd.DataFrame(factors).to_excel(writer, sheet_name="labels", index=False)
    for path, arrays in zip(paths, (codes, factors), strict=True) if suffix != "xlsx" else ():
        if suffix == "parquet":
            import duckdb

            with duckdb.connect() as connection:
                connection.register("frame", pd.DataFrame(arrays))
                connection.sql("SELECT * FROM frame").write_parquet(str(path))
        elif suffix == "npz":
            np.savez(path, **arrays)
        elif suffix == "mat":
            scipy.io.savemat(path, arrays)
        else:
            with h5py.File(path, "w") as file:
                for name, array in arrays.items():
                    file[name] = array
    columns = ("--code-columns", "z0,z1", "--factor-columns", "kind,size")
    assert mig(capsys, *paths, *columns) == pytest.approx(right)


def test_what_is_not_picked_is_not_checked(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "c.h5", "w") as file:
        file["z"], file["id"] = CODES, np.array(FEW_DIFFER)
        file.create_dataset("lists", (N,), h5py.vlen_dtype(np.int64))
        file.create_dataset("far", (N,), "i8", external=[("elsewhere.bin", 0, 8 * N)])
    table = read_table(tmp_path / "c.h5", ["z"])
    assert list(table.aside or ()) == ["id"]
    with pytest.raises(BadInput, match="holds lists of different lengths"):
        read_table(tmp_path / "c.h5", ["lists"])
    with pytest.raises(BadInput, match="lies in other files"):
        read_table(tmp_path / "c.h5", ["far"])


def test_keys_of_two_columns_that_agree_in_most_rows(tmp_path: Path, capsys) -> None:
    key = pd.DataFrame({"subject": np.arange(N) // 6, "trial": np.arange(N) % 6})
    pd.concat([BOTH[["z0", "z1"]], key], axis=1).to_csv(tmp_path / "c.csv", index=False)
    pd.concat([BOTH[["kind"]], key], axis=1).iloc[4:].to_csv(tmp_path / "f.csv", index=False)
    words = ("score", tmp_path / "c.csv", tmp_path / "f.csv", "--metric", "mig", "--values-only")
    error = distaff(capsys, *words)[2]
    assert "both have columns 'subject', 'trial' that name rows" in error
    out = distaff(capsys, *words, "--missing", "drop")[1]
    assert f"{N - 4} rows, 2 codes" in out


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a;b\n" + "999;1\n" * 80 + "1.487;1\n", "1.487 beside 999 may be thousands or decimals"),
        ('a,b\n722.5,1\n"1,512",2\n', "1,512 beside 722.5 may be thousands or decimals"),
        ("a;b\n722,5;1\n1.512;2\n", "1.512 beside 722,5 may be thousands or decimals"),
        ("a\tb\n1,5\t885\n2,5\t1.512\n", "1.512 beside 885 may be thousands or decimals"),
        ("a b c\n1 2 3\n4 5\n7 8 9\n", "line 3 has 2 cells where 3 are expected (read with spaces"),
        ("a,b\n3.1,2,x\n3.1,3,y\n2.1,4,x\n", "the first would label the rows, but stands in several"),
        ("a,b\n3,1406,0\n3,1506,1\n0,1306,1\n", "the first would label the rows, but stands in several"),
    ],
)
def test_texts_of_two_meanings_are_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(BadInput, match=re.escape(message)):
        read_table(write(tmp_path / "t.csv", text))


@pytest.mark.parametrize("copies", [1, 2])
def test_a_column_that_names_rows_twice_in_another_order_is_an_error(
    tmp_path: Path, capsys, copies: int
) -> None:
    names = [f"im_{row // copies}" for row in range(N)]
    names[1] = names[0]
    both = BOTH.assign(id=names)
    both[["id", "z0", "z1"]].to_csv(tmp_path / "c.csv", index=False)
    words = ("score", tmp_path / "c.csv", tmp_path / "f.csv", "--code-columns", "z0,z1", "--metric", "mig")
    both[["id", "kind"]].sample(frac=1, random_state=0).to_csv(tmp_path / "f.csv", index=False)
    status, _, err = distaff(capsys, *words, "--factor-columns", "kind")
    assert status == 2
    assert "a column 'id' of the same values in another order" in err
    both[["id", "kind"]].to_csv(tmp_path / "f.csv", index=False)
    assert distaff(capsys, *words, "--factor-columns", "kind", "--values-only")[0] == 0


def test_whole_codes_of_two_runs_name_no_rows() -> None:
    bins = np.repeat([-1, 1], N // 2)
    runs = [pd.DataFrame({"z0": RNG.permutation(bins), "z1": RNG.permutation(bins)}) for _ in range(2)]
    assert score(runs[0], mates=runs[1:], metrics=["udr"], values_only=True)["udr"].value is not None


def test_a_first_line_of_counts_is_a_row_where_the_other_table_has_one_more(
    tmp_path: Path, right: float
) -> None:
    labels = np.sort(FACTORS[:, 0])
    np.savetxt(tmp_path / "f.txt", labels, fmt="%d")
    card = score(CODES, read_table(tmp_path / "f.txt"), metrics=["mig"], values_only=True)
    assert "note: f.txt: its first line, 0, is a row, for codes has one more" in str(card)
    assert card["mig"] == score(CODES, labels, metrics=["mig"], values_only=True)["mig"]
    pd.DataFrame(CODES).to_csv(tmp_path / "c.csv", index=False)
    with pytest.raises(BadInput, match=f"codes have {N} rows and factors {N + 1}"):
        score(read_table(tmp_path / "c.csv"), np.append(labels, 0), metrics=["mig"], values_only=True)
    pd.DataFrame(FACTORS).to_csv(tmp_path / "g.csv", index=False)  # a header, which is also a row of some
    card = score(CODES, read_table(tmp_path / "g.csv"), metrics=["mig"], values_only=True)
    assert card["mig"].value == pytest.approx(right)


def test_a_factor_among_the_codes_is_told() -> None:
    codes, told = BOTH[["z0", "z1", "kind"]], "the code 'kind' is the factor of that name; leave it out"
    assert told in str(score(codes, BOTH[["kind", "size"]], metrics=["mig"], values_only=True))
    others = BOTH[["size"]], BOTH[["kind"]].rename(columns={"kind": "z0"})
    cards = [score(codes, factors, metrics=["mig"], values_only=True) for factors in others]
    cards.append(score(BOTH[["kind"]], BOTH[["kind", "size"]], metrics=["mig"], values_only=True))
    assert not any("leave it out" in str(card) for card in cards)


def test_a_comment_above_a_header_is_no_header(tmp_path: Path) -> None:
    table = read_table(write(tmp_path / "t.csv", "# run 3, seed 1\nz0,z1\n0.5,1\n2.5,3\n"))
    assert (table.names, len(table)) == (["z0", "z1"], 2)
    assert read_table(write(tmp_path / "t.csv", "# z0, z1\n0.5,1\n2.5,3\n")).names == ["z0", "z1"]
    assert read_table(write(tmp_path / "t.csv", "# kind,x\nape,1\nbee,2\n")).names == ["kind", "x"]


def test_values_of_netcdf_are_unpacked(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "t.nc", "w") as file:
        packed = np.array([[1000, -32768], [2500, 500]], np.int16)
        file.create_dataset("z", data=packed).attrs.update(
            {"_FillValue": np.int16(-32768), "scale_factor": 0.001, "add_offset": np.array([1.0])}
        )
        file.create_dataset("kind", data=[0, -9, 1, -8]).attrs["missing_value"] = [-9, -8]
        file.create_dataset("plain", data=packed).attrs["_FillValue"] = "none"
    z = read_table(tmp_path / "t.nc", ["z"])
    np.testing.assert_allclose(z.block, [[2, np.nan], [3.5, 1.5]])
    kind = read_table(tmp_path / "t.nc", ["kind"]).block
    assert kind is not None
    np.testing.assert_array_equal(kind[:, 0], [0, np.nan, 1, np.nan])
    np.testing.assert_array_equal(codes_of(read_table(tmp_path / "t.nc", ["plain"])), packed)


def test_rows_numbered_from_one_and_from_none_are_noted(tmp_path: Path, capsys) -> None:
    for start, name, columns in ((0, "c.csv", ["z0", "z1"]), (1, "f.csv", ["kind", "size"])):
        frame = BOTH[columns]
        frame.set_axis(range(start, start + N)).to_csv(tmp_path / name)
    words = ("--metric", "mig", "--values-only")
    out = distaff(capsys, "score", tmp_path / "c.csv", tmp_path / "f.csv", *words)[1]
    assert "rows go by position: those of f.csv are numbered from 1 and those of c.csv from 0" in out


def test_a_header_that_numbers_from_one_or_comes_again(tmp_path: Path) -> None:
    table = read_table(write(tmp_path / "t.csv", "1,2\n0.5,1.5\n2.5,3.25\n"))
    assert (table.names, len(table)) == (["1", "2"], 2)
    assert read_table(write(tmp_path / "t.csv", "1,2\n2,1\n0,0\n")).names == ["0", "1"]
    table = read_table(write(tmp_path / "t.csv", "a,b\n1,x\n2,y\na,b\n3,x\na,b\n"))
    assert table.cells[0].tolist() == ["1", "2", "3"]
    assert table.notes == ("t.csv: 2 more lines hold the header and are left out",)
    assert len(read_table(write(tmp_path / "t.csv", "cube,red\nball,red\ncube,red\n"))) == 2


def test_another_number_of_rows_names_the_line_that_is_none(tmp_path: Path, capsys) -> None:
    np.save(tmp_path / "f.npy", FACTORS)
    BOTH[["z0", "z1"]].to_csv(tmp_path / "c.csv", index=False)
    text = (tmp_path / "c.csv").read_text()
    for broken, message in (
        (text + "Total,\n", "c.csv, column 'z0', line 62: 'Total' is not a number"),
        (text.replace("z0,z1\n", "z0,z1\nnats,\n"), "c.csv, column 'z0', line 2: 'nats' is not a number"),
        (
            text + "1,2\n",
            "codes have 61 rows and factors 60; .*: c.csv .read with ',' between cells, line 1 as header",
        ),
    ):
        status, _, err = distaff(capsys, "score", write(tmp_path / "c.csv", broken), tmp_path / "f.npy")
        assert status == 2
        assert re.search(message, err), err


# Numbers


def test_gaps_in_lists_of_parquet_are_missing(tmp_path: Path) -> None:
    import duckdb

    path = tmp_path / "t.parquet"
    duckdb.sql(f"COPY (SELECT [range, NULL, 2.5] AS z FROM range(3)) TO '{path}' (FORMAT parquet)")
    with pytest.raises(BadInput, match=r"row 0, row 1, row 2: no value for 'z\.1'"):
        codes_of(read_table(path))


@pytest.mark.parametrize("kind", ["DECIMAL(20,0)", "DECIMAL(38,0)", "UBIGINT", "BIGINT"])
def test_large_integers_of_parquet_stay_apart(tmp_path: Path, kind: str) -> None:
    import duckdb

    path = tmp_path / "t.parquet"
    query = f"SELECT (9007199254740992 + range)::{kind} AS id, 0.5 * range AS x FROM range(3)"
    duckdb.sql(f"COPY ({query}) TO '{path}' (FORMAT parquet)")
    assert factors_of(read_table(path), ["x"]).values[:, 0].tolist() == [0, 1, 2]


def test_large_integers_beside_a_decimal_in_one_column(tmp_path: Path) -> None:
    ids = [2**53, 2**53 + 1, 2**53 + 2]
    path = write(tmp_path / "t.csv", "\n".join(["id", *map(str, ids), "7.0"]))
    assert factors_of(read_table(path)).values[:, 0].tolist() == [1, 2, 3, 0]
    with pytest.raises(BadInput, match="codes, column 0: it holds whole numbers beyond 1e308"):
        codes_of(as_table([[10**400], [1]], "codes"))


def test_the_order_of_categories_that_look_like_numbers(tmp_path: Path) -> None:
    for values in ([2, 10, 1, 30], ["2", "10", "1", "30"]):
        sizes = pd.Categorical(values, categories=values, ordered=True)
        found = factors_of(as_table(pd.DataFrame({"s": sizes}), "factors"))
        assert found.values[:, 0].tolist() == [0, 1, 2, 3]
        assert found.unordered == ()


def test_arrays_of_the_same_name_in_hdf5_are_asked_about(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "t.h5", "w") as file:
        file["train/z"], file["test/z"] = CODES, CODES[:5]
    with pytest.raises(BadInput, match=r"holds several arrays 'z'; say which: .*/z, .*/z"):
        read_table(tmp_path / "t.h5", ["z"])
    assert len(read_table(tmp_path / "t.h5", ["test/z"])) == 5


def test_fields_of_a_structured_file_are_columns(tmp_path: Path) -> None:
    fields = np.array([(1.5, 2), (2.5, 3)], dtype=[("z0", "f8"), ("kind", "i8")])
    np.save(tmp_path / "t.npy", fields)
    assert codes_of(read_table(tmp_path / "t.npy", ["z0"])).tolist() == [[1.5], [2.5]]
    with h5py.File(tmp_path / "t.h5", "w") as file:
        file["table"] = fields
    assert factors_of(read_table(tmp_path / "t.h5", ["kind"], "factors")).values.tolist() == [[0], [1]]


def test_a_sheet_that_begins_in_its_second_column(tmp_path: Path) -> None:
    frame = BOTH.head(4)
    frame.to_excel(tmp_path / "t.xlsx", index=False, startcol=1, startrow=2)
    table = read_table(tmp_path / "t.xlsx", ["z0", "z1"])
    assert table.labels is None
    np.testing.assert_allclose(codes_of(table), frame[["z0", "z1"]], rtol=1e-15)  # as sheets keep numbers


def test_annotated_data_of_a_matrix_alone(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "t.h5ad", "w") as file:
        file["X"], file["obs/_index"] = CODES, [f"c{i}" for i in range(N)]
    np.testing.assert_array_equal(codes_of(read_table(tmp_path / "t.h5ad")), CODES)


def test_a_gap_in_a_code_is_no_word(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"line 3: no value for 'b' \('NA'\); leave") as caught:
        codes_of(read_table(write(tmp_path / "t.csv", "a,b\n1,2\n3,NA\n")))
    assert "--words" not in str(caught.value)


def test_a_code_that_is_another_whole_number_in_each_row_is_told(tmp_path: Path, capsys) -> None:
    BOTH.assign(cell_id=FEW_DIFFER)[["cell_id", "z0", "z1"]].to_csv(tmp_path / "c.csv", index=False)
    np.save(tmp_path / "f.npy", FACTORS)
    words = ("score", tmp_path / "c.csv", tmp_path / "f.npy", "--metric", "mig", "--values-only")
    assert "the code 'cell_id' is another whole number in each row" in distaff(capsys, *words)[1]


def test_where_most_rows_lack_a_value_the_column_is_to_blame(tmp_path: Path, capsys) -> None:
    BOTH[["z0", "kind"]].assign(note=["x"] + [""] * (N - 1)).to_csv(tmp_path / "c.csv", index=False)
    path = tmp_path / "c.csv"
    error = distaff(capsys, "score", path, "--code-columns", "note", "--factor-columns", "kind")[2]
    assert "most rows have none, so leave the column out" in error
    words = ("score", path, path, "--code-columns", "z0", "--factor-columns", "kind,note")
    BOTH[["z0", "kind"]].assign(note="").to_csv(path, index=False)
    status, _, error = distaff(capsys, *words, "--missing", "drop")
    assert status == 2
    assert f"no row has all values: c.csv, column 'note' lacks {N}; leave the column out" in error


def test_what_is_read_is_not_written_over(tmp_path: Path, capsys) -> None:
    np.savez(tmp_path / "c.npz", z=CODES)
    np.save(tmp_path / "f.npy", FACTORS)
    before = (tmp_path / "c.npz").read_bytes()
    for out, said in (("c.npz", "is read here"), ("notes.txt", "must end in .npz")):
        words = ("score", tmp_path / "c.npz", tmp_path / "f.npy", "--matrices", tmp_path / out)
        status, _, error = distaff(capsys, *words)
        assert (status, said in error) == (2, True)
    assert (tmp_path / "c.npz").read_bytes() == before


# What a newcomer found: rows paired otherwise than they are named


@pytest.mark.parametrize("suffix", ["csv", "xlsx"])
def test_names_of_rows_from_1_beside_some_of_them(tmp_path: Path, capsys, right: float, suffix: str) -> None:
    rows = range(1, N + 1)
    codes, factors = BOTH[["z0", "z1"]].set_axis(rows), BOTH[["kind", "size"]].set_axis(rows)
    write_as = {"csv": pd.DataFrame.to_csv, "xlsx": pd.DataFrame.to_excel}[suffix]
    write_as(codes, tmp_path / f"c.{suffix}")
    write_as(factors.drop(18), tmp_path / f"f.{suffix}")
    factors.assign(id=rows).sample(frac=1, random_state=0).to_csv(tmp_path / "i.csv", index=False)
    others = np.delete(np.arange(N), 17)
    np.save(tmp_path / "c2.npy", CODES[others])
    np.save(tmp_path / "f2.npy", FACTORS[others])
    dropped = mig(capsys, tmp_path / f"c.{suffix}", tmp_path / f"f.{suffix}", "--missing", "drop")
    assert dropped == mig(capsys, tmp_path / "c2.npy", tmp_path / "f2.npy")
    assert mig(capsys, tmp_path / f"c.{suffix}", tmp_path / "i.csv", "--factor-columns", "kind,size") == right


def test_dates_name_rows_in_every_kind_of_file(tmp_path: Path, capsys, right: float) -> None:
    import duckdb

    when = pd.date_range("2020-01-01", periods=N)
    codes = BOTH[["z0", "z1"]].assign(when=when)
    factors = BOTH[["kind", "size"]].assign(when=when).sample(frac=1, random_state=0)
    codes.to_excel(tmp_path / "c.xlsx", index=False)
    factors.to_csv(tmp_path / "f.csv", index=False)
    factors.to_stata(tmp_path / "f.dta", write_index=False)
    factors.to_json(tmp_path / "f.json", orient="records", date_format="iso")
    assert len(factors)
    duckdb.sql(f"COPY factors TO '{tmp_path / 'f.parquet'}'")
    picked = ["--code-columns", "z0,z1", "--factor-columns", "kind,size"]
    for suffix in ("csv", "dta", "json", "parquet"):
        assert mig(capsys, tmp_path / "c.xlsx", tmp_path / f"f.{suffix}", *picked) == right
