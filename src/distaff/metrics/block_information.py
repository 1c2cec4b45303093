"""The scores of mutual information with blocks of codes for codes, by a lower bound."""

from functools import partial
from typing import NamedTuple

import numpy as np

from distaff.metrics.arrays import Codes, Factors, Test
from distaff.metrics.blocks import Blocks
from distaff.metrics.declare import by_field, metric
from distaff.metrics.information import gap
from distaff.metrics.modularity import of_matrix
from distaff.metrics.probes import information_bound, split
from distaff.settings import whole_number
from distaff.tables import Continuous


class BlockInformation(NamedTuple):
    """The scores, each 0..1, higher is better."""

    mig: float
    mig_sup: float
    modularity: float
    most: float


_bounds = partial(by_field, BlockInformation._fields)


ZERO, HIGH = (0.0, 0.0), (0.95, 1.0)


@metric(
    source="ours: Chen et al. 2018, arXiv:1802.04942, Li et al. 2020, arXiv:2002.10549, and "
    "Ridgeway and Mozer 2018, arXiv:1802.05312, of blocks, by a lower bound of information",
    needs=("factors", "blocks"),
    cost="slow",
    least_factors=2,
    invariant_to=frozenset({"permutation", "sign", "scale"}),
    truth={
        "identity": _bounds(HIGH, HIGH, HIGH, HIGH),
        "rotated": _bounds((0.0, 0.1), (0.0, 0.1), (0.0, 0.95), (0.0, 0.2)),
        "constant": _bounds(ZERO, ZERO, ZERO, ZERO),
        "duplicated": _bounds((0.0, 0.02), HIGH, HIGH, HIGH),
        "noise": _bounds((0.0, 0.02), (0.0, 0.02), (0.0, 0.75), (0.0, 0.02)),
        "one_missing": _bounds((0.7, 0.77), HIGH, HIGH, (0.7, 0.77)),
    },
    worse_with={
        "mig": frozenset({"noise", "missing", "spread"}),
        "mig_sup": frozenset({"noise", "holistic"}),
        "modularity": frozenset({"holistic"}),
        "most": frozenset({"noise", "missing"}),
    },
    check_with={"most_rows": 500},
    only_dense="its learners need arrays of blocks",
)
def block_information(
    codes: Codes,
    factors: Factors,
    blocks: Blocks,
    *,
    bins: int = 20,
    most_rows: int = 3000,
    continuous: Continuous = False,
    test: Test = None,
    seed: int = 0,
) -> BlockInformation:
    """Information of blocks: `mig`, `mig_sup` and `modularity` with blocks in place of codes.

    No histogram fills a block of several codes, so that a lower bound stands for the mutual information of a
    block and a factor v: max(0, H(v) + mean log q(v | block)), nats, on rows held out, where q is what a
    forest of 20 trees makes of the block. `mig`: the best block's bound less the second best's, over H(v),
    the mean over factors. `mig_sup`: of a block's bounds over H(v), the largest less the second largest, the
    mean over blocks. `modularity`: as of codes. `most`: the best block's bound over H(v), the mean over
    factors: how much is known at all. Each 0..1, higher is better. They are bounds' scores: what the forest
    does not find is not counted, so that `most` is at most the truth, and the gaps may err either way.

    `codes` (n, d), `factors` (n, k) with k >= 2, whole numbers, or `continuous` ones, which are put in `bins`
    equal bins; `blocks` lists of columns, by number or name, or a dict of such lists. Rows are held out as in
    `block_informativeness`. Raises NotApplicable for a single factor.

    The second block holds nothing:

        >>> codes, factors = [[0, 5], [1, 5], [2, 5], [3, 5]] * 20, [[0, 0], [0, 1], [1, 0], [1, 1]] * 20
        >>> found = block_information(codes, factors, [[0], [1]], test=(codes, factors))
        >>> [round(value, 2) for value in found]
        [1.0, 0.0, 0.0, 1.0]
    """
    rows = split(codes, factors, continuous, test, seed, most_rows)
    information, entropies = information_bound(rows, blocks, whole_number("bins", bins, 2))
    shares = information / np.where(entropies > 0, entropies, 1.0)
    return BlockInformation(
        float(gap(shares).mean()),
        float(gap(shares, axis=1).mean()),
        float(of_matrix(information).mean()),
        float(shares.max(axis=0).mean()),
    )
