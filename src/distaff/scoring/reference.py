"""Where chance and the ceiling of a metric lie for a table of factors: computed once, kept in a cache."""

import contextlib
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import version
from typing import Any

import msgspec

from distaff import __version__
from distaff.errors import BadInput
from distaff.files import read_json, write_json
from distaff.machine import cache_folder


@dataclass(frozen=True)
class Reference:
    """What noise codes score on some factors, and what the factors themselves score, by score name."""

    chance: dict[str, float | None]
    ceiling: dict[str, float | None]


def cached(facts: Mapping[str, Any], compute: Callable[[], Reference]) -> Reference:
    """What was computed of the same facts by the same versions before, or is now."""
    text = json.dumps({**facts, "versions": versions()}, sort_keys=True)
    path = cache_folder() / "reference" / f"{hashlib.sha256(text.encode()).hexdigest()[:32]}.json"
    try:
        return msgspec.convert(read_json(path), Reference)
    except (BadInput, OSError, msgspec.ValidationError):  # not there, or damaged
        found = compute()
    with contextlib.suppress(OSError):  # a cache that cannot be written is no reason to stop
        write_json(path, asdict(found))
    return found


def versions() -> dict[str, str]:
    """What scores depend on besides their inputs."""
    return {"distaff": __version__} | {name: version(name) for name in ("numpy", "scipy", "scikit-learn")}
