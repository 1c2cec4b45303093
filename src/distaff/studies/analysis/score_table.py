"""The results table of a study, a row per run, representation and metric; and the same a row per run."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from distaff.errors import BadInput
from distaff.studies.metric_roles import MODEL, disentanglement

NAMES = ("run", "dataset", "method", "strength_name", "representation", "metric")
NUMBERS = ("strength", "seed", "value")
#: what tells the runs of a study apart
RUN = ["dataset", "method", "strength", "seed"]


def check_table(table: pd.DataFrame) -> None:
    """BadInput unless every column is there, its numbers are numbers, and every row says what it is of."""
    missing = [name for name in (*NAMES, *NUMBERS) if name not in table.columns]
    if missing:
        raise BadInput(f"the table has no column {named(missing)}; it has: {named(table.columns)}")
    if table.empty:
        raise BadInput("the table has no rows")
    for name in NUMBERS:
        if not pd.api.types.is_numeric_dtype(table[name]):
            raise BadInput(f"the table's column {name} holds {table[name].dtype}, and numbers are needed")
    for name in ("dataset", "method", "seed", "representation", "metric"):
        if table[name].isna().any():
            raise BadInput(f"the table's column {name} is empty in {int(table[name].isna().sum())} rows")


def rows_of(table: pd.DataFrame, representation: str) -> pd.DataFrame:
    """The rows with a finite value, of a representation or of the model itself."""
    check_table(table)
    ours = table["representation"].isin([representation, MODEL]) & np.isfinite(table["value"].astype(float))
    if not ours.any():
        there = named(table["representation"].unique())
        raise BadInput(f"the table has no scores of the {representation} representation; it has: {there}")
    return table[ours]


def metrics_of(table: pd.DataFrame, representation: str = "mean") -> list[str]:
    """The metrics that have a value, in the table's order."""
    return list(rows_of(table, representation)["metric"].unique())


def disentanglement_of(
    table: pd.DataFrame, metrics: Sequence[str] | None = None, representation: str = "mean"
) -> list[str]:
    """The metrics asked for, or else the table's disentanglement scores; BadInput where there is none."""
    if metrics is not None:
        return list(metrics)
    there = metrics_of(table, representation)
    return some(disentanglement(there), "disentanglement", there)


def some(names: list[str], kind: str, there: Iterable[str]) -> list[str]:
    """The names; BadInput where there is none."""
    if not names:
        raise BadInput(f"the table has no {kind} score; it has: {named(there)}")
    return names


def by_run(table: pd.DataFrame, metrics: Sequence[str], representation: str = "mean") -> pd.DataFrame:
    """A row per run and a column per metric, NaN where a run has no (finite) score.

    The index is (dataset, method, strength, seed), sorted; a method without a strength has strength 0. Scores
    of the model stand beside those of the representation. Raises BadInput for a metric that the table lacks,
    and for two values of one score of one run.
    """
    rows = rows_of(table, representation)
    there = list(rows["metric"].unique())
    missing = [metric for metric in metrics if metric not in there]
    if missing:
        of = f"of the {representation} representation"
        raise BadInput(f"the table has no {named(missing)} {of}; it has: {named(there)}")
    rows = rows[rows["metric"].isin(list(metrics))].fillna({"strength": 0.0})
    keyed = rows.set_index([*RUN, "metric"])["value"].astype(float)
    twice = keyed.index.duplicated()
    if twice.any():
        key = dict(zip(keyed.index.names, keyed.index[int(twice.argmax())], strict=True))
        raise BadInput("two values of one score: " + ", ".join(f"{k} {v}" for k, v in key.items()))
    return keyed.unstack("metric")[list(metrics)].sort_index()


def described(groups: Any) -> pd.DataFrame:
    """Of every group of values: runs (how many), mean, sd (NaN for one), min, q25, median, q75 and max."""
    columns = {"count": "runs", "std": "sd", "25%": "q25", "50%": "median", "75%": "q75"}
    found: pd.DataFrame = groups.describe().rename(columns=columns).reset_index()
    return found.astype({"runs": int})


def each_dataset(wide: pd.DataFrame) -> Iterable[tuple[str, pd.DataFrame]]:
    """Data sets in alphabetical order, each with its rows of what `by_run` gave."""
    for name, part in wide.groupby(level="dataset", sort=True):
        yield str(name), part.droplevel("dataset")


def named(names: Iterable[object], most: int = 40) -> str:
    """Names as a list in prose, cut where there are too many to read."""
    words = [str(name) for name in names]
    more = f" and {len(words) - most} more" if len(words) > most else ""
    return (", ".join(words[:most]) + more) or "none"
