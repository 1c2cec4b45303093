"""What a metric says of itself, attached to its function."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True)
class Declaration:
    """What a metric needs, how to read its value, and what it must give on constructed codes."""

    #: smallest and largest possible value
    low: float
    high: float
    higher_is_better: bool
    #: where the definition stands
    source: str
    #: factors may be real numbers
    continuous: bool = False
    #: the value does not depend on these changes of the codes: permutation, sign, scale
    invariant_to: frozenset[str] = frozenset()
    #: constructed codes (see distaff.testing.SITUATIONS) -> smallest and largest value allowed there
    truth: Mapping[str, tuple[float, float]] = field(default_factory=dict)


def metric(**declared: Any) -> Callable[[F], F]:
    """Attach a Declaration to a metric's function as `.declaration`."""

    def attach(function: F) -> F:
        function.declaration = Declaration(**declared)  # type: ignore[attr-defined]
        return function

    return attach
