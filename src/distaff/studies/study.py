"""A study in a folder: run it, see how far it is, and have its results as one table.

plan.json         what is run and how it is scored
runs/ID/          a run folder each, with its scores in study.json
failed/ID.json    the error of a run that failed
results.parquet   one row per run, representation and score
"""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from distaff.errors import BadInput
from distaff.files import read_json, replacing, write_json
from distaff.machine import available_threads
from distaff.progress import progress, say
from distaff.studies import on_ray, workers
from distaff.studies.execute import has_udr, is_done, lock_of, read_scores, settings_of
from distaff.studies.plan import Plan, PlannedRun, read_plan
from distaff.training.lock import only_one

if TYPE_CHECKING:
    import pandas as pd

SHOWN = 5  # errors
KINDS = {"run": "running", "udr": "comparing"}  # of tasks, in their order


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
            for what in ("name", "scale", "rows"):
                was, now = getattr(kept, what), getattr(plan, what)
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
        data_dir: str | None = None,
        show: bool = True,
    ) -> dict[str, int]:
        """Do what is missing, on local processes or a Ray cluster. Returns the counts of `status`.

        Runs that failed stay so unless `retry`. The same call again continues.
        """
        with only_one(self.folder):
            if retry:
                for path in (self.folder / "failed").glob("*.json"):
                    path.unlink()
            for kind in KINDS:
                self._do(kind, workers or available_threads(), ray, data_dir, show)
            self.collect()
        counts = self.status()
        if show and counts["failed"]:
            self._say_failures()
        return counts

    def _do(self, kind: str, count: int, ray: str | None, data_dir: str | None, show: bool) -> None:
        tasks = self._tasks(kind)
        if not tasks:
            return
        by_ray = on_ray.answers(self.folder, tasks, ray, data_dir) if ray else None
        found = by_ray or workers.answers(self.folder, tasks, count, data_dir)
        with progress(KINDS[kind], len(tasks), show=show) as report:
            for done, answer in enumerate(found, 1):
                if answer.error:
                    self._keep_failure(answer)
                report(done)

    def _keep_failure(self, answer: workers.Answer) -> None:
        folder = self.folder / "failed"
        folder.mkdir(exist_ok=True)
        answer.task, _, name = answer.task.partition(" ")
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
        paths = sorted((self.folder / "failed").glob("*.json"))
        return {path.stem: read_json(path, workers.Answer).error for path in paths}

    def _tasks(self, kind: str) -> list[str]:
        """The tasks that are left; UDR is made of the runs that lack it and whose mates are all done."""
        failed, known = self.failures(), {run.id: read_scores(self.folder, run) for run in self.plan.runs}
        done = {name for name, scores in known.items() if is_done(self.plan, scores)}

        def is_left(run: PlannedRun) -> bool:
            if kind == "run":
                return run.id not in done
            compared = {run.id, *(mate.id for mate in self.plan.mates(run))}
            return not has_udr(self.plan, run, known[run.id]) and compared <= done

        return [f"{kind} {run.id}" for run in self.plan.runs if run.id not in failed and is_left(run)]

    def status(self) -> dict[str, Any]:
        """How many runs there are, done, running, failed and waiting, and the seconds left on one core."""
        failed, counts, spent = self.failures(), Counter[str](), []
        for run in self.plan.runs:
            known = read_scores(self.folder, run)
            if is_done(self.plan, known):
                counts["done"] += 1
                spent.append(known.seconds)
            elif run.id in failed:
                counts["failed"] += 1
            elif _held(lock_of(self.folder, run)):
                counts["running"] += 1
            else:
                counts["waiting"] += 1
        left = counts["running"] + counts["waiting"]
        named = {name: counts[name] for name in ("done", "running", "failed", "waiting")}
        seconds = round(left * sum(spent) / len(spent)) if spent else None
        return {"runs": len(self.plan.runs)} | named | {"core_seconds_left": seconds}

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
            connection.execute(f"COPY results TO '{_quoted(partial)}' (FORMAT parquet)")
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
                return connection.execute(sql).df()
            except duckdb.Error as error:
                raise BadInput(f"the query cannot be answered: {' '.join(str(error).split())}") from None


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")


def _held(folder: Path) -> bool:
    """Whether a process works in the folder now."""
    if not folder.is_dir():
        return False
    try:
        with only_one(folder):
            return False
    except BadInput:
        return True
