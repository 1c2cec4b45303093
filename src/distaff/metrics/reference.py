"""Where chance and the ceiling of a metric lie for a table of factors: computed once, kept in a cache."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from importlib.metadata import version
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from distaff import __version__
from distaff.errors import BadInput
from distaff.files import read_json, write_json
from distaff.machine import cache_folder
from distaff.metrics.arrays import standardised
from distaff.metrics.inputs import Inputs, call
from distaff.metrics.protocols import prepare

DRAWS = {"fast": 3, "fitted": 2, "slow": 1}  # of noise codes behind a chance level


class Reference(NamedTuple):
    """What noise codes score on some factors, and what the factors themselves score, by score name."""

    chance: dict[str, float | None]
    ceiling: dict[str, float | None]


def _are_numbers(kept: Any) -> bool:
    return isinstance(kept, dict) and all(v is None or isinstance(v, float | int) for v in kept.values())


def versions() -> dict[str, str]:
    """What scores depend on besides their inputs."""
    return {"distaff": __version__} | {name: version(name) for name in ("numpy", "scipy", "scikit-learn")}


def reference(function: Callable[..., Any], inputs: Inputs, seed: int, protocol: str | None) -> Reference:
    """Chance and ceiling for these factors and this number of codes, from the cache where it has them."""
    declared = function.declaration  # type: ignore[attr-defined]
    if not declared.needs and "scale" not in declared.invariant_to:
        return Reference({}, {})  # in units of the codes: chance and ceiling would be those of another scale
    path = cache_folder() / "reference" / f"{_key(function, inputs, seed, protocol)}.json"
    try:
        kept = Reference(**read_json(path))
        if all(_are_numbers(numbers) for numbers in kept):
            return kept
    except (BadInput, OSError, TypeError):  # not there, or damaged
        pass
    found = _compute(function, inputs, seed, protocol)
    with contextlib.suppress(OSError):  # a cache that cannot be written is no reason to stop
        write_json(path, found._asdict())
    return found


def _key(function: Callable[..., Any], inputs: Inputs, seed: int, protocol: str | None) -> str:
    facts = {
        "metric": f"{function.__module__}:{function.__qualname__}",
        "rows": len(inputs),
        "factors": 0 if inputs.factors is None else inputs.factors.shape[1],
        "codes": inputs.codes.shape[1],
        "continuous": inputs.continuous,
        "mates": [mate.shape[1] for mate in inputs.mates or ()],
        "seed": seed,
        "protocol": protocol,
        "versions": versions(),
    }
    digest = hashlib.sha256(json.dumps(facts, sort_keys=True).encode())
    digest.update(b"" if inputs.factors is None else np.ascontiguousarray(inputs.factors).tobytes())
    return digest.hexdigest()[:32]


def _compute(function: Callable[..., Any], inputs: Inputs, seed: int, protocol: str | None) -> Reference:
    rng = np.random.default_rng(seed)
    cost = function.declaration.cost  # type: ignore[attr-defined]
    draws = [_score(function, _noise(inputs, rng), seed + i, protocol) for i in range(DRAWS[cost])]
    chance = {key: _mean([draw.get(key) for draw in draws]) for key in sorted(set().union(*draws))}
    ideal = {} if inputs.factors is None else _score(function, _ideal(inputs, rng), seed, protocol)
    return Reference(chance, ideal)


def _score(
    function: Callable[..., Any], inputs: Inputs, seed: int, protocol: str | None
) -> dict[str, float | None]:
    try:
        prepared, settings = prepare(protocol, function, inputs, seed)
        numbers = call(function, prepared, seed, settings).numbers
    except BadInput:  # a split in which a factor keeps a single value
        return {}
    return {
        key: value if value is not None and np.isfinite(value) else None for key, value in numbers.items()
    }


def _mean(values: list[float | None]) -> float | None:
    numbers = [value for value in values if value is not None]
    return float(np.mean(numbers)) if numbers else None


def _noise(inputs: Inputs, rng: np.random.Generator) -> Inputs:
    """Gaussian codes that know nothing, and mates that know nothing of them."""

    def draw(like: NDArray[Any]) -> NDArray[np.float64]:
        return rng.standard_normal(like.shape)

    return replace(
        inputs,
        codes=draw(inputs.codes),
        logvar=np.full(inputs.codes.shape, np.log(0.25)),
        mates=[draw(mate) for mate in inputs.mates or ()] or None,
        mates_logvar=None,
    )


def _ideal(inputs: Inputs, rng: np.random.Generator) -> Inputs:
    """Standardised factors as codes, with narrow posteriors, and mates that found the same."""
    assert inputs.factors is not None
    codes = standardised(inputs.factors)
    if codes.shape[1] == 1:  # a gap needs a second code
        codes = np.concatenate([codes, rng.standard_normal(codes.shape)], axis=1)
    mates = [codes[:, ::-1]] if inputs.mates else None
    logvar = np.full(codes.shape, 2 * np.log(0.01))
    return replace(inputs, codes=codes, logvar=logvar, mates=mates, mates_logvar=None)
