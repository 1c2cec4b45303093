"""What a cell is: a number, a word or nothing, the same in files and in arrays."""

import decimal
import fractions

import numpy as np
import pandas as pd
import pytest

from distaff.errors import BadInput
from distaff.tables import as_table, codes_of, factors_of
from distaff.tables.columns import MISSING, read_column


def cells(*values: object) -> np.ndarray:
    column = np.empty(len(values), dtype=object)
    column[:] = values
    return column


def test_missing_is_what_pandas_reads_as_missing_and_errors_of_spreadsheets() -> None:
    from pandas._libs.parsers import STR_NA_VALUES

    errors = {"#DIV/0!", "#NAME?", "#NULL!", "#NUM!", "#REF!", "#VALUE!"}  # ECMA-376, part 1, 18.17.3
    german = {"#NV", "#WERT!", "#BEZUG!", "#ZAHL!"}
    assert STR_NA_VALUES | errors | german | {"na", "N.A.", "n.a.", "NaT"} == MISSING


@pytest.mark.parametrize(
    "text", ["0", "-1", "+5", "1.5", ".5", "5.", "1e3", "-1.5E-3", " 7 ", "007", "1" * 40]
)
def test_decimals_are_numbers(text: str) -> None:
    column = read_column(cells(text))
    assert column.number.all()
    assert column.reals()[0] == float(text)


@pytest.mark.parametrize(
    "text",
    [
        "1_0",
        "inf",
        "-Infinity",
        "NAN",
        "٣",
        "१२",
        "0x1A",
        "1,5",
        "1 5",
        "1e400",
        "1d5",
        "--1",
        "½",
        "1e",
    ],
)
def test_other_cells_are_not(text: str) -> None:
    column = read_column(cells(text, "2"))
    assert column.odd.tolist() == [True, False]


@pytest.mark.parametrize("gone", ["?", "-", "--", ".", "...", "Missing", "UNKNOWN"])
def test_no_value_among_numbers_and_a_word_among_words(gone: str) -> None:
    column = read_column(cells(gone, "2", 3))
    assert column.missing.tolist() == [True, False, False]
    assert column.number.tolist() == [False, True, True]
    for others in (("red", "2"), ("red", "blue"), ()):
        assert read_column(cells(gone, *others)).odd[0]
    assert read_column(cells(gone, "2"), as_words=True).odd.all()


@pytest.mark.parametrize(
    "gone", ["", " ", "NA", "n/a", "NULL", "nan", "None", None, np.nan, pd.NA, pd.NaT, "<NA>"]
)
def test_no_value(gone: object) -> None:
    column = read_column(cells(gone, "2", 3))
    assert column.missing.tolist() == [True, False, False]


@pytest.mark.parametrize(
    "number", [3, 3.0, np.float32(3), np.int8(3), decimal.Decimal(3), fractions.Fraction(3)]
)
def test_numbers_of_every_kind_as_objects(number: object) -> None:
    assert read_column(cells(number, "x")).number.tolist() == [True, False]


#: cells of a factor -> the classes they must get; the classes are written down by hand
CLASSES = {
    "words that look like numbers": (["1_0", "10", "1_1"], [1, 0, 2]),
    "two neighbours": (["1_0", "1_1", "1_0"], [0, 1, 0]),
    "inf among words": (["ctrl", "inf", "stim", "ctrl"], [0, 1, 2, 0]),
    "NAN among words": (["ctrl", "NAN", "stim", "inf"], [1, 0, 3, 2]),
    "the same number written otherwise": (["1", "1.0", "2", "01"], [0, 0, 1, 0]),
    "numbers go by size": (["10", "9", "-1"], [2, 1, 0]),
    "beyond 2^53": ([2**53, 2**53 + 1, 2**53 + 2], [0, 1, 2]),
    "beyond 2^53 as text": (["9007199254740993", "9007199254740992", "9007199254740994"], [1, 0, 2]),
    "beyond 2^64": (["99999999999999999999", "99999999999999999998"], [1, 0]),
    "truth values": ([True, False, True], [1, 0, 1]),
    "bytes": ([b"b", b"a", b"b"], [1, 0, 1]),
}


@pytest.mark.parametrize("name", CLASSES)
def test_classes(name: str) -> None:
    given, wanted = CLASSES[name]
    found = factors_of(as_table(cells(*given), "factors")).values
    assert found[:, 0].tolist() == wanted


def test_large_integers_beside_floats_stay_apart() -> None:
    ids = 2**53 + np.arange(3).repeat(2)
    frame = pd.DataFrame({"id": ids, "size": [1.0, 2, 1, 2, 1, 2]})
    assert factors_of(as_table(frame, "factors")).values[:, 0].tolist() == [0, 0, 1, 1, 2, 2]
    frame = pd.DataFrame({"id": pd.array(ids, dtype="Int64"), "x": pd.array([1.5] * 6)})
    assert factors_of(as_table(frame, "factors"), ["x"]).values[:, 0].tolist() == [0, 0, 1, 1, 2, 2]
    fields = np.array([(i, 0.5) for i in ids], dtype=[("id", "u8"), ("x", "f4")])
    assert factors_of(as_table(fields, "factors"), ["x"]).values[:, 0].tolist() == [0, 0, 1, 1, 2, 2]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["1", "2", "3", "red"], "row 3: 'red' is not a number; it alone of 4 cells is none.*--words 0"),
        (["1", "red"], "'red' is not a number; it alone of 2 cells is none"),
        (["1", "2", "inf"], "'inf' is not a number"),
        (["a", "NA", "b"], r"row 1: no value for column 0 \('NA'\).*--missing drop.*words=\['0'\]"),
        (["1", None, "2", np.nan], "row 1, row 3: no value for column 0;"),
        (["1.5", "2"], "holds values such as 1.5; whole numbers are needed"),
        ([[1], [2, 3]], "its lists must all have the same length"),
    ],
)
def test_what_is_in_between_is_refused(given: list, message: str) -> None:
    with pytest.raises(BadInput, match=message):
        factors_of(as_table(cells(*given), "factors"))


def test_what_is_meant_can_be_said() -> None:
    table = as_table(pd.DataFrame({"a": ["1", "2", "NA", "red"], "b": [1, 2, 3, 3]}), "factors")
    found = factors_of(table, words=["a", "b"])
    assert found.values.tolist() == [[0, 0], [1, 1], [2, 2], [3, 2]]
    assert found.words == {"a": ["1", "2", "NA", "red"], "b": ["1", "2", "3"]}
    ordered = factors_of(table, order={"a": ["red", "NA", "2", "1"]})
    assert ordered.values[:, 0].tolist() == [3, 2, 1, 0]
    assert ordered.unordered == ()
    with pytest.raises(
        BadInput, match="column 'a' holds '1', which its order leaves out: red; name every word"
    ):
        factors_of(table, order={"a": ["red"]})
    with pytest.raises(BadInput, match="unknown column of factors 'c'"):
        factors_of(table, words=["c"])


def test_an_ordered_category_has_its_order() -> None:
    sizes = pd.Categorical(["small", "large", "middle"], ["small", "middle", "large"], ordered=True)
    found = factors_of(as_table(pd.DataFrame({"size": sizes}), "factors"))
    assert found.values[:, 0].tolist() == [0, 2, 1]
    assert found.unordered == ()
    unordered = factors_of(as_table(pd.Series(sizes.as_unordered()), "factors"))
    assert unordered.values[:, 0].tolist() == [2, 0, 1]
    assert unordered.unordered == (0,)


def test_a_category_is_words_whatever_they_look_like() -> None:
    clusters = ["10", "2", "0", "2"]
    for words in (clusters, list(map(int, clusters))):
        found = factors_of(as_table(pd.DataFrame({"leiden": pd.Categorical(words)}), "factors"))
        assert found.unordered == (0,)
        assert found.words == {"leiden": ["0", "10", "2"]}
    assert factors_of(as_table(pd.DataFrame({"leiden": clusters}), "factors")).unordered == ()
    table = as_table(pd.DataFrame({"leiden": pd.Categorical(clusters)}), "factors")
    assert factors_of(table, order={"leiden": ["0", "2", "10"]}).unordered == ()
    real = factors_of(table, continuous=["leiden"])  # where that is said
    assert (real.values[:, 0].tolist(), real.continuous) == ([10, 2, 0, 2], (0,))


def test_continuous_columns_by_name_and_by_number() -> None:
    frame = pd.DataFrame({"angle": [0.5, 0.25, 0.75], "shape": [4, 4, 9]})
    for continuous in (["angle"], [0], "angle"):
        found = factors_of(as_table(frame, "factors"), continuous)
        assert found.values.tolist() == [[0.5, 0], [0.25, 0], [0.75, 1]]
        assert found.continuous == (0,)
    with pytest.raises(BadInput, match="unknown column of factors 'angel'; did you mean 'angle'"):
        factors_of(as_table(frame, "factors"), ["angel"])
    words = pd.DataFrame({"kind": ["a", "b"]})
    with pytest.raises(
        BadInput, match="column 'kind' holds words, such as 'a', and continuous factors are real"
    ):
        factors_of(as_table(words, "factors"), True)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["1", "x"], "column 0, row 1: 'x' is not a number"),
        (["1", "NA"], "row 1: no value for column 0"),
        (["1", "1_0"], "'1_0' is not a number"),
        (
            ["ctrl", "stim"],
            "codes, column 0, row 0: 'ctrl' is not a number$",
        ),
    ],
)
def test_codes_are_numbers_only(given: list, message: str) -> None:
    with pytest.raises(BadInput, match=message):
        codes_of(as_table(cells(*given), "codes"))


def test_numbers_beyond_float64_are_none() -> None:
    beyond = np.array([1, 2, np.longdouble("1e4000")])
    with pytest.raises(BadInput, match=r"factors hold NaN or infinite values, first in column 0, row 2$"):
        factors_of(as_table(beyond, "factors"))
    with pytest.raises(BadInput, match="codes hold NaN or infinite values"):
        codes_of(as_table(beyond, "codes"))
