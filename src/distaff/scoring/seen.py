"""What a stream keeps of the rows that it saw: sums, counts and a sample, and how two of these add up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from distaff.errors import BadInput
from distaff.metrics.arrays import Floats, Ints
from distaff.metrics.counts import Counts, in_bins
from distaff.metrics.moments import Moments
from distaff.scoring.batch import Batch
from distaff.scoring.sample import Sample, hashed

State = Mapping[str, NDArray[Any]]


@dataclass(frozen=True)
class Plan:
    """What is to be kept: counts in these numbers of bins, moments, so many rows; by which ranges, seed."""

    bins: tuple[int, ...]
    moments: bool
    most: int
    ranges: ArrayLike | None
    factor_ranges: ArrayLike | None
    seed: int


@dataclass(frozen=True)
class Seen:
    """What is kept of rows.

    `shape` is how many codes and factors there are, `real` which factors are real numbers. `spans` (m, 3) are
    the rows: part, number of the first, number after the last. Moments are of codes beside factors: of the
    rows to learn from, and of the third that a hash holds out.
    """

    shape: tuple[int, int]
    real: tuple[int, ...]
    spans: Ints
    learn: Moments
    score: Moments
    counts: Mapping[int, Counts]
    sample: Sample | None

    @classmethod
    def of(cls, batch: Batch, plan: Plan, part: int, start: int) -> Seen:
        """That of a batch whose rows are numbered from `start`."""
        shape, n = batch.shape, len(batch.codes)
        numbers = np.arange(start, start + n)
        beside = np.concatenate([batch.codes, batch.factors], axis=1) if plan.moments else np.empty((n, 0))
        held = hashed(plan.seed, "held out", part, numbers) % np.uint64(3) == 0
        return cls(
            shape,
            batch.real,
            np.array([[part, start, start + n]]),
            Moments.of(beside[~held]),
            Moments.of(beside[held]),
            {bins: _counted(batch, plan, bins) for bins in plan.bins} if shape[1] else {},
            Sample.of(plan.most, plan.seed, part, numbers, batch.arrays) if plan.most else None,
        )

    def plus(self, other: Seen) -> Seen:
        """That of both; BadInput where they are of other columns, or share rows."""
        check_columns(self.shape, other.shape)
        sample = self.sample
        if sample is not None and other.sample is not None:
            if sample.arrays.keys() != other.sample.arrays.keys():
                told = [", ".join(each.arrays) for each in (other.sample, sample)]
                raise BadInput(f"these rows have {told[0]}, and those seen before {told[1]}")
            sample = sample.plus(other.sample)
        return Seen(
            self.shape,
            self.real,
            _joined(self.spans, other.spans),
            self.learn.plus(other.learn),
            self.score.plus(other.score),
            {bins: counts.plus(other.counts[bins]) for bins, counts in self.counts.items()},
            sample,
        )

    @property
    def rows(self) -> int:
        """How many rows there were."""
        return int((self.spans[:, 2] - self.spans[:, 1]).sum())

    def rows_of(self, part: int) -> int:
        """The number that the next row of a part gets."""
        return int(self.spans[self.spans[:, 0] == part, 2].max(initial=0))


def check_columns(seen: tuple[int, int], new: tuple[int, int]) -> None:
    """BadInput where there are other numbers of codes or factors than before."""
    for what, before, now in zip(("codes", "factors"), seen, new, strict=True):
        if before != now:
            raise BadInput(f"{what} have {now} columns, and those seen before {before}")


def _counted(batch: Batch, plan: Plan, bins: int) -> Counts:
    ranges = ranges_of("ranges", plan.ranges, batch.codes.shape[1])
    factors = batch.factors
    if batch.real:
        real = list(batch.real)
        factors = factors.copy()
        factors[:, real] = in_bins(
            factors[:, real], ranges_of("factor_ranges", plan.factor_ranges, len(real)), bins
        )
    return Counts.of(batch.codes, factors, ranges, bins)


def ranges_of(name: str, given: ArrayLike | None, columns: int) -> Floats:
    """Ranges (columns, 2), of one pair for all or a pair for each."""
    try:
        found = np.asarray(given, dtype=np.float64)
    except (TypeError, ValueError):
        found = np.empty(0)
    if found.shape == (2,):
        found = np.tile(found, (columns, 1))
    if found.shape != (columns, 2) or not np.isfinite(found).all() or (found[:, 0] >= found[:, 1]).any():
        allowed = f"a pair (low, high), or {columns} such pairs, with low < high"
        raise BadInput(f"{name}={np.asarray(given).tolist()} is not allowed; it must be {allowed}")
    return found


def _joined(first: Ints, second: Ints) -> Ints:
    """The rows of both, those that follow each other in one; BadInput where both have the same."""
    found: list[list[int]] = []
    for part, start, stop in sorted([*first.tolist(), *second.tolist()]):
        if found and found[-1][0] == part and start < found[-1][2]:
            raise BadInput(f"both streams saw row {start} of part {part}; give each stream a part of its own")
        if found and found[-1][0] == part and start == found[-1][2]:
            found[-1][2] = stop
        else:
            found.append([part, start, stop])
    return np.array(found, dtype=np.int64)


def flat(seen: Seen) -> dict[str, NDArray[Any]]:
    """All that is kept, as arrays by name."""
    found = {"shape": np.array(seen.shape), "real": np.array(seen.real, dtype=np.int64), "spans": seen.spans}
    for name in ("learn", "score"):
        each = getattr(seen, name)
        found |= {f"{name}.n": np.array([each.n]), f"{name}.mean": each.mean, f"{name}.scatter": each.scatter}
        found |= {f"{name}.low": each.low, f"{name}.high": each.high}
    for bins, counts in seen.counts.items():
        found[f"counts.{bins}.outside"] = counts.outside
        for j, (values, table) in enumerate(zip(counts.values, counts.tables, strict=True)):
            found |= {f"counts.{bins}.values.{j}": values, f"counts.{bins}.table.{j}": table}
    if seen.sample is not None:
        found["sample.keys"] = seen.sample.keys
        for need, arrays in seen.sample.arrays.items():
            found |= {f"sample.{need}.{i}": array for i, array in enumerate(arrays)}
    return found


def of_flat(state: State, plan: Plan) -> Seen:
    """What is kept, of its arrays."""
    shape = int(state["shape"][0]), int(state["shape"][1])
    moments = {
        name: Moments(
            int(state[f"{name}.n"][0]),
            *(state[f"{name}.{each}"] for each in ("mean", "scatter", "low", "high")),
        )
        for name in ("learn", "score")
    }
    factors, counts = range(shape[1]), {}
    for bins in plan.bins if shape[1] else ():
        values = tuple(state[f"counts.{bins}.values.{j}"] for j in factors)
        tables = tuple(state[f"counts.{bins}.table.{j}"] for j in factors)
        counts[bins] = Counts(values, tables, state[f"counts.{bins}.outside"])
    arrays: dict[str, list[NDArray[Any]]] = {}
    for name in sorted(each for each in state if each.startswith("sample.") and each != "sample.keys"):
        arrays.setdefault(name.split(".")[1], []).append(state[name])
    sample = None
    if "sample.keys" in state:
        sample = Sample(plan.most, state["sample.keys"], {need: tuple(each) for need, each in arrays.items()})
    real = tuple(int(j) for j in state["real"])
    return Seen(shape, real, state["spans"], moments["learn"], moments["score"], counts, sample)
