"""Content and style: what codes that should hold the one only know of the other."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from distaff.errors import BadInput
from distaff.metrics.arrays import Codes, Factors, Test
from distaff.metrics.door import checked
from distaff.metrics.kernel_r2 import kernel_r2
from distaff.tables import Continuous


class ContentStyle(NamedTuple):
    """R2, 0..1: of content and of style from codes, and of style from content itself."""

    content: float
    style: float
    floor: float


@checked(order_above=2)
def content_style(
    codes: Codes,
    factors: Factors,
    *,
    content: Sequence[int],
    most_rows: int = 2000,
    continuous: Continuous = False,
    test: Test = None,
    seed: int = 0,
) -> ContentStyle:
    """Do codes hold the content, and no more of the style than the content tells?

    Of `factors` (n, k) the columns in `content` are to be kept, the others, the style, are not. Codes (n, d)
    are those that should hold content: all, or a block, codes[:, block]. The kernel R2 (see `kernel_r2`) of
    content from codes should be 1, and of style from codes not 0 but its floor, that of style from content:
    where the two depend on each other, codes of content alone know of style (von Kuegelgen et al. 2021,
    arXiv:2106.04619, section 5).

        >>> import numpy as np
        >>> factors = np.random.default_rng(0).standard_normal((300, 2))
        >>> found = content_style(factors[:, :1], factors, content=[0], continuous=True)
        >>> [round(value, 1) for value in found]
        [1.0, 0.0, 0.0]
    """
    k = factors.shape[1]
    wanted = [int(j) for j in content]
    if not wanted or set(wanted) >= set(range(k)) or not all(0 <= j < k for j in wanted):
        raise BadInput(
            f"content={content!r} is not allowed; it must be some of the factors 0 to {k - 1}, not all"
        )
    style = [j for j in range(k) if j not in wanted]
    tests = {"content": (None, wanted), "style": (None, style), "floor": (wanted, style)}
    return ContentStyle(
        **{
            name: kernel_r2.of_arrays(
                codes if known is None else _reals(factors, known),
                factors[:, target],
                most_rows=most_rows,
                test=None
                if test is None
                else (test[0] if known is None else _reals(test[1], known), test[1][:, target]),
                seed=seed,
            )
            for name, (known, target) in tests.items()
        }
    )


def _reals(factors: Factors, columns: list[int]) -> Codes:
    return factors[:, columns].astype(np.float64)
