"""Explicitness as in DCI-ES: how little capacity a probe needs."""

from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from distaff.errors import BadInput
from distaff.metrics.arrays import Codes, Factors, Floats, Test, real_columns
from distaff.metrics.declare import by_field, metric
from distaff.metrics.held_out import learn_and_score
from distaff.metrics.threads import quiet
from distaff.settings import whole_number
from distaff.tables import Continuous

DEPTHS = (1, 2, 3, 4, 8, 10, 12, 14, 16, 18, 20, 32)


class DCIES(NamedTuple):
    """Informativeness, explicitness, which says nothing without it, and explicitness from zero."""

    informativeness: float
    explicitness: float
    from_zero: float


_bounds = partial(by_field, DCIES._fields)


@metric(
    low=-1.0,
    source="Eastwood et al. 2023, arXiv:2210.00364; `from_zero` ours",
    cost="slow",
    invariant_to=frozenset({"permutation", "sign", "scale"}),
    truth={
        "identity": _bounds((0.95, 1.0), (0.8, 0.97), (0.85, 1.0)),
        "rotated": _bounds((0.5, 0.95), (0.7, 0.9), (0.5, 0.9)),
        "constant": _bounds((0.1, 0.2), (1.0, 1.0), (0.0, 0.1)),
        "duplicated": _bounds((0.95, 1.0), (0.8, 0.97), (0.85, 1.0)),
        "noise": _bounds((0.1, 0.25), (0.95, 1.0), (0.0, 0.1)),
        "one_missing": _bounds((0.7, 0.85), (0.8, 1.0), (0.6, 0.85)),
    },
    worse_with={"informativeness": frozenset({"noise", "missing"}), "from_zero": frozenset({"missing"})},
    check_with={"trees": 3, "depths": (1, 2, 4, 8, 16, 32)},
    only_dense="its forests need an array",
)
def dci_es(
    codes: Codes,
    factors: Factors,
    *,
    trees: int = 10,
    depths: Sequence[int] = DEPTHS,
    continuous: Continuous = False,
    test: Test = None,
    seed: int = 0,
) -> DCIES:
    """Explicitness (DCI-ES's E): how little capacity a probe needs for the factors, beside what it gets.

    Random forests of `trees` trees (the authors have 100) and of rising depth predict each factor; the loss
    is 1 minus accuracy, or 1 minus R2 where it is `continuous`, on held-out rows, and never rises with depth
    (the least so far). Explicitness: 1 minus twice the area of the loss above its own least, over the range
    of depths times the loss of knowing nothing (1 - 1/m for m values, 1 for numbers); the mean over factors.
    -1..1, higher is better: 1 where the least depth suffices, 0 where the loss falls linearly
    from that of knowing nothing to 0.

    Codes that know nothing have an explicitness of 1, for no depth helps: it says something only beside
    `informativeness`, 1 minus the least loss (0..1; chance is the share of the commonest value), which
    is why they come together. `from_zero` (ours) measures the area from a loss of 0, once: 0 for useless
    codes, 1 where the least depth predicts all, at least 0.

    `codes` (n, d), `factors` (n, k) whole numbers, or `continuous` ones. It learns from two thirds of the
    rows (10,000 at most) and scores on the others (5,000 at most), or on `test`, a pair of arrays.

    Constant codes are useless, and as explicit as can be:

        >>> found = dci_es([5] * 60, [0, 1] * 30)
        >>> found.explicitness
        1.0
    """
    depths = [whole_number("depths", depth, 1) for depth in depths]
    if len(depths) < 2 or depths != sorted(set(depths)):
        raise BadInput(f"depths={depths} is not allowed; it must be two or more whole numbers, rising")
    learn, score = learn_and_score(codes, factors, test, seed)
    real, count = real_columns(continuous), whole_number("trees", trees, 1)
    found = []
    for j, (known, truth) in enumerate(zip(learn.factors.T, score.factors.T, strict=True)):
        nothing = 1.0 if j in real else 1 - 1 / len(np.unique(factors[:, j]))
        losses = _losses(learn.codes, known, score.codes, truth, count, depths, j in real, seed)
        above, whole = areas(np.array(depths, dtype=np.float64), losses)
        explicit, from_zero = 1 - 2 * above / nothing, max(0.0, 1 - whole / nothing)
        found.append((1 - losses.min(), explicit, from_zero))
    return DCIES(*(float(value) for value in np.mean(found, axis=0)))


def areas(capacity: Floats, losses: Floats) -> tuple[float, float]:
    """The area of the least loss so far (m,) over the range of capacity (m,), above its least and above 0.

    Trapezoids between capacities; rounding takes neither area below 0.
    """
    falling = np.minimum.accumulate(losses)
    whole = float(np.trapezoid(falling, capacity) / (capacity[-1] - capacity[0]))
    return max(0.0, whole - float(falling[-1])), whole


def _losses(
    codes: Codes,
    known: NDArray[Any],
    unseen: Codes,
    truth: NDArray[Any],
    trees: int,
    depths: Sequence[int],
    regress: bool,
    seed: int,
) -> Floats:
    """The loss (m,) of forests of each depth; those deeper than trees grow are the same."""
    from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

    kind = RandomForestRegressor if regress else RandomForestClassifier
    found: list[float] = []
    for depth in depths:
        model = kind(n_estimators=trees, max_depth=depth, random_state=seed)
        with quiet():
            predicted = model.fit(codes, known).predict(unseen)
        spread = np.var(truth)
        if not regress:
            found.append(1 - float(np.mean(predicted == truth)))
        elif spread > 0:
            found.append(min(1.0, float(np.mean((truth - predicted) ** 2) / spread)))
        else:
            found.append(1.0)
        if max(tree.get_depth() for tree in model.estimators_) < depth:
            break
    return np.array(found + found[-1:] * (len(depths) - len(found)))
