"""Every metric gives a value that its declaration allows, or says why not, on whatever arrays there are.

Cases are drawn by number: few rows, single codes and factors, rare values, and all the constructed codes of
distaff.testing. Warnings are errors here, so that a division by zero counts as one.
"""

import inspect
import math
from collections import Counter
from typing import Any

import numpy as np
import pytest

from distaff import registry
from distaff.errors import BadInput, NotApplicable
from distaff.metrics.arrays import standardised
from distaff.testing import SITUATIONS, WORSE

METRICS = {name: registry.get("metrics", name) for name in registry.names("metrics")}
FAST = [name for name, function in METRICS.items() if function.declaration.cost == "fast"]
OTHERS = [name for name in METRICS if name not in FAST]
#: fewer votes than the defaults, which would take most of the time and reach no other line
FEW_VOTES = {"votes": (200, 100)}
KINDS = [*SITUATIONS, *WORSE]
#: the least share of cases with values; random rows are seldom one step apart, and of the seven cases in
#: which a metric that is not fast is tried, five of eight have two codes and two factors
LEAST = {"action_linearity": 0.05} | dict.fromkeys(OTHERS, 0.3)


def draw_factors(rng: np.random.Generator) -> np.ndarray:
    """From 20 to 200 rows of 1 to 4 factors of random sizes, some of them with rare values."""
    n, k = int(rng.integers(20, 201)), int(rng.integers(1, 5))
    columns = []
    for _ in range(k):
        size = int(rng.choice([2, 3, 5, 10, 40, n]))
        shares = rng.dirichlet(np.full(size, rng.choice([0.2, 1.0, 100.0])))
        column = rng.choice(size, size=n, p=shares)
        column[rng.permutation(n)[:2]] = 0, 1  # at least two values
        columns.append(column)
    return np.stack(columns, axis=1)


def draw_codes(factors: np.ndarray, rng: np.random.Generator) -> tuple[str, np.ndarray]:
    """One of the constructed codes, cut or filled to 1 to 6 columns, of any of several scales and types."""
    kind, ideal = str(rng.choice(KINDS)), standardised(factors)
    if kind in SITUATIONS and not (kind == "one_missing" and ideal.shape[1] == 1):
        codes = SITUATIONS[kind](ideal, rng)
    else:
        codes = WORSE.get(kind, WORSE["missing"])(ideal, float(rng.random()), rng)
    d = int(rng.integers(1, 7))
    spare = [rng.standard_normal(codes.shape), np.zeros(codes.shape), codes, np.round(codes)]
    while codes.shape[1] < d:
        codes = np.concatenate([codes, spare[rng.integers(len(spare))]], axis=1)
    codes = codes[:, rng.permutation(codes.shape[1])[:d]] * rng.choice([1.0, 1.0, 0.01, 1e4])
    return kind, codes.astype(rng.choice(["float32", "float64"]))


def settings(function: Any, continuous: bool, all_of_it: bool) -> dict[str, Any]:
    given: dict[str, Any] = {} if all_of_it else dict(function.declaration.check_with)
    parameters = inspect.signature(function).parameters
    given |= FEW_VOTES if "votes" in parameters else {}
    return given | ({"continuous": True} if continuous else {})


def check(name: str, codes: np.ndarray, factors: np.ndarray, case: int, all_of_it: bool = False) -> bool:
    """Whether a metric has numbers, within the bounds it declares; else it raises one of our errors."""
    function, rng = METRICS[name], np.random.default_rng(case)
    declared = function.declaration
    continuous = declared.continuous and rng.random() < 0.25
    given = {
        "factors": factors + rng.random(factors.shape) if continuous else factors,
        # widths that differ take mig_exact seconds where values are many
        "logvar": rng.normal(-3, 1.0 if case % 100 == 0 else 0.0, size=codes.shape),
        "mates": [codes[:, ::-1], rng.standard_normal((len(codes), 3))],
        "blocks": [range(0, codes.shape[1], 2), range(1, codes.shape[1], 2)],
    }
    needed = [given[need] for need in declared.needs]
    try:
        found = function(codes, *needed, **settings(function, continuous, all_of_it))
    except (BadInput, NotApplicable):
        return False
    fields = found._asdict() if hasattr(found, "_asdict") else {name: found}
    for key, value in fields.items():
        if key == "learner" or value is None:  # too few rows for this field
            continue
        assert not math.isnan(value), f"{key} is not a number"
        assert declared.low <= value <= declared.high, f"{key} is {value}"
    return True


def check_case(case: int, names: list[str], all_of_it: bool = False) -> list[str]:
    """The metrics that have numbers."""
    rng = np.random.default_rng([18, case])
    factors = draw_factors(rng)
    kind, codes = draw_codes(factors, rng)
    valued = []
    for name in names:
        try:
            valued += [name] * check(name, codes, factors, case, all_of_it)
        except Exception as error:
            raise AssertionError(
                f"case {case}, {kind}, codes {codes.shape}, factors {factors.max(axis=0)}: {name}: {error!r}"
            ) from error
    return valued


@pytest.mark.parametrize("block", range(5))
def test_values_or_reasons(block: int) -> None:
    """All fast metrics, and of the others a third each time; most times there are values, not reasons."""
    tried, valued = Counter[str](), Counter[str]()
    for case in range(20 * block, 20 * block + 20):
        names = FAST + OTHERS[case % 3 :: 3]
        tried.update(names)
        valued.update(check_case(case, names))
    shares = {name: valued[name] / tried[name] for name in METRICS}
    assert {name: share for name, share in shares.items() if share < LEAST.get(name, 0.5)} == {}


@pytest.mark.slow
@pytest.mark.parametrize("block", range(10))
def test_values_or_reasons_at_length(block: int) -> None:
    for case in range(1000 + 20 * block, 1020 + 20 * block):
        check_case(case, list(METRICS), all_of_it=case % 20 == 0)
