"""Codes of middling quality and factors of dSprites' sizes, on which scores are timed."""

import numpy as np

SIZES = (3, 6, 40, 32, 32)


def codes_of(factors: np.ndarray, seed: int = 0) -> np.ndarray:
    """Ten codes of (n, 5) factors: five follow one factor each through noise, five mix them."""
    rng = np.random.default_rng(seed)
    ideal = (factors - factors.mean(axis=0)) / factors.std(axis=0)
    mixed = 0.3 * ideal @ rng.standard_normal((5, 5)) + rng.standard_normal(ideal.shape)
    return np.concatenate([ideal + 0.2 * rng.standard_normal(ideal.shape), mixed], axis=1)


def rows_of(count: int) -> np.ndarray:
    """Random rows of dSprites' factors."""
    rng = np.random.default_rng(1)
    return np.stack([rng.integers(size, size=count) for size in SIZES], axis=1)
