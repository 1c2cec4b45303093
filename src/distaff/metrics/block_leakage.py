"""What blocks of codes know that are not a factor's best."""

import numpy as np

from distaff.metrics.arrays import Codes, Factors, Test
from distaff.metrics.block_informativeness import block_matrix, judged
from distaff.metrics.blocks import Blocks
from distaff.metrics.declare import metric, truths
from distaff.tables import Continuous


@metric(
    source="ours; accuracies of subspaces as such are the usual report, as in "
    "von Kuegelgen et al. 2021, arXiv:2106.04619",
    needs=("factors", "blocks"),
    cost="slow",
    higher_is_better=False,
    invariant_to=frozenset({"permutation", "sign", "scale"}),
    truth=truths((0.0, 0.05), (0.0, 0.5), (0.0, 0.0), (0.97, 1.0), (0.0, 0.05), (0.0, 0.05)),
    worse_with=frozenset({"spread"}),
    check_with={"most_rows": 500},
    only_dense="its learners need arrays of blocks",
)
def block_leakage(
    codes: Codes,
    factors: Factors,
    blocks: Blocks,
    *,
    most_rows: int = 3000,
    continuous: Continuous = False,
    test: Test = None,
    seed: int = 0,
) -> float:
    """Block leakage: how well can factors be predicted from another block than their best?

    What the second-best block of each factor tells of it, measured as `block_informativeness` does; the mean
    over factors. 0..1, lower is better. It says nothing of whether the best block knows: noise leaks nothing.
    Where factors depend on each other it cannot be 0.

    `codes` (n, d), `factors` (n, k) whole numbers, or `continuous` ones; `blocks` lists of columns, by number
    or name, or a dict of such lists. Rows are held out as in `block_informativeness`.

    The second block tells the factor as well as the first:

        >>> codes, factors = [[0, 0], [1, 1]] * 20, [0, 1] * 20
        >>> round(block_leakage(codes, factors, [[0], [1]], test=(codes, factors)), 3)
        1.0
    """
    found = judged(
        block_matrix.of_arrays(
            codes, factors, blocks, most_rows=most_rows, continuous=continuous, test=test, seed=seed
        )
    )
    return float(np.sort(found, axis=0)[-2].mean())
