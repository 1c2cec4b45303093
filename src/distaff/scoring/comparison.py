"""Several embeddings of the same rows, each with a score card, side by side."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from distaff.errors import unknown
from distaff.scoring.card import Score, ScoreCard

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Comparison(Mapping[str, ScoreCard]):
    """Score cards by the names of embeddings. `comparison["X_pca"]["mig"].value`; `to_frame()` is a table."""

    cards: dict[str, ScoreCard]

    def __getitem__(self, name: str) -> ScoreCard:
        if name not in self.cards:
            raise unknown("embedding", name, self.cards)
        return self.cards[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.cards)

    def __len__(self) -> int:
        return len(self.cards)

    @property
    def failed(self) -> dict[str, str]:
        """Scores whose metric ended in an error that was not foreseen, by embedding and name."""
        return {f"{name} {key}": why for name, card in self.cards.items() for key, why in card.failed.items()}

    def to_dict(self) -> dict[str, Any]:
        """The cards as a dict that JSON takes."""
        return {name: card.to_dict() for name, card in self.cards.items()}

    def to_frame(self) -> pd.DataFrame:
        """The values as a pandas DataFrame, a row per embedding and a column per score."""
        import pandas as pd

        rows = {name: {key: score.value for key, score in c.scores.items()} for name, c in self.cards.items()}
        frame = pd.DataFrame.from_dict(rows, orient="index", dtype=float)
        frame.index.name = "embedding"
        return frame

    def __str__(self) -> str:
        scores = list(dict.fromkeys(key for card in self.cards.values() for key in card))
        rows = [["score", *self.cards]]
        rows += [[key, *(_cell(card.scores.get(key)) for card in self.cards.values())] for key in scores]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = [
            "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)) for row in rows
        ]
        return "\n".join(line.rstrip() for line in [*lines, *self.footer()])

    def footer(self) -> list[str]:
        """What stands below the cards: once what is said of all, the rest with the embedding's name."""
        below = {name: card.footer() for name, card in self.cards.items()}
        common = [
            line for line in next(iter(below.values())) if all(line in lines for lines in below.values())
        ]
        own = [f"{name}: {line}" for name, lines in below.items() for line in lines if line not in common]
        return [*own, *common]


def _cell(score: Score | None) -> str:
    """A score with its interval."""
    if score is None or score.value is None:
        return "-"
    interval = f" ({score.low:.3f} to {score.high:.3f})" if score.low is not None else ""
    return f"{score.value:.3f}{interval}"
