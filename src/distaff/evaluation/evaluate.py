"""Evaluate a run: encode it once, score the codes, keep the card."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from distaff.errors import BadInput, unknown
from distaff.evaluation.encode import ROWS, encode_run
from distaff.files import read_json, write_json
from distaff.metrics.arrays import usable_factors
from distaff.metrics.score_card import ScoreCard
from distaff.metrics.scoring import not_applicable, score, wanted_metrics
from distaff.progress import progress, say
from distaff.settings import whole_number
from distaff.training.lock import only_one
from distaff.training.run import Run, load_run

#: what a run has to be scored with; without log-variances the card says why there is no mig_exact
HAVING = ("factors", "logvar")
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
    values_only: bool = False,
    show: bool = True,
) -> ScoreCard:
    """Score a run and keep the card in its folder. The same call again reads it.

    `representation` is "mean" or "sampled"; `rows` images are drawn by `seed` (None: all of them). `metrics`,
    `protocol` and `values_only` are those of `distaff.score`.
    """
    run = run if isinstance(run, Run) else load_run(run)
    if representation not in CARDS:
        raise unknown("representation", representation, CARDS)
    path = run.folder / CARDS[representation]
    seed, rows = whole_number("seed", seed, 0), None if rows is None else whole_number("rows", rows, 2)
    _ = run.data  # an error where it is no longer what the run was trained on, even if a card is kept
    asked: dict[str, Any] = {
        "representation": representation,
        "rows asked for": rows,
        "seed": seed,
        "metrics": wanted_metrics(metrics, HAVING),
        "protocol": protocol,
        "values_only": values_only,
    }
    with only_one(run.folder):
        kept = read_card(run, representation)
        if kept is not None and all(kept.protocol.get(key) == value for key, value in asked.items()):
            return kept
        card = _score(run, representation, rows, asked, show)
        card.protocol.update(asked)
        write_json(path, card.to_dict())
    return card


def read_card(run: Run, representation: str = "mean") -> ScoreCard | None:
    """The card kept in a run folder, or None."""
    path = run.folder / CARDS[representation]
    if not path.exists():
        return None
    try:
        return ScoreCard.from_dict(read_json(path))
    except BadInput:
        raise BadInput(f"{path} is damaged; remove it and evaluate again") from None


def _score(run: Run, representation: str, rows: int | None, asked: dict[str, Any], show: bool) -> ScoreCard:
    seed, wanted = asked["seed"], asked["metrics"]
    encoding = encode_run(run, rows, seed, show)
    codes = encoding.mean if representation == "mean" else encoding.sample
    labels = run.data.labels(encoding.rows)
    if labels is None:
        if show:
            say(f"{run.data.name} has no labels: nothing to score, but the report works")
        return not_applicable(
            "it needs labels, and the data set has none", codes.shape[1], len(codes), seed, {}
        )
    usable, left_out = usable_factors(labels, run.data.label_names)
    if not usable:
        return not_applicable("no label can be scored", codes.shape[1], len(codes), seed, left_out)
    names = [run.data.label_names[j] for j in usable]
    with progress("scoring", len(wanted), show=show) as report:
        card = score(
            codes,
            labels[:, usable],
            metrics=wanted,
            names=names,
            logvar=encoding.logvar if representation == "mean" else None,
            protocol=asked["protocol"],
            seed=seed,
            values_only=asked["values_only"],
            report=report,
        )
    card.protocol["left out"] = left_out
    return card
