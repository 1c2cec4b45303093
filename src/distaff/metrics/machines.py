"""Linear support vector machines that see a single code: the exact ones of all values of a factor at once.

They are those of scikit-learn's LinearSVC with classes weighted to balance, which minimise
(w^2 + b^2) / 2 + sum_i c_i max(0, 1 - y_i (w x_i + b))^2 over a slope w and an offset b, by Newton's method
(Mangasarian 2002, doi:10.1080/1055678021000028375). The rows that count, within the margin, are those of the
value on one side of a cut and all others on one side of another: what a step needs of them are differences of
running sums along the sorted code, so that no step goes through the rows.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from distaff.metrics.arrays import Floats, Ints

COST = 0.01  # liblinear's C
STEPS, HALVINGS = 100, 40
EXACT = 1e-12  # of the loss: a step that promises less is rounding
LEAST_SPREAD = 1e-100  # a code that spreads less is a constant
ROUNDING = 1e-12  # of sums of a standardised code
ENOUGH = 1e-4  # of the promised fall that a step must bring (Armijo)


def machines(code: NDArray[Any], classes: Ints) -> tuple[Floats, Floats]:
    """Slopes and offsets (K,) of the machines of a code (n,) for classes (n,) of 0..K-1 that all occur.

    One for each class against all others; of two classes a single one, for the second.
    """
    centre, spread = code.mean(), max(code.std(), LEAST_SPREAD)
    rows = _sorted((code - centre) / spread, classes, centre / spread)
    penalty = np.array([1 / spread**2, 1.0])  # of the slope along code / spread, and of the offset
    planes = np.zeros((len(rows.weights), 2))
    for _ in range(STEPS):
        square, linear, _ = within = _within(rows, planes)
        gradient = planes * penalty + 2 * np.einsum("kij,kj->ki", square, planes) - 2 * linear
        move = -_solved(penalty, 2 * square, gradient)
        loss, promised = _loss(within, planes, penalty), (gradient * move).sum(axis=1)
        if (-promised <= EXACT * loss).all():
            break
        move = _as_far_as_it_helps(rows, planes, penalty, move, loss + ENOUGH * promised)
        if not move.any():  # all that is left to gain is rounding
            break
        planes += move
    return planes[:, 0] / spread, planes[:, 1]


def _solved(penalty: Floats, square: Floats, gradient: Floats) -> Floats:
    """The solutions (K, 2) of (penalty + square) times them = gradient, by Cramer's rule.

    Of codes so large that the penalty of a slope is below the rounding of the sums, that is taken for it.
    """
    (one, cross), (_, other) = np.moveaxis(square, 0, -1)
    one, other = max(penalty[0], ROUNDING) + one, penalty[1] + other
    determinant = np.maximum(one * other - cross**2, ROUNDING * other)
    slope = other * gradient[:, 0] - cross * gradient[:, 1]
    offset = one * gradient[:, 1] - cross * gradient[:, 0]
    found: Floats = np.stack([slope, offset], axis=1) / determinant[:, None]
    return found


def _as_far_as_it_helps(
    rows: _Sorted, planes: Floats, penalty: Floats, move: Floats, wanted: Floats
) -> Floats:
    """Each plane's move, halved until the loss is as low as is wanted, or none."""
    for _ in range(HALVINGS):
        there = planes + move
        worse = _loss(_within(rows, there), there, penalty) > wanted
        if not worse.any():
            return move
        move = np.where(worse[:, None], move / 2, move)
    return np.where(worse[:, None], 0.0, move)


class _Sorted(NamedTuple):
    """A code, sorted, and running sums of 1, x and x^2 along it, of all rows and of each class's own."""

    code: Floats  # (n,), standardised
    centre: float  # that was taken off it
    which: Ints  # the class of each machine (K,)
    weights: Floats  # of its own rows and of the others (K, 2)
    of_all: Floats  # (n + 1, 3)
    of_own: Floats  # (n + 1, 3), class after class
    keys: Ints  # class and place of each row in that order, as one rising number (n,)
    starts: Ints  # where each class begins, and the end (K + 1,)


def _sorted(code: Floats, classes: Ints, centre: float) -> _Sorted:
    order = np.argsort(code, kind="stable")
    code, classes, counts = code[order], classes[order], np.bincount(classes)
    n, by_class = len(code), np.argsort(classes, kind="stable")
    balanced = COST * n / (len(counts) * counts)
    which = np.arange(len(counts))
    weights = np.stack([balanced, np.full(len(counts), COST)], axis=1)  # liblinear weighs the others evenly
    if len(counts) == 2:
        which, weights = which[1:], balanced[None, ::-1]
    powers = np.stack([np.ones(n), code, code**2], axis=1)
    return _Sorted(
        code,
        centre,
        which,
        weights,
        of_all=_running(powers),
        of_own=_running(powers[by_class]),
        keys=classes[by_class] * n + by_class,
        starts=np.concatenate([[0], counts.cumsum()]),
    )


def _running(values: Floats) -> Floats:
    """Sums over the rows (n, m) before each place, (n + 1, m)."""
    return np.concatenate([np.zeros((1, values.shape[1])), values.cumsum(axis=0)])


def _loss(within: tuple[Floats, Floats, Floats], planes: Floats, penalty: Floats) -> Floats:
    """What each machine (K,) minimises, from what `_within` gives for its plane."""
    square, linear, constant = within
    errors = np.einsum("ki,kij,kj->k", planes, square, planes) - 2 * (planes * linear).sum(axis=1) + constant
    return np.asarray((penalty * planes**2).sum(axis=1) / 2 + errors)


def _within(rows: _Sorted, planes: Floats) -> tuple[Floats, Floats, Floats]:
    """The weighted squared errors of the rows within the margins, as a quadratic of the planes.

    Its square part (K, 2, 2), its linear part (K, 2), of which it has -2 times, and its constant (K,).
    """
    own, rest = _below(rows, _cut(rows, planes, 1.0))[0], _below(rows, _cut(rows, planes, -1.0))[1]
    all_own, all_rest = _below(rows, np.full(len(planes), np.inf))
    falls = planes[:, :1] < 0  # then the class lies low, and its rows beyond the cut count
    own, rest = np.where(falls, all_own - own, own), np.where(falls, rest, all_rest - rest)
    own, rest = own * rows.weights[:, :1], rest * rows.weights[:, 1:]
    # of the code as it was, with its centre: sums of (x + c) and (x + c)^2
    back = np.array([[1.0, 0.0, 0.0], [rows.centre, 1.0, 0.0], [rows.centre**2, 2 * rows.centre, 1.0]]).T
    count, first, second = ((own + rest) @ back).T
    square = np.stack([second, first, first, count], axis=1).reshape(-1, 2, 2)
    return square, ((own - rest) @ back)[:, 1::-1], count


def _cut(rows: _Sorted, planes: Floats, height: float) -> Floats:
    """Where each plane is as high as that, (K,); for a flat one beyond all rows, or before them."""
    slopes, offsets = planes[:, 0], planes[:, 1] + rows.centre * planes[:, 0]
    cuts: Floats = np.where(offsets < height, np.inf, -np.inf)
    with np.errstate(over="ignore"):  # beyond all rows
        np.divide(height - offsets, slopes, out=cuts, where=slopes != 0)
    return cuts


def _below(rows: _Sorted, cuts: Floats) -> tuple[Floats, Floats]:
    """Sums (K, 3) of 1, x and x^2 over the rows below each cut: the class's own and the others'."""
    places = np.searchsorted(rows.code, cuts)
    own = np.searchsorted(rows.keys, rows.which * len(rows.code) + places)
    mine = rows.of_own[own] - rows.of_own[rows.starts[rows.which]]
    return mine, rows.of_all[places] - mine
