"""What stands above the rows beside a header: names of groups, and units; and what only looks like it."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from tables.test_files import book_of

from distaff.errors import BadInput
from distaff.tables import Table, codes_of, read_table

ROWS = [[1.5, 2.0, "cat"], [3.25, 4.0, "dog"], [5.0, 6.5, "cat"]]
NUMBERS = [[1.5, 2.0], [3.25, 4.0], [5.0, 6.5]]


def tables_of(folder: Path, rows: list[list[Any]]) -> list[Table]:
    """Rows as a text and as a sheet."""
    text = "\n".join(",".join("" if cell is None else str(cell) for cell in row) for row in rows)
    (folder / "t.csv").write_text(text)
    return [read_table(folder / "t.csv"), read_table(book_of(folder / "t.xlsx", first=rows))]


@pytest.mark.parametrize("units", [["mm", "mm", None], ["(mm)", "deg", "a word"]])
def test_units_below_a_header_are_left_out(tmp_path: Path, units: list[str | None]) -> None:
    for table in tables_of(tmp_path, [["z0", "z1", "kind"], units, *ROWS]):
        assert table.names == ["z0", "z1", "kind"]
        assert table.notes == (f"{table.what}: line 2 is taken for units and left out",)
        np.testing.assert_array_equal(codes_of(table.pick(["z0", "z1"])), NUMBERS)


def test_units_of_many_columns(tmp_path: Path) -> None:
    rows = [[f"z{j}" for j in range(70)], ["mm"] * 70, *np.arange(80 * 70).reshape(80, 70).tolist()]
    for table in tables_of(tmp_path, rows):
        assert len(table) == 80


@pytest.mark.parametrize(
    "row",
    [["mm", 2, "cat"], ["NA", "NA", "cat"], [None, None, "cat"], ["?", "-", "cat"], ["inf", "-inf", "dog"]],
)
def test_a_row_that_lacks_values_is_no_row_of_units(tmp_path: Path, row: list[Any]) -> None:
    for table in tables_of(tmp_path, [["z0", "z1", "kind"], row, *ROWS]):
        assert len(table) == 4
        assert table.notes == ()


def test_words_below_a_header_of_words_are_no_units(tmp_path: Path) -> None:
    for table in tables_of(tmp_path, [["id", "kind", "size"], ["a", "b", "1"], ["c", "d", 2], ["e", "f", 3]]):
        assert (len(table), table.notes) == (3, ())


@pytest.mark.parametrize("groups", [["codes", "codes", "factors"], ["codes", None, "factors"]])
def test_names_of_groups_above_a_header(tmp_path: Path, groups: list[str | None]) -> None:
    for table in tables_of(tmp_path, [groups, ["z0", "z1", "kind"], *ROWS]):
        assert table.names == ["z0", "z1", "kind"]
        assert table.notes == (f"{table.what}: line 1 is taken for a title",)
        np.testing.assert_array_equal(codes_of(table.pick(["z0", "z1"])), NUMBERS)


def test_columns_of_two_levels_as_pandas_writes_them(tmp_path: Path) -> None:
    frame = pd.DataFrame(ROWS, columns=pd.MultiIndex.from_tuples([("z", "a"), ("z", "b"), ("f", "kind")]))
    frame.to_csv(tmp_path / "t.csv")
    table = read_table(tmp_path / "t.csv")
    assert (table.names, table.labels) == (["a", "b", "kind"], ["0", "1", "2"])
    np.testing.assert_array_equal(codes_of(table.pick(["a", "b"])), NUMBERS)


@pytest.mark.parametrize("name", [None, "id"])
@pytest.mark.parametrize("suffix", ["csv", "xlsx"])
def test_the_name_of_an_index_below_two_levels(tmp_path: Path, name: str | None, suffix: str) -> None:
    columns = pd.MultiIndex.from_tuples([("z", "a"), ("z", "b"), ("f", "kind")])
    frame = pd.DataFrame(ROWS, columns=columns).rename_axis(name)
    path = tmp_path / f"t.{suffix}"
    frame.to_csv(path) if suffix == "csv" else frame.to_excel(path)
    table = read_table(path)
    assert (table.names, table.labels) == (["a", "b", "kind"], ["0", "1", "2"])
    np.testing.assert_array_equal(codes_of(table.pick(["a", "b"])), NUMBERS)


@pytest.mark.parametrize("above", [["My data", None, None], ["a", "a", "b"]])
def test_units_below_a_header_below_a_title(tmp_path: Path, above: list[str | None]) -> None:
    for table in tables_of(tmp_path, [above, ["z0", "z1", "kind"], ["mm", "deg", None], *ROWS]):
        assert table.names == ["z0", "z1", "kind"]
        np.testing.assert_array_equal(codes_of(table.pick(["z0", "z1"])), NUMBERS)


def test_columns_of_the_same_name_are_no_groups(tmp_path: Path) -> None:
    for table in tables_of(tmp_path, [["z", "z", "kind"], *ROWS]):
        assert table.names == ["z", "z.1", "kind"]
        assert len(table) == 3


@pytest.mark.parametrize(
    ("names", "cells", "found"),
    [
        (["0", "1", "kind"], ["0.5", "1.5", "ape"], ["0", "1", "kind"]),
        (["0", "1", "k"], ["0.5", "1.5", "2"], ["0", "1", "k"]),
        (["0", "1", "0"], ["0.5", "1.5", "2.5"], ["0", "1", "0.1"]),
    ],
)
def test_columns_that_are_numbered_below_names_of_groups(tmp_path: Path, names, cells, found) -> None:
    rows = [["z", "z", "f"], names, *[cells] * 5]
    for table in tables_of(tmp_path, rows):
        assert (table.names, len(table)) == (found, 5)


@pytest.mark.parametrize("columns", [3, 10, 70])
def test_many_columns_of_the_same_name(tmp_path: Path, columns: int) -> None:
    rows = [["z"] * columns, *np.arange(80 * columns).reshape(80, columns).tolist()]
    for table in tables_of(tmp_path, rows):
        assert table.names[:3] == ["z", "z.1", "z.2"]
        assert codes_of(table).shape == (80, columns)


# Spreadsheets


def test_merged_cells_have_their_value_in_every_row(tmp_path: Path) -> None:
    import openpyxl

    book = openpyxl.Workbook()
    sheet = book.active
    for row in (["z0", "z1", "kind"], [1.5, 2, "cat"], [3.25, 4, None], [5, 6.5, "dog"]):
        sheet.append(row)
    sheet.merge_cells("C2:C3")
    book.save(tmp_path / "t.xlsx")
    table = read_table(tmp_path / "t.xlsx")
    assert table.cells[2].tolist() == ["cat", "cat", "dog"]
    assert table.notes == ("t.xlsx: merged cells have their value in every row",)


def test_formulas_that_were_never_computed(tmp_path: Path) -> None:
    path = book_of(tmp_path / "t.xlsx", first=[["z0", "z1"], [1, 2], [3, "=A3+1"]])
    with pytest.raises(BadInput, match=r"cell B3 holds a formula whose value was never computed; open"):
        read_table(path)


def test_formulas_in_a_header_and_in_columns_that_are_not_picked(tmp_path: Path) -> None:
    path = book_of(tmp_path / "t.xlsx", first=[['="z"&0', "z1"], [1, 2.5], [3, 4.5]])
    with pytest.raises(BadInput, match="cell A1 holds a formula"):
        read_table(path)
    path = book_of(tmp_path / "t.xlsx", first=[["z0", "z1"], ["=1+1", 2.5], [3, 4.5]])
    assert codes_of(read_table(path, ["z1"])).tolist() == [[2.5], [4.5]]
