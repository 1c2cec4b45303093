"""A metric on inputs: its numbers, those of halves of the rows, and where chance and the ceiling lie."""

import contextlib
import hashlib
import inspect
import math
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from distaff.errors import BadInput, NotApplicable
from distaff.metrics.arrays import check_seed
from distaff.metrics.declare import Adapted, Declaration, Metric, Sizes
from distaff.metrics.door import check_counts, check_density
from distaff.metrics.held_out import whole_units
from distaff.metrics.needs import NEEDS
from distaff.randomness import derived
from distaff.scoring.inputs import Inputs
from distaff.scoring.protocols import settings_taken
from distaff.scoring.reference import Reference, cached
from distaff.tables import Sparse

HALVES = {"fast": 20, "fitted": 5, "slow": 5}  # half samples behind an interval, by the metric's cost
DRAWS = {"fast": 3, "fitted": 2, "slow": 1}  # of noise codes behind a chance level
SMALLEST_FOR_INTERVAL = 20  # rows, or units

Numbers = dict[str, float | None]


class Result(NamedTuple):
    """The numbers of a metric by score name (None where rows were too few), and the learner it names."""

    numbers: Numbers
    learner: str | None = None


@dataclass(frozen=True)
class Measure:
    """A metric on inputs that were checked, with a seed, under a protocol or none.

    `adapted` are other settings than its defaults, which halves, chance and ceiling take as well. Everything
    here raises NotApplicable where the metric has no meaning on these inputs.
    """

    metric: Metric[Any]
    inputs: Inputs
    seed: int
    protocol: str | None = None
    adapted: Adapted | None = None

    @property
    def declared(self) -> Declaration:
        """What the metric says of itself, with the settings it has here."""
        said = self.metric.declaration
        return replace(said, low=self.adapted.low) if self.adapted else said

    def value(self, part: float = 1.0) -> Result:
        """Its numbers, by a `part` of the protocol's rows; BadInput where one is NaN."""
        result = self.result(part)
        for key, value in result.numbers.items():
            if value is not None and math.isnan(value):
                raise BadInput(f"{key} is not a number on these arrays")
        return result

    def result(self, part: float = 1.0, **settings: Any) -> Result:
        """Its numbers, by a `part` of the protocol's rows and with more settings."""
        for need in self.declared.needs:
            if need not in self.inputs.given:
                raise NotApplicable(NEEDS[need].lacking)
        check_density(self.metric.__name__, self.inputs.codes, self.declared.only_dense)
        if self.inputs.continuous and "factors" in self.declared.needs and not self.declared.continuous:
            raise NotApplicable("it is defined for factors that are whole numbers")
        sizes = self.declared.protocols.get(self.protocol or "", Sizes())
        learn, score, inputs = int(sizes.learn * part), int(sizes.score * part), self.inputs
        if learn:
            order = np.random.default_rng([self.seed, 1]).permutation(len(inputs))
            inputs = inputs.take(order[: learn + score])
        arguments = self._arguments(inputs)
        if score:
            settings["test"] = arguments["codes"][learn:], arguments["factors"][learn:]
            arguments |= {what: arguments[what][:learn] for what in ("codes", "factors")}
        elif "units" in inputs.given and "test" in inspect.signature(self.metric).parameters:
            rows = arguments["codes"], arguments["factors"], inputs.given["units"]
            arguments |= whole_units(*rows, self.seed)
        adapted = self.adapted.settings if self.adapted else {}
        found = self.metric.of_arrays(**arguments, **{**adapted, **sizes.settings, **settings})
        return named(self.metric.__name__, found)

    def _arguments(self, inputs: Inputs) -> dict[str, Any]:
        """The arguments by name: codes, what it needs and what else it takes, and the seed."""
        most = self.declared.needs_order_above
        if most is not None and any(inputs.given["factors"][:, j].max() >= most for j in inputs.unordered):
            words = "words have no order (--order gives them one)"
            raise NotApplicable(f"it reads factors as numbers, and {words}")
        takes = inspect.signature(self.metric).parameters
        found = {
            need: NEEDS[need].some(value, inputs.continuous)
            for need, value in inputs.given.items()
            if need in takes
        }
        found["codes"] = inputs.codes
        if "continuous" in takes:
            found["continuous"] = inputs.continuous
        if "seed" in takes:
            found["seed"] = check_seed(self.seed)
        least = self.declared.least_codes, self.declared.least_factors
        check_counts(self.metric.__name__, inputs.codes, found.get("factors"), *least)
        return found

    @property
    def halves(self) -> range:
        """The numbers of the random halves of the rows behind its interval: none of few rows."""
        count = len(self.inputs) if self._units is None else int(self._units.max()) + 1
        return range(HALVES[self.declared.cost] if count >= SMALLEST_FOR_INTERVAL else 0)

    def half(self, number: int) -> Numbers | None:
        """Its numbers on one of the halves; None where a factor takes a single value there."""
        rows = self._half_of_rows(np.random.default_rng(derived(self.seed, "rows of a half", number)))
        half = replace(self, inputs=self.inputs.take(rows), seed=derived(self.seed, "half", number))
        with contextlib.suppress(BadInput):
            return half.value(part=0.5).numbers
        return None

    @property
    def _units(self) -> NDArray[np.int64] | None:
        return self.inputs.given.get("units")

    def _half_of_rows(self, rng: np.random.Generator) -> NDArray[np.int64]:
        """A random half of the rows, or all rows of a random half of the units."""
        if self._units is None:
            return rng.permutation(len(self.inputs))[: len(self.inputs) // 2]
        numbers = rng.permutation(self._units.max() + 1)
        return np.flatnonzero(np.isin(self._units, numbers[: len(numbers) // 2]))

    def reference(self) -> Reference:
        """Chance and ceiling for these factors and this number of codes, from the cache where it has them."""
        if not self.declared.needs and "scale" not in self.declared.invariant_to:
            return Reference({}, {})  # in units of the codes: theirs would be those of another scale
        facts = {need: NEEDS[need].facts(value) for need, value in self.inputs.given.items()}
        adapted = {"settings": dict(self.adapted.settings)} if self.adapted else {}
        return cached(
            {
                **adapted,
                "metric": f"{self.metric.__module__}:{self.metric.__qualname__}",
                "codes": _chance_of(self.inputs.codes),
                "needs": {need: fact for need, fact in facts.items() if fact is not None},
                "continuous": self.inputs.continuous,
                "seed": self.seed,
                "streams": "derived",  # those before were others
                "ceiling": "alone",  # a single factor's had noise beside it
                "protocol": self.protocol,
                "defaults": settings_taken(self.metric, self.protocol),
            },
            self.chance_and_ceiling,
        )

    def chance_and_ceiling(self) -> Reference:
        """What noise codes score, the mean over some draws, and what the standardised factors score."""
        rng = np.random.default_rng(derived(self.seed, "noise codes"))
        seeds = [derived(self.seed, "chance", i) for i in range(DRAWS[self.declared.cost])]
        draws = [self._finite(_noise(self.inputs, rng), seed) for seed in seeds]
        chance = {key: _mean([draw.get(key) for draw in draws]) for key in sorted(set().union(*draws))}
        if "factors" not in self.inputs.given:
            return Reference(chance, {})
        ideal = _ideal(self.inputs, self.metric, rng)
        return Reference(chance, self._finite(ideal, self.seed))

    def _finite(self, inputs: Inputs, seed: int) -> Numbers:
        """The numbers on other inputs that are finite; none where a split leaves a factor a single value."""
        try:
            numbers = replace(self, inputs=inputs, seed=seed).result().numbers
        except BadInput:
            return {}
        return {key: v if v is not None and np.isfinite(v) else None for key, v in numbers.items()}


def named(name: str, found: Any) -> Result:
    """What a metric of this name returned, by score name: a number, or a named tuple of some."""
    if not hasattr(found, "_asdict"):
        return Result({name: float(found)})
    fields = found._asdict()
    learner = fields.pop("learner", None)
    return Result({f"{name}.{k}": None if v is None else float(v) for k, v in fields.items()}, learner)


def _mean(values: list[float | None]) -> float | None:
    numbers = [value for value in values if value is not None]
    return float(np.mean(numbers)) if numbers else None


def _chance_of(codes: Any) -> Any:
    """What chance depends on of codes, for JSON: their shape, and of sparse ones what they are."""
    if not isinstance(codes, Sparse):
        return codes.shape
    parts = b"".join(part.tobytes() for part in (codes.values, codes.rows, codes.starts))
    return [*codes.shape, hashlib.sha256(parts).hexdigest()]


def _noise(inputs: Inputs, rng: np.random.Generator) -> Inputs:
    """Codes that know nothing: Gaussian ones; of sparse codes the same with their rows shuffled."""
    if isinstance(inputs.codes, Sparse):
        codes: Any = inputs.codes[rng.permutation(len(inputs))]
    else:
        codes = rng.standard_normal(inputs.codes.shape)
    return _beside(codes, inputs, {n: NEEDS[n].of_noise(v, codes, rng) for n, v in inputs.given.items()})


def _ideal(inputs: Inputs, metric: Metric[Any], rng: np.random.Generator) -> Inputs:
    """The codes that a metric calls ideal: by default standardised factors."""
    declared = metric.declaration
    codes = declared.ideal(inputs.given["factors"], inputs.codes.shape[1])
    if codes.shape[1] < declared.least_codes:  # a gap needs a second code
        codes = np.concatenate([codes, rng.standard_normal(codes.shape)], axis=1)
    taken = {n: v for n, v in inputs.given.items() if n in inspect.signature(metric).parameters}
    return _beside(codes, inputs, {n: NEEDS[n].of_ideal(v, codes, taken) for n, v in inputs.given.items()})


def _beside(codes: NDArray[Any], inputs: Inputs, given: dict[str, Any]) -> Inputs:
    return replace(inputs, codes=codes, given={n: value for n, value in given.items() if value is not None})
