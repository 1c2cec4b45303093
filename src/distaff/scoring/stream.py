"""Scores of codes that come in batches, as training goes on or in several processes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from distaff import registry
from distaff.errors import BadInput, NotApplicable, unknown
from distaff.metrics.arrays import check_seed, single_valued
from distaff.metrics.exact import Sums
from distaff.metrics.information import ZERO_QUANTILE, number_of_bins
from distaff.metrics.needs import NEEDS
from distaff.scoring.batch import batch_of
from distaff.scoring.inputs import Inputs
from distaff.scoring.measure import Measure, Numbers, named
from distaff.scoring.protocols import defaults
from distaff.scoring.seen import Plan, Seen, State, check_columns, flat, of_flat, ranges_of
from distaff.settings import whole_number
from distaff.tables import Continuous

MOST = 10_000  # rows that are kept, where rows must be
LEAST = 2  # rows of a score


class Stream:
    """Scores of codes that come in batches: update, compute, reset, and merge with what others saw.

    `metrics` are names, or a mapping of names to settings: `{"mig": {"bins": 20}, "linear_r2": {}}`. What
    `exact` names has the value of all rows seen, whatever the batches: from counts of codes in equal bins of
    `ranges` (a pair for all codes, or one for each; values beyond are in the bin at that end, and `outside`
    says what share they are), or from sums and products of columns. Without `ranges`, and for all other
    metrics, it keeps the `sample` rows of the smallest priorities, a hash of seed, part and row number, so
    that it does not matter how rows are cut into batches or in which order streams are merged. Which metric
    is which when: `docs/metrics.md`.

    A score from sums equals the metric's own on all rows to rounding: mig's with bins of these ranges,
    linear_r2's with the third of the rows held out that a hash names, mcc's with Pearson's correlation in
    sample. Of codes that differ from a combination of others by less than a millionth, least squares from
    products say less.

    Factors are numbers: whole, or `continuous` (all, or some by name or number; `factor_ranges` are theirs,
    for counts). Words are not taken, for each batch would number them otherwise. Streams that are to be
    merged have the same settings, and each its own `part`, a number such as the rank of a process.

        >>> stream = Stream(["mig"], ranges=(-1, 1))
        >>> for _ in range(3):
        ...     stream.update([[-1, 0], [1, 0]], [0, 1])
        >>> stream.compute()
        {'mig': 1.0}
    """

    def __init__(
        self,
        metrics: Sequence[str] | str | Mapping[str, Mapping[str, Any]],
        *,
        ranges: ArrayLike | None = None,
        factor_ranges: ArrayLike | None = None,
        continuous: Continuous = False,
        sample: int = MOST,
        seed: int = 0,
        part: int = 0,
    ) -> None:
        self.settings, self.continuous = _settings(metrics), continuous
        for name, given in (("ranges", ranges), ("factor_ranges", factor_ranges)):
            if given is not None:
                ranges_of(name, given, len(np.atleast_2d(np.asarray(given, dtype=object))))
        #: the metrics that need no sample, and what they are made of: "counts" or "moments"
        self.exact: dict[str, str] = {}
        for name in self.settings:
            if made_of := self._made_of(name, ranges, factor_ranges):
                self.exact[name] = made_of
        bins = {self.settings[name]["bins"] for name, of in self.exact.items() if of == "counts"}
        most = whole_number("sample", sample, LEAST)
        self._plan = Plan(
            tuple(sorted(map(number_of_bins, bins))),
            bool(self.exact),
            most if self.settings.keys() - self.exact.keys() else 0,
            ranges,
            factor_ranges,
            check_seed(seed),
        )
        self.part = whole_number("part", part, 0)
        #: why scores are not among those of the last `compute`
        self.reasons: dict[str, str] = {}
        self.reset()

    def reset(self) -> None:
        """Forget all rows."""
        self._seen: Seen | None = None
        #: the number that the next row gets
        self.row = 0

    @property
    def rows(self) -> int:
        """How many rows were seen."""
        return self._seen.rows if self._seen else 0

    @property
    def outside(self) -> NDArray[np.float64]:
        """The share of rows (d,) with a code beyond its range; none where nothing is counted."""
        for counts in self._seen.counts.values() if self._seen else ():
            return np.asarray(counts.outside / self.rows)
        return np.empty(0)

    @property
    def filled(self) -> NDArray[np.int64]:
        """How many bins of its range each code (d,) has filled; few where the range is too wide."""
        for counts in self._seen.counts.values() if self._seen else ():
            return np.asarray((counts.tables[0].sum(axis=2) > 0).sum(axis=1))
        return np.empty(0, dtype=np.int64)

    def update(self, codes: Any, factors: Any = None, **given: Any) -> None:
        """Take in the next rows: codes (n, d), factors (n, k), and what else metrics need, by its name."""
        for name in given.keys() - {need for need, each in NEEDS.items() if each.of_rows}:
            raise TypeError(f"update() got an unexpected keyword argument '{name}'")
        batch = batch_of(codes, {"factors": factors, **given}, self.continuous)
        if self._seen:
            check_columns(self._seen.shape, batch.shape)
        new = Seen.of(batch, self._plan, self.part, self.row)
        self._seen = self._seen.plus(new) if self._seen else new
        self.row += len(batch.codes)

    def merge(self, other: Stream) -> None:
        """Take in what another stream saw, of the same settings and other rows."""
        own, new = self._said(), other._said()
        for what, each in own.items():
            if each != new[what]:
                raise BadInput(f"streams of different {what} cannot be merged: {each} and {new[what]}")
        if other._seen:
            self._seen = self._seen.plus(other._seen) if self._seen else other._seen
            self.row = max(self.row, self._seen.rows_of(self.part))

    def compute(self) -> dict[str, float]:
        """The scores of all rows seen, by name; those without a value are left out, and `reasons` say why."""
        found: dict[str, float] = {}
        self.reasons = {}
        inputs = _inputs(self._seen) if self._seen and self._seen.sample else None
        for name in self.settings:
            try:
                if self.rows < LEAST:
                    raise NotApplicable(f"at least {LEAST} rows are needed, got {self.rows}")
                numbers = self._exactly(name) if name in self.exact else self._of_sample(name, inputs)
            except BadInput as error:
                self.reasons[name] = str(error)
                continue
            found |= {key: value for key, value in numbers.items() if value is not None}
        return found

    def state(self) -> dict[str, NDArray[Any]]:
        """All that is kept, as arrays by name, for a checkpoint; `load` takes it back."""
        return flat(self._seen) if self._seen else {}

    def load(self, state: State) -> None:
        """Be where a stream of the same settings was when it gave this state."""
        self.reset()
        if state:
            self._seen = of_flat(state, self._plan)
            self.row = self._seen.rows_of(self.part)

    def _made_of(self, name: str, ranges: ArrayLike | None, factor_ranges: ArrayLike | None) -> str:
        """What a metric with its settings is made of, "" where it takes a sample."""
        exact, real = registry.get("metrics", name).declaration.exact, not _none(self.continuous)
        if exact is None or not exact.where({**self.settings[name], "continuous": self.continuous}):
            return ""
        if exact.of == "counts":
            number_of_bins(bins := self.settings[name]["bins"])
            if ranges is None or (real and factor_ranges is None) or bins == ZERO_QUANTILE:
                return ""
        return str(exact.of)

    def _said(self) -> dict[str, Any]:
        """What must be the same of streams that are merged."""
        plan = self._plan
        arrays = {"ranges": plan.ranges, "factor_ranges": plan.factor_ranges, "continuous": self.continuous}
        told = {what: np.asarray(each).tolist() for what, each in arrays.items()}
        return {"metrics": self.settings, **told, "sample": plan.most, "seed": plan.seed}

    def _exactly(self, name: str) -> Numbers:
        """A metric's numbers, of sums."""
        assert self._seen is not None
        declared, sums = registry.get("metrics", name).declaration, _sums(self._seen)
        factors = len(sums.factors)
        least = declared.least_factors if "factors" in declared.needs else 0
        both = ("codes", sums.d, declared.least_codes), ("factors that vary", factors, least)
        for what, count, needed in both:
            if count < needed:
                raise NotApplicable(f"{name} needs at least {needed} {what}, got {count}")
        return named(name, declared.exact.value(sums, self.settings[name])).numbers

    def _of_sample(self, name: str, inputs: Inputs | None) -> Numbers:
        """A metric's numbers, of the rows that are kept."""
        assert inputs is not None
        measure = Measure(registry.get("metrics", name), inputs, self._plan.seed)
        return measure.result(**self.settings[name]).numbers


def _none(continuous: Continuous) -> bool:
    return not continuous if isinstance(continuous, bool) else len(continuous) == 0


def _settings(metrics: Sequence[str] | str | Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """By metric all its settings, those given and its defaults; BadInput where it has no such setting."""
    if isinstance(metrics, str):
        metrics = [metrics]
    wanted = dict(metrics) if isinstance(metrics, Mapping) else {name: {} for name in metrics}
    if not wanted:
        raise BadInput("a stream needs at least one metric, got none")
    found: dict[str, dict[str, Any]] = {}
    for name, given in wanted.items():
        registry.check("metrics", name)
        own = defaults(registry.get("metrics", name))
        for key in given:
            if key not in own:
                raise unknown(f"setting of {name} in a stream", str(key), own)
        found[name] = {**own, **given}
    return found


def _sums(seen: Seen) -> Sums:
    return Sums(seen.shape[0], seen.learn, seen.score, seen.counts)


def _inputs(seen: Seen) -> Inputs:
    """The rows that are kept, as metrics take them, with the factors that vary."""
    assert seen.sample is not None
    arrays = dict(seen.sample.arrays)
    (codes,), (factors,) = arrays.pop("codes"), arrays.pop("factors")
    given: dict[str, Any] = {
        need: list(each) if NEEDS[need].each else each[0] for need, each in arrays.items()
    }
    varies = [j for j in range(factors.shape[1]) if j not in single_valued(factors)]
    real = tuple(new for new, old in enumerate(varies) if old in seen.real)
    if varies:
        columns = [
            factors[:, j] if j in seen.real else np.unique(factors[:, j], return_inverse=True)[1]
            for j in varies
        ]
        given["factors"] = np.stack(columns, axis=1).astype(np.float64 if real else np.int64)
    return Inputs(codes, given, real)
