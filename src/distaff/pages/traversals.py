"""Traversals: images decoded as one latent moves and the others stay."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

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


def traversal(run: Run, base: ArrayLike, columns: int | list[int], values: ArrayLike) -> NDArray[np.float32]:
    """Images (m, C, H, W) of the code `base` (d,) as `columns` take `values` and the other columns stay.

    Values are (m,) for one column, (m, len(columns)) for a list. Raises BadInput for a method without a
    decoder.
    """
    moved = np.tile(np.asarray(base, dtype=np.float32), (len(np.asarray(values)), 1))
    moved[:, columns] = values
    return run.decode(moved)


def usual(codes: NDArray[np.float32]) -> tuple[float, float]:
    """The 1 % and the 99 % quantile of codes (n,) of a latent."""
    low, high = np.quantile(codes, QUANTILES)
    return float(low), float(high)


def traversals(run: Run, encoding: Encoding, latents: Sequence[int], images: int = IMAGES) -> list[Strip]:
    """A strip of `images` for each of the first 20 `latents`, from the code of the image nearest the centre.

    It moves over its prior, or where there is none over the codes that images have. Before them come all
    categorical codes, each as a whole and with an image for every value; their columns do not count as
    latents. Raises BadInput for a method without a decoder.
    """
    base = nearest_the_centre(encoding)
    names, categorical = run.method.column_names(run.facts), run.method.one_hot(run.facts)
    strips = []
    for name, columns in categorical.items():
        decoded = traversal(run, base, list(columns), np.eye(len(columns)))
        strips.append(Strip(name, list(columns), [str(value) for value in range(len(columns))], decoded))
    shown = {j for columns in categorical.values() for j in columns}
    for j in [j for j in latents if j not in shown][:SHOWN_LATENTS]:
        ends = PRIOR if has_prior(run, encoding) else usual(encoding.mean[:, j])
        values = np.linspace(*ends, images)
        strips.append(Strip(names[j], [j], [f"{v:.2g}" for v in values], traversal(run, base, j, values)))
    return strips


def has_prior(run: Run, encoding: Encoding) -> bool:
    """Whether the size of a code is known without looking at codes."""
    return encoding.logvar is not None or run.method.has_prior


def nearest_the_centre(encoding: Encoding) -> NDArray[np.float32]:
    """The code (d,) nearest the median of all codes: a usual image to start traversals from."""
    centre = np.median(encoding.mean, axis=0)
    nearest: NDArray[np.float32] = encoding.mean[np.abs(encoding.mean - centre).sum(axis=1).argmin()]
    return nearest
