"""What goes wrong because of what was given, said in one line."""

import difflib
import re
from collections.abc import Iterable

CONTROL = re.compile(r"[\x00-\x1f\x7f]+")
LONGEST = 2000  # characters of a message; names in files may have more


class BadInput(ValueError):
    """What was given cannot be used. The message names it, what is allowed, and what to do."""

    def __init__(self, message: str) -> None:
        message = CONTROL.sub(" ", message)  # as names in files may have
        super().__init__(message if len(message) <= LONGEST else f"{message[: LONGEST - 3]}...")


class InUse(BadInput):
    """Another process holds the folder."""


class NotApplicable(BadInput):
    """A metric has no meaning on these arrays. The score card shows the reason instead of a number."""


class Diverged(RuntimeError):
    """A loss is no longer a finite number."""


class Interrupted(KeyboardInterrupt):
    """Training was asked to stop, and stopped with its work saved."""


NAMED = 60  # names in a message


def unknown(what: str, given: str, allowed: Iterable[str]) -> BadInput:
    """The error for a name that does not exist, with the nearest one that does."""
    allowed = list(allowed)
    near = difflib.get_close_matches(given, allowed, n=1, cutoff=0.5)
    hint = f"; did you mean '{near[0]}'?" if near else "."
    more = f", ... and {len(allowed) - NAMED} more" if len(allowed) > NAMED else ""
    return BadInput(f"unknown {what} '{given}'{hint} Allowed: {', '.join(allowed[:NAMED]) or 'none'}{more}.")
