"""Every registered metric passes its own truth table, here and in a shuffled world."""

import inspect

import numpy as np
import pytest

import distaff
from distaff import registry
from distaff.errors import BadInput
from distaff.metrics.declare import Declaration, metric
from distaff.scoring.measure import HALVES
from distaff.testing import SITUATIONS, check_metric


@pytest.mark.parametrize("name", registry.names("metrics"))
def test_metric(name: str) -> None:
    function = getattr(distaff.metrics, name)
    check_metric(function, rows=10_000 if function.declaration.cost == "fast" else 3_000)


@pytest.mark.parametrize("name", registry.names("metrics"))
def test_file_function_and_key_are_one_word(name: str) -> None:
    function = registry.get("metrics", name)
    assert function.__name__ == name
    assert function.__module__ == f"distaff.metrics.{name}"
    assert getattr(distaff.metrics, name) is function
    assert function.declaration.source
    assert set(function.declaration.truth) == set(SITUATIONS)
    assert function.declaration.worse_with, "a metric must get worse with something"
    assert function.declaration.cost in HALVES


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
    half.declaration = Declaration(**declared(dict.fromkeys(SITUATIONS, (0, 1))))  # and nothing is checked
    with pytest.raises(AssertionError, match="NaN codes must raise"):
        check_metric(half)


SUPERVISED = [
    n for n in registry.names("metrics") if "factors" in registry.get("metrics", n).declaration.needs
]


@pytest.mark.parametrize("name", SUPERVISED)
@pytest.mark.parametrize(
    ("factors", "message"),
    [
        ([0.5, 1.0, 2.0, 3.0], "whole numbers are needed"),
        ([1, 1, 1, 1], "has a single value, 1; drop that column"),
        ([np.nan, 1, 2, 3], "NaN"),
        (["a", "b", "1", "2"], "column 0, row 0: 'a' is not a number; 2 of its 4 cells are none"),
        ([1j, 1, 2, 3], "complex numbers"),
        (np.zeros(4, dtype="timedelta64[D]"), "must be numbers"),
        ([[0, 1, 2]], "codes have 4 rows and factors 1"),
    ],
)
def test_wrong_factors(name: str, factors: list, message: str) -> None:
    codes = np.random.default_rng(0).random((4, 3))
    beside = {"logvar": codes, "blocks": [[0], [1, 2]]}
    more = [beside[n] for n in getattr(distaff.metrics, name).declaration.needs if n in beside]
    with pytest.raises(BadInput, match=message):
        getattr(distaff.metrics, name)(codes, np.array(factors), *more)


def test_integral_floats_and_tensors_are_fine() -> None:
    import torch

    rng = np.random.default_rng(0)
    factors = rng.integers(4, size=(500, 2))
    codes = rng.random((500, 3)).astype(np.float32)
    expected = distaff.metrics.mig(codes, factors)
    assert distaff.metrics.mig(codes, factors.astype(np.float64)) == expected
    assert distaff.metrics.mig(torch.from_numpy(codes), torch.from_numpy(factors)) == expected
    assert distaff.metrics.mig(codes, factors * 7 - 3) == expected  # class numbers need not start at 0


CONTINUOUS = [name for name in SUPERVISED if registry.get("metrics", name).declaration.continuous]


@pytest.mark.parametrize("name", SUPERVISED)
def test_continuous_factors_where_the_definition_allows(name: str) -> None:
    function = getattr(distaff.metrics, name)
    allowed = "continuous" in inspect.signature(function).parameters
    assert allowed == (name in CONTINUOUS)
    if not allowed:
        return
    rng = np.random.default_rng(0)
    factors = rng.random((2000, 3)) ** 2
    more = {"blocks": [[0], [1], [2]]} if "blocks" in function.declaration.needs else {}
    informed = factors if name != "block_leakage" else factors @ np.full((3, 3), 1 / 3)  # which leaks
    values = [
        function(codes, factors, **more, continuous=True) for codes in (informed, rng.random((2000, 3)))
    ]
    first, second = (value[0] if isinstance(value, tuple) else value for value in values)
    assert first > second + 0.1
    with pytest.raises(BadInput, match="ask for continuous=True"):
        function(factors, factors, **more)


def test_the_continuous_ones_are_those_the_field_uses() -> None:
    assert set(CONTINUOUS) >= {"mig", "sap", "dci", "modularity", "irs", "mcc", "jemmig", "dcimig", "mig_sup"}


@pytest.mark.parametrize("name", registry.names("metrics"))
def test_many_latents_and_few_rows_give_a_value_or_a_reason(name: str) -> None:
    rng = np.random.default_rng(0)
    card = distaff.score(
        rng.standard_normal((24, 40)),
        rng.integers(3, size=(24, 2)),
        metrics=name,
        values_only=True,
        logvar=np.zeros((24, 40)),
        mates=[rng.standard_normal((24, 40))],
        blocks=[range(10), range(10, 40)],
    )
    for score in card.scores.values():
        assert (score.value is None) == bool(score.reason)
        assert score.value is None or np.isfinite(score.value)


@pytest.mark.parametrize("name", registry.names("metrics"))
def test_a_dead_code_and_a_dead_factor_value_do_no_harm(name: str) -> None:
    rng = np.random.default_rng(0)
    factors = rng.integers(3, size=(200, 2))
    factors[0, 0] = 9  # a value with a single row
    codes = np.concatenate([factors + 0.1 * rng.standard_normal((200, 2)), np.zeros((200, 1))], axis=1)
    settings = {"learners": ("logistic_regression",)} if name == "downstream" else {}
    function = getattr(distaff.metrics, name)
    given = {"factors": factors, "logvar": np.full((200, 3), -4.0), "mates": [codes], "blocks": [[0], [1, 2]]}
    value = function(codes, *(given[need] for need in function.declaration.needs), **settings)
    numbers = [v for v in (value if isinstance(value, tuple) else (value,)) if isinstance(v, int | float)]
    assert numbers
    assert np.isfinite(numbers).all()


def test_what_arrays_may_be() -> None:
    import pandas as pd
    import torch

    rng = np.random.default_rng(0)
    factors = rng.integers(3, size=(60, 2))
    codes = factors + 0.1 * rng.standard_normal((60, 2))
    expected = distaff.metrics.mig(codes, factors)
    table = pd.DataFrame({"shape": factors[:, 0], "big": factors[:, 1] > 0})
    card = distaff.score(pd.DataFrame(codes), table, metrics="mig", values_only=True)
    assert card.protocol["factors"] == ["shape", "big"]
    live = torch.tensor(codes, requires_grad=True)
    assert distaff.metrics.mig(live, factors) == expected
    rounded = torch.tensor(codes).bfloat16()
    assert distaff.metrics.mig(rounded, factors) == distaff.metrics.mig(rounded.float().numpy(), factors)
    assert distaff.metrics.mig(np.asfortranarray(codes)[::1], factors.astype(object)) == expected
    for bad, message in (
        (np.ma.masked_greater(codes, 1), "masked entries"),
        ([[1, 2], [3]], "codes must be numbers"),
        (pd.DataFrame({"a": ["x"] * 60}), "column 'a', row 0: 'x' is not a number"),
        (codes * 1e31, r"beyond 1e\+30"),
    ):
        with pytest.raises(BadInput, match=message):
            distaff.metrics.mig(bad, factors)
    with pytest.raises(BadInput, match="seed=4294967296 is not allowed; it must be below"):
        distaff.score(codes, factors, metrics="mig", seed=2**32)


@pytest.mark.parametrize("scale", [1e-80, 1e-30, 1e29])
@pytest.mark.parametrize(
    "name", [n for n in registry.names("metrics") if n not in ("downstream", "fairness")]
)
def test_codes_of_any_size_give_the_number_of_their_shape(name: str, scale: float) -> None:
    """Tiny ones may count as constant: learners do not part what differs by less than some 1e-7."""
    rng = np.random.default_rng(0)
    factors = rng.integers(3, size=(60, 2))
    shape = factors + 0.1 * rng.standard_normal((60, 2))
    function = getattr(distaff.metrics, name)
    declared = function.declaration

    def numbers(codes: np.ndarray) -> list[float]:
        given = {"factors": factors, "logvar": np.zeros((60, 2)), "mates": [codes], "blocks": [[0], [1]]}
        value = function(codes, *(given[need] for need in declared.needs))
        return [v for v in (value if isinstance(value, tuple) else (value,)) if isinstance(v, int | float)]

    found = numbers(scale * shape)
    assert np.isfinite(found).all()
    assert declared.low - 1e-9 <= min(found) <= max(found) <= declared.high + 1e-9
    if "scale" in declared.invariant_to:
        allowed = [numbers(shape)] if scale > 1 else [numbers(shape), numbers(0 * shape)]
        assert any(found == pytest.approx(expected, abs=1e-6) for expected in allowed)


def test_a_factor_of_nearly_unique_values_is_scored_without_a_storm() -> None:
    rng = np.random.default_rng(0)
    factors = np.stack([rng.permutation(60), rng.integers(3, size=60)], axis=1)
    card = distaff.score(
        rng.standard_normal((60, 3)), factors, metrics=["dci", "sap", "explicitness", "infomec"]
    )
    assert card["infomec"].reason.endswith("a value of every factor that two rows share")
    assert "H04" in dict(card.health)


def test_a_rare_class_costs_no_card() -> None:
    """The splits behind chance may miss a value; that chance is then left out, not the card."""
    for seed in range(12):
        rng = np.random.default_rng(seed)
        factors = np.zeros((24, 1), dtype=int)
        factors[rng.permutation(24)[:3]] = 1
        names = ["explicitness", "sap", "mig"]
        card = distaff.score(rng.standard_normal((24, 3)), factors, metrics=names, seed=seed)
        assert [*card.scores] == names
        assert card["mig"].low <= card["mig"].value < card["mig"].high
        assert card["mig"].chance is not None
        for score in card.scores.values():
            assert (score.value is None) == bool(score.reason)
