"""The report of a run: one self-contained HTML file."""

from __future__ import annotations

import os
from contextlib import ExitStack
from pathlib import Path

from markupsafe import Markup

from distaff.errors import BadInput
from distaff.evaluation.orthogonality import run_orthogonality
from distaff.evaluation.posterior import active
from distaff.files import check_output, write_text
from distaff.pages import acting_section, comparison, concept_section, reasoning_section, run_sections
from distaff.pages.in_short import in_short
from distaff.pages.page import page
from distaff.pages.seen import EXPLORER, REPORT, Seen, see
from distaff.training.lock import only_one
from distaff.training.run import Run, load_run

MOST_JACOBIAN_COLUMNS = 64

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
    acting_section.acted,
    reasoning_section.reasoned,
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
    if out is not None:
        check_output(Path(out), ".html")
    several = [each if isinstance(each, Run) else load_run(each) for each in (run, *others)]
    if others:
        return _compared(several, Path(out or "comparison.html"), show)
    only, path = several[0], Path(out or several[0].folder / REPORT)
    with only_one(only.folder), only.threads():
        seen = see(only, show)
        made = [section for section in (make(seen) for make in SECTIONS) if section is not None]
        lead = [_lead(seen), "" if out else _explorer(only)]
        write_text(path, page(f"{only.config.method} on {only.data.name}", lead, made))
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
    """What is seen of one of several runs, encoded with its own number of threads."""
    with run.threads():
        return see(run, show)


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
