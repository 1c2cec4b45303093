"""Run an experiment at a scale, and write what it found into a folder."""

from __future__ import annotations

import base64
import io
import math
import os
from importlib.resources import files
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from distaff import __version__, registry
from distaff.errors import BadInput, unknown
from distaff.experiments.base import Claim, Experiment, Lab
from distaff.files import read_json, write_json, write_text
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

    Writes experiment.json and report.html into `out` (default experiments/NAME-SCALE). Runs that the
    experiment trains are kept there, so the same call again continues where it stopped. Raises BadInput for
    a name or scale that does not exist, and for the folder of another experiment.
    """
    found: Experiment = registry.get("experiments", name)
    if scale not in found.scales:
        raise unknown(f"scale of {name}", scale, found.scales)
    folder = Path(out) if out is not None else Path("experiments") / f"{name}-{scale}"
    path = folder / "experiment.json"
    if path.exists():
        recorded = read_json(path)
        was = [recorded.get(key) for key in ("experiment", "scale")] if isinstance(recorded, dict) else None
        if was != [name, scale]:
            raise BadInput(f"{folder} does not hold {name} at scale {scale}; choose another --out")
    if show:
        say(f"{name} at scale {scale}: {found.scales[scale].takes}")
    with only_one(folder):
        lab = Lab(folder, found.scales[scale].numbers, threads, show)
        claims = []
        for each in found.work(lab):
            claims.append(each)
            if show:
                say(line(each))
        result = {
            "experiment": name,
            "scale": scale,
            "passed": all(each.passed for each in claims if each.judged),
            "claims": [each._asdict() for each in claims],
            "tables": {title: _records(what) for kind, title, what in lab.shown if kind == "table"},
            "version": __version__,
        }
        write_text(folder / "report.html", _page(found, scale, result, lab))
        write_json(path, result)
    return result


def line(each: Claim) -> str:
    """A claim in one line."""
    verdict = ("holds" if each.passed else "fails") + ("" if each.judged else ", not judged")
    span = "" if each.low is None else f" ({each.low:.3g} to {each.high:.3g})"
    return f"{each.claim}: {each.measured:.3g}{span}, bound {each.bound}: {verdict}"


def _page(found: Experiment, scale: str, result: dict[str, Any], lab: Lab) -> str:
    from jinja2 import Environment

    template = files("distaff.experiments").joinpath("experiment.html.jinja").read_text(encoding="utf-8")
    environment = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    paragraphs = [" ".join(part.split()) for part in found.about.split("\n\n")]
    shown = [(kind, title, _shown(what)) for kind, title, what in lab.shown]
    return environment.from_string(template).render(
        result=result,
        title=found.name.replace("_", " "),
        paragraphs=paragraphs,
        takes=found.scales[scale].takes,
        shown=shown,
    )


def _cell(value: Any) -> Any:
    if not isinstance(value, float):
        return value
    return "" if math.isnan(value) else f"{value:.3g}"


def _records(frame: pd.DataFrame) -> list[dict[Any, Any]]:
    """The rows of a table as JSON takes them: null where there is no number."""
    rows: list[dict[Any, Any]] = frame.astype(object).where(frame.notna(), None).to_dict("records")
    return rows


def _shown(what: Any) -> Any:
    if isinstance(what, Figure):
        buffer = io.BytesIO()
        what.savefig(buffer, format="png", dpi=130, bbox_inches="tight")
        return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()
    if isinstance(what, pd.DataFrame):
        rows = [[_cell(cell) for cell in row] for row in what.itertuples(index=False)]
        return {"header": list(what.columns), "rows": rows}
    return what
