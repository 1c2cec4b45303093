"""Arrays, frames and tensors of other libraries: the same numbers, or one line that says what to give."""

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

import distaff
from distaff import registry
from distaff.errors import BadInput
from distaff.tables import as_table, codes_of

NUMBERS = np.array([[1.5, -2.0], [3.25, 4.0], [0.5, 6.0]])  # each of them exact in bfloat16


class Elsewhere:
    """A tensor on a device, as far as it can be told: it converts only from the CPU."""

    def __init__(self, tensor: torch.Tensor) -> None:
        self.tensor, self.dtype = tensor, tensor.dtype

    def __array__(self, *_: object, **__: object) -> np.ndarray:
        raise TypeError("can't convert a device tensor to numpy")

    def detach(self) -> "Elsewhere":
        return self

    def cpu(self) -> torch.Tensor:
        return self.tensor


class Frame:
    """A frame of another library: named columns that convert."""

    def __init__(self, columns: dict[str, Any]) -> None:
        self._held, self.columns = columns, list(columns)

    def __getitem__(self, name: str) -> Any:
        return self._held[name]


class Lazy:
    """A frame that is yet to be made, as polars has it."""

    def __init__(self, frame: Frame) -> None:
        self.collect, self.collect_schema, self.columns = lambda: frame, dict, frame.columns


TAKEN = {
    "nested lists": NUMBERS.tolist(),
    "a list of arrays": list(NUMBERS),
    "tuples": tuple(map(tuple, NUMBERS)),
    "objects": NUMBERS.astype(object),
    "texts": NUMBERS.astype(str),
    "columns first in memory": np.asfortranarray(NUMBERS),
    "read backwards": NUMBERS[:, ::-1][:, ::-1],
    "a masked array without a mask": np.ma.array(NUMBERS),
    "a frame": pd.DataFrame(NUMBERS),
    "a frame of mixed types": pd.DataFrame({"a": NUMBERS[:, 0].astype("f4"), "b": NUMBERS[:, 1].astype(int)}),
    "a frame of nullable types": pd.DataFrame(NUMBERS).convert_dtypes(),
    "a frame of objects": pd.DataFrame(NUMBERS).astype(object),
    "a frame of sparse columns": pd.DataFrame(NUMBERS).astype(pd.SparseDtype("float64", 0.5)),
    "another library's frame": Frame({"a": NUMBERS[:, 0], "b": NUMBERS[:, 1].tolist()}),
    "its column of vectors": Frame({"z": NUMBERS}),
    "its column of lists": Frame({"z": np.array([*NUMBERS, None], dtype=object)[:-1]}),
    "its frame yet to be made": Lazy(Frame({"a": NUMBERS[:, 0], "b": NUMBERS[:, 1]})),
    "a structured array": np.array([tuple(row) for row in NUMBERS], dtype=[("a", "f4"), ("b", "f8")]),
    "a field of vectors": np.array([(row,) for row in NUMBERS], dtype=[("z", "f8", (2,))]),
    "a tensor": torch.tensor(NUMBERS),
    "a tensor in a graph": torch.tensor(NUMBERS, requires_grad=True) * 1,
    "bfloat16": torch.tensor(NUMBERS).bfloat16(),
    "half": torch.tensor(NUMBERS).half(),
    "a sparse tensor": torch.tensor(NUMBERS).to_sparse(),
    "a conjugate's part": torch.tensor(NUMBERS * -1j).conj().imag,
    "a tensor elsewhere": Elsewhere(torch.tensor(NUMBERS)),
    "bfloat16 in a graph elsewhere": Elsewhere(torch.tensor(NUMBERS).bfloat16()),
    "a list of tensors in a graph": [torch.tensor(row, requires_grad=True) for row in NUMBERS],
    "a list of lists of numbers of a tensor": [list(torch.tensor(row)) for row in NUMBERS],
}


@pytest.mark.parametrize("name", TAKEN)
def test_taken(name: str) -> None:
    found = codes_of(as_table(TAKEN[name], "codes"))
    assert found.dtype == np.float64
    np.testing.assert_array_equal(found, NUMBERS)


@pytest.mark.parametrize("kind", ["f2", "f4", "f8", "g", ">f8", "i1", "u1", "i8", "u8", "?"])
def test_every_real_type_scores_as_the_same_numbers_in_float64(kind: str) -> None:
    rng = np.random.default_rng(0)
    factors = rng.integers(4, size=(400, 3))
    codes = (10 * (factors + 0.3 * rng.standard_normal(factors.shape)) + 40).astype(kind)
    same = codes.astype(np.float64)
    apart = ("udr", "consistency", "mig_exact", "downstream", "fairness")
    metrics = [m for m in registry.names("metrics") if m not in apart]
    given = {"metrics": metrics, "values_only": True}
    first, second = distaff.score(codes, factors, **given), distaff.score(same, factors, **given)
    assert first.scores.keys() == second.scores.keys()
    for score in first:
        assert first[score].value == pytest.approx(second[score].value, abs=1e-12), score
    assert distaff.metrics.mig(codes, factors) == pytest.approx(distaff.metrics.mig(same, factors), abs=1e-12)


def annotated() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import anndata

        data = anndata.AnnData(
            np.eye(3, dtype=np.float32), obs=pd.DataFrame({"kind": list("aba")}, index=list("xyz"))
        )
    data.obsm["X_pca"] = NUMBERS
    return data


REFUSED = {
    "None": (lambda: None, r"codes are None; give an array \(rows, columns\)"),
    "a path": (lambda: "codes.npy", "codes are 'codes.npy'; give an array .* `distaff score`"),
    "a path object": (lambda: Path("codes.npy"), "codes are 'codes.npy'"),
    "a dict": (
        lambda: {"mean": NUMBERS, "logvar": 1},
        "a dict with keys 'mean', 'logvar'; give one of its values",
    ),
    "annotated data": (
        annotated,
        r"annotated data; give data.obsm\[KEY\] as codes \(keys: X_pca\).*columns: kind",
    ),
    "a number": (lambda: 3.5, r"must be an array \(rows, columns\), got float"),
    "a set": (lambda: {1, 2}, "got set"),
    "a function": (lambda: len, "got builtin_function_or_method"),
    "a scalar array": (lambda: np.array(3), "got a single ndarray"),
    "complex": (lambda: NUMBERS * 1j, "are complex numbers; give real ones"),
    "complex tensors": (lambda: torch.tensor(NUMBERS * 1j), "are complex numbers"),
    "times": (
        lambda: np.array(["2024-01-01", "2024-01-02"], "M8[D]"),
        "row 0: .2024-01-01. is not a number",
    ),
    "spans of time": (lambda: np.array([1, 2], "m8[s]"), "must be numbers, got timedelta64"),
    "images": (
        lambda: np.zeros((4, 8, 8)),
        r"must have shape \(rows, columns\), got \(4, 8, 8\); .*reshape\(4, -1\)",
    ),
    "no columns": (lambda: np.zeros((4, 0)), r"got \(4, 0\)"),
    "an empty frame": (lambda: pd.DataFrame(index=range(3)), r"got \(3, 0\)"),
    "ragged lists": (lambda: [[1, 2], [3]], "must be numbers, and cannot be read as such"),
    "ragged tensors": (lambda: [torch.zeros(2), torch.zeros(3)], "cannot be read as such"),
    "a tensor without data": (lambda: torch.zeros(3, 2, device="meta"), "cannot be read as such"),
    "NaN": (
        lambda: np.array([[1, 2], [np.nan, 4]]),
        "NaN or infinite values, first in column 0, row 1; .*drop",
    ),
    "infinite": (lambda: np.array([[1, np.inf]]), "NaN or infinite values, first in column 1, row 0$"),
    "NaN in a frame": (
        lambda: pd.DataFrame({"a": [1, np.nan]}),
        "codes, row 1: no value for 'a'",
    ),
    "masked": (
        lambda: np.ma.array(NUMBERS, mask=NUMBERS > 5),
        "codes, row 2: no value for column 1, for it has masked entries",
    ),
    "a dict in a cell": (lambda: pd.DataFrame({"a": [{}, 1]}), "column 'a': a cell holds {}"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused_in_one_line(name: str) -> None:
    make, message = REFUSED[name]
    with pytest.raises(BadInput, match=message) as caught:
        codes_of(as_table(make(), "codes"))
    assert "\n" not in str(caught.value)
