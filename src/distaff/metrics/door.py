"""The door of a function of arrays: what callers give is checked there, once, and becomes arrays."""

import functools
import inspect
from collections.abc import Callable
from typing import Any, Protocol, TypeVar

from distaff import registry
from distaff.errors import BadInput, NotApplicable
from distaff.metrics.arrays import check_order, check_seed, same_rows
from distaff.metrics.needs import NEEDS, arrays_of, of_columns, paired
from distaff.tables import Sparse, Table, continuous_columns

R = TypeVar("R")


class Checked(Protocol[R]):
    """A function that takes anything, and within it the one for arrays that were checked before."""

    __name__: str
    __qualname__: str
    of_arrays: Callable[..., R]

    def __call__(self, *args: Any, **settings: Any) -> R: ...


def checked(
    needs: tuple[str, ...] = ("factors",),
    order_above: int | None = None,
    least_codes: int = 1,
    least_factors: int = 1,
    only_dense: str = "it is written for arrays",
) -> Callable[[Callable[..., R]], Checked[R]]:
    """Check what a function is given as codes and `needs`; the function itself becomes `.of_arrays`.

    BadInput where arrays cannot be used, NotApplicable where there are too few codes or factors, where codes
    are sparse and `only_dense` says why an array is needed, or where factors of more than `order_above`
    values are words without an order.
    """

    def wrap(function: Callable[..., R]) -> Checked[R]:
        signature, name = inspect.signature(function), function.__name__
        if unnamed := {"codes", *needs} - signature.parameters.keys():
            raise TypeError(f"{name} must take arguments of these names: {', '.join(sorted(unnamed))}")

        @functools.wraps(function)
        def at_the_door(*args: Any, **settings: Any) -> R:
            try:
                bound = signature.bind(*args, **settings)
            except TypeError as error:
                raise TypeError(f"{name}() {error}") from None
            bound.apply_defaults()
            given = bound.arguments
            _check(given, needs, name, order_above)
            check_density(name, given["codes"], only_dense)
            check_counts(name, given["codes"], given.get("factors"), least_codes, least_factors)
            return function(*bound.args, **bound.kwargs)

        found: Any = at_the_door
        found.of_arrays = function
        return found  # type: ignore[no-any-return]

    return wrap


def check_counts(name: str, codes: Any, factors: Any, least_codes: int, least_factors: int) -> None:
    """NotApplicable where there are too few codes or factors."""
    for what, array, least in (("codes", codes, least_codes), ("factors", factors, least_factors)):
        if array is not None and array.shape[1] < least:
            raise NotApplicable(f"{name} needs at least {least} {what}, got {array.shape[1]}")


def check_density(name: str, codes: Any, only_dense: str) -> None:
    """NotApplicable for sparse codes where `only_dense` says why an array is needed."""
    if only_dense and isinstance(codes, Sparse):
        declared = ((each, registry.get("metrics", each).declaration) for each in registry.names("metrics"))
        these = ", ".join(each for each, declaration in declared if not declaration.only_dense)
        raise NotApplicable(f"{name} takes no sparse codes, for {only_dense}; these do: {these}")


def _check(given: dict[str, Any], needs: tuple[str, ...], name: str, order_above: int | None) -> None:
    """Replace codes and needs by arrays, `continuous` by numbers of columns, and `test` by two arrays."""
    there = [need for need in NEEDS if need in needs or given.get(need) is not None]
    beside = {need: given[need] for need in there}
    tables = paired(given["codes"], beside)
    n, held_out = len(tables["codes"][0]), given.get("test") is not None
    if held_out:
        _add(tables, given["test"])
    if "factors" in tables and len(tables["codes"][0]) < 2:
        raise BadInput(f"at least 2 rows are needed, got {len(tables['codes'][0])}")
    real: tuple[int, ...] = ()
    if "continuous" in given and "factors" in tables:
        given["continuous"] = real = continuous_columns(tables["factors"][0], given["continuous"])
    if order_above is not None and "factors" in tables:
        check_order(tables["factors"][0], real, order_above, name)
    given |= arrays_of(tables, real) | of_columns(beside, tables)
    if held_out:
        given["test"] = given["codes"][n:], given["factors"][n:]
        given |= {what: given[what][:n] for what in ("codes", "factors")}
    if "seed" in given:
        check_seed(given["seed"])


def _add(tables: dict[str, list[Table]], test: Any) -> None:
    """Put the rows of `test` below the others, so that the values of factors are numbered together."""
    try:
        codes, factors = test
    except (TypeError, ValueError):
        raise BadInput("test must be two arrays, codes and factors") from None
    for what, score in zip(("codes", "factors"), same_rows(codes, factors), strict=True):
        (learn,) = tables[what]
        if len(learn.names) != len(score.names):
            counts = f"{len(learn.names)} columns, those of test {len(score.names)}"
            raise BadInput(f"{what} to learn from have {counts}")
        if not len(learn) or not len(score):
            counts = f"rows to learn from: {len(learn)}, rows to score on: {len(score)}"
            raise BadInput(f"{counts}; both are needed")
        tables[what] = [learn.joined(score)]
