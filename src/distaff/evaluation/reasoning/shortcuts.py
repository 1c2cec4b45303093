"""How far rules of thumb come that complete matrices without having looked at the rules.

Wrong answers give away more than they should: hard ones are edits of the right one, which is therefore the
most like the others, as in another set of such tests (Hu et al. 2021, arXiv:2002.06838); easy ones have other
values of the ruled factors, so the right one is often the least like them. And an answer that shares what the
two panels beside it share is mostly right, whatever the rows above say.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from distaff.evaluation.reasoning.matrices import CONTEXT, SIDE, Drawn, Matrices
from distaff.factors import Seed


def shortcuts(matrices: Matrices, count: int, seed: Seed) -> dict[str, float]:
    """The share (0..1) of `count` matrices that each rule of thumb completes rightly; chance is 1/6.

    Of equally good answers one is taken, each as likely.
    """
    drawn = matrices.draw(count, seed)
    alike = _alike(drawn)
    merits = {
        "the answer most like the others": alike,
        "the answer least like the others": -alike,
        "the third row alone": _fitting(drawn),
    }
    return {name: _share(merit, drawn.right) for name, merit in merits.items()}


def _alike(drawn: Drawn) -> NDArray[np.int64]:
    """How many values of factors every answer (n, 6) shares with the other answers, in all."""
    pairs = drawn.answers[:, :, None] == drawn.answers[:, None]
    return np.asarray(pairs.sum(axis=(2, 3)))


def _fitting(drawn: Drawn) -> NDArray[np.int64]:
    """In how many factors every answer (n, 6) makes the third row constant."""
    beside = drawn.context[:, None, CONTEXT - SIDE + 1 :]  # the two panels of the third row
    return np.asarray((drawn.answers[:, :, None] == beside).all(axis=2).sum(axis=2))


def _share(merit: NDArray[np.int64], right: NDArray[np.int64]) -> float:
    """How often the answer of most merit is the right one, where ties are broken at random."""
    best = merit == merit.max(axis=1, keepdims=True)
    hits = best[np.arange(len(right)), right] / best.sum(axis=1)
    return float(hits.mean())
