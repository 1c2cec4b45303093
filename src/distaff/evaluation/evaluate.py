"""Evaluate a run: encode it once, score the codes, keep the card."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from distaff import registry
from distaff.datasets import DataSet
from distaff.errors import BadInput, unknown
from distaff.evaluation.encode import ROWS, encode_run
from distaff.files import read_json, read_kept, write_json
from distaff.metrics.arrays import is_whole
from distaff.metrics.blocks import check_blocks, check_groups
from distaff.metrics.needs import NEEDS
from distaff.progress import progress, say
from distaff.scoring.card import ScoreCard
from distaff.scoring.protocols import settings_taken
from distaff.scoring.score import score, wanted_metrics
from distaff.settings import whole_number
from distaff.tables import Continuous, Table, continuous_columns
from distaff.tables.columns import read_column
from distaff.training.lock import only_one
from distaff.training.run import Run, load_run

#: what a run has to be scored with; without log-variances the card says why there is no mig_exact
HAVING = ("factors", "logvar")
OWN = "own"  # blocks: those of the run's method
#: representation -> the file its card is kept in
CARDS = {"mean": "scores.json", "sampled": "scores_sampled.json"}


def evaluate(
    run: Run | str | os.PathLike[str],
    *,
    representation: str = "mean",
    rows: int | None = ROWS,
    seed: int = 0,
    metrics: Sequence[str] | str | None = None,
    protocol: str | None = None,
    continuous: Continuous = False,
    order: Mapping[str, Sequence[str]] | None = None,
    blocks: Mapping[str, Sequence[Any]] | Sequence[Any] | str | None = None,
    groups: Mapping[str, Sequence[Any]] | Sequence[Any] | None = None,
    units: str | None = None,
    values_only: bool = False,
    show: bool = True,
) -> ScoreCard:
    """Score a run and keep the card in its folder. The same call again reads it.

    `representation` is "mean" or "sampled"; `rows` images are drawn by `seed` (None: all of them). `metrics`,
    `protocol`, `continuous`, `order` and `values_only` are those of `distaff.score`. Without labels, the
    scores that need none are given. A card kept by other defaults of a metric than today's is made anew.

    `blocks` of codes are scored in place of single ones, as in `distaff.score`: lists of columns by number or
    by the name that the method gives them; or "own", the method's own blocks. BadInput where it has none.
    `groups` of factors, with blocks, are lists of labels by number or name. `units` is the label that tells
    of each image which episode, donor or subject it is of, as in `distaff.score`.
    """
    run = run if isinstance(run, Run) else load_run(run)
    if representation not in CARDS:
        raise unknown("representation", representation, CARDS)
    path = run.folder / CARDS[representation]
    seed, rows = whole_number("seed", seed, 0), None if rows is None else whole_number("rows", rows, 2)
    _ = run.data  # an error where it is no longer what the run was trained on, even if a card is kept
    parts = None if blocks is None else blocks_of(run, blocks)
    named = [*(order or ()), *([units] if units else ())]
    check_labels(run.data, continuous, named)  # before images are encoded
    wanted = wanted_metrics(metrics, HAVING if parts is None else (*HAVING, "blocks"))
    asked: dict[str, Any] = {
        "representation": representation,
        "rows asked for": rows,
        "seed": seed,
        "metrics": wanted,
        "settings": {name: settings_taken(registry.get("metrics", name), protocol) for name in wanted},
        "protocol": protocol,
        "continuous asked for": continuous
        if isinstance(continuous, bool)
        else [str(each) for each in continuous],
        "units asked for": units,
        "order": {str(name): list(words) for name, words in (order or {}).items()},
        "values_only": values_only,
        "blocks": parts,
        "groups": None if groups is None else groups_of(run, groups),
    }
    with only_one(run.folder):
        kept = read_card(run, representation)
        if kept is not None and all(kept.protocol.get(key) == value for key, value in asked.items()):
            return kept
        card = _score(run, representation, rows, asked, continuous, show)
        card.protocol.update(asked)
        write_json(path, card.to_dict())
    return card


def blocks_of(run: Run, blocks: Mapping[str, Sequence[Any]] | Sequence[Any] | str) -> list[list[int]]:
    """The columns of each block of a run's codes, by number. Raises BadInput where they are no blocks."""
    names, given = run.method.column_names(run.facts), blocks
    if blocks == OWN:
        given = run.method.blocks(run.facts)
        if not given:
            raise BadInput(
                f"codes of {run.config.method} have no blocks of their own; name columns, as in 0-3,4-9"
            )
    return [list(block) for block in check_blocks(given, Table("codes", names, []))]


def groups_of(run: Run, groups: Mapping[str, Sequence[Any]] | Sequence[Any]) -> list[list[str]]:
    """The names of the labels in each group. Raises BadInput where there are no such labels."""
    names = list(run.data.label_names)
    return [[names[j] for j in group] for group in check_groups(groups, Table("labels", names, []))]


def check_labels(data: DataSet, continuous: Continuous, names: Sequence[Any]) -> None:
    """Raises BadInput where `continuous` or one of the names is a label that there is not."""
    table = Table("labels", list(data.label_names), [])
    continuous_columns(table, continuous)
    for name in names:
        table.place(str(name))


def read_card(run: Run, representation: str = "mean") -> ScoreCard | None:
    """The card kept in a run folder, or None."""
    return read_kept(run.folder / CARDS[representation], lambda path: ScoreCard.from_dict(read_json(path)))


def _score(
    run: Run, representation: str, rows: int | None, asked: dict[str, Any], continuous: Continuous, show: bool
) -> ScoreCard:
    wanted = asked["metrics"]
    encoding = encode_run(run, rows, asked["seed"], show)
    table, real, left_out = labels_table(run.data, encoding.rows, continuous)
    if table is None and show:
        say(f"{run.data.name} has no labels that can be scored; the scores that need none are given")
    with progress("scoring", len(wanted), show=show) as report:
        card = score(
            encoding.mean if representation == "mean" else encoding.sample,
            table,
            metrics=wanted,
            continuous=real,
            order=asked["order"],
            words=[] if table is None else [name for name in table.names if _are_words(run.data, name)],
            blocks=asked["blocks"],
            groups=asked["groups"],
            units=asked["units asked for"],
            logvar=encoding.logvar if representation == "mean" else None,
            protocol=asked["protocol"],
            seed=asked["seed"],
            values_only=asked["values_only"],
            report=report,
        )
    card.protocol["left out"] |= left_out
    return card if table is not None else _without_labels(card, bool(run.data.label_names))


def _without_labels(card: ScoreCard, some: bool) -> ScoreCard:
    """The card of codes alone, which says of the other scores why they have no value."""
    why = "none of them can be scored" if some else "the data set has none"
    said = {
        name: dataclasses.replace(score, reason=f"not applicable: it needs labels, and {why}")
        for name, score in card.scores.items()
        if score.reason.endswith(NEEDS["factors"].lacking)
    }
    return dataclasses.replace(card, scores=card.scores | said)


def _are_words(data: DataSet, name: str) -> bool:
    """Whether a label stands for words that are no numbers, or that would be one number or none."""
    words = data.words.get(name, ())
    column = read_column(np.array(words, dtype=object))
    return not column.number.all() or len(set(column.cells.tolist())) < len(words)


def labels_table(
    data: DataSet, rows: NDArray[np.int64], continuous: Continuous
) -> tuple[Table | None, list[str], dict[str, str]]:
    """The labels of some images as a table of factors, which are real numbers, and which are left out.

    None where no label can be scored. Labels of words are words in it.
    """
    labels = data.labels(rows)
    if labels is None:
        return None, [], {}
    columns = dict(zip(data.label_names, labels.T, strict=True))
    cells = [
        np.array(data.words[name], dtype=object)[column.astype(np.int64)] if name in data.words else column
        for name, column in columns.items()
    ]
    table = Table("labels", list(columns), cells)
    real = [data.label_names[j] for j in continuous_columns(table, continuous)]
    left_out = {
        name: f"not whole numbers; continuous=['{name}'] (--continuous {name}) takes it as it is"
        for name, column in columns.items()
        if name not in real and not is_whole(column)
    }
    kept = [name for name in columns if name not in left_out]
    if not any((columns[name] != columns[name][0]).any() for name in kept):
        return None, [], left_out | dict.fromkeys(kept, "a single value")
    return table.pick(kept), real, left_out
