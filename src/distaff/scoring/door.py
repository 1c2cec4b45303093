"""The door of the score card: what callers give becomes what metrics take, and what was done is noted."""

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypedDict, TypeVar, Unpack

import numpy as np
from numpy.typing import NDArray

from distaff.errors import BadInput, unknown
from distaff.metrics.arrays import factor_name, single_valued
from distaff.metrics.blocks import Blocks
from distaff.metrics.declare import Declaration
from distaff.metrics.needs import NEEDS, arrays_of, of_columns, paired
from distaff.scoring.inputs import Inputs
from distaff.scoring.units import apart, with_column
from distaff.tables import LEAVE_OUT, Cells, Continuous, Factors, SparseTable, Table, cells_of, factors_of
from distaff.tables.columns import are_whole, shown
from distaff.tables.keys import labels_of
from distaff.tables.roles import STAND_INS, stand_ins_of

F = TypeVar("F", bound=Callable[..., Any])
MISSING = ("error", "drop")


@dataclass(frozen=True)
class Admitted:
    """Inputs, the names of their factors, why others are left out, the words of factors, and notes.

    `cells` says that they are annotated data, with factors.
    """

    inputs: Inputs
    names: list[str] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)
    words: dict[str, list[str]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    cells: bool = False

    @property
    def continuous(self) -> list[str]:
        """The names of the factors that are real numbers."""
        return [self.names[j] for j in self.inputs.continuous]

    def remarks(self, declared: Declaration) -> list[str]:
        """What a metric has to say of these factors, where all are whole numbers."""
        factors = self.inputs.factors
        if factors is None or self.continuous:
            return []
        return list(declared.remarks(factors, [self._values(name, j) for j, name in enumerate(self.names)]))

    def _values(self, name: str, j: int) -> list[str]:
        """The values of a factor as remarks name them."""
        words = self.words.get(name) or map(str, range(int(self.inputs.given["factors"][:, j].max()) + 1))
        return [f"{name}={word}" for word in words]


class Given(TypedDict, total=False):
    """What may be given of codes and factors, or said of how they are read; see `distaff.score`."""

    names: Sequence[str] | None
    continuous: Continuous
    words: Sequence[str]
    order: Mapping[str, Sequence[str]] | None
    missing: str
    # of annotated data
    obsm: str | None
    obs: Sequence[str] | str | None
    units: Any
    # what metrics may need besides factors; others' needs are taken as well
    logvar: Any
    mates: Sequence[Any] | None
    mates_logvar: Sequence[Any] | None
    blocks: Sequence[Any] | Mapping[str, Any] | None
    groups: Sequence[Any] | Mapping[str, Any] | None


def names_given(function: F) -> F:
    """Show the names of Given in `help` and completion, where **given would hide them."""
    signature = inspect.signature(function)
    plain = [each for each in signature.parameters.values() if each.kind is not each.VAR_KEYWORD]
    named = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=..., annotation=kind)
        for name, kind in Given.__annotations__.items()
    ]
    function.__signature__ = signature.replace(parameters=[*plain, *named])  # type: ignore[attr-defined]
    return function


def admit(codes: Any, factors: Any, **given: Unpack[Given]) -> Admitted:
    """Check what is to be scored: rows that belong together, codes, factors, and what else there is.

    Tables whose rows have labels are put in the order of the codes. Factors with a single value are left out.
    """
    for name in given.keys() - Given.__annotations__.keys() - NEEDS.keys():
        raise TypeError(f"got an unexpected keyword argument '{name}'")
    cells = cells_of(codes)
    codes, factors = _of_cells(cells, codes, factors, given)
    if (missing := given.get("missing", "error" if cells is None else "drop")) not in MISSING:
        raise unknown("way with missing values", str(missing), MISSING)
    words, order = given.get("words", ()), given.get("order") or {}
    column = given["units"] if isinstance(given.get("units"), str) else None
    everything: dict[str, Any] = {"factors": factors, **given}
    if column is not None:
        codes, everything["factors"] = with_column(column, codes, factors)
        del everything["units"]
    there = {need: everything[need] for need in NEEDS if everything.get(need) is not None}
    there = {n: value for n, value in there.items() if not NEEDS[n].each or len(value)}  # a list may be empty
    tables = paired(codes, there, drop=missing == "drop")
    tables = tables if column is None else apart(column, tables)
    if "factors" in tables and (names := given.get("names")) is not None:
        table = tables["factors"][0]
        if len(names) != len(table.names):
            raise BadInput(f"{len(names)} factor names for {len(table.names)} factors")
        tables["factors"] = [replace(table, names=[str(name) for name in names], named=True)]
    notes: list[str] = []
    if missing == "drop":
        tables, notes = _without_missing(tables, [*words, *order])
    rows = len(tables["codes"][0])
    if rows < 2:
        raise BadInput(f"at least 2 rows are needed, got {rows}")
    noted = [note for parts in tables.values() for table in parts for note in table.notes]
    notes += list(dict.fromkeys(noted))
    if "groups" in there and "blocks" not in there:
        raise BadInput("groups of factors are for blocks of codes, and no blocks are given")
    of_tables = of_columns(there, tables)
    labels = tables.pop("factors", None)
    found = factors_of(labels[0], given.get("continuous", False), words, order) if labels else None
    arrays = arrays_of(tables) | of_tables
    checked = arrays.pop("codes")
    notes += _in_no_block(tables["codes"][0], arrays.get("blocks"))
    notes += [*_counters(tables["codes"][0], checked), *_far_codes(tables["codes"][0], checked)]
    if found is not None:
        notes += [*_all_different(found), *_stand_ins(found)]
    if labels is not None:
        notes += _factors_among_codes(tables["codes"][0], labels[0])
    if labels is None or found is None:
        return Admitted(Inputs(checked, arrays), notes=notes)
    return replace(_with_factors(Inputs(checked, arrays), found, labels[0], notes), cells=cells is not None)


def _of_cells(cells: Cells | None, codes: Any, factors: Any, given: Given) -> tuple[Any, Any]:
    """The embedding and the labels of annotated data, or codes and factors as they are."""
    obsm, obs = given.get("obsm"), given.get("obs")
    if cells is None:
        for name, value in (("obsm", obsm), ("obs", obs)):
            if value is not None:
                kind = type(codes).__name__
                raise BadInput(f"{name}={value!r} picks from annotated data (AnnData), and codes are {kind}")
        return codes, factors
    if factors is not None and obs is not None:
        raise BadInput("give factors or obs=, not both")
    if factors is None:
        factors = cells.labels([obs] if isinstance(obs, str) else obs)
        if isinstance(units := given.get("units"), str) and units not in factors.names:
            factors = replace(cells.labels([*factors.names, units]), notes=factors.notes)
    return cells.embedding(obsm), factors


def _counters(table: Table, codes: NDArray[np.float64]) -> Iterator[str]:
    """Notes of codes that count the rows, rise by one step, or may name them beside real codes."""
    if isinstance(table, SparseTable):
        return
    if not table.named:
        first, *others = codes.T
        if others and (np.diff(first) == 1).all() and not any(map(are_whole, others)):
            yield "the first code counts the rows; leave it out if it is none"
        return
    whole = [are_whole(code) for code in codes.T]
    for name, code, is_whole in zip(table.names, codes.T, whole, strict=True):
        steps = np.diff(code)
        if steps[0] != 0 and np.allclose(steps, steps[0], rtol=1e-3, atol=0):
            does = "counts the rows" if steps[0] == 1 else f"rises by {steps[0]:g} from row to row"
            yield f"the code '{name}' {does}; leave it out if it is none (--code-columns)"
        elif is_whole and not all(whole) and len(np.unique(code)) == len(code):
            yield (
                f"the code '{name}' is another whole number in each row; if it names rows leave it out "
                "(--code-columns)"
            )


def _factors_among_codes(codes: Table, factors: Table) -> Iterator[str]:
    """Notes of codes that have the name and the cells of a factor, unless all codes do."""
    if not (codes.named and factors.named) or isinstance(codes, SparseTable):
        return
    known = dict(zip(factors.names, factors.cells, strict=True))
    both = [name for name in codes.names if name in known]
    for name in both if len(both) < len(codes.names) else ():
        if labels_of(codes.cells[codes.place(name)]) == labels_of(known[name]):
            yield f"the code '{name}' is the factor of that name; leave it out if it is none (--code-columns)"


def _far_codes(table: Table, codes: NDArray[np.float64]) -> Iterator[str]:
    """Notes of codes with numbers that may stand for no value."""
    if isinstance(table, SparseTable):
        return
    ends = np.isin([codes.min(axis=0), codes.max(axis=0)], list(STAND_INS)).any(axis=0)
    for j in np.flatnonzero(ends):
        # a single 8 or 9 is a large code sooner than an answer that was not given
        values = [v for v in stand_ins_of(codes[:, j]) if abs(v) > 9 or (codes[:, j] == v).sum() > 1]
        if values:
            yield _stand_in(f"code '{table.names[j]}'" if table.named else f"code {j}", values)


def _in_no_block(table: Table, blocks: Blocks | None) -> Iterator[str]:
    """A note of the codes that are in no block."""
    if blocks is None:
        return
    inside = {j for block in blocks for j in block}
    left = [name for j, name in enumerate(table.names) if j not in inside]
    if left:
        yield f"codes in no block, which scores of blocks do not see: {', '.join(left[:8])}" + (
            f" and {len(left) - 8} more" if len(left) > 8 else ""
        )


def _all_different(factors: Factors) -> Iterator[str]:
    """Notes of factors that have another value in each row."""
    for j, name in enumerate(factors.names):
        if j not in factors.continuous and factors.values[:, j].max() == len(factors.values) - 1:
            yield f"the factor '{name}' has another value in each row; leave it out if it names them"


def _stand_ins(factors: Factors) -> Iterator[str]:
    """Notes of factors with numbers that may stand for no value, and with texts that became one number."""
    for name, values in factors.stand_ins.items():
        yield _stand_in(f"factor '{name}'", values)
    for name, (padded, plain) in factors.merged.items():
        yield (
            f"the factor '{name}' holds {padded} and {plain}, which are one number; if they are not the "
            f"same, say words=['{name}'] (--words {name})"
        )


def _stand_in(what: str, values: Sequence[float]) -> str:
    held, where = ", ".join(f"{value:g}" for value in values), "below" if [*values] == [-1] else "far from"
    return (
        f"the {what} holds {held}, {where} its other values; if that stands for no value, leave these cells "
        "empty and say missing='drop' (--missing drop)"
    )


def _with_factors(inputs: Inputs, found: Factors, table: Table, notes: list[str]) -> Admitted:
    """Inputs with the factors that vary; the others are left out."""
    single = single_valued(found.values)
    left_out = {found.names[j]: "a single value" for j in single}
    varies = [j for j in range(len(found.names)) if j not in single]
    if not varies:
        raise BadInput(
            f"{factor_name(table, 0)} has a single value, {shown(table.cells[0][0])}, and no other factor is "
            "left; give one that varies"
        )
    beside = dict(inputs.given)
    if "groups" in beside:
        beside["groups"] = _of_those(beside["groups"], varies, found.names)
    kept = Inputs(
        inputs.codes,
        {"factors": np.ascontiguousarray(found.values[:, varies]), **beside},
        continuous=tuple(new for new, old in enumerate(varies) if old in found.continuous),
        unordered=tuple(new for new, old in enumerate(varies) if old in found.unordered),
    )
    names = [found.names[j] for j in varies]
    words = {name: [shown(word) for word in each] for name, each in found.words.items() if name in names}
    return Admitted(kept, names, left_out, words, notes)


def _of_those(groups: Blocks, varies: list[int], names: Sequence[str]) -> Blocks:
    """Groups of factors as numbers of those that vary; BadInput where none of a group does."""
    found = tuple(tuple(varies.index(j) for j in group if j in varies) for group in groups)
    for group, kept in zip(groups, found, strict=True):
        if not kept:
            listed = ", ".join(names[j] for j in group)
            raise BadInput(f"no factor of the group {listed} varies; leave it out of groups")
    return found


def _without_missing(
    tables: Mapping[str, list[Table]], words: Sequence[str]
) -> tuple[dict[str, list[Table]], list[str]]:
    """The tables without the rows in which any of them has no value, and a note of how many there were."""
    gone = np.any([table.missing(words) for parts in tables.values() for table in parts], axis=0)
    if not gone.any():
        return dict(tables), []
    if gone.all():
        raise BadInput(f"no row has all values: {_emptiest(tables, words)}")
    note = f"{int(gone.sum())} of {len(gone)} rows left out, in which a value is missing"
    return {what: [table.take(~gone) for table in parts] for what, parts in tables.items()}, [note]


def _emptiest(tables: Mapping[str, list[Table]], words: Sequence[str]) -> str:
    """The column that lacks most values, and how it is left out."""
    lacking = [
        (int(column.missing.sum()), table.column(j))
        for parts in tables.values()
        for table in parts
        if not isinstance(table, SparseTable)
        for j, column in enumerate(table.columns(words))
    ]
    most, column = max(lacking, key=lambda each: each[0])
    return f"{column} lacks {most}; {LEAVE_OUT}"
