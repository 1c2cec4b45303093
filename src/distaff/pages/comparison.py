"""Several runs side by side: what they differ in, their scores, and what their latents do."""

from __future__ import annotations

from collections.abc import Sequence
from shlex import quote
from typing import Any

from markupsafe import Markup

from distaff.errors import BadInput
from distaff.evaluation.posterior import active
from distaff.pages import parts
from distaff.pages.in_short import told_by
from distaff.pages.page import Section
from distaff.pages.parts import tagged
from distaff.pages.seen import Seen
from distaff.pages.traversals import traversals

SHOWN = 5  # latents of each run, those that carry most
#: what evaluations that are compared must have in common, as cards have it
MADE_BY = ("rows", "protocol", "factors", "continuous", "order", "blocks", "groups", "units")


def sections(several: Sequence[Seen]) -> list[Section]:
    """The sections of a comparison; runs stand in the order that was given."""
    return [differences(several), scores(several), factors(several), traversed(several)]


def names(several: Sequence[Seen]) -> list[str]:
    """What the runs are called: the names of their folders, or their paths where two have one name."""
    short = [seen.run.folder.resolve().name for seen in several]
    return short if len(set(short)) == len(short) else [str(seen.run.folder) for seen in several]


def differences(several: Sequence[Seen]) -> Section:
    """Every setting in which runs differ, and then what they share."""
    given = [_given(seen) for seen in several]
    keys = list(dict.fromkeys(key for each in given for key in each))
    rows = {key: [str(each.get(key, "–")) for each in given] for key in keys}
    differ = [(key, *row) for key, row in rows.items() if len(set(row)) > 1]
    alike = [(key, row[0]) for key, row in rows.items() if len(set(row)) == 1]
    told = "They differ in nothing but their weights." if not differ else ""
    table = parts.table(("", *names(several)), differ)
    return Section("Runs", [told, table, parts.folded("What they share", [parts.definitions(alike)])])


def _given(seen: Seen) -> dict[str, Any]:
    """What a run was made with and of."""
    config, run = seen.run.config, seen.run
    made = {"method": config.method, "data set": config.dataset.name, **(config.dataset.options or {})}
    made |= {
        "images of the data": f"{len(run.data):,}",
        "trained": run.effort,
        "seed": config.seed,
        **config.settings,
    }
    return made | {"active latents": f"{int(active(seen.encoding).sum())} of {run.code_size}"}


def scores(several: Sequence[Seen]) -> Section:
    """Every score of the runs that were evaluated, with its interval; the best of each is bold."""
    missing = [quote(str(seen.run.folder)) for seen in several if seen.card is None]
    told = [Markup("<code>distaff evaluate {}</code> adds its scores.").format(folder) for folder in missing]
    found = list(dict.fromkeys(name for seen in several if seen.card for name in seen.card.scores))
    unlike, data = _unlike(several), {seen.run.config.dataset.fingerprint for seen in several}
    rows = [(name, *_values(several, name, len(data) == 1 and not unlike)) for name in found]
    note = (
        "Value and 95 % interval over images; of runs on the same data, evaluated alike, the best is bold "
        "where its interval meets no other's. "
        "Another seed may move a score by more than the interval says."
    )
    if unlike:
        note += f" These evaluations differ in: {', '.join(unlike)}."
    table = parts.table(("score", *names(several)), rows) if rows else ""
    return Section("Scores", [note if rows else "", table, *(tagged("p", line, "soft") for line in told)])


def _values(several: Sequence[Seen], name: str, comparable: bool) -> list[object]:
    """A cell for each run."""
    cards = [seen.card.scores.get(name) if seen.card else None for seen in several]
    best = _best(cards) if comparable else None
    cells: list[object] = []
    for place, score in enumerate(cards):
        if score is None or score.value is None:
            cells.append(None)
            continue
        ends = (
            ""
            if score.low is None or score.high is None
            else f" ({parts.number(score.low)} to {parts.number(score.high)})"
        )
        value = parts.number(score.value)
        cells.append(tagged("b", value) + ends if place == best else value + ends)
    return cells


def _unlike(several: Sequence[Seen]) -> list[str]:
    """In what the evaluations of the runs differ that makes other scores of the same codes."""
    made = [seen.card.protocol for seen in several if seen.card]
    if not made:
        return []
    found = [key for key in MADE_BY if any((p.get(key) or None) != (made[0].get(key) or None) for p in made)]
    taken = [p.get("settings", {}) for p in made]
    common = sorted(set.intersection(*map(set, taken)))
    other = [name for name in common if any(each[name] != taken[0][name] for each in taken)]
    return [*found, *(f"settings of {name}" for name in other)]


def _best(cards: Sequence[Any]) -> int | None:
    """The place of the score that is better than every other by more than both intervals; None if none is.

    Nor is one where a score has no interval.
    """
    known = [(n, s) for n, s in enumerate(cards) if s is not None and s.value is not None]
    if len(known) < 2 or any(score.low is None for _, score in known):
        return None
    sign = 1 if known[0][1].higher_is_better else -1
    order = sorted(known, key=lambda each: -sign * each[1].value)
    (first, top), others = order[0], [score for _, score in order[1:]]
    apart = all(top.low > other.high if sign > 0 else top.high < other.low for other in others)
    return first if apart else None


def factors(several: Sequence[Seen]) -> Section:
    """For each factor and run the latent that tells most of it."""
    told = [told_by(seen) for seen in several]
    known = list(dict.fromkeys(name for each in told if each for name in each.factors))
    rows = []
    for name in known:
        cells: list[object] = []
        for each in told:
            if each is None or name not in each.factors:
                cells.append(None)
                continue
            column = each.shares[:, each.factors.index(name)]
            cells.append(f"{each.latents[int(column.argmax())]}: {column.max():.2f}")
        rows.append((name, *cells))
    note = (
        "The latent that tells most of each factor, and which share of the factor's entropy, beyond chance."
    )
    if not rows:
        return Section("Factors", ["None of the data sets has labels that latents can be compared with."])
    return Section("Factors", [note, parts.table(("factor", *names(several)), rows)])


def traversed(several: Sequence[Seen]) -> Section:
    """The latents of each run that carry most, as they move."""
    made: list[str] = [f"The {SHOWN} latents of each run that carry most."]
    for seen, name in zip(several, names(several), strict=True):
        made.append(tagged("p", tagged("b", name)))
        try:
            strips = traversals(seen.run, seen.encoding, seen.order[:SHOWN].tolist())
        except BadInput:
            made.append(f"{seen.run.config.method} has no decoder.")
            continue
        for strip in strips:
            made.append(
                parts.labelled(strip.name, parts.picture(strip.images, f"{name}: {strip.name} moves"))
            )
    return Section("Traversals", made)
