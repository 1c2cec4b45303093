"""Run an experiment at a scale, and write what it found into a folder."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from distaff import __version__, registry
from distaff.errors import BadInput, unknown
from distaff.experiments.base import Claim, Experiment, Lab
from distaff.files import read_json, write_json, write_text
from distaff.pages.experiment import experiment_page
from distaff.pages.saving import save_figures
from distaff.progress import say
from distaff.training.lock import only_one


def conduct(
    name: str,
    scale: str = "nano",
    out: str | os.PathLike[str] | None = None,
    *,
    threads: int | None = None,
    show: bool = True,
) -> dict[str, Any]:
    """What an experiment found at a scale: its claims with their bounds, and whether all of them hold.

    `passed` is null where none is judged.

    Writes experiment.json, report.html and its figures as PNG files into `out` (default
    experiments/NAME-SCALE). Runs that the experiment trains are kept there, so the same call again continues
    where it stopped; `seconds` are those of all calls. Raises BadInput for a name or scale that does not
    exist, and for the folder of another experiment.
    """
    found: Experiment = registry.get("experiments", name)
    if scale not in found.scales:
        raise unknown(f"scale of {name}", scale, found.scales)
    folder = Path(out) if out is not None else Path("experiments") / f"{name}-{scale}"
    finished(name, scale, folder)
    if show:
        say(f"{name} at scale {scale}: {found.scales[scale].takes}")
    with only_one(folder), _clock(folder) as seconds:
        lab = Lab(folder, found.scales[scale].numbers, threads, show)
        claims = []
        for each in found.work(lab):
            claims.append(each)
            if show:
                say(line(each))
        verdicts = [each.passed for each in claims if each.judged]
        result = {
            "experiment": name,
            "scale": scale,
            "passed": all(verdicts) if verdicts else None,
            "claims": [each._asdict() for each in claims],
            "tables": {title: _records(what) for kind, title, what in lab.shown if kind == "table"},
            "words": [what for kind, _, what in lab.shown if kind == "words"],
            "figures": _save_figures(lab),
            "version": __version__,
            "seconds": round(seconds()),
        }
        write_text(folder / "report.html", _page(found, scale, result, lab))
        write_json(folder / "experiment.json", result)
    return result


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


def conduct_all(
    scale: str = "nano",
    out: str | os.PathLike[str] = "experiments",
    *,
    threads: int | None = None,
    show: bool = True,
) -> list[dict[str, Any]]:
    """What every experiment found, each in the folder `out`/NAME-SCALE.

    An experiment that has finished there is not run again, so that the same call goes on where it stopped.
    """
    found = []
    for name in registry.names("experiments"):
        folder = Path(out) / f"{name}-{scale}"
        kept = finished(name, scale, folder)
        found.append(kept or conduct(name, scale, folder, threads=threads, show=show))
    return found


def finished(name: str, scale: str, folder: Path) -> dict[str, Any] | None:
    """What the experiment that ended in `folder` found. Raises BadInput if it was another one."""
    path = folder / "experiment.json"
    if not path.exists():
        return None
    recorded = read_json(path)
    was = [recorded.get(key) for key in ("experiment", "scale")] if isinstance(recorded, dict) else None
    if was != [name, scale]:
        raise BadInput(f"{folder} does not hold {name} at scale {scale}; choose another --out")
    return dict(recorded)


def overview(results: Iterable[dict[str, Any]]) -> str:
    """A table in plain text: every claim of the experiments, and how many of them hold."""
    rows = [("experiment", "claim", "bound", "measured", "")]
    for result in results:
        for n, each in enumerate(Claim(**one) for one in result["claims"]):
            name = "" if n else result["experiment"]
            rows.append((name, each.claim, each.bound, measured(each), verdict(each)))
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, [*widths, 0], strict=True)).rstrip()
        for row in rows
    ]
    lines.append(f"claims that hold: {tally(each for result in results for each in result['claims'])}")
    return "\n".join(lines)


def tally(claims: Iterable[Mapping[str, Any]]) -> str:
    """How many of the claims that are judged hold, in words."""
    verdicts = [each["passed"] for each in claims if each["judged"]]
    return f"{sum(verdicts)} of {len(verdicts)}" if verdicts else "none judged"


def line(each: Claim) -> str:
    """A claim in one line."""
    return f"{each.claim}: {measured(each)}, bound {each.bound}: {verdict(each)}"


def measured(each: Claim) -> str:
    """The number of a claim, and the range over seeds where there are several."""
    span = "" if each.low is None else f" ({each.low:.3g} to {each.high:.3g})"
    return f"{each.measured:.3g}{span}"


def verdict(each: Claim) -> str:
    """Whether a claim holds."""
    return ("holds" if each.passed else "fails") + ("" if each.judged else ", not judged")


def _page(found: Experiment, scale: str, result: dict[str, Any], lab: Lab) -> str:
    words = {True: "holds", False: "fails"}
    claims = [
        each | {"seeds": "", "verdict": words[each["passed"]] if each["judged"] else "not judged"}
        for each in result["claims"]
    ]
    return experiment_page(
        found.name.replace("_", " "),
        [" ".join(part.split()) for part in found.about.split("\n\n")],
        found.scales[scale].takes,
        result | {"claims": claims},
        tally(result["claims"]),
        lab.shown,
    )


def _records(frame: pd.DataFrame) -> list[dict[Any, Any]]:
    """The rows of a table as JSON takes them: null where there is no number."""
    rows: list[dict[Any, Any]] = frame.astype(object).where(frame.notna(), None).to_dict("records")
    return rows


def _save_figures(lab: Lab) -> list[dict[str, str]]:
    """Write the figures into the folder; their titles and file names."""
    titled = [(title, what) for kind, title, what in lab.shown if kind == "figure"]
    paths = save_figures(titled, lab.folder)
    return [{"title": title, "file": path.name} for (title, _), path in zip(titled, paths, strict=True)]
