"""Labels of one's own: each column keeps its type, and words are not forgotten."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from distaff.datasets import (
    ArrayImages,
    Built,
    Correlated,
    Hidden,
    Perturbed,
    SubGrid,
    Subset,
    UniformNoise,
    load_dataset,
    save_perturbed,
)
from distaff.datasets.views.built import draw_all
from distaff.errors import BadInput
from distaff.testing import check_dataset

RNG = np.random.default_rng(0)
BIG = 2**53


def images(n: int) -> np.ndarray:
    return RNG.integers(256, size=(n, 16, 16), dtype=np.uint8)


@pytest.mark.parametrize(
    ("factors", "labels"),
    [
        ([4, 0, 1], [[4], [0], [1]]),
        ([[1, 0.5], [2, 1.5], [3, 0]], [[1, 0.5], [2, 1.5], [3, 0]]),
        ([[BIG, 0.5], [BIG + 1, 1.5], [BIG + 2, 2.5]], [[0, 0.5], [1, 1.5], [2, 2.5]]),
        ([BIG + 2, BIG, BIG + 1], [[2], [0], [1]]),
        ([-BIG, 3, -BIG - 1], [[1], [2], [0]]),
        (np.array([2**64 - 1, 2**63, 2**64 - 2], np.uint64), [[2], [0], [1]]),
        ([10**30, 10**30 + 1, 5], [[1], [2], [0]]),
        ({"id": np.array([BIG, BIG + 1, BIG + 2]), "x": np.array([0.5, 1, 2])}, [[0, 0.5], [1, 1], [2, 2]]),
        (pd.DataFrame({"id": [BIG + 1, BIG, BIG + 2], "x": [0.5, 1, 2]}), [[1, 0.5], [0, 1], [2, 2]]),
        (np.array([(BIG, 0.5), (BIG + 1, 0.5), (7, 1)], "i8,f8"), [[1, 0.5], [2, 0.5], [0, 1]]),
        ([[BIG - 1, 0.5], [BIG - 2, 0.5], [BIG - 3, 1]], [[BIG - 1, 0.5], [BIG - 2, 0.5], [BIG - 3, 1]]),
        (np.array([1, 2, 3], np.float16), [[1], [2], [3]]),
        (np.array([0.5, 2, 3], np.longdouble), [[0.5], [2], [3]]),
        ([True, False, True], [[1], [0], [1]]),
    ],
)
def test_numbers(factors: Any, labels: list[list[float]]) -> None:
    data = ArrayImages(images(3), factors)
    found = data.labels(np.arange(3))
    assert found.tolist() == labels
    assert data.words == {}
    whole = all(float(value).is_integer() for row in labels for value in row)
    assert found.dtype == (np.int64 if whole else np.float64)
    ranked = any(np.max(np.abs(np.array(column, dtype=object))) >= BIG for column in _columns(factors))
    assert ("are numbered in order" in data.note) == ranked


def _columns(factors: Any) -> list[Any]:
    if isinstance(factors, dict | pd.DataFrame):
        return [list(factors[name]) for name in factors]
    if isinstance(factors, np.ndarray) and factors.dtype.names:
        return [factors[name].tolist() for name in factors.dtype.names]
    rows = [
        row if isinstance(row, list) else [row]
        for row in (factors if isinstance(factors, list) else factors.tolist())
    ]
    return [list(column) for column in zip(*rows, strict=True)]


@pytest.mark.parametrize(
    ("factors", "labels", "words"),
    [
        (["b", "a", "c"], [[1], [0], [2]], {"factor_0": ("a", "b", "c")}),
        ([["b", 1.5], ["a", 2], ["b", 3]], [[1, 1.5], [0, 2], [1, 3]], {"factor_0": ("a", "b")}),
        (np.array([["b", "1"], ["a", "2"], ["b", "3"]]), [[1, 1], [0, 2], [1, 3]], {"factor_0": ("a", "b")}),
        (np.array([b"b", b"a", "é".encode()]), [[1], [0], [2]], {"factor_0": ("a", "b", "é")}),
        ({"mood": ["sad", "gay", "sad"], "n": [1, 2, 3]}, [[1, 1], [0, 2], [1, 3]], {"mood": ("gay", "sad")}),
        (
            pd.DataFrame({"n": [1, 2, 3], "k": pd.Categorical(["x", "y", "x"])}),
            [[1, 0], [2, 1], [3, 0]],
            {"k": ("x", "y")},
        ),
        (pd.Series(["x", "y", "x"]), [[0], [1], [0]], {"factor_0": ("x", "y")}),
        (["2", "10", "1"], [[2], [10], [1]], {}),  # numbers written as text
        (["a", "b", 3], [[1], [2], [0]], {"factor_0": ("3", "a", "b")}),
        (np.array([b"\xff", b"\xfe", b"b"]), [[1], [0], [2]], {"factor_0": ("\\xfe", "\\xff", "b")}),
    ],
)
def test_words(factors: Any, labels: list[list[float]], words: dict[str, Any]) -> None:
    data = ArrayImages(images(3), factors)
    assert data.labels(np.arange(3)).tolist() == labels
    assert data.words == words
    assert data.card()["words"] == {name: ", ".join(each) for name, each in words.items()}


@pytest.mark.parametrize(
    ("factors", "message"),
    [
        ([1, 2], "a row for each of the 3 images"),
        ([[1, 2], [3], [4]], "a row for each of the 3 images|must be"),
        (np.zeros((3, 0)), r"factors must have shape \(rows, columns\), got \(3, 0\)"),
        (np.zeros((3, 2, 2)), r"factors must have shape \(rows, columns\), got \(3, 2, 2\)"),
        ({}, "factors have no column"),
        ({"a": [1, 2, 3], "b": [1, 2]}, "columns of different lengths"),
        (["a", None, "b"], "factors, row 1: no value for 'factor_0'$"),
        (["a", "b", float("nan")], "factors, row 2: no value for 'factor_0'"),
        (["a", 2, 3], "row 0: 'a' is not a number; it alone of 3 cells is none; mend that$"),
        ([1, 2, float("nan")], "row 2: no value for 'factor_0'"),
        ([1.5, 2, 2.0**60], r"'factor_0' holds numbers beyond 2\^53"),
        ([1, 2, 1j], "factors are complex numbers"),
        ([{}, [], 3], "must be|must have"),
        (pd.DataFrame([[1, 2]] * 3, columns=["a", "a"]), "two factors are named 'a'"),
    ],
)
def test_wrong_labels(factors: Any, message: str) -> None:
    with pytest.raises(BadInput, match=message) as caught:
        ArrayImages(images(3), factors)
    assert "\n" not in str(caught.value)


# Words in every view


def grid() -> ArrayImages:
    rows = np.stack(np.unravel_index(np.arange(24), (3, 4, 2)), axis=1)
    words = [np.array(kind)[rows[:, j]] for j, kind in enumerate((["ape", "bee", "cat"], list("efgh")))]
    return ArrayImages(images(24), {"animal": words[0], "letter": words[1], "size": rows[:, 2]})


WORDS = {"animal": ("ape", "bee", "cat"), "letter": ("e", "f", "g", "h")}


def test_views_hand_words_on(tmp_path: Path) -> None:
    data = grid()
    check_dataset(data)
    assert data.words == WORDS
    draw_all(data, tmp_path / "built.npy", show=False)
    for view in (
        Subset(data, [3, 4, 5]),
        Hidden(data, ["size"]),
        SubGrid(data, {"size": 1}),
        Correlated(data, "animal", "letter", np.ones((3, 4))),
        Built(data, tmp_path / "built.npy"),
        Perturbed(data, np.arange(24.0), eps=0.1),
        UniformNoise(data, eps=0.1),
    ):
        assert view.words == WORDS, type(view).__name__
    assert Hidden(data, ["animal"]).words == {"letter": WORDS["letter"]}
    assert Hidden(Subset(data, [1, 2]), ["animal", "letter"]).words == {}


def test_words_of_a_part_of_the_grid_are_those_of_its_values() -> None:
    data = grid()
    part = SubGrid(data, {"animal": [2, 0], "letter": 2})
    check_dataset(part)
    assert part.words == {"animal": ("ape", "cat"), "letter": ("e", "g")}
    every = np.arange(len(part))
    labels = part.labels(every)
    for index in every:
        same = np.flatnonzero((data.images(np.arange(24)) == part.images(every)[index]).all(axis=(1, 2, 3)))
        before = data.labels(same)[0]
        for j, name in enumerate(("animal", "letter")):
            assert part.words[name][labels[index, j]] == data.words[name][before[j]]
    assert SubGrid(data, {"animal": 1}).words == {"letter": WORDS["letter"]}


@pytest.mark.parametrize("noise", [False, True])
def test_words_are_kept_in_a_perturbed_file(tmp_path: Path, noise: bool) -> None:
    made = UniformNoise(grid(), eps=0.1) if noise else Perturbed(grid(), np.arange(24.0), eps=0.1)
    save_perturbed(made, tmp_path / "made.npz")
    again = load_dataset(tmp_path / "made.npz")
    assert again.words == WORDS
    assert "not read" not in again.note
    assert again.fingerprint() == made.fingerprint()


def test_words_through_load_dataset(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", X=images(12), y=np.array(["cat", "ape", "bee"] * 4))
    assert load_dataset(tmp_path / "a.npz", hide=[]).words == {"factor_0": ("ape", "bee", "cat")}
    assert load_dataset("dsprites", resolution=16).words == {}
