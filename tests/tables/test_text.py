"""Tables in text as spreadsheets, pandas, R, NumPy and people write them."""

import bz2
import gzip
import lzma
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from distaff.errors import BadInput
from distaff.tables import codes_of, factors_of, read_table

#: what a file holds -> its columns' names, and the numbers in it
NUMBERS = {
    "commas": ("a,b\n1,2\n3,4\n", ["a", "b"]),
    "no header": ("1,2\n3,4\n", ["0", "1"]),
    "semicolons": ("a;b\n1;2\n3;4\n", ["a", "b"]),
    "decimal commas": ("a;b\n1,0;2,0\n3,0;4,0\n", ["a", "b"]),
    "decimal commas without a header": ("1,0;2,0\n3,0;4,0\n", ["0", "1"]),
    "quoted decimal commas": ('a,b\n"1,0","2,0"\n"3,0","4,0"\n', ["a", "b"]),
    "tabs": ("a\tb\n1\t2\n3\t4\n", ["a", "b"]),
    "tabs and decimal commas": ("a\tb\n1,0\t2\n3,0\t4\n", ["a", "b"]),
    "bars": ("a|b\n1|2\n3|4\n", ["a", "b"]),
    "spaces as NumPy writes them": ("1.000000000000000000e+00 2.0e+00\n3.0e+00 4.0e+00\n", ["0", "1"]),
    "several spaces": ("  a    b\n  1    2\n 3   4  \n", ["a", "b"]),
    "a header behind a hash": ("# a b\n1 2\n3 4\n", ["a", "b"]),
    "a comment first": ("# made by hand\na,b\n1,2\n3,4\n", ["a", "b"]),
    "Excel's separator line": ("sep=;\na;b\n1;2\n3;4\n", ["a", "b"]),
    "Windows line ends": ("a,b\r\n1,2\r\n3,4\r\n", ["a", "b"]),
    "old line ends": ("a,b\r1,2\r3,4", ["a", "b"]),
    "a byte-order mark": ("\ufeffa,b\n1,2\n3,4\n", ["a", "b"]),
    "quotes": ('"a","b"\n"1","2"\n"3","4"\n', ["a", "b"]),
    "spaces after commas": ("a, b\n1, 2\n3, 4\n", ["a", "b"]),
    "empty lines": ("a,b\n1,2\n\n3,4\n\n\n", ["a", "b"]),
    "an empty line first": ("\na,b\n1,2\n3,4\n", ["a", "b"]),
    "a separator at each end": ("a,b,\n1,2,\n3,4,\n", ["a", "b"]),
    "a separator at each end but the header's": ("a,b\n1,2,\n3,4,\n", ["a", "b"]),
    "an unnamed index, as pandas writes it": (",a,b\n0,1,2\n1,3,4\n", ["a", "b"]),
    "an unnamed index of words": (",a,b\nx,1,2\ny,3,4\n", ["a", "b"]),
    "an index written twice": ("Unnamed: 0,a,b\n0,1,2\n1,3,4\n", ["a", "b"]),
    "numbered columns": ("0,1\n1,2\n3,4\n", ["0", "1"]),
    "numbered columns and an index": (",0,1\n0,1,2\n1,3,4\n", ["0", "1"]),
    "R's write.csv": ('"","a","b"\n"1",1,2\n"2",3,4\n', ["a", "b"]),
    "R's write.csv2": ('"";"a";"b"\n"1";1,0;2\n"2";3,0;4\n', ["a", "b"]),
    "R's write.table": ('"a" "b"\n"1" 1 2\n"2" 3 4\n', ["a", "b"]),
    "R's write.table with tabs": ("a\tb\nx\t1\t2\ny\t3\t4\n", ["a", "b"]),
    "the same name twice": ("a,a\n1,2\n3,4\n", ["a", "a.1"]),
    "a column without a name": ("a,\n1,2\n3,4\n", ["a", "Unnamed: 1"]),
    "a header with a number in it": ("a,1\n1,2\n3,4\n", ["a", "1"]),
}


def write(path: Path, text: str) -> Path:
    path.write_bytes(text.encode())
    return path


@pytest.mark.parametrize("name", NUMBERS)
def test_numbers(tmp_path: Path, name: str) -> None:
    text, names = NUMBERS[name]
    table = read_table(write(tmp_path / "t.csv", text))
    assert table.names == names
    np.testing.assert_array_equal(codes_of(table), [[1, 2], [3, 4]])


def test_what_is_unusual_is_said(tmp_path: Path) -> None:
    for text, note in (
        (",a\nx,1\ny,2\n", "t.csv: its unnamed first column labels the rows and is no column of the table"),
        ("a,a\n1,2\n", "t.csv: columns of the same name are now a.1"),
        ("a,\n1,2\n", "t.csv: columns without a name are now Unnamed: 1"),
        ("a;b\n1,5;2\n3;4\n", "t.csv: decimal commas"),
    ):
        assert note in read_table(write(tmp_path / "t.csv", text)).notes
    assert read_table(write(tmp_path / "t.csv", "a,b\n1,2\n3,4\n")).notes == ()


WORDS = {
    "words with commas in quotes": ('k\n"a, b"\n"c, d"\n"a, b"\n', [0, 1, 0]),
    "words with spaces": ("k,n\nCD4 T,1\nB cell,2\nCD4 T,1\n", [1, 0, 1]),
    "words with commas beside tabs": ("k\tn\na, b\t1\nc, d\t2\na, b\t3\n", [0, 1, 0]),
    "words with semicolons": ("k,n\na;b,1\nc;d,2\na;b,3\n", [0, 1, 0]),
    "truth values": ("k\nTrue\nFalse\nTrue\n", [1, 0, 1]),
    "no decimals": ("k\n1_0\n10\n1_1\n", [1, 0, 2]),
    "a line end in quotes": ('k,n\n"a\nb",1\nc,2\n"a\nb",3\n', [0, 1, 0]),
    "a quote in quotes": ('k\n"say ""a"""\nb\n"say ""a"""\n', [1, 0, 1]),
}


@pytest.mark.parametrize("name", WORDS)
def test_words(tmp_path: Path, name: str) -> None:
    text, wanted = WORDS[name]
    table = read_table(write(tmp_path / "t.csv", text), ["k"], "factors")
    assert factors_of(table).values[:, 0].tolist() == wanted


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_encodings(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "t.csv").write_bytes("größe\nklein\ngroß\n".encode(encoding))
    table = read_table(tmp_path / "t.csv", role="factors")
    assert table.names == ["größe"]
    assert factors_of(table).words == {"größe": ["groß", "klein"]}
    assert bool(table.notes) == (encoding in ("utf-16", "cp1252"))


@pytest.mark.parametrize(("suffix", "packed"), [(".gz", gzip), (".bz2", bz2), (".xz", lzma)])
def test_compressed(tmp_path: Path, suffix: str, packed: object) -> None:
    path = tmp_path / f"t.csv{suffix}"
    path.write_bytes(packed.compress(b"a,b\n1,2\n3,4\n"))  # type: ignore[attr-defined]
    np.testing.assert_array_equal(codes_of(read_table(path)), [[1, 2], [3, 4]])
    path.write_bytes(path.read_bytes()[:-6])
    with pytest.raises(BadInput, match="cannot be unpacked"):
        read_table(path)


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".txt", ".TXT", ".tab"])
def test_the_suffix_is_a_hint_at_most(tmp_path: Path, suffix: str) -> None:
    for separator in ",;\t|":
        table = read_table(write(tmp_path / f"t{suffix}", f"a{separator}b\n1{separator}2\n3{separator}4\n"))
        np.testing.assert_array_equal(codes_of(table), [[1, 2], [3, 4]])


def test_columns_are_picked_first_and_only_they_are_checked(tmp_path: Path) -> None:
    path = write(tmp_path / "t.csv", "a,note,b,a\n1,,2,x\n3,fine,4,\n")
    np.testing.assert_array_equal(codes_of(read_table(path, ["b", "a"])), [[2, 1], [4, 3]])
    with pytest.raises(BadInput, match="line 2: no value for 'note'"):
        codes_of(read_table(path, ["a", "note"]))
    with pytest.raises(BadInput, match=r"unknown column of t\.csv 'bb'; did you mean 'b'"):
        read_table(path, ["bb"])
    indexed = write(tmp_path / "i.csv", "Unnamed: 0,a\n7,1\n8,3\n")
    np.testing.assert_array_equal(codes_of(read_table(indexed, ["Unnamed: 0"])), [[7], [8]])


def test_a_word_in_a_picked_column_is_named_with_its_line_and_the_rules(tmp_path: Path) -> None:
    for text, message in (
        (
            "a;b\n1;2\n\n3;x\n",
            "column 'b', line 4: 'x' is not a number .read with ';' between cells, line 1 as header",
        ),
        ("# c\na,b\n1,2\n3,1_0\n", "column 'b', line 4: '1_0' is not a number .* line 2 as header"),
        ("a;b\n1,5;2\n3;1.00,5\n", "column 'b', line 3: '1.00,5' is not a number .*decimal commas"),
        ("1,2\n3,oh\n", "column 1, line 2: 'oh' is not a number .*no header"),
    ):
        with pytest.raises(BadInput, match=message):
            codes_of(read_table(write(tmp_path / "t.csv", text)))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("\n\n", "is empty"),
        ("# only a comment\n", "holds no rows"),
        ("a\n\x00\n", "is not text"),
        ("a,b\n1,2\n3,4,5\n", "line 3 has 3 cells where 2 are expected"),
        ('a,b\n1,"2\n3,4\n', "a quote that opens in line 2 is never closed"),
    ],
)
def test_what_is_no_table(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(BadInput, match=message):
        codes_of(read_table(write(tmp_path / "t.csv", text)))


def test_bytes_that_are_no_text(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes(b"a,b\n\x81\x8d,\x90\n")
    with pytest.raises(BadInput, match="is not text"):
        read_table(tmp_path / "t.csv")


def test_a_short_line_has_no_value(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="line 3: no value for 'b'"):
        codes_of(read_table(write(tmp_path / "t.csv", "a,b\n1,2\n3\n")))


def test_a_gap_in_a_single_column_is_no_empty_line(tmp_path: Path) -> None:
    table = read_table(write(tmp_path / "t.csv", "k\na\n\nb\n"))
    assert len(table) == 3
    with pytest.raises(BadInput, match="line 3: no value for 'k'"):
        factors_of(table)


def test_every_float_survives_to_the_last_bit(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    numbers = rng.standard_normal((500, 4)) * 10.0 ** rng.integers(-30, 30, (500, 4))
    frame = pd.DataFrame(numbers, columns=list("abcd"))
    frame.to_csv(tmp_path / "t.csv")
    np.testing.assert_array_equal(codes_of(read_table(tmp_path / "t.csv")), numbers)
    frame.to_csv(tmp_path / "t.tsv", sep="\t", decimal=",")
    np.testing.assert_array_equal(codes_of(read_table(tmp_path / "t.tsv")), numbers)


def test_a_header_may_begin_as_compressed_files_do(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("x^2,y^2\n1,2\n3,4\n")
    assert read_table(tmp_path / "t.csv").names == ["x^2", "y^2"]
