"""What a metric says of itself, attached to its function."""

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, TypeVar

from distaff.metrics.arrays import Codes, Factors, standardised
from distaff.metrics.door import Checked, checked
from distaff.metrics.exact import Exact

R = TypeVar("R")

#: smallest and largest allowed value, of the metric or of each field of its named tuple
Bounds = tuple[float, float] | Mapping[str, tuple[float, float]]

#: constructed codes; distaff.testing makes them
SITUATIONS = ("identity", "rotated", "constant", "duplicated", "noise", "one_missing")


@dataclass(frozen=True)
class Sizes:
    """What a published protocol takes: rows to learn from and to score on, and settings.

    0 rows to learn from: all that are given, which must be `least`.
    """

    learn: int = 0
    score: int = 0
    least: int = 0
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Adapted:
    """Settings that the card takes for codes of some shape, what it says of that, and the least value."""

    settings: Mapping[str, Any]
    why: str
    low: float


@dataclass(frozen=True)
class Declaration:
    """What a metric needs, how to read its value, and what it must give on constructed codes."""

    #: where the definition stands
    source: str
    #: smallest and largest possible value
    low: float = 0.0
    high: float = 1.0
    higher_is_better: bool = True
    #: arguments after the codes, of distaff.metrics.needs; other needs are given to keywords of their name
    needs: tuple[str, ...] = ("factors",)
    #: fewer codes or factors than this, and it has no meaning
    least_codes: int = 1
    least_factors: int = 1
    #: "fast": a second on 10,000 rows; "fitted": some seconds; "slow": longer, and not in the default card
    cost: str = "fast"
    #: factors may be real numbers, with `continuous=True`; it is so where the function takes `continuous`
    continuous: bool = False
    #: factors of more values than this are read as numbers, so that words need an order; None: never
    needs_order_above: int | None = None
    #: the time grows with this power of the number of codes; from 2 up it is left out where there are many
    grows: int = 1
    #: what 2,000 rows of 1,000 codes take, on one core of an AMD EPYC; given where that is long or grows
    seconds: float = 0.0
    #: one more whenever it gives other values with the same settings: what was kept of it is made anew
    edition: int = 1
    #: what published protocols take for it, by their names; nothing said: all rows, and its defaults
    protocols: Mapping[str, Sizes] = field(default_factory=dict)
    #: the value does not depend on these changes of the codes: permutation, sign, scale
    invariant_to: frozenset[str] = frozenset()
    #: each of SITUATIONS -> smallest and largest value allowed there; see `truths`
    truth: Mapping[str, Bounds] = field(default_factory=dict)
    #: the value gets worse as these grow (see distaff.testing.WORSE); by field for a named tuple
    worse_with: frozenset[str] | Mapping[str, frozenset[str]] = frozenset()
    #: what the card takes for so many rows and codes where its defaults would mislead; None: the defaults
    adapted: Callable[[int, int], Adapted | None] = lambda rows, codes: None
    #: notes below the card, from factors (n, k) that are whole numbers and the names of their values
    remarks: Callable[[Factors, Sequence[Sequence[str]]], Iterable[str]] = lambda factors, values: ()
    #: settings for the checks, where the defaults take minutes
    check_with: Mapping[str, Any] = field(default_factory=dict)
    #: its scores that can be near 1 though no code knows of some factor, as the card names them
    blind: tuple[str, ...] = ()
    #: codes with a smaller standard deviation are left out by it
    least_deviation: float = 0.0
    #: how streams have its value of all rows without keeping them; None: they take a sample of rows
    exact: Exact | None = None
    #: of factors (n, k) and the number of codes, codes with which the card finds the ceiling
    ideal: Callable[[Factors, int], Codes] = lambda factors, count: standardised(factors)
    #: it asks which codes are not 0, and says nothing where all are: in the default card of sparse codes only
    asks_what_fires: bool = False
    #: settings that show a change of .05 in less time, for the health checks: up to 500 codes, and above
    probe_with: tuple[Mapping[str, Any], Mapping[str, Any]] = ({}, {})
    #: of more codes it is not tried at another scale, for that takes long; None: as its cost suggests
    rescaled_up_to: int | None = None
    #: why it takes no sparse codes; "" where it does, without making an array of them
    only_dense: str = "it is written for arrays"
    #: what studies take its scores for: "disentanglement", or "downstream" where learners predict the factors
    role: str = "disentanglement"
    #: its scores that studies compare unless told others, as the card names them, and their places in tables
    headline: Mapping[str, int] = field(default_factory=dict)


def truths(*bounds: Bounds) -> dict[str, Bounds]:
    """A truth table: bounds for SITUATIONS, in their order."""
    return dict(zip(SITUATIONS, bounds, strict=True))


def by_field(fields: Sequence[str], *bounds: tuple[float, float]) -> dict[str, tuple[float, float]]:
    """Bounds for the fields of a named tuple, in their order."""
    return dict(zip(fields, bounds, strict=True))


class Metric(Checked[R], Protocol[R]):
    """A metric's function: it takes anything, `.of_arrays` what was checked before."""

    declaration: Declaration


def metric(**declared: Any) -> Callable[[Callable[..., R]], Metric[R]]:
    """Attach a Declaration to a metric's function as `.declaration`, and check what callers give.

    The function is written for arrays: codes (n, d) float64, and what it needs as distaff.metrics.needs has
    it; `continuous` are numbers of columns, `test` two arrays. As that it stays reachable, as `.of_arrays`.
    """
    said = Declaration(**declared)
    least = said.least_codes, said.least_factors
    door = checked(said.needs, said.needs_order_above, *least, said.only_dense)

    def attach(function: Callable[..., R]) -> Metric[R]:
        found: Any = door(function)
        found.declaration = replace(said, continuous="continuous" in inspect.signature(function).parameters)
        return found  # type: ignore[no-any-return]

    return attach
