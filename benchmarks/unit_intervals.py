"""How often intervals over rows and over units hold the value of the population, where rows come in units.

    python benchmarks/unit_intervals.py        # two minutes of a core

Gaussian sources and codes (source + noise of the same size), of whose variance .8 is shared by the frames of
an episode: 60 episodes of 20 frames. The value of the population is that of 20,000 episodes of 5. An interval
of 95 % should hold it in .95 of cases; how far 200 cases can tell it from that is the column `error`.

Writes benchmarks/results/unit_intervals.csv.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
from circumstances import keep_table

import distaff

SCORES = {"mcc": "mcc", "linear_r2.factors_from_codes": "linear_r2"}
SHARED = 0.8
CASES, EPISODES, FRAMES = 200, 60, 20


def episodes(rng: np.random.Generator, count: int, frames: int) -> tuple[np.ndarray, ...]:
    """Codes and sources of episodes, and the episode of each row."""
    which = np.repeat(np.arange(count), frames)
    source, noise = (
        np.sqrt(SHARED) * rng.standard_normal((count, 2))[which]
        + np.sqrt(1 - SHARED) * rng.standard_normal((len(which), 2))
        for _ in range(2)
    )
    return source + noise, source, which


def rows() -> Iterator[dict[str, Any]]:
    """A row per score and kind of interval."""
    given: dict[str, Any] = {"continuous": True, "metrics": list(SCORES.values())}
    rng = np.random.default_rng(0)
    codes, sources, _ = episodes(rng, 20_000, 5)
    truth = distaff.score(codes, sources, values_only=True, **given)
    held: dict[tuple[str, str], list[bool]] = {(s, by): [] for s in SCORES for by in ("rows", "units")}
    for case in range(CASES):
        codes, sources, which = episodes(rng, EPISODES, FRAMES)
        for by, units in (("rows", None), ("units", which)):
            card = distaff.score(codes, sources, units=units, seed=case, **given)
            for name in SCORES:
                low, high = card[name].low, card[name].high
                assert low is not None
                assert high is not None
                held[name, by].append(low <= truth[name].value <= high)
    for (name, by), each in held.items():
        share = float(np.mean(each))
        yield {
            "score": name,
            "intervals over": by,
            "population": truth[name].value,
            "holds it": share,
            "error": float(np.sqrt(share * (1 - share) / CASES)),
        }


if __name__ == "__main__":
    keep_table("unit_intervals.csv", rows())
