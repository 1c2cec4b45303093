"""Traversals: images decoded as one latent moves and the others stay."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from distaff.evaluation.encode import Encoding
from distaff.training.run import Run

SHOWN_LATENTS = 20
IMAGES = 11
PRIOR = (-2.0, 2.0)  # what a latent moves over, in prior standard deviations
QUANTILES = (0.01, 0.99)  # of its own codes, where there is no prior


class Strip(NamedTuple):
    """Images (n, C, H, W) in 0..1 as some columns of the code move, and the values they take."""

    name: str
    columns: list[int]
    values: list[str]
    images: NDArray[np.float32]


def traversals(run: Run, encoding: Encoding, latents: Sequence[int]) -> list[Strip]:
    """A strip for each of the first 20 `latents`, from the code of the image nearest the centre of all.

    Before them come all categorical codes, each as a whole and with an image for every value; their columns
    do not count as latents. Raises BadInput for a method without a decoder.
    """
    base = nearest_the_centre(encoding)
    names, categorical = run.method.column_names(run.facts), run.method.one_hot(run.facts)
    strips = []
    for name, columns in categorical.items():
        moved = np.tile(base, (len(columns), 1))
        moved[:, columns] = np.eye(len(columns))
        values = [str(value) for value in range(len(columns))]
        strips.append(Strip(name, list(columns), values, run.decode(moved)))
    shown = {j for columns in categorical.values() for j in columns}
    for j in [j for j in latents if j not in shown][:SHOWN_LATENTS]:
        moved = np.tile(base, (IMAGES, 1))
        moved[:, j] = np.linspace(*span(run, encoding, j), IMAGES)
        strips.append(Strip(names[j], [j], [f"{value:.2g}" for value in moved[:, j]], run.decode(moved)))
    return strips


def span(run: Run, encoding: Encoding, latent: int) -> tuple[float, float]:
    """From where to where a latent moves: over its prior, or over the codes that images have."""
    if has_prior(run, encoding):
        return PRIOR
    low, high = np.quantile(encoding.mean[:, latent], QUANTILES)
    return float(low), float(high)


def has_prior(run: Run, encoding: Encoding) -> bool:
    """Whether the size of a code is known without looking at codes."""
    return encoding.logvar is not None or run.method.has_prior


def nearest_the_centre(encoding: Encoding) -> NDArray[np.float32]:
    """The code (d,) nearest the median of all codes: a usual image to start traversals from."""
    centre = np.median(encoding.mean, axis=0)
    return encoding.mean[np.abs(encoding.mean - centre).sum(axis=1).argmin()]
