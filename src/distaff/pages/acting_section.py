"""What an agent made of a run's codes."""

from __future__ import annotations

from distaff.evaluation.acting.returns import read_acted, rows
from distaff.pages import parts
from distaff.pages.page import Section
from distaff.pages.seen import Seen


def acted(seen: Seen) -> Section | None:
    """The returns of an agent in every domain of a world, where one was tried."""
    found = read_acted(seen.run)
    if found is None:
        return None
    learned, *_ = found.domains
    told = (
        f"DQN acts in the world {found.world} by mean codes. It learned in the domain {learned} for "
        f"{found.steps:,} steps. Expected discounted return of an episode, beside the best there is and that "
        "of random actions."
    )
    return Section("Acting", [told, parts.table(("domain", "agent", "best", "random"), rows(found))])
