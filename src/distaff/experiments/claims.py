"""The claims of an experiment as records, with what was found and its verdict, and as text."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import msgspec

from distaff.experiments.base import Experiment, Finding, Scale
from distaff.experiments.verdict import FAILS, HOLDS, NOT_JUDGED, UNDECIDED, verdict


def judged(
    found: Experiment[Any],
    scale: str,
    findings: Iterable[Finding],
    tell: Callable[[str], None] | None = None,
) -> list[dict[str, Any]]:
    """The claims of an experiment as records, each with what was measured and its verdict, as declared.

    `tell` is given a line for each as it is made. Raises ValueError unless every declared claim is among the
    findings, once.
    """
    records: dict[str, dict[str, Any]] = {}
    for each in findings:
        claim = each.claim
        if claim.key in records:
            raise ValueError(f"{found.name} judges {claim.key} twice")
        records[claim.key] = record(each, scale)
        if tell is not None:
            tell(line(records[claim.key]))
    if missing := [claim.key for claim in found.claims if claim.key not in records]:
        raise ValueError(f"{found.name} does not judge {', '.join(missing)}")
    return [records[claim.key] for claim in found.claims]


def is_stale(found: Experiment[Any], result: Mapping[str, Any]) -> bool:
    """Whether a result was made by other predictions, or with other settings, than those of today."""
    today = {"predictions": found.predictions.sha256, "settings": settings(found.at(result["scale"]))}
    return any(result.get(key) != value for key, value in today.items())


def settings(scale: Scale) -> dict[str, Any]:
    """The numbers of a scale as JSON gives them back."""
    found: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(scale))  # in which tuples are lists
    del found["takes"]
    return found


def record(finding: Finding, scale: str) -> dict[str, Any]:
    """A claim, its bound, and what was measured at a scale. No number is null."""
    claim, measured = finding
    said = verdict(measured, claim.low, claim.high) if claim.is_judged(scale) else NOT_JUDGED
    return {
        "key": claim.key,
        "claim": claim.words,
        "bound": claim.bound,
        "foretold": claim.is_foretold(scale),
        "measured": _finite(measured.value),
        "low": _finite(measured.low),
        "high": _finite(measured.high),
        "seeds": measured.seeds,
        "verdict": said,
        "passed": {HOLDS: True, FAILS: False}.get(said),
    }


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def passed(claims: Iterable[Mapping[str, Any]]) -> bool | None:
    """Whether all claims that are judged hold: False where one fails, None where none says so."""
    verdicts = {each["verdict"] for each in claims} - {NOT_JUDGED}
    return False if FAILS in verdicts else True if verdicts == {HOLDS} else None


def overview(results: Iterable[dict[str, Any]]) -> str:
    """A table in plain text: every claim of the experiments, and how many of them hold."""
    results = list(results)
    rows = [("experiment", "claim", "bound", "measured", "")]
    for result in results:
        for n, each in enumerate(result["claims"]):
            name = "" if n else result["experiment"]
            rows.append((name, each["claim"], each["bound"], measured(each), each["verdict"]))
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, [*widths, 0], strict=True)).rstrip()
        for row in rows
    ]
    lines.append(f"claims that hold: {tally(each for result in results for each in result['claims'])}")
    return "\n".join(lines)


def tally(claims: Iterable[Mapping[str, Any]]) -> str:
    """How many of the claims that are judged hold: of those stated before results were known, and after.

    Of older results it is not known when their claims were stated; they count as stated after.
    """
    claims = [each for each in claims if each["verdict"] != NOT_JUDGED]
    parts = {
        when: [each for each in claims if each.get("foretold", False) == before]
        for when, before in (("stated before results", True), ("stated after", False))
    }
    return "; ".join(f"{_count(some)} {when}" for when, some in parts.items() if some) or "none judged"


def _count(claims: Sequence[Mapping[str, Any]]) -> str:
    counts = Counter(each["verdict"] for each in claims)
    undecided = f" ({counts[UNDECIDED]} undecided)" if counts[UNDECIDED] else ""
    return f"{counts[HOLDS]} of {len(claims)}{undecided}"


def line(each: Mapping[str, Any]) -> str:
    """A claim in one line."""
    return f"{each['claim']}: {measured(each)}, bound {each['bound']}: {each['verdict']}"


def measured(each: Mapping[str, Any]) -> str:
    """The number of a claim, its interval where it has one, and how many seeds it has."""
    if each["measured"] is None:
        return "no number"
    span = "" if each["low"] in (None, each["high"]) else f" ({each['low']:.3g} to {each['high']:.3g})"
    seeds = {0: "exact", 1: "1 seed"}.get(each["seeds"], f"{each['seeds']} seeds")
    return f"{each['measured']:.3g}{span}, {seeds}"
