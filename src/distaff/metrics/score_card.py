"""The score card: every metric with its interval, and where chance and the ceiling lie for these factors."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from distaff import __version__, registry
from distaff.errors import BadInput, NotApplicable, unknown
from distaff.metrics.arrays import check_pair
from distaff.settings import whole_number

if TYPE_CHECKING:
    import pandas as pd

HALVES = 20  # half samples behind an interval
NOISE_DRAWS = 3  # draws of noise codes behind the chance level
SMALLEST_FOR_INTERVAL = 20  # rows


@dataclass(frozen=True)
class Score:
    """One number of a metric.

    `value`; `low` and `high` bound its 95 % interval; `chance` is what noise codes score on these factors and
    `ceiling` what codes equal to the factors score. Any of them is None where it does not exist; a `value` of
    None has a `reason`.
    """

    value: float | None = None
    low: float | None = None
    high: float | None = None
    chance: float | None = None
    ceiling: float | None = None
    higher_is_better: bool = True
    reason: str = ""

    @property
    def scaled(self) -> float | None:
        """The value on the scale from chance (0) to the ceiling (1)."""
        if self.value is None or self.chance is None or self.ceiling is None or self.ceiling == self.chance:
            return None
        return (self.value - self.chance) / (self.ceiling - self.chance)


@dataclass(frozen=True)
class ScoreCard:
    """Scores by name, and the protocol they were made with. `card["mig"].value`, `print(card)`."""

    scores: dict[str, Score]
    protocol: dict[str, Any]

    def __getitem__(self, name: str) -> Score:
        if name not in self.scores:
            raise unknown("score", name, self.scores)
        return self.scores[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.scores)

    def __len__(self) -> int:
        return len(self.scores)

    def to_dict(self) -> dict[str, Any]:
        """The card as a dict that JSON takes."""
        return {
            "scores": {name: asdict(score) for name, score in self.scores.items()},
            "protocol": self.protocol,
        }

    @classmethod
    def from_dict(cls, value: Any) -> ScoreCard:
        """The card that `to_dict` gave."""
        try:
            if not {"rows", "codes", "factors", "seed"} <= value["protocol"].keys():
                raise KeyError("protocol")
            for score in value["scores"].values():
                numbers = [score[key] for key in ("value", "low", "high", "chance", "ceiling")]
                if not all(number is None or type(number) in (int, float) for number in numbers):
                    raise TypeError("scores")
            return cls(
                {str(name): Score(**score) for name, score in value["scores"].items()},
                dict(value["protocol"]),
            )
        except (TypeError, KeyError, AttributeError, ValueError):
            raise BadInput("this is not a score card") from None

    def to_frame(self) -> pd.DataFrame:
        """The card as a pandas DataFrame, a row per score."""
        import pandas as pd

        frame = pd.DataFrame.from_dict({name: asdict(s) for name, s in self.scores.items()}, orient="index")
        frame.index.name = "score"
        return frame

    def __str__(self) -> str:
        width = max([len("score"), *map(len, self.scores)])
        lines = [f"{'score':<{width}}  value  95 % interval   chance  ceiling  chance ▏ ▕ ceiling"]
        for name, s in self.scores.items():
            if s.value is None:
                lines.append(f"{name:<{width}}  not applicable: {s.reason}")
                continue
            interval = f"{s.low:.3f} to {s.high:.3f}" if s.low is not None and s.high is not None else "-"
            lines.append(
                f"{name:<{width}}  {s.value:5.3f}  {interval:<14}  {_number(s.chance)}  "
                f"{_number(s.ceiling):>7}  {_bar(s.scaled)}"
            )
        p = self.protocol
        factors = ", ".join(p["factors"]) or "none"
        for factor, why in p.get("left out", {}).items():
            lines.append(f"left out: {factor} ({why})")
        lines.append(f"{p['rows']} rows, {p['codes']} codes, factors: {factors}; seed {p['seed']}")
        return "\n".join(line.rstrip() for line in lines)


def _number(value: float | None) -> str:
    return f"{value:6.3f}" if value is not None else "     -"


def _bar(scaled: float | None, width: int = 20) -> str:
    if scaled is None:
        return ""
    filled = round(width * min(max(scaled, 0.0), 1.0))
    return "█" * filled + "░" * (width - filled)


def score(
    codes: ArrayLike,
    factors: ArrayLike,
    *,
    metrics: Sequence[str] | str | None = None,
    names: Sequence[str] | None = None,
    seed: int = 0,
    values_only: bool = False,
    report: Callable[[int, str], object] = lambda done, words: None,
) -> ScoreCard:
    """Score codes (n, d) against factors (n, k): any representation, from any framework.

    The 95 % interval is value +- 1.96 s, where s is the standard deviation of the score over 20 random halves
    of the rows: halves drawn without replacement vary as the whole sample does from one drawing to the next,
    and repeat no row, which would inflate mutual information. It covers how scores vary from sample to
    sample, not the bias that a metric has on few rows. `values_only` skips intervals, chance and ceiling.
    `metrics` names those wanted (default: all), `names` the factors.

    Raises BadInput (a ValueError) where the arrays cannot be used.
    """
    codes, factors = check_pair(codes, factors)
    whole_number("seed", seed, 0)
    names = [str(j) for j in range(factors.shape[1])] if names is None else list(names)
    if len(names) != factors.shape[1]:
        raise BadInput(f"{len(names)} factor names for {factors.shape[1]} factors")
    metrics = [metrics] if isinstance(metrics, str) else metrics
    wanted = registry.names("metrics") if metrics is None else list(metrics)
    for metric in wanted:
        if metric not in registry.names("metrics"):
            raise unknown("metric", metric, registry.names("metrics"))
    found: dict[str, Score] = {}
    for done, metric in enumerate(wanted):
        report(done, metric)
        found.update(_scores(metric, codes, factors, seed, values_only))
    report(len(wanted), "")
    return ScoreCard(found, protocol(len(codes), codes.shape[1], names, seed, values_only))


def not_applicable(reason: str, codes: int, rows: int, seed: int, left_out: dict[str, str]) -> ScoreCard:
    """The card of codes without usable factors: every score with the reason it has no value."""
    scores = {name: Score(reason=reason) for name in registry.names("metrics")}
    return ScoreCard(scores, protocol(rows, codes, [], seed, True) | {"left out": left_out})


def protocol(rows: int, codes: int, names: Sequence[str], seed: int, values_only: bool) -> dict[str, Any]:
    """What the scores were made from and with."""
    return {
        "rows": rows,
        "codes": codes,
        "factors": list(names),
        "seed": seed,
        "interval": None if values_only else f"95 %, from {HALVES} halves of the rows",
        "versions": {"distaff": __version__} | {name: version(name) for name in ("numpy", "scikit-learn")},
    }


def _scores(
    name: str, codes: NDArray[Any], factors: NDArray[np.int64], seed: int, values_only: bool
) -> dict[str, Score]:
    """The scores of one metric: one, or one per field where it returns a named tuple."""
    function = registry.get("metrics", name)
    better = function.declaration.higher_is_better
    try:
        values = _values(name, function, codes, factors, seed)
    except NotApplicable as error:
        return {name: Score(reason=str(error), higher_is_better=better)}
    if values_only:
        return {key: Score(value=value, higher_is_better=better) for key, value in values.items()}
    rng = np.random.default_rng(seed)
    chance = [
        _values(name, function, rng.standard_normal(codes.shape), factors, seed + i)
        for i in range(NOISE_DRAWS)
    ]
    ideal = factors.astype(np.float64)
    if ideal.shape[1] == 1:  # a gap needs a second code
        ideal = np.concatenate([ideal, rng.standard_normal(ideal.shape)], axis=1)
    ceiling = _values(name, function, ideal, factors, seed)
    halves = list(_halves(name, function, codes, factors, seed))
    return {
        key: _score(
            value,
            [half[key] for half in halves],
            float(np.mean([draw[key] for draw in chance])),
            ceiling[key],
            function.declaration,
        )
        for key, value in values.items()
    }


def _score(value: float, halves: list[float], chance: float, ceiling: float, declared: Any) -> Score:
    low = high = None
    if len(halves) > 1:
        margin = 1.96 * float(np.std(halves, ddof=1))
        low, high = max(declared.low, value - margin), min(declared.high, value + margin)
    return Score(value, low, high, chance, ceiling, declared.higher_is_better)


def _values(
    name: str, function: Callable[..., Any], codes: NDArray[Any], factors: NDArray[np.int64], seed: int
) -> dict[str, float]:
    given = {"seed": seed} if "seed" in inspect.signature(function).parameters else {}
    result = function(codes, factors, **given)
    fields = (
        {f"{name}.{field}": v for field, v in result._asdict().items()} if hasattr(result, "_asdict") else {}
    )
    values = {key: float(value) for key, value in (fields or {name: result}).items()}
    for key, value in values.items():
        if not math.isfinite(value):
            raise BadInput(f"{key} is {value} on these arrays")
    return values


def _halves(
    name: str, function: Callable[..., Any], codes: NDArray[Any], factors: NDArray[np.int64], seed: int
) -> Iterator[dict[str, float]]:
    n = len(codes)
    if n < SMALLEST_FOR_INTERVAL:
        return
    for i in range(HALVES):
        rows = np.random.default_rng([seed, i]).permutation(n)[: n // 2]
        try:
            yield _values(name, function, codes[rows], factors[rows], seed + 1 + i)
        except BadInput:  # a half in which a factor takes a single value
            continue
