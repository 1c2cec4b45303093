"""Independence of actions, of the group-theoretic definition."""

import numpy as np

from distaff.metrics.arrays import Codes, Factors
from distaff.metrics.declare import metric, truths
from distaff.metrics.moves import movement, owners, states


@metric(
    source="the definition of Higgins et al. 2018, arXiv:1812.02230; the measure of it is ours",
    least_factors=2,
    invariant_to=frozenset({"permutation", "sign"}),
    truth=truths((0.999, 1.0), (0.05, 0.16), (0.0, 0.0), (0.999, 1.0), (0.05, 0.15), (0.749, 0.751)),
    worse_with=frozenset({"noise", "holistic", "blurred", "missing", "copied"}),
    only_dense="it compares rows before and after an action as arrays",
)
def action_independence(codes: Codes, factors: Factors) -> float:
    """Independence of actions: does changing one factor move only the codes that are its own?

    Two rows that differ in factor i alone are moved into each other by i's group. Let m_ij be the mean
    squared move of code j when factor i takes any of its values, all as likely; code j belongs to the factor
    that moves it most. A factor scores own / (own + out + in): how far it moves its codes, and others' codes,
    and how far others move its own. A factor without codes scores 0. The mean over factors is 0..1, higher is
    better. Codes that all factors move alike, such as noise and evenly rotated factors, score at most about
    1 / (2 k - 1).

    The paper's: a representation is disentangled with respect to a product of groups if it splits into parts,
    each moved by its own group and fixed by all others. Such codes score 1, also where a part has several
    codes, as the two of a circle. Ours: parts are sets of codes, where the paper allows any subspaces, which
    a rotation of all codes cannot spoil; a measure in place of a yes or no; and all changes of a factor's
    value stand for its group, cyclic or not. m_ij is twice the variance of code j that is due to factor i, in
    all its interactions. Codes count by their variance, so that dead latents hardly do.

    `codes` (n, d), `factors` (n, k) with k >= 2, whole numbers or words. Rows with the same factors count as
    one, with their mean code. Raises NotApplicable for a single factor, and where no two rows differ in a
    factor alone, as may be where few rows are drawn from a large grid.

    The second code is moved by the second factor, and half as far by the first:

        >>> factors = [[0, 0], [0, 1], [1, 0], [1, 1]]
        >>> action_independence([[0, 0], [0, 2], [1, 1], [1, 3]], factors)
        0.65
    """
    moved = movement(states(codes, factors))
    owner = owners(moved)
    scores = []
    for i, row in enumerate(moved):
        mine = owner == i
        own, out, into = row[mine].sum(), row[~mine].sum(), np.delete(moved, i, axis=0)[:, mine].sum()
        scores.append(own / (own + out + into) if own > 0 else 0.0)
    return float(np.mean(scores))
