"""How often codes lie in bins of a given range beside every value of a factor: batches add up to it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from distaff.metrics.arrays import EDGE, Floats, Ints
from distaff.metrics.information import ROUNDING, Information, entropy_of, information_of


@dataclass(frozen=True)
class Counts:
    """By factor its values seen so far (m,), in order, and for each code, bin and value the number of rows.

    `tables` are (d, bins, m) each; `outside` (d,) counts the rows whose code was beyond its range, which are
    in the bin at that end.
    """

    values: tuple[Floats, ...]
    tables: tuple[Ints, ...]
    outside: Ints

    @classmethod
    def of(cls, codes: Floats, factors: Floats, ranges: Floats, bins: int) -> Counts:
        """Those of rows of codes (n, d) with ranges (d, 2), and factors (n, k), whole numbers or in bins."""
        binned = in_bins(codes, ranges, bins)
        found = [_table(binned, column, bins) for column in factors.T]
        outside = ((codes < ranges[:, 0]) | (codes > ranges[:, 1])).sum(axis=0)
        return cls(tuple(v for v, _ in found), tuple(t for _, t in found), outside)

    def plus(self, other: Counts) -> Counts:
        """Those of both together."""
        pairs = [
            _joined(*each) for each in zip(self.values, self.tables, other.values, other.tables, strict=True)
        ]
        return Counts(tuple(v for v, _ in pairs), tuple(t for _, t in pairs), self.outside + other.outside)

    @property
    def information(self) -> Information:
        """What codes and factors share; factors of a single value are left out."""
        kept = [t for v, t in zip(self.values, self.tables, strict=True) if len(v) > 1]
        factors = np.array([entropy_of(table[0].sum(axis=0)) for table in kept])
        shared = np.stack([information_of(t / t[0].sum()) for t in kept], axis=1)
        return Information(np.minimum(np.where(shared > ROUNDING, shared, 0.0), factors), factors)

    @property
    def code_entropies(self) -> Floats:
        """The entropy of each code's bins (d,), nats."""
        return np.array([entropy_of(each) for each in self.tables[0].sum(axis=2)])


def in_bins(codes: Floats, ranges: Floats, bins: int) -> Ints:
    """Columns (n, d) in equal bins of given ranges (d, 2), values beyond them in the bins at the ends."""
    edges = [np.linspace(low, high, bins + 1)[1:-1] - EDGE * (high - low) for low, high in ranges]
    found = [np.digitize(column, each) for column, each in zip(codes.T, edges, strict=True)]
    return np.stack(found, axis=1)


def _table(binned: Ints, factor: NDArray[np.float64], bins: int) -> tuple[Floats, Ints]:
    """A factor's values, and the counts (d, bins, values)."""
    values, place = np.unique(factor, return_inverse=True)
    d, width = binned.shape[1], len(values)
    cell = (np.arange(d) * bins + binned) * width + place[:, None]
    return values, np.bincount(cell.ravel(), minlength=d * bins * width).reshape(d, bins, width)


def _joined(first: Floats, table: Ints, second: Floats, other: Ints) -> tuple[Floats, Ints]:
    """The values of two tables of a factor, and the sums of their counts."""
    values = np.union1d(first, second)
    found = np.zeros((*table.shape[:2], len(values)), dtype=np.int64)
    for known, counts in ((first, table), (second, other)):
        found[:, :, np.searchsorted(values, known)] += counts
    return values, found
