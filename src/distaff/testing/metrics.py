"""Does a metric do what it declares?"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from distaff.errors import BadInput
from distaff.factors import FactorSpace
from distaff.metrics.needs import NEEDS
from distaff.randomness import derived

#: the factors of the constructed codes: few enough values for 20 bins to carry
SPACE = FactorSpace(("a", "b", "c", "d"), (4, 6, 9, 16))
ROWS = 10_000

Codes = NDArray[np.float64]


def _standardised(factors: NDArray[np.int64], rng: np.random.Generator) -> Codes:
    return (factors - factors.mean(axis=0)) / factors.std(axis=0)


def _rotated(codes: Codes) -> Codes:
    """Codes times I - 2/d, which is orthogonal, with entries of one size at d = 4."""
    d = codes.shape[1]
    return codes @ (np.eye(d) - 2 / d)


#: constructed codes, each made from standardised factors and a generator
SITUATIONS: dict[str, Callable[[Codes, np.random.Generator], Codes]] = {
    "identity": lambda codes, rng: codes,
    "rotated": lambda codes, rng: _rotated(codes),
    "constant": lambda codes, rng: np.ones_like(codes),
    "duplicated": lambda codes, rng: np.concatenate([codes, codes], axis=1),
    "noise": lambda codes, rng: rng.standard_normal(codes.shape),
    "one_missing": lambda codes, rng: codes[:, :-1],
}

#: changes of the codes that a metric may declare itself invariant to
CHANGES: dict[str, Callable[[Codes, np.random.Generator], Codes]] = {
    "permutation": lambda codes, rng: codes[:, rng.permutation(codes.shape[1])],
    "sign": lambda codes, rng: codes * rng.choice([-1.0, 1.0], size=codes.shape[1]),
    "scale": lambda codes, rng: codes * rng.permutation(np.geomspace(0.037, 23, codes.shape[1])),
}


#: what makes codes worse, from not at all (0) to fully (1): standardised factors, how much, and a generator
WORSE: dict[str, Callable[[Codes, float, np.random.Generator], Codes]] = {
    # more and more of each code is noise
    "noise": lambda ideal, much, rng: (1 - much) * ideal + much * rng.standard_normal(ideal.shape),
    # every code takes in more and more of the next factor
    "holistic": lambda ideal, much, rng: (1 - much / 2) * ideal + much / 2 * np.roll(ideal, 1, axis=1),
    # the same through a fixed noise
    "blurred": lambda ideal, much, rng: (
        (1 - much / 2) * ideal + much / 2 * np.roll(ideal, 1, axis=1) + 0.4 * rng.standard_normal(ideal.shape)
    ),
    # a second code knows more and more of each factor
    "spread": lambda ideal, much, rng: np.concatenate(
        [ideal, much * ideal + (1 - much) * rng.standard_normal(ideal.shape)], axis=1
    ),
    # codes are bent more and more, without losing their order
    "bent": lambda ideal, much, rng: np.sinh((0.01 + 4 * much) * ideal) / np.sinh(0.01 + 4 * much),
    # fewer and fewer factors have a code
    "missing": lambda ideal, much, rng: np.where(
        np.arange(ideal.shape[1]) < round((1 - much) * ideal.shape[1]),
        ideal,
        rng.standard_normal(ideal.shape),
    ),
    # the first code is added to the others
    "copied": lambda ideal, much, rng: (1 - much / 2) * ideal + much / 2 * ideal[:, :1],
}


def check_metric(function: Callable[..., Any], seed: int = 0, rows: int = ROWS) -> None:
    """Check a metric against its declaration: truth table, invariances, range, monotony, errors.

    `function` carries a `declaration` (see distaff.metrics.declare.metric), and takes codes and what that
    says it needs. The protocols by which codes get worse are those of Zaidi et al. 2020, arXiv:2012.09276,
    section 5, in our own form.
    """
    declared = getattr(function, "declaration", None)
    assert declared is not None, f"{function} has no declaration"
    missing = set(SITUATIONS) - set(declared.truth)
    assert not missing, f"{function.__name__} states no truth for: {', '.join(sorted(missing))}"
    factors = SPACE.sample(rows, seed)
    ideal = _standardised(factors, np.random.default_rng(seed))
    for situation, make in SITUATIONS.items():
        codes = make(ideal, np.random.default_rng(derived(seed, "situation")))
        _check_truth(function, situation, _values(function, codes, factors, seed))
    noisy = ideal + 0.3 * np.random.default_rng(derived(seed, "noise")).standard_normal(ideal.shape)
    before = _values(function, noisy, factors, seed)
    again = _values(function, noisy, factors, seed)
    assert before == again, "the same arrays score otherwise the second time"
    for change in declared.invariant_to:
        changed = CHANGES[change](noisy, np.random.default_rng(derived(seed, "change")))
        after = _values(function, changed, factors, seed)
        for key, value in before.items():
            assert abs(value - after[key]) <= 0.02, f"{change} changes {key} from {value} to {after[key]}"
    for protocol in WORSE:
        _check_worse(function, protocol, ideal, factors, seed)
    _check_errors(function, ideal, factors, seed)


def _values(function: Any, codes: Codes, factors: NDArray[np.int64], seed: int) -> dict[str, float]:
    """A metric's numbers by field; a float has the function's name."""
    declared = function.declaration
    found = function(codes, *_needed(declared.needs, codes, factors, seed), **declared.check_with)
    if not hasattr(found, "_asdict"):
        return {function.__name__: float(found)}
    return {key: float(v) for key, v in found._asdict().items() if isinstance(v, int | float)}


def _needed(needs: tuple[str, ...], codes: Codes, factors: NDArray[Any], seed: int) -> list[Any]:
    """What a metric takes after codes."""
    return [NEEDS[need].example(codes, factors, seed) for need in needs]


def _check_truth(function: Any, situation: str, values: dict[str, float]) -> None:
    declared = function.declaration
    truth = declared.truth[situation]
    bounds = truth if isinstance(truth, Mapping) else {function.__name__: truth}
    unstated = bounds.keys() ^ values.keys()
    assert not unstated, f"{situation}: no truth, or no value, for {', '.join(sorted(unstated))}"
    for key, value in values.items():
        low, high = bounds[key]
        assert low <= value <= high, f"{situation} codes score {key} {value:.4f}, not {low} to {high}"
        assert declared.low <= value <= declared.high, f"{situation} codes score {key} {value}, out of range"


def _check_worse(function: Any, protocol: str, ideal: Codes, factors: NDArray[np.int64], seed: int) -> None:
    """Values must get worse along a protocol that the declaration names, by .05 or more."""
    declared = function.declaration
    by_field = declared.worse_with
    by_field = by_field if isinstance(by_field, Mapping) else {function.__name__: by_field}
    fields = [key for key, protocols in by_field.items() if protocol in protocols]
    if not fields:
        return
    steps = [
        WORSE[protocol](ideal, much, np.random.default_rng(derived(seed, "worse")))
        for much in (0.0, 0.3, 0.6, 0.9)
    ]
    values = [_values(function, codes, factors, seed) for codes in steps]
    sign = 1 if declared.higher_is_better else -1
    for key in fields:
        line = [sign * step[key] for step in values]
        words = ", ".join(f"{step[key]:.3f}" for step in values)
        steady = all(b <= a + 0.02 for a, b in itertools.pairwise(line))
        assert steady, f"{protocol}: {key} is not monotone: {words}"
        assert line[0] - line[-1] >= 0.05, f"{protocol}: {key} hardly gets worse: {words}"


def _check_errors(function: Any, codes: Codes, factors: NDArray[np.int64], seed: int) -> None:
    needs = function.declaration.needs
    needed = _needed(needs, codes, factors, seed)
    broken, endless = codes.copy(), codes.copy()
    broken[3, 1], endless[5, 0] = np.nan, np.inf
    wrong: dict[str, tuple[Any, ...]] = {
        "NaN codes": (broken, *needed),
        "infinite codes": (endless, *needed),
        "codes of words": (np.where(codes > 0, "high", "low"), *needed),
    }
    if needs:
        wrong["rows that do not match"] = (codes[:-1], *needed)
    if "factors" in needs:
        single = np.concatenate([factors, np.zeros_like(factors[:, :1])], axis=1)
        wrong["one row"] = (codes[:1], *(value[:1] for value in needed))
        wrong["a factor with one value"] = (codes, *_needed(needs, codes, single, seed))
        wrong["float factors"] = (codes, *_needed(needs, codes, factors + 0.5, seed))
    for what, arguments in wrong.items():
        try:
            function(*arguments)
        except BadInput:
            continue
        raise AssertionError(f"{what} must raise BadInput")
