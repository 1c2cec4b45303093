"""Predictions as data: what an experiment claims, with bounds and reasons, written down before its runs.

They stand in NAME.toml beside the experiment's NAME.py and are committed before the runs that judge them;
what is found records the SHA-256 of that file, so that no bound can move afterwards unnoticed.

    pilots = "seeds 100 and 101 at half the steps: .71 and .74"

    [[claims]]
    key = "with_mig"
    words = "Rank correlation of UDR and MIG over trained models"
    low = 0.3
    reason = "Duan et al. 2020, figure 3: .3 to .8"
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import msgspec
from msgspec import Struct, structs

from distaff.errors import BadInput

#: seconds, for tests; minutes on two cores; the evidence, at least three seeds; as published
SCALES = ("quick", "nano", "small", "paper")


class Claim(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A claim in words, the bounds that its number is judged by, from scale `since` on, and why they are so.

    An `exact` number has no seeds and no sampling error, and is judged alone. `seen` names the largest scale
    whose results were known when the claim was stated; none were if it is empty.
    """

    key: str
    words: str
    reason: str
    low: float | None = None
    high: float | None = None
    since: str = "nano"
    exact: bool = False
    seen: str = ""

    @property
    def bound(self) -> str:
        """The bounds in words, such as ">= 0.5 and <= 1"."""
        limits = ((">=", self.low), ("<=", self.high))
        return " and ".join(f"{sign} {limit:g}" for sign, limit in limits if limit is not None)

    def is_judged(self, scale: str) -> bool:
        """Whether the claim is made at a scale."""
        return SCALES.index(scale) >= SCALES.index(self.since)

    def is_foretold(self, scale: str) -> bool:
        """Whether the claim was stated before any result of a scale was known."""
        return not self.seen or SCALES.index(scale) > SCALES.index(self.seen)


class Predictions(Struct, frozen=True, forbid_unknown_fields=True):
    """The claims of an experiment; `pilots` says which seeds, 100 and up, were tried and what they gave."""

    claims: tuple[Claim, ...]
    pilots: str = ""
    sha256: str = ""


def read_predictions(path: Path) -> Predictions:
    """The predictions in a file, with its SHA-256. Raises BadInput where it is none."""
    content = path.read_bytes()
    try:
        found = msgspec.toml.decode(content, type=Predictions)
    except msgspec.DecodeError as error:
        raise BadInput(f"{path} holds no predictions: {error}") from error
    return structs.replace(found, sha256=hashlib.sha256(content).hexdigest())
