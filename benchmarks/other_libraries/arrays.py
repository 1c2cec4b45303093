"""The fixed arrays that other libraries and ours are given. Importing this needs NumPy alone."""

from __future__ import annotations

import numpy as np

ROWS, TRAIN, BINS = 3000, 2000, 20
SPLIT = {"num_train": TRAIN, "num_test": ROWS - TRAIN}
SIZES, GRID_SIZES = (3, 6, 40, 32, 32), (3, 4, 5, 6)
SITUATIONS = ("ideal", "mixed", "noise", "dead", "rotated", "missing")
GRIDS = ("grid", "grid_ideal", "grid_dead")
NEAR_ZERO_KL = 0.001


def standardised(factors: np.ndarray) -> np.ndarray:
    """Every column with mean 0 and standard deviation 1 (ddof 0)."""
    return (factors - factors.mean(axis=0)) / factors.std(axis=0)


def arrays(situation: str) -> tuple[np.ndarray, np.ndarray]:
    """The codes (3000, d) and factors (3000, 5) of one of SITUATIONS."""
    rng = np.random.default_rng(2019)
    factors = np.stack([rng.integers(size, size=ROWS) for size in SIZES], axis=1)
    ideal = standardised(factors)
    rng = np.random.default_rng(2020)
    mixing = rng.standard_normal((5, 10)) * (rng.random((5, 10)) < 0.4)
    mixed = ideal @ mixing + 0.3 * rng.standard_normal((ROWS, 10))
    codes = {
        "ideal": ideal,
        "mixed": mixed,
        "noise": np.random.default_rng(2021).standard_normal((ROWS, 10)),  # tells nothing of the factors
        "dead": np.where(np.arange(10) < 8, mixed, 0),
        "rotated": ideal @ (np.eye(5) - 2 / 5),  # a reflection that mixes all factors into all codes
        "missing": ideal[:, :-1],
    }
    return codes[situation], factors


def grid_arrays(dead: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """The codes (360, 3 or 4) and factors (360, 4) of the complete grid, last factor fastest."""
    factors = np.indices(GRID_SIZES).reshape(len(GRID_SIZES), -1).T
    codes = standardised(factors) @ np.random.default_rng(2022).standard_normal((4, 3))
    return np.hstack([codes, np.zeros((len(codes), int(dead)))]), factors


def importance_matrices() -> dict[str, np.ndarray]:
    """Matrices (10 codes, 5 factors) that stand in for the importances of a fitted model."""
    full = np.abs(np.random.default_rng(7).standard_normal((10, 5))) ** 3
    row = full.copy()
    row[4] = 0
    return {"importance": full, "importance_zero_row": row, "importance_zero": np.zeros((10, 5))}


def models() -> tuple[list[np.ndarray], list[np.ndarray], np.ndarray]:
    """Three models for UDR: their codes, KLs that mark the last two codes of each, and the permutation.

    The models are `mixed`, `mixed` with columns permuted and signs flipped, and `noise`. Their KL is 1 but
    for the last two codes (UDR's filter for low KL is at .01).
    """
    rng = np.random.default_rng(3)
    mixed, _ = arrays("mixed")
    order, signs = rng.permutation(10), rng.choice([-1.0, 1.0], size=10)
    kl = np.where(np.arange(10) < 8, 1.0, NEAR_ZERO_KL)
    return [mixed, mixed[:, order] * signs, arrays("noise")[0]], [kl, kl, kl], order
