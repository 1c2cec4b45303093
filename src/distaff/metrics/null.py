"""What a metric gives of the same arrays when rows of codes are shuffled: is a value above chance?"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from distaff.errors import BadInput
from distaff.metrics.arrays import Codes, Factors, Test
from distaff.metrics.door import checked
from distaff.settings import whole_number
from distaff.tables import Continuous

GIVEN = ("logvar", "test", "blocks", "groups")  # settings that are checked with codes and factors


class Null(NamedTuple):
    """A metric's value beside those of shuffled codes.

    `adjusted` is 0 where the value is the mean of the shuffled ones and 1 where it is 1; `p` is the share of
    values at least as large, the true one counted among them; `mean` and `q95` are of the shuffled ones.
    """

    value: float
    adjusted: float
    p: float
    mean: float
    q95: float


def permutation_null(
    metric: Callable[..., Any],
    codes: Any,
    factors: Any,
    *,
    draws: int = 199,
    continuous: Continuous = False,
    seed: int = 0,
    **settings: Any,
) -> Null:
    """Compare a metric of codes (n, d) and factors (n, k) with itself where the rows of codes are shuffled.

    All columns of a row stay together, so that codes keep how they hang together and lose what they know of
    factors. p = (1 + number of shuffled values >= the true one) / (draws + 1) (Phipson and Smyth 2010,
    doi:10.2202/1544-6115.1585); adjusted = (value - mean) / (1 - mean). `settings` are the metric's, and it
    takes `draws` times as long. Higher values must be better. Raises BadInput where the metric gives several
    numbers.

        >>> from distaff.metrics import mcc
        >>> permutation_null(mcc, [0, 1, 2, 3, 4, 5], [0, 1, 2, 3, 4, 5]).p < 0.03
        True
    """
    whole_number("draws", draws, 1)
    if continuous is not False:
        settings["continuous"] = continuous
    value = metric(codes, factors, **settings)
    if isinstance(value, tuple):
        raise BadInput(f"{metric.__name__} gives several numbers; give a function that returns one of them")
    given = {name: settings.pop(name) for name in GIVEN if name in settings}
    shuffled = _shuffled(codes, factors, metric, draws, settings, continuous=continuous, seed=seed, **given)
    mean, above = float(np.mean(shuffled)), int(np.sum(shuffled >= value))
    adjusted = (value - mean) / (1 - mean) if mean < 1 else 0.0
    return Null(float(value), adjusted, (1 + above) / (draws + 1), mean, float(np.quantile(shuffled, 0.95)))


@checked(only_dense="")
def _shuffled(
    codes: Codes,
    factors: Factors,
    metric: Callable[..., Any],
    draws: int,
    settings: dict[str, Any],
    *,
    continuous: Continuous,
    seed: int,
    logvar: Any = None,
    test: Test = None,
    blocks: Any = None,
    groups: Any = None,
) -> Any:
    """The metric's values (draws,) of shuffled rows of codes, their log-variances with them."""
    of_arrays = getattr(metric, "of_arrays", metric)
    taken = settings | ({"continuous": continuous} if "continuous" in settings else {})
    taken |= {name: each for name, each in (("blocks", blocks), ("groups", groups)) if each is not None}
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(draws):
        order = rng.permutation(len(codes))
        taken |= {} if logvar is None else {"logvar": logvar[order]}
        taken |= {} if test is None else {"test": (test[0][rng.permutation(len(test[0]))], test[1])}
        found.append(of_arrays(codes[order], factors, **taken))
    return np.array(found)
