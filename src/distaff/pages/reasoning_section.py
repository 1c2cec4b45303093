"""How soon matrices of a run's codes were completed, and one of them."""

from __future__ import annotations

from distaff.evaluation.reasoning.lesson import matrices_of, read_reasoning
from distaff.pages import parts
from distaff.pages.figures import curves
from distaff.pages.matrix_figure import matrix_figure
from distaff.pages.page import Section
from distaff.pages.seen import Seen
from distaff.randomness import derived


def reasoned(seen: Seen) -> Section | None:
    """The curve of a relation network that learned from the run, where one did, and a matrix."""
    found = read_reasoning(seen.run.folder)
    if found is None:
        return None
    told = (
        f"A relation network learned to choose the panel that completes a matrix; it saw {found.seen}. Its "
        f"accuracy on {found.tested:,} matrices that it never learned from; chance is {found.chance:.3f}."
    )
    lines = {found.seen: found.accuracies, "chance": [found.chance] * len(found.steps)}
    curve = parts.drawing("Accuracy by steps", curves(found.steps, lines, "steps", "accuracy"))
    matrices, index = matrices_of(seen.run, found.answers, found.rules)
    figure = matrix_figure(
        lambda cells: seen.run.data.unit_images(index[cells]),
        matrices.space,
        matrices.draw(1, derived(found.seed, "shown matrix")),
    )
    return Section("Abstract reasoning", [told, curve, parts.drawing("A matrix and its answers", figure)])
