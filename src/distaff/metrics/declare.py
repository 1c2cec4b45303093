"""What a metric says of itself, attached to its function."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])

#: smallest and largest allowed value, of the metric or of each field of its named tuple
Bounds = tuple[float, float] | Mapping[str, tuple[float, float]]

#: what a metric may need besides codes
NEEDS = ("factors", "logvar", "mates")


@dataclass(frozen=True)
class Declaration:
    """What a metric needs, how to read its value, and what it must give on constructed codes."""

    #: smallest and largest possible value
    low: float
    high: float
    higher_is_better: bool
    #: where the definition stands
    source: str
    #: arguments after the codes: factors, log-variances of the codes, other runs' codes
    needs: tuple[str, ...] = ("factors",)
    #: "fast": a second on 10,000 rows; "fitted": some seconds; "slow": longer, and not in the default card
    cost: str = "fast"
    #: factors may be real numbers, with `continuous=True`
    continuous: bool = False
    #: factors of more values than this are read as numbers, so that words need an order; None: never
    needs_order_above: int | None = None
    #: the time grows with this power of the number of codes; from 2 up it is left out where there are many
    grows: int = 1
    #: what 2,000 rows of 1,000 codes take, on one core of an AMD EPYC; given where that is long or grows
    seconds: float = 0.0
    #: the value does not depend on these changes of the codes: permutation, sign, scale
    invariant_to: frozenset[str] = frozenset()
    #: constructed codes (see distaff.testing.SITUATIONS) -> smallest and largest value allowed there
    truth: Mapping[str, Bounds] = field(default_factory=dict)
    #: the value gets worse as these grow (see distaff.testing.PROTOCOLS); by field for a named tuple
    worse_with: frozenset[str] | Mapping[str, frozenset[str]] = frozenset()
    #: settings for the checks, where the defaults take minutes
    check_with: Mapping[str, Any] = field(default_factory=dict)


def metric(**declared: Any) -> Callable[[F], F]:
    """Attach a Declaration to a metric's function as `.declaration`."""

    def attach(function: F) -> F:
        function.declaration = Declaration(**declared)  # type: ignore[attr-defined]
        return function

    return attach
