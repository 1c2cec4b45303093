"""Runs that learned nothing, in a results table: which they are, and the table without them."""

from typing import Any

import pandas as pd

from distaff.studies.analysis.score_table import RUN, check_table
from distaff.studies.metric_roles import FACTOR_VAE, MODEL, is_dead

SIGNS = ("informative", "kl")  # scores of the model that tell


def dead_runs(table: pd.DataFrame) -> "pd.Series[Any]":
    """Whether each run of a table is dead, as `metric_roles.is_dead` tells by its scores; None: not known.

    The index is (dataset, method, strength, seed), where a method without a strength has strength 0.
    """
    check_table(table)
    rows = table.fillna({"strength": 0.0})
    model = (rows["representation"] == MODEL) & rows["metric"].isin(SIGNS)
    means = (rows["representation"] == "mean") & (rows["metric"] == FACTOR_VAE)
    told = rows[model | means].pivot_table(index=RUN, columns="metric", values="value", dropna=False)
    every = pd.MultiIndex.from_frame(rows[RUN].drop_duplicates()).sort_values()
    scores: Any = told.reindex(every).to_dict("records") if len(told) else [{} for _ in every]
    dead: list[Any] = [is_dead(one) for one in scores]
    return pd.Series(dead, index=every, dtype=object, name="dead")


def without_dead(table: pd.DataFrame) -> pd.DataFrame:
    """The rows of a table that are of no dead run; those of which it is not known stay."""
    dead = dead_runs(table)
    gone = dead.index[dead == True]  # noqa: E712  (a column of True, False and None)
    mine = pd.MultiIndex.from_frame(table[RUN].fillna({"strength": 0.0}))
    return table[~mine.isin(gone)]


def dead_by_setting(table: pd.DataFrame) -> pd.DataFrame:
    """How many runs of every data set and method are dead, and of how many it is not known.

    Columns: dataset, method, runs, dead, not known, and strengths, at which there are dead ones and how many.
    """
    dead = dead_runs(table)
    frame = dead.reset_index()
    found = []
    for (dataset, method), part in frame.groupby(["dataset", "method"], sort=True):
        gone = part[part["dead"] == True]  # noqa: E712
        at = gone.groupby("strength").size()
        strengths = ", ".join(f"{strength:g} ({count})" for strength, count in at.items())
        unknown = int(part["dead"].isna().sum())
        found.append((dataset, method, len(part), len(gone), unknown, strengths))
    return pd.DataFrame(found, columns=["dataset", "method", "runs", "dead", "not known", "strengths"])
