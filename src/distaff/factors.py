"""FactorSpace: the grid of ground-truth factors that a data set's images lie on."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from distaff.errors import BadInput, unknown
from distaff.settings import whole_number

Seed = int | Sequence[int] | np.random.Generator


@dataclass(frozen=True)
class FactorSpace:
    """The full grid of `names` with `sizes`, in row-major order: the last factor changes fastest.

    A row is k integers, factor j in 0..sizes[j]-1; its index is its place on the grid, 0..len-1. Values out
    of range are errors, never aliases of another cell.
    """

    names: tuple[str, ...]
    sizes: tuple[int, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "names", tuple(self.names))
        object.__setattr__(self, "sizes", tuple(whole_number("size", size, 1) for size in self.sizes))
        if len(self.names) != len(self.sizes):
            raise BadInput(f"{len(self.names)} factor names but {len(self.sizes)} sizes")
        if len(set(self.names)) != len(self.names):
            raise BadInput(f"factor names must differ: {', '.join(self.names)}")

    def __len__(self) -> int:
        return math.prod(self.sizes)

    def position(self, factor: str | int) -> int:
        """The column of a factor given by its name or its column."""
        if isinstance(factor, str):
            if factor not in self.names:
                raise unknown("factor", factor, self.names)
            return self.names.index(factor)
        column = whole_number("factor", factor, 0)
        if column >= len(self.sizes):
            raise BadInput(f"factor {factor} is out of range; there are {len(self.sizes)} factors")
        return column

    def rows(self, index: ArrayLike) -> NDArray[np.int64]:
        """The rows (n, k) of grid indices (n,)."""
        index = _integers(index, "index")
        if index.size and (index.min() < 0 or index.max() >= len(self)):
            raise BadInput(
                f"index out of range: allowed 0..{len(self) - 1}, got {index.min()}..{index.max()}"
            )
        return np.stack(np.unravel_index(index, self.sizes), axis=-1).astype(np.int64)

    def index(self, rows: ArrayLike) -> NDArray[np.int64]:
        """The grid indices (n,) of rows (n, k)."""
        index = np.ravel_multi_index(tuple(self.check(rows).T), self.sizes)
        return np.asarray(index, dtype=np.int64)

    def check(self, rows: ArrayLike) -> NDArray[np.int64]:
        """Rows (n, k) as int64, or an error that names the factor that is out of range."""
        rows = _integers(rows, "rows")
        if rows.ndim != 2 or rows.shape[1] != len(self.sizes):
            raise BadInput(f"rows must have shape (n, {len(self.sizes)}), got {rows.shape}")
        bad = ((rows < 0) | (rows >= self.sizes)).any(axis=0)
        if bad.any():
            j = int(bad.argmax())
            raise BadInput(
                f"factor '{self.names[j]}' out of range: allowed 0..{self.sizes[j] - 1}, "
                f"got {rows[:, j].min()}..{rows[:, j].max()}"
            )
        return rows

    def sample(self, n: int, seed: Seed) -> NDArray[np.int64]:
        """n rows, uniform over the grid, independent."""
        return np.random.default_rng(seed).integers(0, self.sizes, size=(n, len(self.sizes)))

    def sample_fixed(
        self, n: int, factor: str | int, seed: Seed, value: int | None = None
    ) -> NDArray[np.int64]:
        """n rows that all share one value of `factor`: the given one, or one drawn uniformly."""
        rng = np.random.default_rng(seed)
        j = self.position(factor)
        rows = self.sample(n, rng)
        rows[:, j] = rng.integers(self.sizes[j]) if value is None else whole_number("value", value, 0)
        return self.check(rows)

    def sample_pairs(
        self, n: int, factor: str | int, seed: Seed
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """n pairs of rows; the two of a pair share their value of `factor` and are otherwise independent."""
        rng = np.random.default_rng(seed)
        j = self.position(factor)
        first, second = self.sample(n, rng), self.sample(n, rng)
        second[:, j] = first[:, j]
        return first, second

    def sample_joint(
        self, n: int, factors: Sequence[str | int], joint: ArrayLike, seed: Seed
    ) -> NDArray[np.int64]:
        """n rows whose `factors` follow the table `joint`, the other factors uniform and independent.

        `joint` has one axis per named factor, of that factor's size, and holds weights >= 0.
        """
        rng = np.random.default_rng(seed)
        columns = [self.position(factor) for factor in factors]
        weights = np.asarray(joint, dtype=np.float64)
        sizes = tuple(self.sizes[j] for j in columns)
        if len(set(columns)) != len(columns) or weights.shape != sizes:
            raise BadInput(f"the joint of {list(factors)} must have shape {sizes}, got {weights.shape}")
        with np.errstate(over="ignore"):
            total = weights.sum()
        if not np.isfinite(weights).all() or (weights < 0).any() or not 0 < total < np.inf:
            raise BadInput("a joint must hold finite weights of at least 0, not all of them 0")
        cells = rng.choice(weights.size, size=n, p=weights.ravel() / weights.sum())
        rows = self.sample(n, rng)
        rows[:, columns] = np.stack(np.unravel_index(cells, sizes), axis=-1)
        return rows

    def move(self, rows: ArrayLike, actions: ArrayLike, *, wrapped: bool = False) -> NDArray[np.int64]:
        """Where actions (n,), or one for all, lead from rows (n, k).

        Of the 2k actions, 2j takes factor j down by one and 2j + 1 takes it up by one. At the ends of its
        values a move is blocked, so that the row stays, or leads `wrapped` to the other end.
        """
        moved, actions = self.check(rows).copy(), _integers(actions, "actions")
        most = 2 * len(self.sizes) - 1
        if actions.size and (actions.min() < 0 or actions.max() > most):
            raise BadInput(f"action out of range: allowed 0..{most}, got {actions.min()}..{actions.max()}")
        if actions.shape not in ((), moved.shape[:1]):
            raise BadInput(f"actions must be one, or one for each of {len(moved)} rows, got {actions.shape}")
        each, factor = np.arange(len(moved)), actions // 2
        sizes = np.array(self.sizes)[factor]
        there = moved[each, factor] + 2 * (actions % 2) - 1
        moved[each, factor] = there % sizes if wrapped else np.clip(there, 0, sizes - 1)
        return moved

    def batches(self, size: int) -> Iterator[NDArray[np.int64]]:
        """Every row once, in order, at most `size` at a time."""
        for start in range(0, len(self), whole_number("size", size, 1)):
            yield self.rows(np.arange(start, min(start + size, len(self))))

    @classmethod
    def of_table(cls, names: Sequence[str], labels: NDArray[np.int64]) -> FactorSpace | None:
        """The grid that a table of labels (n, k) walks through in row-major order, or None if it does not."""
        sizes = tuple(int(m) + 1 for m in labels.max(axis=0)) if len(labels) else ()
        if not sizes or labels.min() < 0 or math.prod(sizes) != len(labels):
            return None
        space = cls(tuple(names), sizes)
        return space if np.array_equal(space.rows(np.arange(len(labels))), labels) else None


def _integers(values: ArrayLike, what: str) -> NDArray[np.int64]:
    array = np.asarray(values)
    if array.size and not np.issubdtype(array.dtype, np.integer):
        raise BadInput(f"{what} must be integers, got {array.dtype}")
    return array.astype(np.int64)
