"""The verbs of `distaff study`."""

from __future__ import annotations

import json
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer import Argument, Option

from distaff import registry
from distaff.cli.options import DataDir, Json, Known, Together, tell
from distaff.errors import BadInput

if TYPE_CHECKING:
    from distaff.studies.plan import Plan
    from distaff.studies.study import Study

app = typer.Typer(help="Run and analyse studies of many runs.", rich_markup_mode=None)

Out = Annotated[Path | None, Option(help="The study's folder [default: the only study in runs/].")]


@app.command(name="run")
def run(
    name: Annotated[str, Argument(help="A study; see `distaff list studies`.")],
    scale: Annotated[str, Option(help="How much of it: paper, desktop, small, nano or quick.")] = "paper",
    out: Annotated[Path | None, Option(help="Its folder [default: runs/NAME-SCALE].")] = None,
    workers: Annotated[int | None, Option(help="Processes of one thread each [default: the cores].")] = None,
    ray: Annotated[
        str | None, Option(metavar="ADDRESS", help="Run on the Ray cluster at this address, or auto.")
    ] = None,
    retry: Annotated[bool, Option("--retry", help="Try failed runs again.")] = False,
    known: Known = None,
    hours: Annotated[
        float | None, Option(help="Begin no other setting after so many hours; finish all seeds of the last.")
    ] = None,
    together: Together = None,
    dry_run: Annotated[bool, Option("--dry-run", help="Say what it would take, and stop.")] = False,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Run a study, or go on with it.

    The same command again continues where it stopped. Failed runs are kept with their error. With --known,
    slices add up that were run on other days or machines.
    """
    registry.check("studies", name)
    if hours is not None and not hours > 0:
        raise BadInput(f"--hours {hours:g} is not allowed; it must be above 0")
    if workers is not None and workers < 1:
        raise BadInput(f"--workers {workers} is not allowed; it must be at least 1")
    if together is not None and together < 1:
        raise BadInput(f"--together {together} is not allowed; it must be at least 1")
    from distaff.machine import available_threads
    from distaff.studies.study import Study

    plan = registry.get("studies", name)(scale)
    count = workers or available_threads()
    if dry_run:
        from distaff.studies.cost import estimate

        cost = estimate(_left(plan, known), count, together)
        tell(cost_in_words(cost), cost, as_json)
        return
    study = Study(out or Path("runs") / f"{name}-{scale}", plan)
    folder = None if data_dir is None else str(data_dir.resolve())
    how: dict[str, Any] = {"workers": count, "ray": ray, "retry": retry, "known": known, "hours": hours}
    counts = study.run(**how, together=together, data_dir=folder)
    text = f"{_status(counts, count)}\n{study.folder / 'results.parquet'}"
    tell(f"{text}\nNext: distaff study report --out {quote(str(study.folder))}", counts, as_json)
    if counts["failed"]:
        raise typer.Exit(1)


@app.command()
def status(out: Out = None, as_json: Json = False) -> None:
    """Say how many runs are done, running, failed and waiting, and how long is left."""
    from distaff.machine import available_threads

    study = _study(out)
    counts = study.status()
    failures = study.failures()
    text = _status(counts, available_threads())
    text += "".join(f"\nfailed: {run}: {error}" for run, error in list(failures.items())[:10])
    tell(text, counts | {"failures": failures}, as_json)


@app.command()
def report(out: Out = None) -> None:
    """Write the study's report.html, and its figures as PNG, from the runs that are done."""
    from distaff.files import write_text
    from distaff.studies.study_report import analyses, save_figures, study_report

    study = _study(out)
    study.collect()
    table, counts = study.results(), study.status()
    found = analyses(table)
    title = f"{study.plan.name}, scale {study.plan.scale}"
    note = f"{counts['done']} of {counts['runs']} runs."
    path = study.folder / "report.html"
    paper = study.plan.name == "locatello2019"
    write_text(path, study_report(table, found, title=title, note=note, paper=paper))
    save_figures(found, study.folder / "figures")
    print(path)


@app.command()
def query(
    sql: Annotated[str, Argument(help='SQL over the table results: "SELECT method, avg(value) …"')],
    out: Out = None,
    as_json: Json = False,
) -> None:
    """Ask the results table in SQL.

    Its columns: run, dataset, method, strength, strength_name, seed, steps, settings, representation,
    metric, value.
    """
    found = _study(out).query(sql)
    rows = json.loads(found.to_json(orient="records")) if as_json else None
    tell("" if as_json else found.to_string(index=False), rows, as_json)


def _study(out: Path | None) -> Study:
    from distaff.studies.study import Study

    if out is not None:
        return Study(out)
    found = sorted(path.parent for path in Path("runs").glob("*/plan.json"))
    if len(found) != 1:
        there = ", ".join(map(str, found)) or "none"
        raise BadInput(f"say which study with --out; in runs/ there are: {there}")
    return Study(found[0])


def _left(plan: Plan, known: Path | None) -> Plan:
    """The plan of the runs that a table does not know."""
    from msgspec import structs

    from distaff.studies.known import known_runs

    found = known_runs(plan, known) if known is not None else {}
    left = [run for run in plan.runs if run.id not in found]
    bases = {base.id for run in left for base in run.every_base}  # whose weights no table holds
    left = [run for run in plan.runs if run.id not in found or run.id in bases]
    if not left:
        raise BadInput(f"{known} holds the scores of all {len(plan.runs)} runs: nothing is left to do")
    return structs.replace(plan, runs=tuple(left))


def _status(counts: dict[str, Any], cores: int) -> str:
    text = ", ".join(f"{counts[key]} {key}" for key in ("runs", "done", "running", "failed", "waiting"))
    text += f"; {counts['known']} of them known from a table" if counts["known"] else ""
    text += f"; {counts['dead']} dead, that tell images apart by no latent" if counts["dead"] else ""
    left = counts["core_seconds_left"]
    return text + (f"; about {left / cores / 60:.0f} minutes left on {cores} cores" if left else "")


def cost_in_words(cost: dict[str, Any]) -> str:
    """What runs would take, line by line."""
    lines = [f"{cost['runs']:,} runs: " + ", ".join(f"{m} {n}" for m, n in cost["runs_by_method"].items())]
    training, scoring = cost["training_core_hours"], cost["scoring_core_hours"]
    lines.append(f"about {training:,} core-hours of training and encoding, {scoring:,} of scoring")
    lines.append(f"about {cost['hours']:,} hours with {cost['workers']} workers")
    lines.append(f"about {cost['bytes'] / 1e9:,.1f} GB on disk")
    lines += [f"  {name}: {one * 1e3:.1f} ms a step" for name, one in cost["step_seconds"].items()]
    if (as_one := cost["together"])["most"] > 1:
        lines.append(
            f"{as_one['runs']:,} of the runs are trained as one, {as_one['groups']:,} groups of up to "
            f"{as_one['most']}: about {as_one['training_core_hours']:,} core-hours of training in all"
        )
        each = as_one["step_seconds"].items()
        lines += [f"  {name}: {one * 1e3:.1f} ms a step and run" for name, one in each]
        lines += [f"  {name} alone: {reason}" for name, reason in as_one["alone"].items()]
    return "\n".join(lines)
