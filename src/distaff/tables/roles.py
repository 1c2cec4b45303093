"""A table as codes, or as factors: what each may hold, and errors that name the column and the row."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from distaff.errors import BadInput, unknown
from distaff.tables.columns import Column, shown
from distaff.tables.table import Table

#: which factors are real numbers: all, none, or those of these names or column numbers
Continuous = bool | Sequence[str] | Sequence[int]
MOST_CLASSES = 30  # values of a factor that a message counts
#: numbers that people write where there is no value
STAND_INS = frozenset(
    sign * (10**digits - by) for sign in (-1, 1) for digits in range(1, 6) for by in (1, 2)
)  # -99, 999, -998
#: what a column of words among codes may be
OF_WORDS = "; a factor goes to --factor-columns {name}, and what names the rows stays out by --code-columns"


@dataclass(frozen=True)
class Factors:
    """Factors (n, k): whole numbers 0..m-1 in the order of their values, or real numbers if `continuous`.

    They are int64, or float64 where a column is continuous. `words` are what the numbers of a column of words
    stand for; `unordered` are those columns of words of which no order was given; `stand_ins` by column
    numbers such as -999 that may stand for no value; `merged` by column two texts that are one number, as 01
    and 1.
    """

    values: NDArray[Any]
    names: list[str]
    continuous: tuple[int, ...] = ()
    unordered: tuple[int, ...] = ()
    words: dict[str, list[str]] = field(default_factory=dict)
    stand_ins: dict[str, list[float]] = field(default_factory=dict)
    merged: dict[str, list[str]] = field(default_factory=dict)


def codes_of(table: Table) -> NDArray[np.float64]:
    """A table as codes (n, d), float64. Every cell must be a finite number."""
    if table.block is not None:
        block = table.block.astype(np.float64, copy=False)
        if np.isfinite(block).all():
            return block
    columns = table.columns()
    for j, column in enumerate(columns):
        if table.block is not None and not table.named and not column.number.all():
            raise _not_finite(table, "codes", j, int(column.number.argmin()))
        if column.missing.any():
            raise replace(table, keep="").missing_error(j, column.missing)
        if column.odd.any():
            is_words = table.named and not column.number.any()
            raise table.odd_error(j, column, OF_WORDS.format(name=table.names[j]) if is_words else "")
    return np.stack([_reals(table, j, column) for j, column in enumerate(columns)], axis=1)


def _not_finite(table: Table, role: str, j: int, row: int) -> BadInput:
    """The error for an array of numbers of which one is NaN or infinite."""
    drop = f"; leave such rows out with {table.drop}" if np.isnan(table.cells[j][row]) and table.drop else ""
    place = "" if table.what == role else f"{table.what}: "
    return BadInput(f"{place}{role} hold NaN or infinite values, first in column {j}, row {row}{drop}")


def _reals(table: Table, j: int, column: Column) -> NDArray[np.float64]:
    try:
        return column.reals()
    except OverflowError:
        raise BadInput(
            f"{table.column(j)}: it holds whole numbers beyond 1e308, which are too large"
        ) from None


def factors_of(
    table: Table,
    continuous: Continuous = False,
    words: Sequence[str] = (),
    order: Mapping[str, Sequence[str]] | None = None,
) -> Factors:
    """A table as factors (n, k).

    A column in which every cell is a number is numeric, one with fewer numbers than words is words; what is
    in between is an error, unless `words` names it. `order` gives words their order, from the first to the
    last, by column.
    """
    order = {str(name): _as_list(name, each) for name, each in (order or {}).items()}
    words = [words] if isinstance(words, str) else [str(name) for name in words]
    for name in [*words, *order]:
        table.place(name)
    real = continuous_columns(table, continuous)
    found = []
    for j, (name, column) in enumerate(zip(table.names, table.columns([*words, *order]), strict=True)):
        is_words = holds_words(table, j, column, name in words or name in order, j in real)
        if j in real:
            found.append(_real(table, j, column, is_words))
        else:
            found.append(_classes(table, j, column, is_words, order.get(name)))
    of_names = dict(zip(table.names, found, strict=True))
    return Factors(
        np.stack([each.values for each in found], axis=1).astype(np.float64 if real else np.int64),
        list(table.names),
        real,
        tuple(j for j, each in enumerate(found) if each.words is not None and not each.is_ordered),
        {name: each.words for name, each in of_names.items() if each.words is not None},
        {name: each.stand_ins for name, each in of_names.items() if each.stand_ins},
        {name: each.merged for name, each in of_names.items() if each.merged},
    )


@dataclass(frozen=True)
class _Factor:
    """A column of factors, its words if it holds any, and numbers that may stand for no value."""

    values: NDArray[Any]
    words: list[str] | None = None
    is_ordered: bool = True
    stand_ins: list[float] = field(default_factory=list)
    merged: list[str] = field(default_factory=list)


def _real(table: Table, j: int, column: Column, is_words: bool) -> _Factor:
    """A factor of real numbers."""
    if is_words:
        word = shown(column.cells[int(column.odd.argmax())])
        raise BadInput(
            f"{table.column(j)} holds words, such as '{word}', and continuous factors are real "
            "numbers; name those that are: continuous=[...] (--continuous NAMES)"
        )
    values = _reals(table, j, column)
    return _Factor(values, stand_ins=stand_ins_of(values))


def _classes(table: Table, j: int, column: Column, is_words: bool, order: Sequence[str] | None) -> _Factor:
    """A factor of classes: whole numbers, or words in their `order`, where one is known."""
    if order:
        column = replace(column, order=tuple(order))
    values, distinct = column.classes(is_words)
    if is_words:
        _check_order(table, j, distinct, order or ())
        return _Factor(values, distinct, is_ordered=bool(order or column.order))
    _check_whole(table, j, distinct)
    numbers = np.array(distinct, dtype=np.float64)
    below = [-1.0] if len(numbers) > 3 and numbers[0] == -1 and numbers[1] >= 0 else []
    return _Factor(values, stand_ins=stand_ins_of(numbers) or below, merged=_merged(table.cells[j]))


def _merged(cells: NDArray[Any]) -> list[str]:
    """Two texts that are one number, of which one begins with a 0; none where all have as many digits."""
    texts = (
        {cell for cell in set(cells.tolist()) if isinstance(cell, str)} if cells.dtype.kind in "OU" else ()
    )
    padded = (cell for cell in sorted(texts) if len(cell) > 1 and cell.startswith("0") and cell.isdecimal())
    pairs = ([cell, plain] for cell in padded if (plain := cell.lstrip("0") or "0") in texts)
    return next(pairs, [])


def stand_ins_of(column: NDArray[Any]) -> list[float]:
    """Of a column of numbers (n,) those that may stand for no value, as far as they are from all others."""
    if not STAND_INS & {float(column.min()), float(column.max())}:
        return []
    distinct = np.unique(column)
    others = distinct[~np.isin(distinct, list(STAND_INS))]
    if len(others) < 2:
        return []
    low, high = others[0], others[-1]
    apart = np.maximum(low - distinct, distinct - high)
    return [float(value) for value in distinct[apart > high - low] if value in STAND_INS]


def _as_list(name: str, words: Sequence[str]) -> list[str]:
    if isinstance(words, str):
        raise BadInput(f"the order of '{name}' must be a list of its words, got {words!r}")
    return [str(word) for word in words]


def continuous_columns(table: Table, continuous: Continuous) -> tuple[int, ...]:
    """The numbers of the columns that hold real numbers."""
    if isinstance(continuous, bool | np.bool_):
        return tuple(range(len(table.names))) if continuous else ()
    found = []
    for name in [continuous] if isinstance(continuous, str) else continuous:
        named = table.named and str(name) in table.names  # as where columns are named by numbers
        if isinstance(name, int | np.integer) and not isinstance(name, bool) and not named:
            if not 0 <= name < len(table.names):
                raise unknown("factor column", str(name), map(str, range(len(table.names))))
            found.append(int(name))
        else:
            found.append(table.place(str(name)))
    return tuple(sorted(set(found)))


def holds_words(table: Table, j: int, column: Column, as_words: bool, is_real: bool = False) -> bool:
    """Whether a column of factors holds words; an error where some cells are missing or odd.

    A category does, whatever its words look like, unless it is said to be of real numbers.
    """
    if column.missing.any() and not table.named and table.block is not None:
        raise _not_finite(table, "factors", j, int(column.missing.argmax()))
    if column.missing.any():
        raise table.missing_error(j, column.missing)
    if as_words or (column.order is not None and not is_real):
        return True
    if not column.odd.any():
        return False
    if column.odd.sum() > column.number.sum():
        return True
    if column.cells.dtype != object:
        raise _not_finite(table, "factors", j, int(column.odd.argmax()))
    count, total = int(column.odd.sum()), len(table)
    say = f", or say {table.as_words(j)}" if table.keep else ""
    many = f"{count} of its {total} cells are none" if count > 1 else f"it alone of {total} cells is none"
    raise table.odd_error(j, column, f"; {many}; mend that{say}")


def _check_whole(table: Table, j: int, values: list[float]) -> None:
    """An error where the numbers of a factor are not all whole."""
    broken = next((value for value in values if value != int(value)), None)
    if broken is None:
        return
    which = f"factor '{table.names[j]}'" if table.named else f"factor column {j}"
    name = f"['{table.names[j]}'] (--continuous {table.names[j]})" if table.named else "True (--continuous)"
    few = (
        f" to take each of its {len(values)} values for a class say {table.as_words(j)},"
        if table.keep
        else ""
    )
    raise BadInput(
        f"{which} holds values such as {broken:g}; whole numbers are needed. Give class numbers,"
        f"{few if table.named and len(values) <= MOST_CLASSES else ''} or ask for "
        f"continuous={name}.{table.read_as()}"
    )


def _check_order(table: Table, j: int, distinct: list[str], order: Sequence[str]) -> None:
    """An error where the order of a column lacks one of its words, or has one twice."""
    for word in distinct if order else ():
        if word not in order:
            raise BadInput(
                f"{table.column(j)} holds '{word}', which its order leaves out: {', '.join(order)}; name "
                "every word"
            )
    if len(set(distinct)) < len(distinct):
        raise BadInput(f"the order of {table.column(j)} names a word twice: {', '.join(order)}")
