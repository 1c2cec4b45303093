"""Novel images re-rendered: one latent moved to where a factor's value has it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from distaff.datasets import DataSet
from distaff.factors import FactorSpace
from distaff.pages.images import image_grid
from distaff.training.run import Run

EACH = 50  # learned images that say where a latent lies at a value of its factor


def latent_at(run: Run, latent: int, factor: str) -> NDArray[np.float64]:
    """The mean of a latent over EACH learned images at every value of a factor (size,)."""
    data, space = run.data, space_of(run.data)
    place = space.position(factor)
    truth = space.rows(np.random.default_rng(0).choice(len(data), size=EACH))
    found = []
    for value in range(space.sizes[place]):
        truth[:, place] = value
        found.append(run.encode(data.images(space.index(truth))).mean[:, latent].mean())
    return np.array(found, dtype=np.float64)


def moved_over_left(run: Run, held: DataSet, rows: NDArray[np.int64], latent: int, factor: str) -> float:
    """What is left of the error when held-out images are re-rendered at another value of a factor.

    For every image `rows` of `held` another value is drawn. The latent of the image is moved to its mean over
    learned images of that value, and what is decoded is compared with the true image of that value. The
    squared error, over that of what the image's own code decodes to: 0 is perfect, which no decoder that
    blurs reaches, 1 says that moving the latent did nothing.
    """
    space = space_of(held)
    place, truth = space.position(factor), space.rows(rows)
    other = truth.copy()
    step = np.random.default_rng(0).integers(1, space.sizes[place], size=len(rows))
    other[:, place] = (truth[:, place] + step) % space.sizes[place]
    wanted = held.unit_images(space.index(other))
    codes = run.encode(held.images(rows)).mean
    unmoved = np.square(run.decode(codes) - wanted).sum()
    codes[:, latent] = latent_at(run, latent, factor)[other[:, place]]
    return float(np.square(run.decode(codes) - wanted).sum() / unmoved)


def moved(run: Run, held: DataSet, rows: NDArray[np.int64], factors: Sequence[str]) -> list[float]:
    """`moved_over_left` of every factor, which the latent of its own place is to move."""
    return [moved_over_left(run, held, rows, latent, factor) for latent, factor in enumerate(factors)]


def rerendered(run: Run, held: DataSet, row: int, factors: Sequence[str], columns: int) -> Figure:
    """A held-out image with the latent of every factor moved over its values, each row above the truth."""
    space = space_of(held)
    code = run.encode(held.images([row])).mean[0]
    images: list[NDArray[np.float32]] = []
    names: list[str] = []
    for latent, factor in enumerate(factors):
        place = space.position(factor)
        values = np.linspace(0, space.sizes[place] - 1, columns).round().astype(int)
        codes, true = np.tile(code, (columns, 1)), np.tile(space.rows([row])[0], (columns, 1))
        codes[:, latent], true[:, place] = latent_at(run, latent, factor)[values], values
        images += [run.decode(codes), held.unit_images(space.index(true)).astype(np.float32)]
        names += [factor, "truth"]
    return image_grid(np.concatenate(images), columns, rows_are=names)


def space_of(data: DataSet) -> FactorSpace:
    """The grid of factors of a data set that has one."""
    assert data.factors is not None
    return data.factors
