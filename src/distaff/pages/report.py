"""The report of a run: one self-contained HTML file."""

from __future__ import annotations

import os
from contextlib import ExitStack
from pathlib import Path

import numpy as np

from distaff.errors import BadInput
from distaff.evaluation.encode import Encoding, encode_run
from distaff.evaluation.evaluate import read_card
from distaff.evaluation.orthogonality import run_orthogonality
from distaff.evaluation.posterior import active, carried
from distaff.files import write_text
from distaff.pages import comparison, concept_section, run_sections
from distaff.pages.in_short import in_short
from distaff.pages.page import page
from distaff.pages.run_sections import Seen
from distaff.scoring.card import ScoreCard
from distaff.training.lock import only_one
from distaff.training.run import Run, load_run

MOST_JACOBIAN_COLUMNS = 64
ROWS_WITHOUT_SCORES = 2_000  # images encoded for a report of a run that was not evaluated

#: what a report holds, from top to bottom: functions of Seen that give a Section, or None to be left out
SECTIONS = (
    in_short,
    run_sections.scores,
    run_sections.traversed,
    run_sections.reconstructions,
    run_sections.atoms,
    concept_section.concepts,
    run_sections.knowledge,
    run_sections.desiderata,
    run_sections.layers,
    run_sections.training,
    run_sections.settings,
)


def report(
    run: Run | str | os.PathLike[str],
    *others: Run | str | os.PathLike[str],
    out: str | os.PathLike[str] | None = None,
    show: bool = True,
) -> Path:
    """Write a run's `report.html` into its folder, or to the file `out`, and return its path.

    It shows the scores if the run was evaluated, and says so if it was not. With `others` the page compares
    the runs instead: in what they differ, their scores, what their latents tell and do; it goes to `out`, or
    to comparison.html in the current folder. Raises BadInput (a ValueError) where two are the same run.
    """
    several = [each if isinstance(each, Run) else load_run(each) for each in (run, *others)]
    if others:
        return _compared(several, Path(out or "comparison.html"), show)
    only, path = several[0], Path(out or several[0].folder / "report.html")
    with only_one(only.folder), only.threads():
        seen = _seen(only, show)
        made = [section for section in (make(seen) for make in SECTIONS) if section is not None]
        write_text(path, page(f"{only.config.method} on {only.data.name}", [_lead(seen)], made))
    return path


def _compared(several: list[Run], path: Path, show: bool) -> Path:
    """Write the page that compares runs."""
    folders = [run.folder.resolve() for run in several]
    for place, folder in enumerate(folders):
        if folder in folders[:place]:
            raise BadInput(f"{several[place].folder} is given twice; a run is compared with others")
    with ExitStack() as held:
        for run in several:
            held.enter_context(only_one(run.folder))
        seen = [_seen(run, show) for run in several]
        lead = ", ".join(comparison.names(seen))
        write_text(path, page(f"{len(several)} runs side by side", [lead], comparison.sections(seen)))
    return path


def _seen(run: Run, show: bool) -> Seen:
    """What sections are made of."""
    card = read_card(run)
    with run.threads():
        encoding = _encoding(run, card, show)
    order, names = np.argsort(-carried(encoding)), run.method.column_names(run.facts)
    return Seen(run, card, encoding, order, names, run.history())


def _encoding(run: Run, card: ScoreCard | None, show: bool) -> Encoding:
    if card is not None:
        return encode_run(run, card.protocol.get("rows asked for"), card.protocol["seed"], show)
    index = np.unique(np.linspace(0, len(run.data) - 1, ROWS_WITHOUT_SCORES).astype(np.int64))
    return Encoding(index, *run.encode(run.data.images(index)))


def _lead(seen: Seen) -> str:
    """What was trained on what, and how much of the code it uses."""
    run = seen.run
    channels, *sides = run.data.image_shape
    sizes = " × ".join(map(str, sides)) + (" RGB" if channels == 3 else " grey")
    return (
        f"{len(run.data):,} images, {sizes}; {run.effort}, seed {run.config.seed}. "
        f"{active(seen.encoding).sum()} of {run.code_size} latents are active. {_orthogonality(seen)}"
    )


def _orthogonality(seen: Seen) -> str:
    """Empty where it takes too long, or says nothing: of what was fitted, and of codes that jump."""
    run, method = seen.run, seen.run.method
    if method.fitted or method.one_hot(run.facts) or run.code_size > MOST_JACOBIAN_COLUMNS:
        return ""
    try:
        found = run_orthogonality(run, seen.encoding)
    except BadInput:
        return ""
    if not found.chance:
        return ""
    return (
        f"Distance of the decoder's Jacobian to orthogonality: {found.distance:.2f} "
        f"(0 is best, random directions give {found.chance:.2f})."
    )
