"""Where chance and the ceiling of a metric lie for a table of factors: computed once, kept in a cache."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Callable, Mapping
from importlib.metadata import version
from typing import Any, NamedTuple

from distaff import __version__
from distaff.errors import BadInput
from distaff.files import read_json, write_json
from distaff.machine import cache_folder


class Reference(NamedTuple):
    """What noise codes score on some factors, and what the factors themselves score, by score name."""

    chance: dict[str, float | None]
    ceiling: dict[str, float | None]


def cached(facts: Mapping[str, Any], compute: Callable[[], Reference]) -> Reference:
    """What was computed of the same facts by the same versions before, or is now."""
    text = json.dumps({**facts, "versions": versions()}, sort_keys=True)
    path = cache_folder() / "reference" / f"{hashlib.sha256(text.encode()).hexdigest()[:32]}.json"
    try:
        kept = Reference(**read_json(path))
        if all(_are_numbers(numbers) for numbers in kept):
            return kept
    except (BadInput, OSError, TypeError):  # not there, or damaged
        pass
    found = compute()
    with contextlib.suppress(OSError):  # a cache that cannot be written is no reason to stop
        write_json(path, found._asdict())
    return found


def _are_numbers(kept: Any) -> bool:
    return isinstance(kept, dict) and all(v is None or isinstance(v, float | int) for v in kept.values())


def versions() -> dict[str, str]:
    """What scores depend on besides their inputs."""
    return {"distaff": __version__} | {name: version(name) for name in ("numpy", "scipy", "scikit-learn")}
