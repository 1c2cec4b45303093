"""The page of an experiment: its claims and whether they hold, and what it has to show."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from markupsafe import Markup

from distaff.pages.page import Section, page
from distaff.pages.parts import drawing, frame_table, number, table, tagged

SHOWN: dict[str, Callable[[str, Any], Markup]] = {
    "table": lambda title, frame: frame_table(frame),
    "figure": drawing,
    "words": lambda title, words: tagged("p", words),
}


def experiment_page(
    title: str,
    paragraphs: Sequence[str],
    takes: str,
    result: Mapping[str, Any],
    tally: str,
    shown: Iterable[tuple[str, str, Any]],
) -> str:
    """The HTML of what an experiment found.

    `paragraphs` say what is claimed and how it is tried, `takes` what its scale takes, and `tally` how many
    claims hold. Of the `result` are used its scale, its version and its claims, each with claim, bound,
    measured (None: no number), the ends low and high of its interval (None where there is none), seeds (0:
    it is exact), verdict: "holds", "fails", "undecided" or "not judged", and whether it was foretold, that is
    stated before results were known. What is `shown` is a "table" (a
    data frame), a "figure" or "words", its title, and the thing.
    """
    scale = f"Scale {result['scale']}: {takes}. distaff {result['version']}."
    lead = [*(tagged("p", text) for text in paragraphs), scale]
    header = ("claim", "", "bound", "measured", "95 % interval", "seeds", "stated")
    claims = table(header, [_claim(each) for each in result["claims"]])
    sections = [Section(heading, [SHOWN[kind](heading, thing)]) for kind, heading, thing in shown]
    first = Section("Claims", [f"Claims that hold: {tally}", claims])
    return page(title[:1].upper() + title[1:], lead, [first, *sections])


def _claim(each: Mapping[str, Any]) -> list[object]:
    """A row of the table of claims."""
    ends = each["low"], each["high"]
    span = "" if each["low"] in (None, each["high"]) else " to ".join(map(number, ends))
    seeds = {0: "exact"}.get(each["seeds"], each["seeds"])
    verdict = tagged("span", each["verdict"], each["verdict"])
    return [
        each["claim"],
        verdict,
        tagged("span", each["bound"], "n"),
        each["measured"],
        span,
        seeds,
        stated(each),
    ]


def stated(each: Mapping[str, Any]) -> str:
    """When a claim was stated: "before" results were known, or "after", as of older results is supposed."""
    return "before" if each.get("foretold") else "after"
