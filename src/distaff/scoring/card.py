"""The score card: every score with its interval, and where chance and the ceiling lie for these factors."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import msgspec

from distaff.errors import BadInput, unknown

if TYPE_CHECKING:
    import pandas as pd

SMALLEST_SCALE = 0.02  # between chance and ceiling
FAILED = "failed"  # how the reason of a score begins whose metric ended in an unforeseen error


Number = Annotated[float, msgspec.Meta(gt=-1e300, lt=1e300)]
Count = Annotated[int, msgspec.Meta(ge=0)]


@dataclass(frozen=True)
class Score:
    """One number of a metric.

    `value`; `low` and `high` bound its 95 % interval; `chance` is what noise codes score on these factors and
    `ceiling` what codes equal to the factors score. Any of them is None where it does not exist; a `value` of
    None has a `reason`, as has one whose interval could not be found.
    """

    value: Number | None = None
    low: Number | None = None
    high: Number | None = None
    chance: Number | None = None
    ceiling: Number | None = None
    higher_is_better: bool = True
    reason: str = ""

    def __post_init__(self) -> None:
        if (self.low is None) != (self.high is None):
            raise ValueError("an interval has two ends")

    @property
    def scaled(self) -> float | None:
        """The value from chance (0) to the ceiling (1); None unless the ceiling is .02 better than chance."""
        if self.value is None or self.chance is None or self.ceiling is None:
            return None
        better = self.ceiling - self.chance if self.higher_is_better else self.chance - self.ceiling
        if better < SMALLEST_SCALE:
            return None
        return (self.value - self.chance) / (self.ceiling - self.chance)


class Finding(NamedTuple):
    """A health check that found something: its stable code, and what it found here."""

    code: str
    message: str


class _Protocol(msgspec.Struct, kw_only=True):
    """What is shown of a protocol, as it is read from a file."""

    rows: Count
    codes: Count
    seed: Count
    factors: list[str]
    units: Count | None = None
    protocol: str | None = None
    representation: str = ""
    continuous: list[str] | None = None
    blocks: list[list[Count]] | None = None
    notes: list[str] = []
    left_out: dict[str, str] = msgspec.field(default_factory=dict, name="left out")
    learners: dict[str, str] = {}
    words: dict[str, list[str]] = {}


class _Card(msgspec.Struct):
    scores: dict[str, Score]
    protocol: _Protocol
    health: list[dict[str, str]] = []


@dataclass(frozen=True)
class ScoreCard:
    """Scores by name, the protocol they were made with, and what to beware of. `card["mig"].value`."""

    scores: dict[str, Score]
    protocol: dict[str, Any]
    health: list[Finding] = field(default_factory=list)

    def __getitem__(self, name: str) -> Score:
        if name not in self.scores:
            raise unknown("score", name, self.scores)
        return self.scores[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.scores)

    def __len__(self) -> int:
        return len(self.scores)

    @property
    def failed(self) -> dict[str, str]:
        """Scores whose metric ended in an error that was not foreseen, and which."""
        return {name: s.reason for name, s in self.scores.items() if s.reason.startswith(FAILED)}

    def to_dict(self) -> dict[str, Any]:
        """The card as a dict that JSON takes."""
        return {
            "scores": {name: asdict(score) for name, score in self.scores.items()},
            "protocol": self.protocol,
            "health": [finding._asdict() for finding in self.health],
        }

    @classmethod
    def from_dict(cls, value: Any) -> ScoreCard:
        """The card that `to_dict` gave; BadInput where it is none. Keys not known here are ignored."""
        try:
            found = msgspec.convert(value, _Card)
            return cls(found.scores, value["protocol"], [Finding(**each) for each in found.health])
        except (msgspec.ValidationError, UnicodeError, TypeError) as error:
            raise BadInput(f"this is not a score card: {error}") from None

    def to_frame(self) -> pd.DataFrame:
        """The card as a pandas DataFrame, a row per score."""
        import pandas as pd

        frame = pd.DataFrame.from_dict({name: asdict(s) for name, s in self.scores.items()}, orient="index")
        frame.index.name = "score"
        return frame

    def __str__(self) -> str:
        width = max([len("score"), *map(len, self.scores)])
        lines = [f"{'score':<{width}}  value  95 % interval   chance  ceiling  chance ▏ ▕ ceiling"]
        lines += [_line(name, score, width) for name, score in self.scores.items()]
        lines += self.footer()
        return "\n".join(line.rstrip() for line in lines)

    def footer(self) -> list[str]:
        """The lines below the scores: notes, findings, and what they were made from."""
        p = self.protocol
        lines = [f"note: {note}" for note in p.get("notes", [])]
        lines += [f"left out: {factor} ({why})" for factor, why in p.get("left out", {}).items()]
        lines += [
            f"words: {factor} ({len(words)}: {_few(words)})" for factor, words in p.get("words", {}).items()
        ]
        lines += [f"{finding.code}: {finding.message}" for finding in self.health]
        lines.append(f"{p['rows']} rows{self.of_units}, {p['codes']} codes, {self.how}")
        return lines

    @property
    def of_units(self) -> str:
        """Of how many units the rows are, in words; nothing where each stands for itself."""
        units = self.protocol.get("units")
        return f" of {units} units" if units else ""

    @property
    def how(self) -> str:
        """Of which factors and blocks the scores are, and by what they were made, in words."""
        p = self.protocol
        real, blocks = p.get("continuous") or [], p.get("blocks")
        factors = ", ".join(f"{name} (real)" if name in real else name for name in p["factors"]) or "none"
        parts = [f"factors: {factors}", f"seed {p['seed']}"]
        parts += [f"blocks of codes: {', '.join(map(_block, blocks))}"] if blocks else []
        parts += [f"protocol {p['protocol']}"] if p.get("protocol") else []
        parts += [f"{metric} by {name}" for metric, name in p.get("learners", {}).items()]
        return "; ".join(parts)


def _line(name: str, score: Score, width: int) -> str:
    if score.value is None:
        return f"{name:<{width}}  {score.reason}"
    low, high = score.low, score.high
    interval = f"{low:.3f} to {high:.3f}" if low is not None and high is not None else "-"
    arrow = "" if score.higher_is_better else "  lower is better"
    return (
        f"{name:<{width}}  {score.value:5.3f}  {interval:<14}  {_number(score.chance)}  "
        f"{_number(score.ceiling):>7}  {_bar(score.scaled)}{arrow}"
    )


def _block(columns: list[int]) -> str:
    """A block by the numbers of its codes."""
    whole = columns == list(range(columns[0], columns[0] + len(columns))) and len(columns) > 2
    return f"{columns[0]}-{columns[-1]}" if whole else "+".join(map(str, columns))


def _few(words: list[str], most: int = 6) -> str:
    """The first of some words."""
    return ", ".join(words[:most]) + (" ..." if len(words) > most else "")


def _number(value: float | None) -> str:
    return f"{value:6.3f}" if value is not None else "     -"


def _bar(scaled: float | None, width: int = 20) -> str:
    if scaled is None:
        return " " * width
    filled = round(width * min(max(scaled, 0.0), 1.0))
    return "█" * filled + "░" * (width - filled)
