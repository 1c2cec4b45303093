"""Runs that are not done here, for a results table of an earlier slice of the study holds their scores."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from distaff.errors import BadInput
from distaff.files import check_file, write_json
from distaff.progress import say
from distaff.studies.execute import Known, given_of, is_done, read_scores
from distaff.studies.metric_roles import MODEL
from distaff.studies.plan import Plan

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ("run", "representation", "metric", "value")
SCORING = "scoring"  # the key of a table's metadata that says how its runs were scored


def scoring(plan: Plan) -> str:
    """What scores depend on beside the run, as JSON that a results table keeps."""
    return json.dumps({"rows": plan.rows, "metric_options": plan.metric_options}, sort_keys=True)


def take_known(study: Path, plan: Plan, path: str | os.PathLike[str], show: bool = True) -> int:
    """Keep the scores that a table has of runs of the plan, in known/ID.json; how many runs it knows.

    What is done here already stays as it is. Raises BadInput as `known_runs`.
    """
    found = known_runs(plan, path, show)
    for name, given in found.items():
        run = plan.by_id[name]
        if not is_done(plan, read_scores(study, run)):
            given_of(study, run).parent.mkdir(exist_ok=True)
            write_json(given_of(study, run), given)
    return len(found)


def known_runs(plan: Plan, path: str | os.PathLike[str], show: bool = True) -> dict[str, Known]:
    """The runs of a plan that a table has all metrics of, in all representations, by id.

    A run that it has some of them of is not known, and other runs are left aside; `show` says how many.
    Raises BadInput for what is no results table, and for one whose runs were scored in another way.
    """
    table = _read(Path(path), plan, show)
    parts = {str(name): set(part["metric"]) for name, part in table.groupby("representation")}
    every = {str(name): _known(plan, rows, parts) for name, rows in table.groupby("run", sort=False)}
    ours = {name: given for name, given in every.items() if name in plan.by_id}
    found = {name: given for name, given in ours.items() if is_done(plan, given)}
    if show:
        part = f", and of {len(ours) - len(found)} a part" if len(found) < len(ours) else ""
        others = len(every) - len(ours)
        other = f"; {others} other runs in it are left aside" if others else ""
        say(f"{path} holds the scores of {len(found)} of {len(plan.runs)} runs{part}{other}")
    return found


def _known(plan: Plan, rows: pd.DataFrame, parts: dict[str, set[str]]) -> Known:
    """What a table's rows of a run say of it: a metric is done of which it has all `parts` that others have.

    So is none where scores of the model are lacking, which make a run dead or not.
    """
    scores: dict[str, dict[str, float | None]] = {}
    for representation, metric, value in zip(rows.representation, rows.metric, rows.value, strict=True):
        scores.setdefault(representation, {})[metric] = value if math.isfinite(value) else None
    every = {which: [each for each in found if which != MODEL] for which, found in parts.items()}
    whole = MODEL in scores or MODEL not in parts
    metrics = {
        which: [metric for metric in plan.metrics if whole and _has_all(metric, values, every[which])]
        for which, values in scores.items()
    }
    return Known(scores, metrics, trained=False, given=True)


def _has_all(metric: str, values: Mapping[str, Any], every: Sequence[str]) -> bool:
    """Whether a run has all scores of a metric that a table has of any run, or its only one.

    One of several numbers goes by its own name where it is not applicable.
    """
    parts = [score for score in every if _is_of(score, metric) and score != metric]
    return metric in values or (bool(parts) and all(score in values for score in parts))


def _is_of(score: str, metric: str) -> bool:
    """Whether a score, such as "dci.completeness", is one of a metric's."""
    return score.partition(".")[0] == metric


def _read(path: Path, plan: Plan, show: bool) -> pd.DataFrame:
    """The columns of a results table that are needed."""
    import duckdb
    import pandas as pd

    check_file(path)
    with duckdb.connect() as connection:
        try:
            table = connection.from_parquet([str(path)]).df()
            query = "SELECT decode(value) FROM parquet_kv_metadata(?) WHERE decode(key) = ?"
            kept = connection.execute(query, [str(path), SCORING]).fetchall()
        except duckdb.Error as error:
            raise BadInput(f"{path} is not a Parquet file: {str(error).partition(chr(10))[0]}") from None
    missing = [name for name in COLUMNS if name not in table.columns]
    if missing:
        there = ", ".join(map(str, table.columns))
        raise BadInput(f"{path} is no results table: it has no column {', '.join(missing)}; it has: {there}")
    if not pd.api.types.is_numeric_dtype(table["value"]):
        raise BadInput(f"{path}: its column value holds {table['value'].dtype}, and numbers are needed")
    twice = table.duplicated(list(COLUMNS[:3]))
    if twice.any():
        raise BadInput(f"{path} has two values of a score of run {table['run'][twice.idxmax()]}")
    if kept and kept[0][0] != scoring(plan):
        raise BadInput(f"{path} was scored with {kept[0][0]}, and this study is with {scoring(plan)}")
    if not kept and show:
        say(f"{path} does not say how its runs were scored; it is taken to be as here: {scoring(plan)}")
    return table[list(COLUMNS)]
