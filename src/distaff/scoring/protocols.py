"""Published protocols: what metrics declare to take under them."""

from collections.abc import Sequence

from distaff import registry
from distaff.errors import BadInput, unknown
from distaff.metrics.declare import Sizes


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
