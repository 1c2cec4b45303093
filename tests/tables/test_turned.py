"""Files whose rows and columns are exchanged, and those that only look like it."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import scipy.io

from distaff import score
from distaff.errors import BadInput
from distaff.metrics.arrays import same_rows
from distaff.tables import codes_of, factors_of, read_table

RNG = np.random.default_rng(0)
CODES = pd.DataFrame(RNG.normal(size=(40, 3)), columns=["z0", "z1", "z2"], index=[f"c{i}" for i in range(40)])
FACTORS = pd.DataFrame({"kind": list("abcd") * 10, "size": RNG.integers(3, size=40)}, index=CODES.index)


def check(codes: Path, factors: Path, turned: int) -> None:
    """Both as they were, in the order of the codes, and as many of them noted as turned."""
    first, second = same_rows(read_table(codes), read_table(factors))
    np.testing.assert_allclose(codes_of(first), CODES)
    found = factors_of(second)
    assert found.names == ["kind", "size"]
    assert found.values[:, 1].tolist() == FACTORS["size"].tolist()
    assert [found.words["kind"][n] for n in found.values[:, 0]] == FACTORS["kind"].tolist()
    notes = [note for note in (*first.notes, *second.notes) if "its columns are taken for the rows" in note]
    assert len(notes) == turned


def test_genes_by_cells(tmp_path: Path) -> None:
    codes, turned, factors, other = (tmp_path / name for name in ("c.csv", "ct.csv", "f.csv", "ft.csv"))
    CODES.to_csv(codes)
    CODES.T.to_csv(turned)
    FACTORS.sample(frac=1, random_state=0).to_csv(factors)
    FACTORS.sample(frac=1, random_state=1).T.to_csv(other)
    check(codes, factors, 0)
    check(turned, factors, 1)
    check(codes, other, 1)
    check(turned, other, 2)


def test_names_of_features_in_a_column_with_a_name(tmp_path: Path) -> None:
    CODES.T.rename_axis("feature").to_csv(tmp_path / "ct.csv")
    FACTORS.to_csv(tmp_path / "f.csv", index=False)
    check(tmp_path / "ct.csv", tmp_path / "f.csv", 1)


def test_arrays_without_names(tmp_path: Path) -> None:
    scipy.io.savemat(tmp_path / "c.mat", {"z": CODES.to_numpy().T})
    np.save(tmp_path / "f.npy", FACTORS[["size"]])
    first, second = same_rows(read_table(tmp_path / "c.mat"), read_table(tmp_path / "f.npy"))
    np.testing.assert_allclose(codes_of(first), CODES)
    assert second.notes == ()


@pytest.mark.parametrize(("rows", "columns", "others"), [(10, 5, 5), (3, 40, 39), (5, 5, 4)])
def test_what_fits_by_chance_or_nearly_is_not_turned(
    tmp_path: Path, rows: int, columns: int, others: int
) -> None:
    np.save(tmp_path / "c.npy", RNG.normal(size=(rows, columns)))
    np.save(tmp_path / "f.npy", np.arange(others) % 3)
    tables = [read_table(tmp_path / f"{name}.npy") for name in "cf"]
    with pytest.raises(BadInput, match=f"codes have {rows} rows and factors {others}"):
        same_rows(*tables)


def test_arrays_in_memory_are_not_turned_but_it_is_said() -> None:
    with pytest.raises(BadInput, match=r"3 rows and factors 40; .*; are rows and columns of codes exchanged"):
        score(CODES.to_numpy().T, FACTORS)


# what a newcomer found


def test_names_decide_whatever_the_shape(tmp_path: Path) -> None:
    codes, factors = tmp_path / "c.csv", tmp_path / "f.csv"
    wide = pd.DataFrame(RNG.normal(size=(50, 40)), columns=CODES.index, index=[f"g{i}" for i in range(50)])
    wide.to_csv(codes)  # more genes than cells
    FACTORS.sample(30, random_state=0).rename_axis("cell").reset_index().to_csv(factors, index=False)
    first, second = same_rows(read_table(codes), read_table(factors, ["kind"]), drop=True)
    assert (len(first), len(first.names), len(second)) == (30, 50, 30)
    rows = [int(str(label)[1:]) for label in first.labels or ()]
    np.testing.assert_allclose(codes_of(first), wide.to_numpy().T[rows])
    assert second.cells[0].tolist() == FACTORS["kind"].iloc[rows].tolist()


def test_names_of_rows_that_are_the_header_alone(tmp_path: Path) -> None:
    CODES.T.to_csv(tmp_path / "c.csv", index=False)
    FACTORS.sample(frac=1, random_state=0).rename_axis("cell").to_csv(tmp_path / "f.csv")
    check(tmp_path / "c.csv", tmp_path / "f.csv", 1)


def test_tables_whose_rows_share_names_are_not_turned(tmp_path: Path) -> None:
    names = [f"s{i}" for i in range(40)]
    codes = pd.DataFrame(RNG.normal(size=(10, 40)), index=names[:10]).add_prefix("z").rename_axis("id")
    codes.to_csv(tmp_path / "c.csv")  # as many codes as the factors have rows
    pd.DataFrame({"kind": np.arange(40) % 3}, index=names).rename_axis("id").to_csv(tmp_path / "f.csv")
    tables = read_table(tmp_path / "c.csv"), read_table(tmp_path / "f.csv")
    assert [len(each) for each in same_rows(*tables, drop=True)] == [10, 10]
    with pytest.raises(BadInput, match="of 10 and 40 labels 10 are the same"):
        same_rows(*tables)


def test_log_variances_are_not_turned(tmp_path: Path) -> None:
    names = [f"z{i}" for i in range(30)]
    for name, ending in (("c", ".png"), ("v", "")):
        rows = [f"{i}{ending}" for i in "abcdefgh"]
        pd.DataFrame(RNG.normal(size=(8, 30)), columns=names, index=rows).to_csv(tmp_path / f"{name}.csv")
    with pytest.raises(BadInput, match="labelled differently"):
        same_rows(*(read_table(tmp_path / f"{name}.csv") for name in "cv"), "logvar")


def test_classes_of_many_images_are_no_units_and_no_header(tmp_path: Path) -> None:
    turned = FACTORS.assign(more=FACTORS["size"]).T
    turned.to_csv(tmp_path / "f.csv")
    assert read_table(tmp_path / "f.csv").labels == ["kind", "size", "more"]
    turned.to_csv(tmp_path / "f.csv", header=False)
    assert len(read_table(tmp_path / "f.csv")) == 3
    CODES.T.set_axis(range(1001, 1041), axis=1).to_csv(tmp_path / "c.csv")
    assert read_table(tmp_path / "c.csv").names == [str(i) for i in range(1001, 1041)]


def test_columns_called_by_numbers_are_no_rows_that_are(tmp_path: Path) -> None:
    codes = pd.DataFrame(RNG.normal(size=(40, 10)))
    codes.to_csv(tmp_path / "c.csv", index=False)
    FACTORS[["size"]].set_axis(range(40)).sample(frac=1, random_state=0).to_csv(tmp_path / "f.csv")
    first, second = same_rows(read_table(tmp_path / "c.csv"), read_table(tmp_path / "f.csv"))
    np.testing.assert_allclose(codes_of(first), codes)
    assert "go by position" in second.notes[-1]
