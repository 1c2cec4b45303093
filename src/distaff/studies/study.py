"""A study in a folder: run it, see how far it is, and have its results as one table.

plan.json         what is run and how it is scored
runs/ID/          a run folder each, with its scores in study.json
failed/ID.json    the error of a run that failed
known/ID.json     the scores of a run that is not done here, from a table that was given
results.parquet   one row per run, representation and score
"""

from __future__ import annotations

import math
import os
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from distaff.errors import BadInput
from distaff.files import read_json, replacing, write_json
from distaff.machine import available_threads
from distaff.progress import progress, say
from distaff.studies import on_ray, workers
from distaff.studies.as_one import at_most, groups, is_trained, processes
from distaff.studies.execute import Known, has_udr, is_done, lock_of, read_scores, settings_of
from distaff.studies.known import SCORING, scoring, take_known
from distaff.studies.left import fallen, left, uncompared
from distaff.studies.metric_roles import MODEL, is_dead
from distaff.studies.plan import Plan, PlannedRun, read_plan
from distaff.training.lock import only_one

if TYPE_CHECKING:
    import pandas as pd

SHOWN = 5  # errors
FIXED = ("name", "scale", "rows", "udr_mates")  # of a plan whose scores are kept
FAILED = {"run": "failed", "udr": "uncompared"}  # where errors are kept, by the kind of task
KINDS = {"train": "training as one", "run": "running", "udr": "comparing"}  # of tasks, in their order


class Study:
    """The study in a folder. With a plan it is made there, or gets new metrics; another plan is an error."""

    def __init__(self, folder: str | os.PathLike[str], plan: Plan | None = None) -> None:
        self.folder = Path(folder)
        if plan is not None:
            self._begin(plan)
        self.plan = plan or read_plan(self.folder)

    def _begin(self, plan: Plan) -> None:
        path = self.folder / "plan.json"
        if path.exists():
            kept = read_plan(self.folder)
            if kept == plan:
                return
            if gone := [each for each in kept.metrics if each not in plan.metrics]:
                lacked = ", ".join(gone)
                raise BadInput(f"{self.folder} holds a study with {lacked} too; choose another --out")
            was_given, now_given = (_options_of_both(each, kept.metrics, plan) for each in (kept, plan))
            fixed = [(what, getattr(kept, what), getattr(plan, what)) for what in FIXED]
            for what, was, now in (*fixed, ("metric_options", was_given, now_given)):
                if was != now:
                    raise BadInput(
                        f"{self.folder} holds a study with {what} {was}, not {now}; choose another --out"
                    )
            if kept.by_id.keys() != plan.by_id.keys():
                raise BadInput(
                    f"{self.folder} holds a study of {len(kept.runs)} other runs; choose another --out"
                )
        elif self.folder.exists() and any(self.folder.iterdir()):
            raise BadInput(f"{self.folder} is not empty and holds no study; choose another --out")
        self.folder.mkdir(parents=True, exist_ok=True)
        write_json(path, plan)

    def run(
        self,
        *,
        workers: int | None = None,
        ray: str | None = None,
        retry: bool = False,
        known: str | os.PathLike[str] | None = None,
        hours: float | None = None,
        together: int | None = None,
        data_dir: str | None = None,
        show: bool = True,
    ) -> dict[str, Any]:
        """Do what is missing, on local processes or a Ray cluster. Returns the counts of `status`.

        Runs that failed stay so unless `retry`. Runs whose scores the results table `known` holds are not
        done, and stand in the study's own table as they are there. After `hours` no new group of runs is
        begun that differ in their seeds alone: the others are finished, so that each has its UDR, which
        needs the codes of its mates and so cannot be made with a run that only a table knows. Up to
        `together` runs that differ in seeds and numbers alone are trained as one (default: as many as a GPU
        holds, and 1 on a CPU), before all are scored. The same call again continues.
        """
        if hours is not None and ray:
            raise BadInput("--hours is for local processes; it cannot be given with --ray")
        how = (workers or available_threads(), ray, data_dir, show, Begun(self.plan, hours))
        with only_one(self.folder):
            if retry:
                for path in (self.folder / "failed").glob("*.json"):
                    path.unlink()
            if known is not None:
                take_known(self.folder, self.plan, known, show)
            try:
                for wave in self.plan.waves:  # a run is begun when those it stands on are done
                    self._keep_fallen(wave)
                    self._do("train", self._groups(wave, at_most(together)), *how)
                    self._do("run", singly(self._left(wave)), *how)
                self._do("udr", singly(uncompared(self.plan, self._scores(), self.failures())), *how)
            finally:  # a slice that is interrupted has a table too
                self.collect()
        counts = self.status()
        if show and counts["failed"]:
            self._say_failures()
        if show:
            self._say_uncompared()
        return counts

    def _do(
        self,
        kind: str,
        parts: Sequence[Sequence[PlannedRun]],
        count: int,
        ray: str | None,
        data_dir: str | None,
        show: bool,
        begun: Begun,
    ) -> None:
        if not parts:
            return
        tasks = [" ".join([kind, *(run.id for run in part)]) for part in parts]
        count = processes(count) if kind == "train" else count
        by_ray = on_ray.answers(self.folder, tasks, ray, data_dir) if ray else None
        found = by_ray or workers.answers(self.folder, tasks, count, data_dir, begun.wants)
        with progress(KINDS[kind], sum(map(len, parts)), show=show) as report:
            for done, answer in enumerate(found, 1):
                if answer.error and kind != "train":  # whose runs are tried alone yet
                    self._keep_failure(answer)
                report(done)

    def _left(self, runs: Sequence[PlannedRun]) -> list[PlannedRun]:
        return left(self.plan, runs, self._scores(), self.failures())

    def _groups(self, runs: Sequence[PlannedRun], most: int) -> list[list[PlannedRun]]:
        """The groups of runs that are to be trained as one."""
        if most == 1:
            return []
        return groups([run for run in self._left(runs) if not is_trained(self.folder, run)], most)

    def _keep_fallen(self, runs: Sequence[PlannedRun]) -> None:
        known = self._scores()  # of which some were trained, and are sound but for a metric
        failed = {name: error for name, error in self.failures().items() if not known[name].trained}
        for run, reason in fallen(runs, failed):
            self._keep_failure(workers.Answer(f"run {run.id}", reason))

    def _keep_failure(self, answer: workers.Answer) -> None:
        answer.task, _, name = answer.task.partition(" ")
        folder = self.folder / FAILED[answer.task]
        folder.mkdir(exist_ok=True)
        write_json(folder / f"{name}.json", answer)

    def _say_failures(self) -> None:
        failures = self.failures()
        for run, error in list(failures.items())[:SHOWN]:
            say(f"failed: {run}: {error}")
        if len(failures) > SHOWN:
            say(f"and {len(failures) - SHOWN} more in {self.folder / 'failed'}")
        say("the same command with --retry tries them again")

    def failures(self) -> dict[str, str]:
        """The error of every run that failed, by its id."""
        return self._errors("run")

    def _errors(self, kind: str) -> dict[str, str]:
        """The errors of a kind of task by run; one of which UDR failed is sound."""
        paths = sorted((self.folder / FAILED[kind]).glob("*.json"))
        return {path.stem: read_json(path, workers.Answer).error for path in paths}

    def _scores(self) -> dict[str, Known]:
        return {run.id: read_scores(self.folder, run) for run in self.plan.runs}

    def _say_uncompared(self) -> None:
        """Say how many runs lack UDR, for what they are compared with failed, or only a table has it."""
        known, failed = self._scores(), self.failures()
        lacking = [run for run in self.plan.runs if not has_udr(self.plan, run, known[run.id])]
        mates = {run.id: [mate.id for mate in self.plan.mates(run)] for run in lacking}
        if apart := sum(any(known[mate].given for mate in each) for each in mates.values()):
            say(f"{apart} runs have no udr: the codes of their mates are not here, only their scores")
        for run, error in self._errors("udr").items():
            if run in mates:
                say(f"{run} has no udr: {error}; a run that is damaged is made again without its folder")
        if bereft := sum(not failed.keys().isdisjoint(mates[name]) for name in mates.keys() - failed.keys()):
            say(f"{bereft} runs have no udr: of the runs that they are compared with some failed")

    def status(self) -> dict[str, Any]:
        """How many runs there are, done, running, failed and waiting, and the seconds left on one core.

        Of those that are done, `known` are from a table alone, and `dead` tell images apart by no latent
        (None where no run's scores say it).
        """
        failed, counts, spent, dead = self.failures(), Counter[str](), [], []
        for run in self.plan.runs:
            known = read_scores(self.folder, run)
            if is_done(self.plan, known):
                counts["done"] += 1
                counts["known"] += known.given
                spent += [] if known.given else [known.seconds]
                dead.append(is_dead(known.scores.get(MODEL, {}) | known.scores.get("mean", {})))
            elif run.id in failed:
                counts["failed"] += 1
            elif _held(lock_of(self.folder, run)):
                counts["running"] += 1
            else:
                counts["waiting"] += 1
        waiting = counts["running"] + counts["waiting"]
        named = {name: counts[name] for name in ("done", "known", "running", "failed", "waiting")}
        seconds = round(waiting * sum(spent) / len(spent)) if spent else None
        told = [one for one in dead if one is not None]
        return {
            "runs": len(self.plan.runs),
            **named,
            "dead": sum(told) if told else None,
            "core_seconds_left": seconds,
        }

    def collect(self) -> Path:
        """Write results.parquet: a row per run, representation and score."""
        import duckdb
        import pandas as pd

        rows: list[dict[str, Any]] = []
        for run in self.plan.runs:
            scores = read_scores(self.folder, run).scores
            common = settings_of(run) if scores else {}
            rows += [
                common | {"representation": representation, "metric": metric, "value": value}
                for representation, values in scores.items()
                for metric, value in values.items()
            ]
        columns = [*settings_of(self.plan.runs[0]), "representation", "metric", "value"]
        table = pd.DataFrame(rows, columns=columns).astype({"value": float, "strength": float})
        path = self.folder / "results.parquet"
        with replacing(path) as partial, duckdb.connect() as connection:
            connection.register("results", table)
            told = f"KV_METADATA {{{SCORING}: '{_quoted(scoring(self.plan))}'}}"
            connection.execute(f"COPY results TO '{_quoted(partial)}' (FORMAT parquet, {told})")
        return path

    def results(self) -> pd.DataFrame:
        """The results table: run, dataset, method, strength, seed, representation, metric, value and more."""
        return self.query("SELECT * FROM results")

    def query(self, sql: str) -> pd.DataFrame:
        """What SQL says of the table `results`."""
        import duckdb

        path = self.folder / "results.parquet"
        if not path.exists():
            raise BadInput(f"{self.folder} has no results yet; `distaff study run` collects them")
        with duckdb.connect() as connection:
            try:
                connection.execute(f"CREATE VIEW results AS SELECT * FROM read_parquet('{_quoted(path)}')")
                if (found := connection.execute(sql)) is not None:
                    return found.df()
            except duckdb.Error as error:
                raise BadInput(f"the query cannot be answered: {' '.join(str(error).split())}") from None
        raise BadInput("the query is empty; ask for instance: select * from results")


def _options_of_both(plan: Plan, metrics: Sequence[str], other: Plan) -> dict[str, Any]:
    """The options in a plan of the metrics that it and another have: kept scores are made with them."""
    both = set(metrics) & set(other.metrics)
    return {metric: options for metric, options in plan.metric_options.items() if metric in both}


class Begun:
    """Which groups of runs, that differ in their seeds alone, were begun in the first `hours`."""

    def __init__(self, plan: Plan, hours: float | None) -> None:
        self._plan, self._groups = plan, set[tuple[str, ...]]()
        self._end = math.inf if hours is None else time.monotonic() + 3600 * hours

    def wants(self, task: str) -> bool:
        """Whether to do a task now: a run only in time, or with others of its group."""
        kind, *names = task.split()
        if kind == "udr":
            return True
        own = {self._plan.by_id[name].group for name in names}
        if time.monotonic() < self._end:
            self._groups |= own
        return bool(own & self._groups)


def singly(runs: Sequence[PlannedRun]) -> list[list[PlannedRun]]:
    """Each run as a group of its own."""
    return [[run] for run in runs]


def _quoted(text: Path | str) -> str:
    return str(text).replace("'", "''")


def _held(folder: Path) -> bool:
    """Whether a process works in the folder now."""
    if not folder.is_dir():
        return False
    try:
        with only_one(folder):
            return False
    except BadInput:
        return True
