"""The report of a run: one self-contained HTML file."""

from __future__ import annotations

import os
from pathlib import Path

from markupsafe import Markup

from distaff.errors import BadInput
from distaff.evaluation.orthogonality import run_orthogonality
from distaff.evaluation.posterior import active
from distaff.files import write_text
from distaff.pages import concept_section, reasoning_section, run_sections
from distaff.pages.page import page
from distaff.pages.seen import EXPLORER, REPORT, Seen, see
from distaff.training.lock import only_one
from distaff.training.run import Run, load_run

MOST_JACOBIAN_COLUMNS = 64

#: what a report holds, from top to bottom: functions of Seen that give a Section, or None to be left out
SECTIONS = (
    run_sections.scores,
    run_sections.traversed,
    run_sections.reconstructions,
    run_sections.atoms,
    concept_section.concepts,
    run_sections.knowledge,
    run_sections.desiderata,
    reasoning_section.reasoned,
    run_sections.layers,
    run_sections.training,
    run_sections.settings,
)


def report(run: Run | str | os.PathLike[str], *, show: bool = True) -> Path:
    """Write `report.html` into the run folder and return its path.

    It shows the scores if the run was evaluated, and says so if it was not.
    """
    run = run if isinstance(run, Run) else load_run(run)
    path = run.folder / REPORT
    with only_one(run.folder), run.threads():
        seen = see(run, show)
        made = [section for section in (make(seen) for make in SECTIONS) if section is not None]
        write_text(path, page(f"{run.config.method} on {run.data.name}", [_lead(seen), _explorer(run)], made))
    return path


def _lead(seen: Seen) -> str:
    """What was trained on what, and how much of the code it uses."""
    run = seen.run
    channels, *sides = run.data.image_shape
    sizes = " × ".join(map(str, sides)) + (" RGB" if channels == 3 else " grey")
    return (
        f"{len(run.data):,} images, {sizes}; {run.effort}, seed {run.config.seed}. "
        f"{active(seen.encoding).sum()} of {run.code_size} latents are active. {_orthogonality(seen)}"
    )


def _explorer(run: Run) -> Markup:
    """A link to the explorer if it is beside the report."""
    link = Markup('<p><a href="{}">Move its latents in the explorer</a></p>').format(EXPLORER)
    return link if (run.folder / EXPLORER).exists() else Markup()


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
