"""Write pages of docs/ and the contact sheets from what is registered and what was measured.

Run by `make docs`; a test fails where a page is not what this writes.
"""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))
from bounds import KEPT, met
from compared import other_libraries
from faults import KINDS
from found import first_page, picture
from gallery_page import page as gallery
from layers_measured import layers
from learners_compared import page as dci_learners
from markdown_table import table

from distaff import registry
from distaff.datasets import load_dataset
from distaff.experiments.claims import is_stale, measured, tally
from distaff.files import read_json
from distaff.metrics.declare import Declaration
from distaff.pages.contact_sheet import write_contact_sheet
from distaff.pages.experiment import stated
from distaff.scoring.health import CHECKS
from distaff.scoring.validity import WARNINGS
from distaff.settings import describe

HERE = Path(__file__).parent
ROOT = HERE.parent
#: a file NAME.md there explains what failed, and what NAME_before.md says must be known first
RESULTS = ROOT / "benchmarks" / "results" / "experiments"
SHEETS = "images/datasets"
MADE = "<!-- Written by `make docs` from the registry; edit the docstrings instead. -->\n"


def _opened(title: str, name: str) -> list[str]:
    """The beginning of a page: its title, and the introduction that is written by hand."""
    introduction = (HERE / f"{name}_introduction.md").read_text(encoding="utf-8")
    return [f"# {title}\n", MADE, introduction]


def methods() -> str:
    """Every method: what it is, its settings, its differences from the paper."""
    rows = [(f"[`{name}`](#{name})", registry.summary("methods", name)) for name in registry.names("methods")]
    parts = [*_opened("Methods", "methods"), table(("name", "what it is"), rows)]
    for name in registry.names("methods"):
        method = registry.get("methods", name)
        paper, study = method.paper, method.study
        settings = [
            (f"`{s.name}`", f"`{s.default}`", paper.get(s.name, ""), study.get(s.name, ""), s.allowed, s.help)
            for s in describe(method)
        ]
        parts += [f"## {name}\n", inspect.getdoc(method) + "\n"]
        parts.append(table(("setting", "default", "paper", "study", "allowed", "meaning"), settings))
    return "\n".join(parts)


def experiments() -> str:
    """Every experiment: what it claims, how many of its claims hold at scale nano, and what a scale takes."""
    rows: list[tuple[object, ...]] = []
    for name in registry.names("experiments"):
        each, found = registry.get("experiments", name)(), _result(name)
        holds = (
            "not run yet" if found is None else "stale" if is_stale(each, found) else tally(found["claims"])
        )
        link = f"[`{name}`](findings/{name}.md)" if found is not None else f"`{name}`"
        takes = [each.at(scale).takes for scale in ("nano", "small", "paper")]
        rows.append((link, registry.summary("experiments", name), holds, *takes))
    header = ("name", "claim", "claims that hold", "`nano` takes", "`small` takes", "`paper` takes")
    return "\n".join([*_opened("Experiments", "experiments"), table(header, rows)])


STALE = "> **Stale**: made by an older version of this experiment; run `distaff experiment {} --scale nano`"


def finding(name: str) -> str:
    """The page of an experiment: what is claimed and how it is tried, what was found, and its figures."""
    found = _result(name)
    assert found is not None
    experiment = registry.get("experiments", name)
    parts = [STALE.format(name) + " again.\n"] if is_stale(experiment(), found) else []
    before, explained = (RESULTS / f"{name}{which}.md" for which in ("_before", ""))
    if before.exists():
        parts.append(before.read_text(encoding="utf-8"))
    parts += [f"# {name}\n", MADE, inspect.getdoc(experiment) + "\n"]
    parts.append(f"    distaff experiment {name} --scale {found['scale']}\n")
    parts.append(_found(found["claims"]))
    if explained.exists():
        parts.append(explained.read_text(encoding="utf-8"))
    parts += [f"{words}\n" for words in found.get("words", [])]
    for figure in found["figures"]:
        parts.append(f"## {figure['title']}\n\n![{figure['title']}]({name}/{figure['file']})\n")
    parts += [f"## {title}\n\n{_rows(rows)}" for title, rows in found["tables"].items()]
    if "words" in found and found["seconds"]:  # older results count the seconds of their last call only
        parts.append(_took(found))
    return "\n".join(parts)


def _took(found: dict[str, Any]) -> str:
    """How long a result took, and where its networks were trained, which older results do not say."""
    minutes = max(1, round(found["seconds"] / 60))
    if "cuda" in found.get("devices", []):
        return f"This run took {minutes} min; its networks were trained on a CUDA GPU.\n"
    return f"This run took {minutes} min of one thread, beside other work.\n"


def _rows(rows: list[dict[str, Any]]) -> str:
    """A table of an experiment."""
    return table(tuple(map(_cell, rows[0])), [tuple(map(_cell, row.values())) for row in rows])


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.3g}"
    return "" if value is None else str(value).replace("|", "\\|")


def findings() -> list[str]:
    """The experiments that have a result and so a page."""
    return [name for name in registry.names("experiments") if _result(name) is not None]


def _result(name: str) -> dict[str, Any] | None:
    path = RESULTS / f"{name}.json"
    return read_json(path) if path.exists() else None


def _found(claims: list[dict[str, Any]]) -> str:
    rows: list[tuple[object, ...]] = []
    for each in claims:
        number = measured(each) if "seeds" in each else f"{each['measured']:.3g}"  # stale ones tell no seeds
        said = each.get("verdict", "holds" if each["passed"] else "fails")
        rows.append((each["claim"].replace("|", "\\|"), each["bound"], number, said, stated(each)))
    header = ("claim", "bound", "measured (95 % interval)", "verdict", "stated")
    return table(header, rows)


def engine() -> str:
    """What the speed and fault benchmarks measured last."""
    results = ROOT / "benchmarks" / "results"
    benchmarks = read_json(results / "engine.json")
    bounds = [met(*each) for found in benchmarks.values() for each in found.items() if each[0] != "on"]
    parts = _opened("Speed and reliability", "engine")
    parts.append(f"Of {len(bounds) - bounds.count(None)} bounds {bounds.count(False)} are not met.\n")
    for part, found in benchmarks.items():
        on = found.pop("on")
        rows = [(what, f"{value:,.4g}", KEPT[met(what, value)]) for what, value in found.items()]
        parts += [f"## {part}\n", table(("what (and the bound)", "measured", "bound"), rows)]
        parts.append(f"{on['processor']}, {on['threads']} threads, torch {on['torch']}, {on['date']}.\n")
    parts += [
        "## Layer by layer\n",
        "`python benchmarks/layers.py`, on one thread where it does not say two.\n",
        layers(),
    ]
    parts += ["## On a GPU\n", (HERE / "engine_gpu.md").read_text(encoding="utf-8"), gpu()]
    parts += ["## What may happen to a run\n", "`make faults`; a failure would be told below.\n"]
    faults = [
        (
            part,
            inspect.getdoc(KINDS[part][0])[:-1],
            f"{found['tried']:,}",
            len(found["failures"]),
            found["date"],
        )
        for part, found in read_json(results / "faults.json").items()
    ]
    parts.append(table(("part", "what happens", "tried", "failures", "on"), faults))
    return "\n".join(parts)


SHARE = ", share of the float32 rate"


def gpu() -> str:
    """What benchmarks/gpu.py measured last, where there was a GPU."""
    path = ROOT / "benchmarks" / "results" / "gpu.json"
    if not path.exists():
        return "Not measured: no GPU was at hand. `python benchmarks/gpu.py` measures it in one call.\n"
    parts = []
    for part, found in read_json(path).items():
        on = found.pop("on")
        rows = [
            (what, _rate(value), _rate(found.get(what + SHARE, "")), KEPT[met(what, value)])
            for what, value in found.items()
            if not what.endswith(SHARE)
        ]
        header = ("what (and the bound)", "measured", SHARE.removeprefix(", "), "bound")
        parts += [f"### {part}\n", table(header, rows)]
        parts.append(f"{on['card']}, torch {on['torch']}, {on['date']}, commit {on['commit']}.\n")
    return "\n".join(parts)


def _rate(value: float | str) -> str:
    """A number, large ones whole; or the words of what failed."""
    return value if isinstance(value, str) else f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"


def metrics() -> str:
    """Every metric: what it needs, range, direction, cost, source, truth table; health checks; other
    libraries."""
    cost = read_json(ROOT / "benchmarks" / "results" / "metrics.json")
    rows = []
    for name in registry.names("metrics"):
        d = registry.get("metrics", name).declaration
        better = "higher" if d.higher_is_better else "lower"
        needs = "codes" + "".join(f", {need}" for need in d.needs)
        took = f"{cost['seconds'][name]:.2f} s" if name in cost["seconds"] else "minutes"
        real = "yes" if d.continuous else ""
        span, sparse = f"{d.low:g} to {d.high:g}", "" if d.only_dense else "yes"
        rows.append((f"[`{name}`](#{name})", needs, span, better, took, real, sparse, d.source))
    header = ("name", "needs", "range", "better", "time", "continuous", "sparse", "source")
    parts = [*_opened("Metrics", "metrics"), table(header, rows)]
    parts += ["## Health checks\n", "Below a score card stand the findings of these checks:\n"]
    parts.append(table(("code", "what it looks for"), list(CHECKS.items())))
    parts += ["## Validity warnings\n", "And, where nothing is broken but scores mislead, these:\n"]
    parts += [f"### {code}\n\n{inspect.getdoc(check)}\n" for code, check in WARNINGS.items()]
    parts += [_metric(name) for name in registry.names("metrics")]
    parts.append(other_libraries())
    return "\n".join(parts)


def _metric(name: str) -> str:
    function = registry.get("metrics", name)
    d = function.declaration
    parts = [f"## {name}\n", f"`{name}({_arguments(function)})`\n", inspect.getdoc(function) + "\n"]
    unmoved = ", ".join(sorted(d.invariant_to)) or "nothing"
    parts.append(f"Invariant to: {unmoved}. Gets worse with: {_worse(d.worse_with)}. On constructed codes:\n")
    fields = next((list(truth) for truth in d.truth.values() if isinstance(truth, Mapping)), None)
    lines = [
        (situation, *(_range(truth[f]) for f in fields)) if fields else (situation, _range(truth))
        for situation, truth in d.truth.items()
    ]
    return "\n".join([*parts, table(("codes", *(fields or ["value"])), lines), _streamed(d)])


#: what exact scores of a stream are made of
MADE_OF = {
    "counts": "exact of all rows where the stream has `ranges` and bins are equal, else of a sample",
    "moments": "exact of all rows",
}


def _streamed(declared: Declaration) -> str:
    """What a stream makes a metric's value of."""
    if declared.exact is None:
        return "In a stream: of a sample of rows.\n"
    where = f" with `{declared.exact.words}`, else of a sample" if declared.exact.words else ""
    return f"In a stream: {MADE_OF[declared.exact.of]}{where}.\n"


def _worse(worse_with: Mapping[str, frozenset[str]] | frozenset[str]) -> str:
    if not isinstance(worse_with, Mapping):
        return ", ".join(sorted(worse_with))
    return "; ".join(f"{', '.join(sorted(protocols))} ({key})" for key, protocols in worse_with.items())


def _range(bounds: tuple[float, float]) -> str:
    return f"{bounds[0]:g}" if bounds[0] == bounds[1] else f"{bounds[0]:g} to {bounds[1]:g}"


def _arguments(function: Callable[..., object]) -> str:
    arguments = inspect.signature(function).parameters.values()
    return ", ".join(a.name if a.default is a.empty else f"{a.name}={a.default}" for a in arguments)


def datasets() -> str:
    """Every data set: its facts, settings and contact sheet."""
    names, rows = registry.names("datasets"), []
    for name in names:
        kind = registry.get("datasets", name)
        source = f"file `{kind.places[0]}`" if kind.places else kind.source
        rows.append((f"[`{name}`](#{name})", registry.summary("datasets", name), source))
    parts = [*_opened("Data sets", "datasets"), table(("name", "what it is", "from"), rows)]
    return "\n".join([*parts, *(_dataset(name) for name in names)])


def worlds() -> str:
    """Every world: its rules."""
    names = registry.names("worlds")
    rows = [(f"[`{name}`](#{name})", registry.summary("worlds", name)) for name in names]
    rules = [f"## {name}\n\n{inspect.getdoc(registry.get('worlds', name))}\n" for name in names]
    return "\n".join([*_opened("Worlds", "worlds"), table(("name", "what it is"), rows), *rules])


def _dataset(name: str) -> str:
    kind = registry.get("datasets", name)
    factors = ", ".join(f"{factor} {size}" for factor, size in zip(*_grid(kind), strict=True))
    facts: list[tuple[object, ...]] = [("factors", factors or "none")]
    if kind.hidden:
        facts.append(("hidden", ", ".join(kind.hidden)))
    if not kind.places:
        data = load_dataset(name, data_dir="/nonexistent")
        facts = [("images", f"{len(data):,}"), ("shape", " x ".join(map(str, data.image_shape))), *facts]
        facts.append(("source", data.source))
    facts += [("licence", kind.licence), ("citation", kind.citation)]
    settings = [(f"`{s.name}`", f"`{s.default}`", s.allowed, s.help) for s in describe(kind)]
    parts = [f"## {name}\n", inspect.getdoc(kind) + "\n", table(("", ""), facts)]
    if settings:
        parts.append(table(("setting", "default", "allowed", "meaning"), settings))
    if not kind.places:
        parts.append(f"![{name}: each factor varied]({SHEETS}/{name}.png)\n")
    return "\n".join(parts)


def _grid(kind: type) -> tuple[tuple[str, ...], tuple[int, ...]]:
    space = kind.factors  # type: ignore[attr-defined]
    return (space.names, space.sizes) if space else ((), ())


def write_sheets() -> None:
    """Draw the contact sheet of every data set that needs no file."""
    for name in registry.names("datasets"):
        if not registry.get("datasets", name).places:
            data = load_dataset(name, data_dir="/nonexistent")
            write_contact_sheet(data, HERE / SHEETS / f"{name}.png")


PAGES = {
    "methods.md": methods,
    "metrics.md": metrics,
    "datasets.md": datasets,
    "worlds.md": worlds,
    "experiments.md": experiments,
    "engine.md": engine,
    "dci_learners.md": dci_learners,
    "gallery.md": gallery,
    "findings/README.md": first_page,
    **{f"findings/{name}.md": functools.partial(finding, name) for name in findings()},
}

if __name__ == "__main__":
    for name, write in PAGES.items():
        (HERE / name).write_text(write(), encoding="utf-8")
    write_sheets()
    picture().savefig(HERE / "findings" / "verdicts.png", dpi=120)
