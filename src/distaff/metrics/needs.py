"""What a metric may need of the same rows besides codes: each need in one place, and how it is checked.

Another is a record in NEEDS, here or put there by a file of your own.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from distaff.errors import BadInput
from distaff.metrics.arrays import (
    Codes,
    Factors,
    Ints,
    check_codes,
    check_factors,
    check_sparse,
    renumbered,
    same_rows,
    standardised,
)
from distaff.metrics.blocks import check_blocks, check_groups, each_alone, example_blocks
from distaff.randomness import derived
from distaff.tables import Continuous, SparseTable, Table, as_table
from distaff.tables.keys import labels_of


def _nothing(*_: Any) -> None: ...


def _the_same(value: Any, *_: Any) -> Any:
    return value


@dataclass(frozen=True)
class Need:
    """What a metric may need: by default an array like codes, with no meaning beside other codes."""

    #: why a metric has no value without it
    lacking: str
    #: it has a row for each row of codes; else it is said of columns, and `check` takes it and a table
    of_rows: bool = True
    #: whose table that is: that of codes, or of another need
    columns_of: str = "codes"
    #: how messages call each of several arrays, as of other runs ("mate {}'s codes"); "" where it is one
    each: str = ""
    #: the array that metrics take, of a table, codes (n, d), and which factors are continuous
    check: Callable[[Any, Any, Continuous], Any] = lambda table, codes, continuous: check_codes(table)
    #: what metrics take of some of the rows, and which factors are continuous; by default just these
    some: Callable[..., Any] = _the_same
    #: it says how exact each code is, so that codes cannot be bent without it; and what it becomes
    #: when codes are divided by deviations (d,)
    of_each_code: bool = False
    rescaled: Callable[[Any, Codes], Any] = _the_same
    #: what stands for it beside noise codes, with a generator, for chance
    of_noise: Callable[[Any, Codes, np.random.Generator], Any] = _nothing
    #: what stands for it beside the standardised factors as codes, for the ceiling, with what else is given
    of_ideal: Callable[[Any, Codes, Mapping[str, Any]], Any] = _nothing
    #: what chance and ceiling depend on of it, for JSON
    facts: Callable[[Any], Any] = _nothing
    #: what distaff.testing gives beside codes made from factors (n, k), by a seed
    example: Callable[[Codes, Factors, int], Any] = _nothing


def _check_logvar(table: Table, codes: Codes, _: Continuous) -> Codes:
    found = check_codes(table)
    if found.shape != codes.shape:
        raise BadInput(f"logvar has shape {found.shape} and codes {codes.shape}; they must be the same")
    return found


def _check_units(table: Table, *_: Any) -> Ints:
    """Units numbered as they first come (n,), whatever they are called; of several columns, combinations."""
    for j, column in enumerate(table.columns(table.names)):
        if column.missing.any():
            raise table.missing_error(j, column.missing)
    names = ["\x1f".join(row) for row in zip(*map(labels_of, table.cells), strict=True)]
    first, each = np.unique(names, return_index=True, return_inverse=True)[1:]
    found: Ints = first.argsort().argsort()[each]
    if not 2 <= found.max() + 1 < len(found):
        raise BadInput(
            f"units hold {found.max() + 1} different values in {len(found)} rows; at least 2 are needed, of "
            "several rows each"
        )
    return found


def _digest(factors: Factors) -> list[Any]:
    return [factors.shape[1], hashlib.sha256(np.ascontiguousarray(factors).tobytes()).hexdigest()]


def _example_mates(codes: Codes, factors: Factors, seed: int) -> list[Codes]:
    rng = np.random.default_rng(derived(seed, "mates"))
    order, signs = rng.permutation(codes.shape[1]), rng.choice([-1.0, 1.0], size=codes.shape[1])
    return [_other_seed(codes, factors)[:, order] * signs]


def _other_seed(codes: Codes, factors: Factors) -> Codes:
    """What a run with another seed makes of codes: rotates them otherwise if rotated, draws noise anew."""
    rng, ideal, centred = np.random.default_rng(5), standardised(factors), codes - codes.mean(axis=0)
    weights = np.linalg.lstsq(ideal, centred, rcond=None)[0]
    rest = centred - ideal @ weights
    if (np.abs(weights) > 0.2).sum(axis=0).max() > 1:
        weights = np.linalg.qr(rng.standard_normal((len(weights), len(weights))))[0] @ weights
    found: Codes = ideal @ weights + rest.std(axis=0) * rng.standard_normal(codes.shape)
    return found


NEEDS: dict[str, Need] = {
    "factors": Need(
        "it needs factors",
        check=lambda table, codes, continuous: check_factors(table, continuous),
        some=renumbered,
        of_noise=_the_same,
        of_ideal=_the_same,
        facts=_digest,
        example=lambda codes, factors, seed: factors,
    ),
    # log-variances (n, d) of the posteriors whose means are the codes
    "logvar": Need(
        "it needs the log-variances of the codes (logvar)",
        check=_check_logvar,
        of_each_code=True,
        rescaled=lambda value, deviation: value - 2 * np.log(deviation),
        of_noise=lambda value, codes, rng: np.full(codes.shape, np.log(0.25)),
        of_ideal=lambda value, codes, given: np.full(codes.shape, 2 * np.log(0.01)),
        example=lambda codes, factors, seed: np.full(codes.shape, 2 * np.log(0.05)),
    ),
    # codes (n, d') that other runs with the same settings give the same rows
    "mates": Need(
        "it needs the codes of other runs with the same settings (mates)",
        each="mate {}'s codes",
        of_noise=lambda value, codes, rng: [rng.standard_normal(mate.shape) for mate in value],
        of_ideal=lambda value, codes, given: [codes[:, ::-1]],
        facts=lambda value: [mate.shape[1] for mate in value],
        example=_example_mates,
    ),
    "mates_logvar": Need("it needs the log-variances of mates (mates_logvar)", each="mate {}'s logvar"),
    # the unit, such as an episode or a donor, that each row (n,) is of
    "units": Need(
        "it needs the unit of each row (units)",
        check=_check_units,
        of_noise=_the_same,
        of_ideal=_the_same,
        facts=lambda value: hashlib.sha256(value.tobytes()).hexdigest(),
    ),
    # columns of codes that stand for one thing
    "blocks": Need(
        "it needs blocks of codes (blocks)",
        of_rows=False,
        check=lambda blocks, table, continuous: check_blocks(blocks, table),
        of_noise=_the_same,
        of_ideal=lambda value, codes, given: given.get("groups") or each_alone(codes.shape[1]),
        facts=lambda value: [list(block) for block in value],
        example=example_blocks,
    ),
    # columns of factors that a block should hold together
    "groups": Need(
        "it needs groups of factors (groups)",
        of_rows=False,
        columns_of="factors",
        check=lambda groups, table, continuous: check_groups(groups, table),
        of_noise=_the_same,
        of_ideal=_the_same,
        facts=lambda value: [list(group) for group in value],
    ),
}


def paired(codes: Any, given: Mapping[str, Any], drop: bool = False) -> dict[str, list[Table]]:
    """Codes and what is given of their rows by need, as tables whose rows are in the order of the codes.

    With `drop` rows that one of two tables alone names are left out; of more than two all must name the same.
    """
    of_rows = {need: value for need, value in given.items() if NEEDS[need].of_rows}
    tables = {"codes": [as_table(codes, "codes")]} | {need: [] for need in of_rows}
    drop = drop and list(of_rows) == ["factors"]
    for need, value in of_rows.items():
        each = NEEDS[need].each
        for i, one in enumerate(value if each and value is not None else [value]):
            first, second = same_rows(tables["codes"][0], one, each.format(i) or need, drop)
            tables["codes"] = [first]
            tables[need].append(second)
    return tables


def arrays_of(tables: Mapping[str, list[Table]], continuous: Continuous = False) -> dict[str, Any]:
    """Paired tables as what metrics take: "codes", perhaps sparse, and by need an array, or several."""
    table = tables["codes"][0]
    codes: Any = check_sparse(table) if isinstance(table, SparseTable) else check_codes(table)
    arrays: dict[str, Any] = {"codes": codes}
    for need, parts in tables.items():
        if need != "codes":
            found = [NEEDS[need].check(table, codes, continuous) for table in parts]
            arrays[need] = found if NEEDS[need].each else found[0]
    return arrays


def of_columns(given: Mapping[str, Any], tables: Mapping[str, list[Table]]) -> dict[str, Any]:
    """What is given of columns of these tables, by need, as metrics take it."""
    found = {}
    for need, value in given.items():
        if not (said := NEEDS[need]).of_rows:
            if said.columns_of not in tables:
                raise BadInput(f"{need} name columns of {said.columns_of}, and none are given")
            found[need] = said.check(value, tables[said.columns_of][0], False)
    return found
