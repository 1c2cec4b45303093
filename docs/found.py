"""The first page of what was found: which experiments' claims stand, which fail, and what is open."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from distaff import registry
from distaff.experiments.claims import is_stale, line
from distaff.experiments.verdict import FAILS, HOLDS, NOT_JUDGED, UNDECIDED
from distaff.files import read_json
from distaff.pages.palette import SOFT, THEME

RESULTS = Path(__file__).parents[1] / "benchmarks" / "results" / "experiments"
VERDICTS = (HOLDS, UNDECIDED, FAILS, NOT_JUDGED)
COLOURS = {each: THEME[each][0] for each in (HOLDS, UNDECIDED, FAILS)} | {NOT_JUDGED: SOFT}
OPENED = """# What was found

<!-- Written by `make docs` from benchmarks/results/experiments. -->

What stands, at the scale that was run, of the claims of the papers and lectures that distaff reproduces, what
does not, and what the seeds leave open. A claim holds or fails where its whole 95 % interval is on one side
of its bound ([how findings are judged](../honest_numbers.md)). Scale `nano`, minutes to an hour or two on two
cores, says little about models that a paper trains far longer; `small`, which is to be the evidence, has been
run where a line names it. A line below says what is claimed, not what was found: that is its section.

{} claims are judged below: {} hold, {} fail, {} are undecided. {} were stated before any result at their
scale was known, {} after.

![For every experiment, how many of its claims hold, are undecided, fail or are not judged](verdicts.png)
"""
MANY = {HOLDS: "hold", UNDECIDED: "undecided", FAILS: "fail", NOT_JUDGED: "not judged"}
SECTIONS = {
    "What stands": "All that was judged holds.",
    "What fails": "At least one claim fails, which the page explains as far as it is understood.",
    "What is open": "Nothing fails, and not everything that was judged holds.",
}


def first_page() -> str:
    """The page."""
    found = results()
    claims = [each for result in found.values() for each in result["claims"]]
    judged = [each for each in claims if each["verdict"] != NOT_JUDGED]
    number = Counter(each["verdict"] for each in judged)
    before = sum(each["foretold"] for each in judged)
    verdicts = (number[HOLDS], number[FAILS], number[UNDECIDED])
    parts = [OPENED.format(len(judged), *verdicts, before, len(judged) - before)]
    for title, told in SECTIONS.items():
        here = [result for result in found.values() if section(result) == title]
        parts += [f"## {title}\n\n{told}\n", *(each for result in here for each in told_of(result)), ""]
    waiting = [f"`{name}`" for name in registry.names("experiments") if name not in found]
    if waiting:
        parts.append(f"Not run yet, or to be run again since it was changed: {', '.join(waiting)}.\n")
    return "\n".join(parts)


def results() -> dict[str, dict[str, Any]]:
    """The results that stand for what their experiments are now, by name."""
    kept = {name: RESULTS / f"{name}.json" for name in registry.names("experiments")}
    found = {name: read_json(path) for name, path in kept.items() if path.exists()}
    return {
        name: each for name, each in found.items() if not is_stale(registry.get("experiments", name)(), each)
    }


def counts(result: Mapping[str, Any]) -> Counter[str]:
    """How many claims have each verdict."""
    return Counter(each["verdict"] for each in result["claims"])


def section(result: Mapping[str, Any]) -> str:
    """Where an experiment stands on the page."""
    number = counts(result)
    if number[FAILS]:
        return "What fails"
    return "What stands" if number[HOLDS] and not number[UNDECIDED] else "What is open"


def told_of(result: Mapping[str, Any]) -> Iterator[str]:
    """The experiment's claim in a line, and a line for each number that fails."""
    name, number = result["experiment"], counts(result)
    many = ", ".join(f"{number[each]} {MANY[each]}" for each in VERDICTS if number[each])
    scale = "" if result["scale"] == "nano" else f"; scale `{result['scale']}`"
    yield f"- [{name}]({name}.md): {registry.summary('experiments', name)} ({many}{scale})"
    yield from (f"  - {line(each)}" for each in result["claims"] if each["verdict"] == FAILS)


def picture() -> Figure:
    """A bar for every experiment, of its claims by verdict."""
    found = {name: counts(result) for name, result in results().items()}
    names = [*found][::-1]
    figure = Figure((7.5, 0.2 * len(names) + 0.8), layout="constrained")
    ax = figure.subplots()
    left = [0] * len(names)
    for verdict in VERDICTS:
        widths = [found[name][verdict] for name in names]
        ax.barh(names, widths, left=left, color=COLOURS[verdict], label=verdict)
        left = [one + other for one, other in zip(left, widths, strict=True)]
    ax.tick_params(axis="y", labelsize=7, length=0)
    ax.set_xlabel("claims")
    ax.spines[["top", "right"]].set_visible(False)
    ax.margins(y=0.01)
    figure.legend(loc="outside upper center", ncols=len(VERDICTS), frameon=False)
    return figure
