"""Published numbers beside a study's own: the numbers of papers are in published.toml."""

from __future__ import annotations

import functools
from importlib.resources import files

import msgspec
import pandas as pd
from msgspec import Struct

from distaff.errors import BadInput
from distaff.studies.analysis.jackknife import jackknife
from distaff.studies.analysis.score_table import named
from distaff.studies.analysis.summary import summary

COLUMNS = ["number", "published", "where", "data", "ours", "low", "high"]


class Published(Struct, frozen=True, forbid_unknown_fields=True):
    """What a paper says of a number that `summary` has by this `key`: a value, or what is `said` instead."""

    key: str
    words: str
    where: str
    value: float | None = None
    said: str = ""


@functools.cache
def published() -> tuple[Published, ...]:
    """Every number of the papers, in the order of a page."""
    text = files("distaff.studies.analysis").joinpath("published.toml").read_bytes()
    found: dict[str, tuple[Published, ...]] = msgspec.toml.decode(text, type=dict[str, tuple[Published, ...]])
    return found["numbers"]


def beside(table: pd.DataFrame) -> pd.DataFrame:
    """Each published number beside the table's own, on every data set it is of.

    Columns: number (in words), published (a value, or what is said instead), where, data (a data set, or
    "all"), ours, low, high (95 % interval, a jackknife over seeds; NaN with fewer than three). What the table
    lacks the scores for has no row. Raises BadInput where it lacks them for all.
    """
    numbers = jackknife(table, summary)
    rows = [
        (one.words, one.said if one.value is None else one.value, one.where, dataset or "all", *ours)
        for one in published()
        for (key, dataset), ours in numbers.items()
        if key == one.key
    ]
    if not rows:
        there = named(table["metric"].unique())
        raise BadInput(f"the table has no scores that a published number is of; it has: {there}")
    return pd.DataFrame(rows, columns=COLUMNS)
