"""Arrays made by a stated recipe, whose scores were computed elsewhere: by a reference's own code.

The letters are those of the specification; every array is drawn in the order written.
"""

import numpy as np

Array = np.ndarray


def linear_mixture() -> tuple[Array, Array]:
    """Recipe C: five Gaussian factors (500, 5), mixed linearly with some noise."""
    rng = np.random.default_rng(0)
    factors = rng.standard_normal((500, 5))
    mixing = np.eye(5) + 0.4 * rng.standard_normal((5, 5))
    return factors @ mixing + 0.3 * rng.standard_normal((500, 5)), factors


def wide_noise() -> tuple[Array, Array]:
    """Recipe D: a hundred codes of 200 rows that know nothing of five factors."""
    rng = np.random.default_rng(1)
    factors = rng.standard_normal((200, 5))
    return rng.standard_normal((200, 100)), factors


def absorbed_attribute() -> tuple[Array, Array]:
    """Recipe J: 64 sparse codes of 1,200 rows; two share an attribute (n,), and a third is loud."""
    rng = np.random.default_rng(0)
    n, d = 1200, 64
    there = rng.random(n) < 0.25
    codes = np.where(rng.random((n, d)) < 0.05, rng.exponential(1, (n, d)), 0)
    codes[:, 7] = np.where(there & (rng.random(n) < 0.7), 1 + rng.random(n), 0)
    codes[:, 9] = np.where(there & (codes[:, 7] == 0), 1 + rng.random(n), 0) + (rng.random(n) < 0.02)
    codes[:, 20] *= 50
    return codes, there.astype(np.int64)
