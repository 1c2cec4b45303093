"""The mean correlation coefficient of blocks of codes with groups of factors."""

from functools import partial

import numpy as np

from distaff.metrics.alignment import canonical
from distaff.metrics.arrays import Codes, Factors, Test
from distaff.metrics.blocks import Blocks, each_alone
from distaff.metrics.declare import metric, truths
from distaff.metrics.held_out import learn_and_score
from distaff.metrics.mcc import signed_correlation
from distaff.tables import Continuous


@metric(
    source="ours: mcc with blocks for codes; canonical correlations are those of Hotelling 1936, "
    "doi:10.1093/biomet/28.3-4.321",
    needs=("factors", "blocks"),
    low=-1.0,
    needs_order_above=2,
    invariant_to=frozenset({"permutation", "sign", "scale"}),
    truth=truths((0.999, 1.0), (0.4, 0.6), (0.0, 0.0), (0.999, 1.0), (-0.05, 0.05), (0.74, 0.76)),
    worse_with=frozenset({"noise", "holistic", "missing"}),
    only_dense="its least squares compare all pairs of codes",
)
def block_mcc(
    codes: Codes,
    factors: Factors,
    blocks: Blocks,
    *,
    groups: Blocks | None = None,
    continuous: Continuous = False,
    test: Test = None,
    seed: int = 0,
) -> float:
    """MCC of blocks: is there a block for each group of factors that holds all of it, up to a linear map?

    Canonical correlations of every block with every group, learned on some rows; the pairing of blocks and
    groups, one to one, that makes their sum largest; and of the pairs' canonical variates the correlations on
    other rows, with their signs, their sum over the number of factors in the group; the mean over groups. A
    group without a block counts 0, and so does what a block is too narrow for. -1..1, higher is better; noise
    has the mean 0. What else a block holds costs nothing: see `block_leakage` and `sis`. Of blocks of a code
    and groups of a factor each it is `mcc` by Pearson's correlation, held out.

    `codes` (n, d), `factors` (n, k) whole numbers, or `continuous` ones; words without an order one-hot.
    `blocks` lists of columns of codes, `groups` of factors (by default each alone), by number or name. It
    learns from two thirds of the rows (10,000 at most) and scores on the others (5,000 at most), or on
    `test`, a pair of arrays. Raises BadInput for groups that overlap or have no such factor.

    The first block holds both factors of the group, mixed, and the second neither:

        >>> codes, factors = [[0, 0, 5], [1, 1, 5], [1, -1, 5], [2, 0, 5]], [[0, 0], [0, 1], [1, 0], [1, 1]]
        >>> round(block_mcc(codes, factors, [[0, 1], [2]], groups=[[0, 1]], test=(codes, factors)), 3)
        1.0
    """
    from scipy.optimize import linear_sum_assignment

    theirs = [list(group) for group in groups or each_alone(factors.shape[1])]
    learn, score = learn_and_score(codes, factors, test, seed)
    own, held = np.zeros((2, len(theirs), len(blocks)))
    pearson = partial(signed_correlation, correlation="pearson")
    for (g, b), _ in np.ndenumerate(own):
        group, block = theirs[g], list(blocks[b])
        learned = canonical(learn.codes[:, block], learn.factors[:, group], pearson)
        own[g, b] = learned.own.sum() / len(group)
        held[g, b] = learned.of(score.codes[:, block], score.factors[:, group]).sum() / len(group)
    return float(held[linear_sum_assignment(own, maximize=True)].sum() / len(theirs))
