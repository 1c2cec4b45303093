"""What benchmarks/dci_learners.py measured, as a page: what each learner makes of DCI."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))
from bounds import KEPT, met
from markdown_table import table

from distaff.metrics.learners import LEARNERS

MEASURED = Path(__file__).parents[1] / "benchmarks" / "results" / "dci_learners.csv"
STUDY = "gradient_boosting"
FEW, ALL = 2_500, 12_000
OPENED = """# What each learner makes of DCI

<!-- Written by `make docs` from benchmarks/results/dci_learners.csv. -->

DCI's disentanglement hangs on what predicts the factors. Here are its values by learner on codes of short
runs of many methods, trained and encoded by `benchmarks/dci_codes.py`, and on constructions (the first
seven). `benchmarks/dci_learners.py` measured them, and says what a default should do. Differences are means
of absolute ones over representations; in brackets how many these are, and the largest. What is empty has
not been measured yet.

The default is `boosting`. It stands for the study's boosting, from which it differs least here, in a small
part of its time, and hangs on the seed least. No learner keeps the bound between few rows and many, so
compare values of equal numbers of rows alone. Before, `random_forest` was the default; it stays, by its name.
"""
Value = tuple[float, int, float | None] | None
Values = dict[tuple[str, int, int], "pd.Series[float]"]


def page() -> str:
    """The page."""
    found = pd.read_csv(MEASURED)
    learners = [name for name in LEARNERS if name in set(found["learner"])]
    values = {
        (learner, rows, seed): part.set_index("codes")["disentanglement"]
        for (learner, rows, seed), part in found[found["codes"] != "time"].groupby(
            ["learner", "rows", "seed"]
        )
    }
    took = found[found["codes"] == "time"].set_index("learner")["seconds"]
    header = "what (and the bound)", *(f"`{name}`" for name in learners)
    columns = "disentanglement", *(f"`{name}`, {rows:,} rows" for name in learners for rows in (FEW, ALL))
    return "\n".join(
        [OPENED, table(header, _bounds(values, took, learners)), table(columns, _each(values, learners))]
    )


def _bounds(values: Values, took: pd.Series[float], learners: list[str]) -> Iterator[tuple[str, ...]]:
    """A line for each bound: what it is, and what each learner has."""
    others = {name: name != STUDY for name in learners}
    for rows in (FEW, ALL):
        what = f"rank correlation with the study's boosting, {rows:,} rows (>= 0.9)"
        yield (
            what,
            *(_cell(what, _rank(values, name, rows) if other else None) for name, other in others.items()),
        )
        what = f"difference from the study's boosting, {rows:,} rows (<= 0.03)"
        apart = [_apart(values, (name, rows, 0), (STUDY, rows, 0)) for name in learners]
        yield (
            what,
            *(
                _cell(what, found if name != STUDY else None)
                for name, found in zip(learners, apart, strict=True)
            ),
        )
    what = f"difference between seeds, {ALL:,} rows (<= 0.02)"
    yield what, *(_cell(what, _apart(values, (name, ALL, 0), (name, ALL, 1))) for name in learners)
    what = f"difference between {FEW:,} and {ALL:,} rows (<= 0.05)"
    yield what, *(_cell(what, _apart(values, (name, FEW, 0), (name, ALL, 0))) for name in learners)
    what = "seconds, of dSprites' factors (< 3)"
    yield what, *(_cell(what, (float(took[name]), 1, None) if name in took else None) for name in learners)


def _both(values: Values, first: tuple[str, int, int], second: tuple[str, int, int]) -> pd.DataFrame:
    """Two columns of the representations that both know."""
    if first not in values or second not in values:
        return pd.DataFrame()
    return pd.concat([values[first], values[second]], axis=1, keys=("first", "second")).dropna()


def _apart(values: Values, first: tuple[str, int, int], second: tuple[str, int, int]) -> Value:
    both = _both(values, first, second)
    if both.empty:
        return None
    apart = (both["first"] - both["second"]).abs()
    return float(apart.mean()), len(both), float(apart.max())


def _rank(values: Values, learner: str, rows: int) -> Value:
    both = _both(values, (learner, rows, 0), (STUDY, rows, 0))
    return None if len(both) < 3 else (float(both.corr("spearman").iloc[0, 1]), len(both), None)


def _cell(what: str, value: Value) -> str:
    if value is None:
        return ""
    number, count, largest = value
    more = f" [{count}" + (f"; {largest:.2f}]" if largest is not None else "]") if count > 1 else ""
    kept = KEPT[met(what, number)]
    return f"{number:.3f}{more}{kept and f' ({kept})'}"


def _each(values: Values, learners: list[str]) -> list[tuple[str, ...]]:
    """A line for each representation."""
    names = dict.fromkeys(name for column in values.values() for name in column.index)
    columns = [
        values.get((name, rows, 0), pd.Series(dtype=float)) for name in learners for rows in (FEW, ALL)
    ]
    return [(each, *(f"{c[each]:.3f}" if each in c else "" for c in columns)) for each in names]
