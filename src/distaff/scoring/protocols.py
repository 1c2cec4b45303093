"""What metrics take unless told otherwise: their defaults, or what they declare for a published protocol."""

import inspect
from collections.abc import Callable, Sequence
from typing import Any

from distaff import registry
from distaff.errors import BadInput, unknown
from distaff.files import plain
from distaff.metrics.declare import Metric, Sizes
from distaff.metrics.needs import NEEDS

GIVEN = {"codes", "seed", "test", "continuous"}  # arguments that are no settings, as needs are none


def protocols() -> list[str]:
    """The names of the protocols that some metric declares."""
    metrics = [registry.get("metrics", metric) for metric in registry.names("metrics")]
    return sorted({name for metric in metrics for name in metric.declaration.protocols})


def check_protocol(name: str | None, metrics: Sequence[str], rows: int) -> None:
    """An error where there is no such protocol, or it needs more rows for a metric than there are."""
    if name is None:
        return
    if name not in protocols():
        raise unknown("protocol", str(name), protocols())
    for metric in metrics:
        sizes = registry.get("metrics", metric).declaration.protocols.get(name, Sizes())
        need = max(sizes.learn + sizes.score, sizes.least)
        if rows < need:
            raise BadInput(
                f"protocol {name} takes {need:,} rows for {metric}, got {rows:,}; "
                "give more rows, fewer metrics, or no protocol"
            )


def defaults(metric: Callable[..., Any]) -> dict[str, Any]:
    """The settings of a metric's function by name, and their defaults."""
    parameters = inspect.signature(metric).parameters
    return {name: each.default for name, each in parameters.items() if name not in GIVEN | NEEDS.keys()}


def settings_taken(metric: Metric[Any], protocol: str | None) -> dict[str, Any]:
    """All that decides a metric's value besides what it is given, for JSON.

    Settings, numbers of rows, and the edition after the first. A card that is kept records it, and so does
    the cache of chance, for either may outlive a default.
    """
    declared = metric.declaration
    sizes = declared.protocols.get(str(protocol), Sizes())
    rows = {"rows": [sizes.learn, sizes.score]} if sizes.learn or sizes.score else {}
    edition = {"edition": declared.edition} if declared.edition > 1 else {}
    taken = plain({**defaults(metric), **sizes.settings, **rows, **edition})
    return {name: list(value) if isinstance(value, tuple) else value for name, value in taken.items()}
