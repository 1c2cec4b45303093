"""The slot identifiability score."""

import numpy as np

from distaff.metrics.arrays import Codes, Factors, Floats, Test, standardised
from distaff.metrics.blocks import Blocks, each_alone
from distaff.metrics.declare import metric, truths
from distaff.metrics.held_out import Rows, few_to_learn
from distaff.metrics.kernel_r2 import ridge_weights, signed_r2, squared_distances
from distaff.settings import whole_number
from distaff.tables import Continuous

RIDGE = 1.0


@metric(
    source="Brady et al. 2023, arXiv:2305.14229, section 5; regression as in the authors' code",
    needs=("factors", "blocks"),
    cost="slow",
    low=-1.0,
    needs_order_above=2,
    invariant_to=frozenset({"permutation", "sign", "scale"}),
    truth=truths((0.9, 1.0), (-0.1, 0.1), (0.0, 0.0), (-0.01, 0.01), (-0.02, 0.02), (0.65, 0.76)),
    worse_with=frozenset({"noise", "missing", "spread"}),
    check_with={"most_rows": 500},
    only_dense="its kernel needs arrays of blocks",
)
def sis(
    codes: Codes,
    factors: Factors,
    blocks: Blocks,
    *,
    groups: Blocks | None = None,
    most_rows: int = 2000,
    continuous: Continuous = False,
    test: Test = None,
    seed: int = 0,
) -> float:
    """Slot identifiability score: does each slot, a block of codes, hold one true slot and nothing of others?

    For every true slot (a group of factors) and every block, R2 of the group by ridge regression with a
    Gaussian kernel (ridge 1, gamma 1 over the block's width, codes and factors standardised), the mean over
    its factors, at least 0. Groups and blocks are paired so that the sum is largest; the score is, of each
    group, R2 of its block less that of the best other block; the mean over groups, of which those without a
    block count 0. -1..1, higher is better; noise scores about 0.

    `codes` (n, d), `factors` (n, k) whole numbers, or `continuous` ones; words without an order one-hot.
    `blocks` lists of columns of codes, `groups` of factors (by default each alone), by number or name. Slots
    without an identity must be sorted per row first. It learns from `most_rows` of two thirds of the rows and
    scores on the others, or on `test`, a pair of arrays; the whole is standardised together, as in the
    authors' code.

    The second block tells of neither:

        >>> import numpy as np
        >>> factors = np.random.default_rng(0).standard_normal((300, 2))
        >>> codes = np.c_[factors, np.zeros(300)]
        >>> round(sis(codes, factors, [[0, 1], [2]], groups=[[0, 1]], continuous=True), 1)
        0.9
    """
    most = whole_number("most_rows", most_rows, 2)
    learn, score = few_to_learn(codes, factors, test, seed, most)
    found = slot_matrix(learn, score, blocks, groups or each_alone(factors.shape[1]))
    return _above_the_next(found)


def slot_matrix(learn: Rows, score: Rows, blocks: Blocks, groups: Blocks) -> Floats:
    """R2 of every group of factors from every block of codes, (groups, blocks), at least 0."""
    n = len(learn.codes)
    codes, factors = (standardised(np.concatenate([a, b])) for a, b in zip(learn, score, strict=True))
    found = np.empty((len(groups), len(blocks)))
    for b, block in enumerate(map(list, blocks)):
        near = np.exp(-squared_distances(codes[:, block], codes[:n, block]) / len(block))
        predicted = near[n:] @ ridge_weights(near[:n], factors[:n], RIDGE)
        for g, group in enumerate(map(list, groups)):
            found[g, b] = max(0.0, signed_r2(factors[n:, group], predicted[:, group]))
    return found


def _above_the_next(found: Floats) -> float:
    """The mean over groups of the paired block's R2 less the best other block's; 0 without a pair."""
    from scipy.optimize import linear_sum_assignment

    groups, blocks = linear_sum_assignment(found, maximize=True)
    others = found.copy()
    others[groups, blocks] = -np.inf
    return float((found[groups, blocks] - others[groups].max(axis=1, initial=0.0)).sum() / len(found))
