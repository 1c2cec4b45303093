"""Linearity of actions, of the group-theoretic definition."""

from collections.abc import Sequence

import numpy as np

from distaff.errors import BadInput, NotApplicable
from distaff.metrics.arrays import Codes, Factors, Floats
from distaff.metrics.declare import metric, truths
from distaff.metrics.moves import movement, owners, states, steps
from distaff.settings import whole_number

PAIRS_PER_CODE = 2  # at least, to learn from


@metric(
    source="the definition of Higgins et al. 2018, arXiv:1812.02230; the measure of it is ours",
    least_factors=2,
    needs_order_above=2,
    invariant_to=frozenset({"permutation", "sign"}),
    truth=truths((0.999, 1.0), (0.249, 1.0), (0.0, 0.0), (0.999, 1.0), (0.0, 0.02), (0.74, 0.76)),
    worse_with=frozenset({"noise", "bent", "missing"}),
    only_dense="it compares rows before and after an action as arrays",
)
def action_linearity(codes: Codes, factors: Factors, *, cyclic: Sequence[int] = (), seed: int = 0) -> float:
    """Linearity of actions: is a factor's step to its next value the same affine map of its codes everywhere?

    Codes belong to the factor that moves them most, as in `action_independence`. For every factor, all pairs
    of rows that differ in it by one step alone: a map A z + b from its codes before to those after is fitted
    by least squares to two thirds of the pairs. On the others, its squared error as a share of that of the
    better of two idle guesses, that the codes stay and that they go to their mean; 1 minus this, and not
    below 0. A factor without codes scores 0. The mean over factors is 0..1, higher is better; noise scores 0.
    It says nothing of independence: rotated factors move linearly, too.

    The paper's: a representation is linearly disentangled if, besides, each group acts on its part of the
    codes by linear maps. Ours: b, which lets codes be lengths from any origin; the fit; and that a factor's
    values need no cycle, where the last has no step. For columns in `cyclic` the last value steps to the
    first: a code of one number then scores low, and the two of a circle 1. With three values or fewer, no
    cycle, and codes of one number that know their factor alone, any code passes. Noise that is larger than a
    step hides it: factors of many values score lower.

    `codes` (n, d), `factors` (n, k) with k >= 2, whole numbers in order. Rows with the same factors count as
    one, with their mean code. Raises NotApplicable for a single factor, and where pairs are too few.

    Four quarter turns on a circle, and a factor with a code of its own:

        >>> factors = [[a, b] for a in range(4) for b in range(5)]
        >>> circle = [(1, 0), (0, 1), (-1, 0), (0, -1)]
        >>> round(action_linearity([[*circle[a], b] for a, b in factors], factors, cyclic=[0]), 6)
        1.0
    """
    turning = {whole_number("cyclic", column, 0) for column in cyclic}
    if turning and max(turning) >= factors.shape[1]:
        raise BadInput(f"cyclic={max(turning)} is out of range; there are {factors.shape[1]} factors")
    found = states(codes, factors)
    owner = owners(movement(found))
    rng = np.random.default_rng(seed)
    scores = []
    for j in range(factors.shape[1]):
        before, after = (found.codes[rows][:, owner == j] for rows in steps(found, j, j in turning))
        order = rng.permutation(len(before))
        held = len(before) // 3
        if len(before) - held < PAIRS_PER_CODE * (before.shape[1] + 1) or not held:
            said = f"{len(before)} pairs of rows one step of it apart for {before.shape[1]} codes of its own"
            raise NotApplicable(f"factor column {j} has {said}, which is too few")
        learn, score = order[held:], order[:held]
        scores.append(_skill(before[learn], after[learn], before[score], after[score]))
    return float(np.mean(scores))


def _skill(before: Floats, after: Floats, unseen: Floats, truth: Floats) -> float:
    """How much better than idle guesses a fitted map (d, d) and offset foretell codes (m, d), 0..1."""
    known = np.pad(before, ((0, 0), (0, 1)), constant_values=1)
    fitted = np.linalg.lstsq(known, after, rcond=None)[0]
    wrong = ((truth - np.pad(unseen, ((0, 0), (0, 1)), constant_values=1) @ fitted) ** 2).sum()
    mean = (before.mean(axis=0) + after.mean(axis=0)) / 2
    idle = min(((truth - unseen) ** 2).sum(), ((truth - mean) ** 2).sum())
    return max(0.0, 1 - float(wrong / idle)) if idle > 0 else 0.0
