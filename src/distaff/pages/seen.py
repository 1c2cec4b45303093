"""What pages of a run are made of: the run, codes of some images, and what they know of the factors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from distaff.evaluation.encode import Encoding, encode_run
from distaff.evaluation.evaluate import read_card
from distaff.evaluation.posterior import carried
from distaff.metrics.arrays import check_factors, usable_factors
from distaff.metrics.information import discretise, entropy, mutual_information
from distaff.scoring.card import ScoreCard
from distaff.scoring.health import beyond_chance
from distaff.training.run import Run

REPORT, EXPLORER = "report.html", "explorer.html"  # in the run's folder, each with a link to the other
BINS = 20
COMPARED = 64  # latents at a time that are compared with factors, and those that are told of one by one
ROWS_WITHOUT_SCORES = 2_000  # images encoded for the pages of a run that was not evaluated


class Seen(NamedTuple):
    """What sections are made of: a run, its card if it was evaluated, and codes of some of its images.

    `order` are the columns of the code, the one that carries most first, `names` what they are called.
    """

    run: Run
    card: ScoreCard | None
    encoding: Encoding
    order: NDArray[np.int64]
    names: list[str]
    history: list[dict[str, float]]


def see(run: Run, show: bool = True) -> Seen:
    """What is seen of a run: the codes that it was scored by, or those of images spread over its data."""
    card = read_card(run)
    encoding = _encoding(run, card, show)
    order, names = np.argsort(-carried(encoding)), run.method.column_names(run.facts)
    return Seen(run, card, encoding, order, names, run.history())


def _encoding(run: Run, card: ScoreCard | None, show: bool) -> Encoding:
    if card is not None:
        return encode_run(run, card.protocol.get("rows asked for"), card.protocol["seed"], show)
    index = np.unique(np.linspace(0, len(run.data) - 1, ROWS_WITHOUT_SCORES).astype(np.int64))
    return Encoding(index, *run.encode(run.data.images(index)))


def known(seen: Seen, columns: Sequence[int] | NDArray[np.int64]) -> tuple[list[str], NDArray[Any]]:
    """Factors by name, and what these columns of the code know of each: shares (columns, factors) in 0..1.

    The mutual information of column and factor as a share of the factor's entropy, in 20 bins. No factors
    where there are no labels that codes can be compared with.
    """
    names, factors, binned = _compared(seen, columns)
    if not names:
        return [], np.zeros((len(columns), 0))
    return names, mutual_information(binned, factors) / entropy(factors)


def known_beyond_chance(
    seen: Seen, columns: Sequence[int] | NDArray[np.int64]
) -> tuple[list[str], NDArray[Any]]:
    """As `known`, less what columns seem to know where the factors' rows are shuffled, at least 0.

    So few rows, which make every column seem to know something, do not count.
    """
    names, factors, binned = _compared(seen, columns)
    if not names:
        return [], np.zeros((len(columns), 0))
    return names, beyond_chance(binned, factors) / entropy(factors)


def _compared(
    seen: Seen, columns: Sequence[int] | NDArray[np.int64]
) -> tuple[list[str], NDArray[Any], NDArray[Any]]:
    """Factors that codes can be compared with: names, values (n, k); and the columns in bins (n, columns)."""
    names, labels = seen.run.data.label_names, seen.run.data.labels(seen.encoding.rows)
    usable = [] if labels is None else usable_factors(labels, names)[0]
    binned = discretise(seen.encoding.mean[:, columns], BINS)
    factors = binned[:, :0] if labels is None or not usable else check_factors(labels[:, usable])
    return [names[j] for j in usable], factors, binned
