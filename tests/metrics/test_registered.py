"""Every registered metric passes its own truth table, here and in a shuffled world."""

import numpy as np
import pytest

import distaff
from distaff import registry
from distaff.errors import BadInput
from distaff.metrics.declare import metric
from distaff.testing import SITUATIONS, check_metric


@pytest.mark.parametrize("name", registry.names("metrics"))
def test_metric(name: str) -> None:
    check_metric(getattr(distaff.metrics, name))


@pytest.mark.parametrize("name", registry.names("metrics"))
def test_file_function_and_key_are_one_word(name: str) -> None:
    function = registry.get("metrics", name)
    assert function.__name__ == name
    assert function.__module__ == f"distaff.metrics.{name}"
    assert getattr(distaff.metrics, name) is function
    assert function.declaration.source


def declared(truth: dict) -> dict:
    return {"low": 0.0, "high": 1.0, "higher_is_better": True, "source": "here", "truth": truth}


def test_the_check_can_fail() -> None:
    def half(codes: np.ndarray, factors: np.ndarray) -> float:
        return 0.5

    with pytest.raises(AssertionError, match="no declaration"):
        check_metric(half)
    with pytest.raises(AssertionError, match="states no truth for: noise"):
        check_metric(metric(**declared({s: (0, 1) for s in SITUATIONS if s != "noise"}))(half))
    with pytest.raises(AssertionError, match="identity codes score"):
        check_metric(metric(**declared(dict.fromkeys(SITUATIONS, (0.9, 1))))(half))
    with pytest.raises(AssertionError, match="rows that do not match must raise"):
        check_metric(metric(**declared(dict.fromkeys(SITUATIONS, (0, 1))))(half))


@pytest.mark.parametrize("name", registry.names("metrics"))
@pytest.mark.parametrize(
    ("factors", "message"),
    [
        ([0.5, 1.0, 2.0, 3.0], "whole numbers are needed"),
        ([1, 1, 1, 1], "has a single value, 1; drop that column"),
        ([np.nan, 1, 2, 3], "NaN"),
        (["a", "b", "c", "d"], "must be numbers"),
        ([[0, 1, 2]], "codes have 4 rows and factors 1"),
    ],
)
def test_wrong_factors(name: str, factors: list, message: str) -> None:
    codes = np.random.default_rng(0).random((4, 3))
    with pytest.raises(BadInput, match=message):
        getattr(distaff.metrics, name)(codes, np.array(factors))


def test_integral_floats_and_tensors_are_fine() -> None:
    import torch

    rng = np.random.default_rng(0)
    factors = rng.integers(4, size=(500, 2))
    codes = rng.random((500, 3)).astype(np.float32)
    expected = distaff.metrics.mig(codes, factors)
    assert distaff.metrics.mig(codes, factors.astype(np.float64)) == expected
    assert distaff.metrics.mig(torch.from_numpy(codes), torch.from_numpy(factors)) == expected
    assert distaff.metrics.mig(codes, factors * 7 - 3) == expected  # class numbers need not start at 0
