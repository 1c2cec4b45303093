"""How well blocks of codes, each alone, predict the factors."""

from functools import partial
from typing import NamedTuple

import numpy as np

from distaff.errors import NotApplicable
from distaff.metrics.arrays import Codes, Factors, Floats, Test
from distaff.metrics.blocks import Blocks
from distaff.metrics.declare import by_field, metric
from distaff.metrics.door import checked
from distaff.metrics.information import gap
from distaff.metrics.probes import above_chance, split
from distaff.tables import Continuous


class BlockInformativeness(NamedTuple):
    """The two scores, 0..1, higher is better."""

    best: float
    gap: float


_bounds = partial(by_field, BlockInformativeness._fields)


@metric(
    source="ours; the gap is SAP's, Kumar et al. 2018, arXiv:1711.00848, with blocks for codes",
    needs=("factors", "blocks"),
    cost="slow",
    invariant_to=frozenset({"permutation", "sign", "scale"}),
    truth={
        "identity": _bounds((0.97, 1.0), (0.9, 1.0)),
        "rotated": _bounds((0.0, 0.5), (0.0, 0.1)),
        "constant": _bounds((0.0, 0.0), (0.0, 0.0)),
        "duplicated": _bounds((0.97, 1.0), (0.0, 0.01)),
        "noise": _bounds((0.0, 0.06), (0.0, 0.05)),
        "one_missing": _bounds((0.7, 0.8), (0.7, 0.8)),
    },
    worse_with={"best": frozenset({"noise", "missing"}), "gap": frozenset({"noise", "missing", "spread"})},
    check_with={"most_rows": 500},
    only_dense="its learners need arrays of blocks",
)
def block_informativeness(
    codes: Codes,
    factors: Factors,
    blocks: Blocks,
    *,
    most_rows: int = 3000,
    continuous: Continuous = False,
    test: Test = None,
    seed: int = 0,
) -> BlockInformativeness:
    """Block informativeness: how well does the best block of codes, alone, predict each factor?

    A forest of 20 trees sees one block only; its accuracy on rows held out, from the share of the commonest
    value (0) to always right (1), or R2 of real factors. `best`: of the best block, the mean over factors.
    `gap`: how far it is above the second best. Both 0..1, higher is better; what the second best knows is
    `block_leakage`. Slots without an identity must be sorted per row first.

    `codes` (n, d), `factors` (n, k) whole numbers, or `continuous` ones; `blocks` lists of columns, by number
    or name, or a dict of such lists: two at least, that do not overlap. It learns from `most_rows` of two
    thirds of the rows and scores on the others (5,000 at most), or on `test`, a pair of arrays. The matrix
    behind it: `distaff.metrics.block_matrix`.

    The first block holds the first factor, the second nothing:

        >>> codes, factors = [[0, 0, 5], [0, 1, 5], [1, 0, 5], [1, 1, 5]] * 10, [[0], [0], [1], [1]] * 10
        >>> found = block_informativeness(codes, factors, [[0, 1], [2]], test=(codes, factors))
        >>> [round(value, 3) for value in found]
        [1.0, 1.0]
    """
    found = judged(
        block_matrix.of_arrays(
            codes, factors, blocks, most_rows=most_rows, continuous=continuous, test=test, seed=seed
        )
    )
    return BlockInformativeness(float(found.max(axis=0).mean()), float(gap(found).mean()))


def judged(matrix: Floats) -> Floats:
    """The columns of a block matrix that are numbers; NotApplicable where there are none."""
    found = matrix[:, ~np.isnan(matrix[0])]
    if not found.size:
        raise NotApplicable("blocks are scored where a factor takes two values among the rows held out")
    return np.asarray(found)


@checked(needs=("factors", "blocks"))
def block_matrix(
    codes: Codes,
    factors: Factors,
    blocks: Blocks,
    *,
    most_rows: int = 3000,
    continuous: Continuous = False,
    test: Test = None,
    seed: int = 0,
) -> Floats:
    """How well each block of codes alone predicts each factor, (blocks, k), from chance (0) to 1.

    Not a number where a factor takes a single value among the rows held out.
    """
    rows = split(codes, factors, continuous, test, seed, most_rows)
    single = [len(np.unique(factor)) < 2 for factor in rows.score.factors.T]
    return np.where(single, np.nan, above_chance(rows, blocks))
