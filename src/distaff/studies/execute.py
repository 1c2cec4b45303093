"""One run of a study: trained, encoded once, and given the scores it lacks.

Everything of a run lies in its folder, RUNS/ID. `study.json` there holds the scores, a number by
representation and score, and is replaced as a whole; so the same task again does what is missing.
"""

from __future__ import annotations

import dataclasses
import json
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from msgspec import Struct

from distaff import registry
from distaff.datasets import DataSet, load_dataset
from distaff.errors import BadInput
from distaff.evaluation.encode import Encoding, encode_run
from distaff.evaluation.posterior import latent_kl, of_the_model
from distaff.files import read_json, write_json
from distaff.metrics.arrays import usable_factors
from distaff.metrics.udr import udr
from distaff.scoring.card import ScoreCard
from distaff.scoring.score import score
from distaff.studies.longer import begin
from distaff.studies.metric_roles import MODEL
from distaff.studies.plan import Plan, PlannedRun
from distaff.training.lock import only_one
from distaff.training.run import load_run
from distaff.training.train import train

SCORES = "study.json"
UDR_ROWS = 1000


def folder_of(study: Path, run: PlannedRun) -> Path:
    """Where a run of the study in a folder lies."""
    return study / "runs" / run.id


def lock_of(study: Path, run: PlannedRun) -> Path:
    """The folder that a process holds while it works on a run."""
    return study / "locks" / run.id


def given_of(study: Path, run: PlannedRun) -> Path:
    """Where the scores of a run lie that is not done here, but in a table that the study was given."""
    return study / "known" / f"{run.id}.json"


class Known(Struct):
    """What is known of a run: its `scores` and the `metrics` done, by representation, and its `seconds`.

    What a table has `given` is not `trained` here: there are no weights and no codes.
    """

    scores: dict[str, dict[str, float | None]]
    metrics: dict[str, list[str]]
    seconds: float = 0.0
    trained: bool = True
    given: bool = False


def read_scores(study: Path, run: PlannedRun) -> Known:
    """What is known of a run so far."""
    for path in (folder_of(study, run) / SCORES, given_of(study, run)):
        if path.exists():
            with suppress(BadInput):  # damaged, and made again
                found: Known = read_json(path, Known)
                return found
    return Known({}, {}, trained=False)


def missing(plan: Plan, known: Known) -> dict[str, list[str]]:
    """The metrics that a run lacks, by representation."""
    lacking = {
        each: [metric for metric in plan.metrics_of(each) if metric not in known.metrics.get(each, [])]
        for each in plan.representations
    }
    return {each: metrics for each, metrics in lacking.items() if metrics}


def is_done(plan: Plan, known: Known) -> bool:
    """Whether a run is trained, here or where a table is from, and lacks no metric."""
    return (known.trained or known.given) and not missing(plan, known)


def has_udr(plan: Plan, run: PlannedRun, known: Known) -> bool:
    """Whether UDR was made, or there is nothing to make it from: no mates, or no codes of the run."""
    return "udr" in known.scores.get(MODEL, {}) or known.given or not plan.mates(run)


def execute(study: Path, plan: Plan, run: PlannedRun, data_dir: str | None = None) -> None:
    """Train, encode and score a run, as far as that is not done."""
    with only_one(lock_of(study, run)):
        known, began = read_scores(study, run), time.monotonic()
        if is_done(plan, known) and not known.given:
            return
        # by a table that lacks some of its scores, or has no weights for those who stand on it: numbers of
        # two trainings are not mixed
        if known.given:
            known = Known({}, {}, trained=False)
        data, folder = load_dataset(run.dataset, data_dir=data_dir, **run.options), folder_of(study, run)
        if run.dataset not in registry.names("datasets"):
            check_data(study, run, data)
        failed: dict[str, str] = {}
        bases: dict[str, Any] = {setting: str(folder_of(study, base)) for setting, base in run.bases.items()}
        method = dataclasses.replace(run.made, **bases)
        shorter = (folder_of(study, each) for each in plan.shorter(run))
        begin(folder, shorter, lock_of(study, run) / "beginning")
        trained = train(method, data, steps=run.steps, seed=run.seed, out=folder, threads=1, show=False)
        if plan.metrics:
            encoding = encode_run(trained, plan.rows, show=False)
            for representation, metrics in missing(plan, known).items():
                found, without = _scores(plan, data, encoding, representation, metrics)
                failed |= without
                known.scores.setdefault(representation, {}).update(found)
                done = [metric for metric in metrics if metric not in without]
                known.metrics.setdefault(representation, []).extend(done)
            known.scores.setdefault(MODEL, {}).update(of_the_model(trained, encoding))
        known.trained = True
        known.seconds += time.monotonic() - began
        write_json(folder / SCORES, known)
        if failed:  # said when what is sound is kept
            raise BadInput("; ".join(f"{metric} {reason}" for metric, reason in failed.items()))


def check_data(study: Path, run: PlannedRun, data: DataSet) -> None:
    """BadInput where a file or folder holds others than when a run of the study first read it."""
    path, key = study / "data.json", json.dumps([run.dataset, run.options], sort_keys=True)
    known: dict[str, str] = read_json(path) if path.exists() else {}
    now = data.fingerprint()
    if known.setdefault(key, now) != now:
        raise BadInput(
            f"{run.dataset} holds other images or labels than when {study} began; choose another --out"
        )
    write_json(path, known)


def _scores(
    plan: Plan, data: DataSet, encoding: Encoding, representation: str, metrics: list[str]
) -> tuple[dict[str, float | None], dict[str, str]]:
    """The numbers by score, and the metrics that ended in an error that was not foreseen, with that."""
    codes = encoding.mean if representation == "mean" else encoding.sample
    labels = data.labels(encoding.rows)
    if labels is None:
        raise BadInput(f"{data.name} has no labels to score codes against")
    usable, _ = usable_factors(labels, data.label_names)
    factors = labels[:, usable]
    plain = [metric for metric in metrics if metric not in plan.metric_options]
    card = score(codes, factors, metrics=plain, values_only=True) if plain else ScoreCard({}, {})
    failed = {name.partition(".")[0]: reason for name, reason in card.failed.items()}
    found = {name: one.value for name, one in card.scores.items() if name.partition(".")[0] not in failed}
    for metric in metrics:
        if metric in plan.metric_options:
            function = registry.get("metrics", metric)
            given = (codes, factors) if "factors" in function.declaration.needs else (codes,)
            result = function(*given, **plan.metric_options[metric])
            values = result._asdict() if hasattr(result, "_asdict") else {"": result}
            numbers = {part: value for part, value in values.items() if part != "learner"}  # which is a name
            found |= {f"{metric}.{part}".rstrip("."): value for part, value in numbers.items()}
    return found, failed


def add_udr(study: Path, plan: Plan, run: PlannedRun, data_dir: str | None = None) -> None:
    """UDR of a run with its mates, from the kept codes; when all of them are done."""
    with only_one(lock_of(study, run)):
        known = read_scores(study, run)
        if has_udr(plan, run, known):
            return
        codes, kl = _for_udr(study, plan, run, data_dir)
        mates = [_for_udr(study, plan, mate, data_dir) for mate in plan.mates(run)]
        mates_kl = None if kl is None else [other for _, other in mates]
        value = udr(codes, [mate for mate, _ in mates], kl=kl, mates_kl=mates_kl)
        known.scores.setdefault(MODEL, {})["udr"] = value
        write_json(folder_of(study, run) / SCORES, known)


def _for_udr(study: Path, plan: Plan, run: PlannedRun, data_dir: str | None) -> tuple[Any, Any]:
    trained = load_run(folder_of(study, run), data_dir=data_dir)
    encoding = encode_run(trained, plan.rows, show=False)
    rows = np.random.default_rng(0).permutation(len(encoding.rows))[:UDR_ROWS]
    return encoding.mean[rows], latent_kl(encoding)


def settings_of(run: PlannedRun) -> dict[str, Any]:
    """A run's columns in the results table."""
    return {
        "run": run.id,
        "dataset": run.dataset,
        "method": run.method,
        "strength": run.strength_value,
        "strength_name": run.strength,
        "seed": run.seed,
        "steps": run.steps,
        "settings": json.dumps(dataclasses.asdict(run.made)),
    }
