"""The fixed arrays that other libraries and ours are given. Importing this needs NumPy alone."""

from __future__ import annotations

import numpy as np

ROWS, TRAIN, BINS = 3000, 2000, 20
SPLIT = {"num_train": TRAIN, "num_test": ROWS - TRAIN}
SIZES, GRID_SIZES = (3, 6, 40, 32, 32), (3, 4, 5, 6)
SITUATIONS = {
    "ideal": "codes = (factors - mean) / standard deviation (ddof 0), column by column",
    "mixed": "rng = default_rng(2020); M = rng.standard_normal((5, 10)) * (rng.random((5, 10)) < 0.4); "
    "codes = ideal @ M + 0.3 * rng.standard_normal((3000, 10))",
    "noise": "codes = default_rng(2021).standard_normal((3000, 10)); the factors tell nothing",
    "dead": "mixed, with columns 8 and 9 set to 0",
    "rotated": "ideal @ (identity - 2/5 * ones((5, 5))), a reflection that mixes all factors into all codes",
    "missing": "ideal without its last column, so that no code follows the last factor",
}
GRIDS = {
    "grid": "the complete grid of four factors with 3, 4, 5 and 6 values, last one fastest (360 rows); "
    "codes = standardised factors @ default_rng(2022).standard_normal((4, 3))",
    "grid_ideal": "the same grid; codes = standardised factors",
    "grid_dead": "grid, with a fourth code that is always 0",
}
NEAR_ZERO_KL = 0.001


def arrays(situation: str) -> tuple[np.ndarray, np.ndarray]:
    """The codes (3000, d) and factors (3000, 5) of one of SITUATIONS."""
    rng = np.random.default_rng(2019)
    factors = np.stack([rng.integers(size, size=ROWS) for size in SIZES], axis=1)
    ideal = (factors - factors.mean(axis=0)) / factors.std(axis=0)
    rng = np.random.default_rng(2020)
    mixing = rng.standard_normal((5, 10)) * (rng.random((5, 10)) < 0.4)
    mixed = ideal @ mixing + 0.3 * rng.standard_normal((ROWS, 10))
    dead = mixed.copy()
    dead[:, 8:] = 0
    codes = {
        "ideal": ideal,
        "mixed": mixed,
        "noise": np.random.default_rng(2021).standard_normal((ROWS, 10)),
        "dead": dead,
        "rotated": ideal @ (np.eye(5) - 2 / 5 * np.ones((5, 5))),
        "missing": ideal[:, :-1],
    }
    return codes[situation], factors


def grid_arrays(dead: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """The codes (360, 3 or 4) and factors (360, 4) of GRIDS: one row for every combination of values."""
    factors = np.indices(GRID_SIZES).reshape(len(GRID_SIZES), -1).T
    ideal = (factors - factors.mean(axis=0)) / factors.std(axis=0)
    codes = ideal @ np.random.default_rng(2022).standard_normal((4, 3))
    return np.hstack([codes, np.zeros((len(codes), int(dead)))]), factors


def importance_matrices() -> dict[str, np.ndarray]:
    """Matrices (10 codes, 5 factors) that stand in for the importances of a fitted model."""
    full = np.abs(np.random.default_rng(7).standard_normal((10, 5))) ** 3
    row = full.copy()
    row[4] = 0
    return {"importance": full, "importance_zero_row": row, "importance_zero": np.zeros((10, 5))}


def models() -> tuple[list[np.ndarray], list[np.ndarray], np.ndarray]:
    """Three models for UDR: their codes, KLs that mark the last two codes of each, and the permutation.

    The models are `mixed`, `mixed` with columns permuted and signs flipped, and `noise`.
    """
    rng = np.random.default_rng(3)
    mixed, _ = arrays("mixed")
    order, signs = rng.permutation(10), rng.choice([-1.0, 1.0], size=10)
    kl = np.where(np.arange(10) < 8, 1.0, NEAR_ZERO_KL)
    return [mixed, mixed[:, order] * signs, arrays("noise")[0]], [kl, kl, kl], order


def recipes() -> dict[str, str]:
    """How the arrays are made, in words."""
    return {
        "factors": "rng = default_rng(2019); 3000 rows; column j is rng.integers((3, 6, 40, 32, 32)[j], "
        "size=3000)",
        **SITUATIONS,
        **GRIDS,
        "models": "mixed; mixed[:, order] * signs with rng = default_rng(3), order = rng.permutation(10), "
        "signs = rng.choice([-1, 1], size=10); noise. KL 1 but .001 for the last two codes of each model "
        "(*_kl_permuted: the permuted model has KL[order]); all rows in one batch, filter_low_kl at its .01",
        "importance": "abs(default_rng(7).standard_normal((10, 5))) ** 3, codes by factors; "
        "importance_zero_row: row 4 set to 0; importance_zero: zeros((10, 5))",
        "values": "null is NaN; min and max are over runs with seeds 0, 1 ...; error is what was raised",
    }
