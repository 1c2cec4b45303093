"""Run an experiment at a scale, and write what it found into a folder."""

from __future__ import annotations

import contextlib
import inspect
import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import torch

from distaff import __version__, registry
from distaff.errors import BadInput
from distaff.experiments.base import Experiment, Finding, Lab, Runs
from distaff.experiments.claims import is_stale, judged, passed, settings, tally
from distaff.files import read_json, write_json, write_text
from distaff.machine import available_threads
from distaff.networks.threads import torch_threads
from distaff.pages.experiment import experiment_page
from distaff.pages.saving import save_figures
from distaff.progress import say
from distaff.studies.cost import estimate
from distaff.studies.execute import folder_of
from distaff.studies.plan import Plan
from distaff.studies.study import SHOWN, Study
from distaff.training.lock import only_one


class RunsFailed(RuntimeError):
    """Some runs of an experiment failed, so that nothing can be judged."""


def conduct(
    name: str,
    scale: str = "nano",
    out: str | os.PathLike[str] | None = None,
    *,
    workers: int | None = None,
    ray: str | None = None,
    retry: bool = False,
    known: str | os.PathLike[str] | None = None,
    threads: int | None = None,
    together: int | None = None,
    show: bool = True,
) -> dict[str, Any]:
    """What an experiment found at a scale: its claims with their bounds, and whether all of them hold.

    `passed` is False where any claim fails, True where all that are judged hold, and None otherwise. A claim
    is judged by the 95 % interval over seeds: a number of one seed is not.

    Runs are trained on `workers` processes of one thread (default: the cores) or the Ray cluster at `ray`;
    those that failed are tried again with `retry`, and RunsFailed is raised where any did. Runs whose scores
    the results table `known` holds are not trained, where the judge asks for scores alone. Up to `together`
    runs that differ in seeds and numbers alone are trained as one (see Study.run). What is judged is
    fitted and encoded on `threads`. Writes experiment.json, report.html and its figures as PNG files into
    `out` (default experiments/NAME-SCALE). Runs are kept there, so the same call again continues where it
    stopped; `seconds` are those of all calls. Raises BadInput for a name or scale that does not exist, and
    for the folder of another experiment.
    """
    found: Experiment[Any] = registry.get("experiments", name)(name)
    numbers = found.at(scale)
    folder = Path(out) if out is not None else Path("experiments") / f"{name}-{scale}"
    finished(name, scale, folder)
    if show:
        say(f"{name} at scale {scale}: {numbers.takes}")
    how = {"workers": workers, "ray": ray, "retry": retry, "known": known, "show": show}
    how["together"] = together
    with only_one(folder), _clock(folder) as seconds, torch_threads(threads or torch.get_num_threads()):
        lab = Lab(folder, numbers, show)
        runs = _trained(found, scale, lab, how)
        return write_up(found, scale, lab, found.judge(lab, runs), seconds, runs.devices)


def write_up(
    found: Experiment[Any],
    scale: str,
    lab: Lab[Any],
    findings: Iterable[Finding],
    seconds: Callable[[], float],
    devices: Sequence[str] = (),
) -> dict[str, Any]:
    """Judge what a lab finds, and write it into its folder; the work took `seconds` so far, on `devices`."""
    claims = judged(found, scale, findings, tell=say if lab.show else None)
    result = {
        "experiment": found.name,
        "scale": scale,
        "predictions": found.predictions.sha256,
        "settings": settings(lab.scale),
        "passed": passed(claims),
        "claims": claims,
        "tables": {title: _records(what) for kind, title, what in lab.shown if kind == "table"},
        "words": [what for kind, _, what in lab.shown if kind == "words"],
        "figures": _save_figures(lab),
        "version": __version__,
        "devices": list(devices),
        "seconds": round(seconds()),
    }
    write_text(lab.folder / "report.html", _page(found, scale, result, lab))
    write_json(lab.folder / "experiment.json", result)
    return result


def _trained(found: Experiment[Any], scale: str, lab: Lab[Any], how: dict[str, Any]) -> Runs:
    """The runs that an experiment plans, and then those that depend on them."""
    runs = _done(found.plan(scale), lab.folder / "study", how)
    return runs.and_then(_done(found.planned(scale, found.then(lab, runs)), lab.folder / "then", how))


def _done(plan: Plan | None, folder: Path, how: dict[str, Any]) -> Runs:
    if plan is None:
        return Runs()
    study = Study(folder, plan)
    study.run(**how)
    return runs_in(study)


def runs_in(study: Study) -> Runs:
    """The runs of a study that has done all of them. Raises RunsFailed where some failed."""
    failures, counts = study.failures(), study.status()
    if counts["done"] == counts["runs"]:
        return Runs(tuple((folder_of(study.folder, run), run) for run in study.plan.runs))
    if not failures:
        raise BadInput(f"{study.folder} has {counts['waiting']} runs that are not done; run it again")
    told = "; ".join(f"{run}: {error}" for run, error in list(failures.items())[:SHOWN])
    raise RunsFailed(
        f"{len(failures)} of {counts['runs']} runs in {study.folder} failed, so nothing is judged: {told}; "
        "the same command with --retry tries them again"
    )


def dry_run(
    name: str, scale: str = "nano", workers: int | None = None, together: int | None = None
) -> dict[str, Any]:
    """What an experiment's runs would take: see `distaff.studies.cost.estimate`. No data is opened.

    Runs that depend on what others learn are not counted, nor is what is fitted without runs.
    """
    plan = registry.get("experiments", name)(name).plan(scale)
    count = workers or available_threads()
    if plan is None:
        nothing = {"runs": 0, "core_hours": 0.0, "hours": 0.0, "workers": count, "bytes": 0}
        none = {"step_seconds": {}, "runs_by_method": {}, "together": {"most": 1}}
        return {"study": name, "scale": scale, **nothing, **none}
    return estimate(plan, count, together)


@contextlib.contextmanager
def _clock(folder: Path) -> Iterator[Callable[[], float]]:
    """How long work in the folder has taken so far, in seconds, over this call and those before it."""
    path, began = folder / "seconds.json", time.monotonic()
    before = read_json(path) if path.exists() else 0
    before = before if isinstance(before, int | float) else 0
    try:
        yield lambda: before + time.monotonic() - began
    finally:
        write_json(path, round(before + time.monotonic() - began, 1))


def finished(name: str, scale: str, folder: Path) -> dict[str, Any] | None:
    """What the experiment that ended in `folder` found, None if it was of an older version.

    Raises BadInput if it was another one.
    """
    path = folder / "experiment.json"
    if not path.exists():
        return None
    recorded = read_json(path)
    was = [recorded.get(key) for key in ("experiment", "scale")] if isinstance(recorded, dict) else None
    if was != [name, scale]:
        raise BadInput(f"{folder} does not hold {name} at scale {scale}; choose another --out")
    return None if is_stale(registry.get("experiments", name)(), recorded) else dict(recorded)


def _page(found: Experiment[Any], scale: str, result: dict[str, Any], lab: Lab[Any]) -> str:
    return experiment_page(
        found.name.replace("_", " "),
        [" ".join(part.split()) for part in (inspect.getdoc(found) or "").split("\n\n")],
        found.at(scale).takes,
        result,
        tally(result["claims"]),
        lab.shown,
    )


def _records(frame: pd.DataFrame) -> list[dict[Any, Any]]:
    """The rows of a table as JSON takes them: null where there is no number."""
    rows: list[dict[Any, Any]] = frame.astype(object).where(frame.notna(), None).to_dict("records")
    return rows


def _save_figures(lab: Lab[Any]) -> list[dict[str, str]]:
    """Write the figures into the folder; their titles and file names."""
    titled = [(title, what) for kind, title, what in lab.shown if kind == "figure"]
    paths = save_figures(titled, lab.folder)
    return [{"title": title, "file": path.name} for (title, _), path in zip(titled, paths, strict=True)]
